"""params.yaml with one place changed, loaded as the scripts load it."""

from pathlib import Path

import pytest

from pipeline import command
from pipeline.project.params import Params
from support.projects import PARAMS


def loaded(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Params:
    """Return the settings of a folder whose params.yaml is to hold this text."""
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    return command.settings()


def edited(old: str, new: str) -> str:
    """Return the tests' params.yaml with the one place that reads `old` changed."""
    assert PARAMS.count(old) == 1, old
    return PARAMS.replace(old, new)
