"""The reference in the documents is what the code says."""

import pytest

from ops import reference
from pipeline.project.params import Params
from support.processes import ROOT

BLOCKS = list(reference.blocks(Params, ""))


def test_committed_pages_are_those_that_the_code_gives(monkeypatch):
    monkeypatch.chdir(ROOT)
    for path, text in reference.pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: run make results"


@pytest.mark.parametrize("path, block", BLOCKS, ids=[path or "file" for path, _ in BLOCKS])
def test_every_setting_says_what_it_means(path, block):
    for setting in reference.settings(path, block):
        assert setting.description, f"{path}{setting.key}: add a docstring below the field"


def test_a_setting_is_shown_with_its_type_range_and_default():
    drift = dict(BLOCKS)["datasets.<name>.drift."]
    shown = {setting.key: setting for setting in reference.settings("", drift)}
    alpha = shown["alpha"]
    assert (alpha.type, alpha.allowed, alpha.default) == ("number", "> 0, < 1", "`0.05`")
    weighting = shown["weighting"]
    assert (weighting.type, weighting.allowed) == ("one of", "`none`, `importance`")
