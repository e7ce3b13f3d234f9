"""Doubts of a score: leaks found before training, and a score that few problems allow."""

import pytest

from pipeline.data.leaks.table import Leak
from pipeline.report import advice, doubts
from support.results import dataset_result

GROUP = Leak(["patient"], "recurrence", 1.0, False, "patient recurs", "set prepare.split: group:x")
COPY = Leak(["fee"], "column", 0.98, False, "fee alone predicts sold", "name it in data.drop")


def result(task: str = "classification", metric: str = "f1", oof: float | None = 0.9):
    scores = {metric: {"mean": oof, "std": 0.01}}
    best = {"cv": scores, "cv_oof": {metric: oof}, "test": {metric: {"value": oof}}}
    gate = {"metric": metric, "on": "test", "value": 1, "min": 0, "max": None, "passed": True}
    return dataset_result(
        {
            "task": task,
            "primary_metric": metric,
            "best": {"name": "ridge"},
            "candidates": {"ridge": best},
            "gates": [gate],
        }
    )


def test_suspected_leaks_are_reservations_that_say_what_to_do():
    pieces = advice.advise("visits", result(), None, [GROUP, COPY, COPY])
    assert [(piece.what, piece.do) for piece in pieces] == [
        ("The answer may be given away: patient recurs.", "patient: set prepare.split: group:x."),
        (
            "The answer may be given away: fee alone predicts sold, fee alone predicts sold.",
            "fee: name it in data.drop.",
        ),
    ]
    assert advice.verdict(pieces) == "watch"


@pytest.mark.parametrize(
    "task, metric, oof, told",
    [
        ("classification", "f1", 0.995, True),
        ("classification", "f1", 0.985, False),
        ("classification", "roc_auc", 0.999, False),
        ("regression", "r2", 0.995, True),
        ("regression", "r2", 0.98, False),
        ("regression", "r2", None, False),
    ],
)
def test_best_model_above_99_is_too_good_to_be_true(task, metric, oof, told):
    pieces = list(doubts.doubts(result(task, metric, oof), []))
    assert bool(pieces) == told
    if told:
        assert f"out-of-fold {metric} of {oof} is too good to be true" in pieces[0].what
