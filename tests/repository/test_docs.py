"""The documents name only scripts, options, targets, paths and commands that exist."""

import functools
import re

import pytest

import compare_results
import validate_metrics
from pipeline.project import paths
from pipeline.report import comparison
from pipeline.scoring import gates
from support.documents import PAGES, code, page, rows, spans
from support.imports import ROOMS, rooms_below
from support.processes import ROOT, script

SCRIPTS = {path.name for path in ROOT.glob("*.py")}
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
# of these the pages name some files of a folder, written by stages or users
OUTPUTS = {"data", "models", "reports", "mlruns", "logs", "studies"}

each_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)


@each_page
def test_files_of_code_exist(path):
    for name in re.findall(r"(?<![\w./-])((?:[\w.-]+/)*[a-z_]+\.py)\b", path.read_text()):
        if "/" in name:
            assert (ROOT / name).is_file() or (path.parent / name).is_file(), name
        else:
            assert name in SCRIPTS, name


@each_page
def test_modules_of_code_exist(path):
    for module in re.findall(r"\b((?:ops|pipeline)(?:\.[a-z_]+)+)\b(?!\()", code(path)):
        place = ROOT / module.replace(".", "/")
        assert place.is_dir() or place.with_suffix(".py").is_file(), module


@each_page
def test_make_targets_exist(path):
    for target in re.findall(r"\bmake ([a-z-]+)", code(path)):
        assert target in MAKE_TARGETS, target


@functools.cache
def options_of(name: str) -> set[str]:
    return set(re.findall(r"--[a-z-]+", script(name, "--help").stdout))


@each_page
def test_options_exist(path):
    for name, rest in re.findall(r"python ([a-z_]+)\.py([^\n`]*)", code(path)):
        options = set(re.findall(r"(--[a-z-]+)", rest))
        if options:
            assert options <= options_of(name), name


@each_page
def test_links_and_folders_exist(path):
    # GitHub resolves ../../actions from the page of a file: the badge needs no owner's name
    links = re.findall(r"\]\((?!https?:|\.\./\.\./actions/)([^)#]+)\)", path.read_text())
    for target in links + re.findall(r'src="([^"]+)"', path.read_text()):
        assert (path.parent / target).exists(), target
    for folder in re.findall(r"(?:^|\s)([a-z.]+)/(?=\s|$)", code(path), re.M):
        exists = (ROOT / folder).is_dir() or folder in ROOMS
        assert exists or folder in OUTPUTS, folder


def test_pipeline_page_shows_what_the_committed_results_print(monkeypatch):
    text = page("docs/pipeline.md")
    for line in compare_results.table(comparison.read(ROOT / paths.COMPARISON).datasets):
        assert line in text, line
    monkeypatch.chdir(ROOT)
    for path in paths.VALIDATION.glob("*.json"):
        for line in validate_metrics.lines(gates.read_validation(path.stem)):
            assert line in text, line


def test_every_script_is_in_a_table_of_the_readme():
    cells = {cell for row in rows(page("README.md")) for cell in row}
    for name in SCRIPTS:
        assert f"`{name}`" in cells, name


def test_contributing_names_every_room_and_only_files_that_exist():
    text = page("CONTRIBUTING.md")
    for room in ROOMS:
        assert f"{room}/" in spans(text), room
    files = [span for span in spans(text) if re.fullmatch(r"[\w.-]+(/[\w.-]+)+", span)]
    assert files
    for name in files:
        assert (ROOT / name).exists(), name


def test_contributing_lists_the_rooms_from_the_ground_up():
    floors = [re.findall(r"`(\w+)/`", row[0]) for row in rows(page("CONTRIBUTING.md"))]
    floor_of = {room: number for number, names in enumerate(floors) for room in names}
    for room in ROOMS:
        for below in rooms_below(room):
            assert floor_of[below] <= floor_of[room], f"{room} imports {below}"


def commands(pages) -> set[tuple]:
    """Return what pages have one type, without the values: (program, script or target, options)."""
    typed = set()
    for path in pages:
        line = r"(?:^\$ |&& |^)((?:python|make|dvc|git|mlflow) [^&#\n]*)"
        for command in re.findall(line, code(path), re.M):
            program, what, *rest = command.split()
            options = [word.partition("=")[0] for word in rest if re.match(r"--|[A-Z]+=", word)]
            typed.add((program, what, frozenset(options)))
    return typed


def test_french_commands_are_those_of_the_english_pages_and_name_every_script():
    french = commands(path for path in PAGES if path.parent.name == "fr")
    known = commands(path for path in PAGES if path.parent.name != "fr")
    for program, what, options in french:
        # those of python and make are held against the scripts' help and the Makefile above
        if program not in ("python", "make"):
            assert (program, what, options) in known
    assert {what for program, what, _ in french if program == "python"} == SCRIPTS
