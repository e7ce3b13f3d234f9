"""params.yaml with one place changed, loaded as the scripts load it."""

from pathlib import Path

import pytest

from pipeline import command
from pipeline.project.errors import UsageError
from pipeline.project.params import Params
from support.projects import PARAMS

# the blocks of the two datasets
IRIS, TINY = "datasets.iris", "datasets.tiny"


def loaded(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Params:
    """Return the settings of a folder whose params.yaml is to hold this text."""
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    return command.settings()


def refusal(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> str:
    """Return the error with which the scripts refuse a params.yaml of this text."""
    with pytest.raises(UsageError) as caught:
        loaded(folder, monkeypatch, text)
    assert caught.value.status == 2
    return str(caught.value)


def edited(old: str, new: str) -> str:
    """Return the tests' params.yaml with the one place that reads `old` changed."""
    assert PARAMS.count(old) == 1, old
    return PARAMS.replace(old, new)
