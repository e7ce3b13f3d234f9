"""A file of the user's own code is run once and known by its sha256; faults are one clear line."""

import hashlib
import pickle
import sys
from pathlib import Path

import pytest

from pipeline.own import loading
from pipeline.project.errors import UsageError

WHERE = "datasets.flights.data.features"
CODE = """
from dataclasses import dataclass
import pandas as pd

LIMIT = 3

@dataclass
class Pair:
    left: int

def features(frame):
    return frame.assign(more=frame["a"] / LIMIT)
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "features").mkdir()

    def write(text: str, name: str = "features/flights.py") -> str:
        (tmp_path / name).write_text(text)
        return name

    return write


def test_function_comes_with_the_sha256_of_its_file(write):
    path = write(CODE)
    found = loading.function(path, "features", WHERE)
    assert found.code.sha256 == hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert found.code.path == path and found.value.__name__ == "features"
    assert loading.named(f"{path}:Pair", WHERE).value(left=1).left == 1


def test_file_runs_once_and_two_versions_of_it_stand_side_by_side(write):
    path = write("RUNS = []\nRUNS.append(1)\nclass Kind: pass\n")
    first = loading.load(path, WHERE)
    again = loading.load(path, WHERE)
    assert again.module is first.module and first.module.RUNS == [1]
    other = loading.load(write("class Kind: changed = True\n"), WHERE)
    assert other.module is not first.module
    old, new = first.module.Kind(), other.module.Kind()
    assert type(pickle.loads(pickle.dumps(old))) is first.module.Kind
    assert type(pickle.loads(pickle.dumps(new))) is other.module.Kind
    assert loading.readable(f"{first.module.__name__}.Kind") == "flights.Kind"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(:\n", "flights.py line 1 is not Python: invalid syntax"),
        ("import os\nimport no_such_package\n", "flights.py line 2 imports 'no_such_package'"),
        ("import os\n\n1 / 0\n", "flights.py line 3 raises ZeroDivisionError: division by zero"),
        ("raise SystemExit(2)\n", "flights.py line 1 raises SystemExit: 2"),
        ("from . import other\n", "flights.py line 1 imports by a relative name"),
        ("def other(): pass\n", "has no 'features'; it defines 'other'"),
        ("features = 3\n", "'features' of features/flights.py is not a function"),
        ("class features: pass\n", "'features' of features/flights.py is not a function"),
    ],
)
def test_fault_of_a_file_is_named_with_its_line_and_leaves_no_module(write, text, message):
    path = write(text)
    before = {name for name in sys.modules if name.startswith("own_flights_")}
    with pytest.raises(UsageError) as raised:
        loading.function(path, "features", WHERE)
    said = str(raised.value)
    assert message in said and said.startswith(f"params.yaml: {WHERE}: ") and "\n" not in said
    left = {name for name in sys.modules if name.startswith("own_flights_")} - before
    assert not left or "has no" in message or "not a function" in message


def test_another_file_of_the_project_is_not_imported(write, monkeypatch):
    write("x = 1\n", "features/helpers_of_flights.py")
    path = write("def features(frame):\n    import features.helpers_of_flights as h\n")
    monkeypatch.syspath_prepend(Path.cwd())
    with pytest.raises(UsageError, match="line 2 imports 'features', a file of this project too"):
        loading.load(path, WHERE)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("../elsewhere.py", "is outside of this project"),
        ("/etc/passwd", "is outside of this project"),
        ("features/nothing.py", "is not there"),
        ("features/flights.txt", "is not named like a Python file"),
        ("features/my-flights.py", "is not named like a Python file"),
    ],
)
def test_path_that_is_not_of_the_project_is_refused(write, path, message):
    with pytest.raises(UsageError, match=message):
        loading.load(path, WHERE)


def test_link_out_of_the_project_is_refused(write, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "code.py"
    elsewhere.write_text(CODE)
    Path("features/linked.py").symlink_to(elsewhere)
    with pytest.raises(UsageError, match="is outside of this project"):
        loading.load("features/linked.py", WHERE)


@pytest.mark.parametrize("place", ["features/flights.py", "features/flights.py:", ":f", "a.py:b c"])
def test_place_without_a_file_and_a_name_is_refused(place):
    with pytest.raises(UsageError, match="write it as folder/file.py:name"):
        loading.named(place, WHERE)
