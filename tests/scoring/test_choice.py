"""The best candidate is that by the cross-validated metric, then by simplicity, then by name."""

import numpy as np
import pytest

from pipeline.models.catalogue import SIMPLEST_FIRST
from pipeline.project.errors import DataError
from pipeline.scoring import choice, metrics
from pipeline.scoring.choice import Contender, expected_scores
from pipeline.scoring.rows import Rows
from support.predicted import classification

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


def equally_good(seed: int, rows: int = 200, models: int = 10) -> dict[str, Rows]:
    """Return what models predict that are all as good: half of the errors are of each its own."""
    rng = np.random.default_rng(seed)
    y, shared = rng.normal(size=(2, rows))
    candidates = {}
    for number in range(models):
        error = (shared + rng.normal(size=rows)) / 2**0.5
        candidates[f"model {number}"] = Rows(y, y + error)
    return candidates


def test_score_to_expect_of_the_best_of_equals_is_not_flattered():
    flattered, expected = [], []
    for seed in range(15):
        candidates = equally_good(seed)
        own = {name: metrics.value("rmse", rows) for name, rows in candidates.items()}
        best = min(own, key=own.__getitem__)
        flattered.append(own[best] - 1)
        expected.append(float(expected_scores(candidates, best, "rmse", seed)["rmse"]) - 1)
    assert np.mean(flattered) < -0.04
    assert abs(np.mean(expected)) < 0.02


def test_model_that_is_always_chosen_keeps_its_score():
    candidates = equally_good(0)
    y = candidates["model 0"].y
    candidates["good"] = Rows(y, y + 0.1)
    expected = expected_scores(candidates, "good", "rmse", 0)
    assert expected == metrics.score(candidates["good"])


def test_scores_to_expect_of_classes_have_the_metrics_of_each_class():
    candidates = {str(seed): classification(3, seed=2 * seed) for seed in range(4)}
    expected = expected_scores(candidates, "0", "log_loss", 0)
    assert expected["f1"].shape == (3,) and np.isfinite(expected["roc_auc"])
