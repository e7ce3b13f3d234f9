"""The best candidate is that by the cross-validated metric, then by simplicity, then by name."""

import pytest

from pipeline.models.catalogue import SIMPLEST_FIRST
from pipeline.project.errors import DataError
from pipeline.scoring import choice, metrics
from pipeline.scoring.choice import Contender

REASON = "not defined on 1 of 5 folds"


def best(metric, **means):
    """Return which of candidates with these cross-validated means is chosen."""
    contenders = {
        name: Contender(name.removeprefix("tuned_"), mean, None if mean else REASON)
        for name, mean in means.items()
    }
    return choice.best_candidate(contenders, metric, SIMPLEST_FIRST)


@pytest.mark.parametrize(
    "metric, expected",
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
def test_best_candidate_has_the_lowest_error_or_the_highest_score(metric, expected):
    assert best(metric, dummy=0.1, ridge=0.2, xgboost=0.3) == expected
    assert metrics.is_better(metric, 0.1, 0.2) is (expected == "dummy")


def test_tie_goes_to_the_simpler_family_then_to_the_name():
    assert best("r2", xgboost=0.5, lasso=0.5, random_forest=0.5) == "lasso"
    assert best("r2", xgboost=0.5, tuned_xgboost=0.5) == "tuned_xgboost"
    assert best("r2", blend=0.5, catboost=0.5) == "catboost"


@pytest.mark.parametrize("metric, worst", [("r2", -9.0), ("rmse", 9e9)])
def test_undefined_score_never_wins(metric, worst):
    assert best(metric, dummy=None, xgboost=worst) == "xgboost"
    with pytest.raises(DataError, match=f"no candidate has a cross-validated {metric}: .*{REASON}"):
        best(metric, dummy=None, xgboost=None)
