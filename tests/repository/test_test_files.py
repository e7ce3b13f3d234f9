"""The tests mirror the rooms, in short files that do not import each other."""

import pytest

from support.imports import ROOMS, modules_imported
from support.processes import ROOT

TESTS = ROOT / "tests"
MOST_LINES = 300
BESIDE_THE_ROOMS = {"ops", "repository", "scripts", "support"}
FILES = sorted(TESTS.rglob("*.py"))

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))


def test_folders_are_those_of_the_rooms():
    folders = {path.parent.name for path in TESTS.glob("*/*.py")}
    assert folders <= {*ROOMS, *BESIDE_THE_ROOMS}


@each_file
def test_file_is_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@each_file
def test_no_test_imports_another(path):
    for module in modules_imported(path):
        assert not any(part.startswith("test_") for part in module.split(".")), module
