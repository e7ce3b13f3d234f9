"""The best candidate is that by the cross-validated metric, then by simplicity, then by name."""

import pytest

from pipeline.models.catalogue import SIMPLEST_FIRST
from pipeline.project.errors import DataError
from pipeline.scoring import choice, metrics


def candidates(metric, **means):
    return {
        name: {
            "cv": {metric: {"mean": mean}},
            "params": {"model_type": name.removeprefix("tuned_")},
        }
        for name, mean in means.items()
    }


@pytest.mark.parametrize(
    "metric, best",
    [
        ("rmse", "dummy"),
        ("mae", "dummy"),
        ("log_loss", "dummy"),
        ("r2", "xgboost"),
        ("roc_auc", "xgboost"),
        ("f1", "xgboost"),
        ("average_precision", "xgboost"),
    ],
)
def test_best_candidate_has_the_lowest_error_or_the_highest_score(metric, best):
    assert (
        choice.best_candidate(
            candidates(metric, dummy=0.1, ridge=0.2, xgboost=0.3), metric, SIMPLEST_FIRST
        )
        == best
    )
    assert metrics.is_better(metric, 0.1, 0.2) is (best == "dummy")


def test_tie_goes_to_the_simpler_family_then_to_the_name():
    assert (
        choice.best_candidate(
            candidates("r2", xgboost=0.5, lasso=0.5, random_forest=0.5),
            "r2",
            SIMPLEST_FIRST,
        )
        == "lasso"
    )
    assert (
        choice.best_candidate(
            candidates("r2", xgboost=0.5, tuned_xgboost=0.5), "r2", SIMPLEST_FIRST
        )
        == "tuned_xgboost"
    )
    assert (
        choice.best_candidate(candidates("r2", blend=0.5, catboost=0.5), "r2", SIMPLEST_FIRST)
        == "catboost"
    )


@pytest.mark.parametrize("metric, worst", [("r2", -9.0), ("rmse", 9e9)])
def test_undefined_score_never_wins(metric, worst):
    assert (
        choice.best_candidate(candidates(metric, dummy=None, xgboost=worst), metric, SIMPLEST_FIRST)
        == "xgboost"
    )
    with pytest.raises(DataError, match=f"no candidate has a cross-validated {metric}"):
        choice.best_candidate(candidates(metric, dummy=None, xgboost=None), metric, SIMPLEST_FIRST)
