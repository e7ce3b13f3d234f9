"""`train.py --model M` in a fresh clone, where git has the scores and DVC not yet the models."""

from types import SimpleNamespace

import pytest

import train
from pipeline.project import files, paths
from pipeline.project.errors import DataError


def test_one_model_is_not_trained_where_the_files_of_the_others_are_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    problem = SimpleNamespace(dataset="mine", split_hash="0", seed=1)
    content = {"schema": 1, "split_hash": "0", "seed": 1, "candidates": {"dummy": {}}}
    files.write_json(paths.metrics("mine", "train"), content)
    with pytest.raises(DataError, match="models/mine/train is not there, but .*train.json names"):
        train.other_candidates(problem, ["dummy", "ridge"])
    for folder in (paths.models("mine", "train"), paths.predictions("mine", "train")):
        folder.mkdir(parents=True)
    assert train.other_candidates(problem, ["dummy", "ridge"]) == {"dummy": {}}
