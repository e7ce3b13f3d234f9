"""The tests mirror the rooms, in short files that do not import each other."""

from support.imports import ROOMS, modules_imported
from support.processes import ROOT

TESTS = ROOT / "tests"
MOST_LINES = 300
BESIDE_THE_ROOMS = {"ops", "repository", "scripts", "support"}
FILES = sorted(TESTS.rglob("*.py"))


def test_folders_are_those_of_the_rooms():
    folders = {path.parent.name for path in TESTS.glob("*/*.py")}
    assert folders <= {*ROOMS, *BESIDE_THE_ROOMS}


def test_file_is_short():
    long = []
    for path in FILES:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MOST_LINES:
            long.append(f"{path.relative_to(TESTS)}: {lines} lines")
    assert not long


def test_no_test_imports_another():
    imports = []
    for path in FILES:
        for module in modules_imported(path):
            if any(part.startswith("test_") for part in module.split(".")):
                imports.append(f"{path.relative_to(TESTS)} imports {module}")
    assert not imports
