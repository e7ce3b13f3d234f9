"""The best candidate of a dataset and of all: its gain over guessing, its rank over datasets."""

import pytest

from pipeline.report import best
from support.results import dataset_result


def scored(**scores):
    """Return a candidate's test scores."""
    return {"test": {metric: {"value": value} for metric, value in scores.items()}}


def test_skill_is_the_way_from_guessing_to_perfect():
    candidates = {"dummy": scored(rmse=4.0, r2=0.0), "ridge": scored(rmse=1.0, r2=0.9)}
    result = dataset_result({"candidates": candidates})
    assert best.skill(result, "rmse") == 0.75
    assert best.skill(result, "r2") == 0.9
    alone = dataset_result({"candidates": {"ridge": candidates["ridge"]}})
    assert best.skill(alone, "r2") is None


def test_skill_in_accuracy_starts_from_the_most_frequent_class():
    matrix = {"labels": ["no", "yes"], "counts": [[998, 0], [1, 1]]}
    candidates = {
        "dummy": scored(accuracy=0.002),
        "ridge": scored(accuracy=0.999) | {"confusion_matrix": matrix},
    }
    result = dataset_result({"candidates": candidates})
    assert best.skill(result, "accuracy") == pytest.approx(0.5)


def ranked_result(metric, **means):
    """Return a result with cross-validated scores by model type."""
    candidates = {}
    for name, mean in means.items():
        cv = {metric: {"mean": mean, "std": 0.0}}
        candidates[name] = {"cv": cv, "params": {"model_type": name}}
    return dataset_result({"primary_metric": metric, "candidates": candidates})


def test_overall_rank_is_the_mean_over_datasets_of_those_that_stand_in_all():
    results = {
        "a": ranked_result("rmse", xgboost=1, ridge=2, dummy=9, lasso=0.5),
        "b": ranked_result("r2", xgboost=0.9, ridge=0.8, dummy=0),
        "c": ranked_result("rmse", xgboost=3, ridge=2, dummy=9),
    }
    ranks = [(one.name, one.mean_rank) for one in best.mean_ranks(results)]
    assert ranks == [("xgboost", 1.33333), ("ridge", 1.66667)]


def test_gain_is_over_the_best_of_train_or_over_the_dummy_where_that_is_the_best():
    result = ranked_result("rmse", xgboost=2, ridge=4, dummy=8)
    chosen = best.choose(result.candidates, "rmse")
    assert chosen.name == "xgboost" and chosen.by == "cv rmse"
    assert (chosen.improvement.over, chosen.improvement.absolute) == ("dummy", 6)
    tuned = dataset_result(
        {
            "candidates": {
                "ridge": {"cv": {"rmse": {"mean": 4, "std": 0}}},
                "tuned_ridge": {"stage": "tune", "cv": {"rmse": {"mean": 3, "std": 0}}},
            }
        }
    )
    gain = best.choose(tuned.candidates, "rmse").improvement
    assert (gain.over, gain.absolute, gain.percent) == ("ridge", 1, 25)
