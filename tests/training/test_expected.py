"""The scores to expect of the best candidate are read from all stored predictions."""

import numpy as np
import pandas as pd
import pytest

from pipeline.project.params import Dataset
from pipeline.project.settings.judging import Gate
from pipeline.report import best
from pipeline.training import expected
from pipeline.training.results.reading import ScoredCandidates
from support.results import candidate

ROWS = 120


def block(split: str) -> Dataset:
    data = {"source": "csv", "file": "data/t.csv", "depends_on": "t.csv"}
    return Dataset.model_validate(
        {
            "experiment": "T",
            "data": {**data, "task": "regression", "target": "y"},
            "prepare": {"split": split},
            "train": {"primary_metric": "rmse", "models": ["ridge"]},
            "tune": {},
            "drift": {},
            "gates": {},
            "register": {"name": "T"},
        }
    )


@pytest.fixture
def standing(tmp_path, monkeypatch) -> ScoredCandidates:
    """Ten models that are as good as each other, whose predictions are stored."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(2)
    y, shared = rng.normal(size=(2, ROWS))
    frame = pd.DataFrame({"target": y, "fold": np.arange(ROWS) % 4})
    by_name = {}
    for number in range(10):
        error = shared + rng.normal(size=ROWS)
        frame[f"m{number}"] = y + error
        score = float(np.sqrt(np.mean(error**2)))
        by_name[f"m{number}"] = {
            "stage": "train",
            "params": {},
            "cv": {"rmse": {"mean": score, "std": 0.0}},
            "cv_oof": {"rmse": score},
        }
    folder = tmp_path / "data/predictions/t/train"
    folder.mkdir(parents=True)
    frame.to_parquet(folder / "oof.parquet")
    processed = tmp_path / "data/processed/t"
    processed.mkdir(parents=True)
    pd.DataFrame({"house": np.arange(ROWS) // 6, "y": y}).to_parquet(processed / "train.parquet")
    return ScoredCandidates({"primary_metric": "rmse"}, by_name)


@pytest.mark.parametrize("split", ["random", "group:house", "time:house"])
def test_best_of_equal_models_is_expected_to_do_worse_than_it_did(standing, split):
    own = standing.by_name[standing.best()]["cv_oof"]["rmse"]
    found = expected.expected_scores("t", block(split), standing, seed=0)
    assert list(found) == ["rmse", "mae", "r2"]
    assert own + 0.02 < found["rmse"] < own + 0.2


def test_predictions_that_are_not_here_are_not_known(standing):
    assert expected.is_known("t", standing)
    assert not expected.is_known("another", standing)


def test_gate_out_of_fold_looks_at_what_to_expect():
    gate = Gate(max=1.0, on="oof")
    verdict = best.hold_gates({"rmse": gate}, candidate(cv_oof={"rmse": 0.9}), {"rmse": 1.1})[0]
    assert not verdict.passed and verdict.value == 1.1
