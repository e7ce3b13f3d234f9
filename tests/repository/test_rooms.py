"""The rooms of pipeline/ import each other in one direction, and nothing that stands above them."""

import ast

import pytest

from support.imports import PACKAGE, ROOMS, modules_imported, rooms_imported
from support.processes import ROOT

# each room, and the rooms that it may import from
MAY_IMPORT = {
    "project": set(),
    "builtin": set(),
    "own": {"project"},
    "scoring": {"project", "own"},
    "tracking": {"project", "data", "models", "drift"},
    "data": {"project", "builtin"},
    "models": {"project", "own", "data", "scoring"},
    "drift": {"project", "data", "scoring"},
    "training": {"project", "own", "data", "scoring", "models"},
    "tuning": {"project", "data", "scoring", "models", "training"},
    "report": {"project", "data", "scoring", "models", "training", "drift", "tracking"},
    "registry": {"project", "own", "data", "scoring", "models", "tracking"},
    "serving": {"project", "own", "data", "scoring", "models", "registry"},
    "monitoring": {
        "project",
        "data",
        "scoring",
        "training",
        "drift",
        "registry",
        "serving",
    },
}
MOST_MODULES = 10
SCRIPTS = sorted(ROOT.glob("*.py"))


def test_every_room_has_its_place_in_the_direction():
    assert set(MAY_IMPORT) == set(ROOMS)


def test_direction_has_no_circle():
    placed = set()
    while len(placed) < len(MAY_IMPORT):
        ready = {room for room, below in MAY_IMPORT.items() if below <= placed} - placed
        assert ready, f"a circle among {set(MAY_IMPORT) - placed}"
        placed |= ready


@pytest.mark.parametrize("room", ROOMS)
def test_room_imports_only_from_the_rooms_below_it(room):
    for module in (PACKAGE / room).rglob("*.py"):
        assert rooms_imported(module) <= MAY_IMPORT[room], module


@pytest.mark.parametrize("room", ROOMS)
def test_room_says_in_one_sentence_what_it_knows_and_hands_nothing_on(room):
    content = ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8"))
    (sentence,) = content.body
    said = sentence.value.value
    assert said.endswith(".") and said.count(". ") == 0 and "\n" not in said


@pytest.mark.parametrize("room", ROOMS)
def test_room_has_few_modules(room):
    assert len(list((PACKAGE / room).glob("*.py"))) - 1 <= MOST_MODULES


def test_no_module_stands_outside_the_rooms_but_the_command_line():
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "command.py"}


def test_package_imports_neither_scripts_nor_what_keeps_the_house():
    above = {path.stem for path in SCRIPTS} | {"ops"}
    for module in PACKAGE.rglob("*.py"):
        tops = {name.partition(".")[0] for name in modules_imported(module)}
        assert not tops & above, module


def test_no_room_imports_the_command_line():
    for room in ROOMS:
        for module in (PACKAGE / room).rglob("*.py"):
            assert "pipeline.command" not in modules_imported(module), module


def test_no_script_imports_another_but_train_for_the_options_of_tuning():
    for script in SCRIPTS:
        allowed = {"tune_hyperparameters"} if script.stem == "train" else set()
        assert modules_imported(script) & {path.stem for path in SCRIPTS} <= allowed, script
