"""Metrics equal scikit-learn's, intervals cover, thresholds are the best there are, and the choice follows its rules."""

import json

import numpy as np
import pytest
from sklearn import metrics as reference
from sklearn.model_selection import KFold

from pipeline.models import catalogue
from pipeline.project.errors import DataError
from pipeline.project.params import Gate
from pipeline.scoring import bootstrap, choice, gates, metrics, thresholds
from pipeline.scoring.scores import candidate_scores
from support.predicted import LABELS, binary, classification, regression


def coverage(metric, truth, sample, simulations=1000):
    """Return in which share of simulated samples the interval of a metric holds its true value."""
    hits = 0
    for seed in range(simulations):
        task, y, output, decisions = sample(np.random.default_rng(seed))
        low, high = bootstrap.intervals(task, y, output, decisions, seed=seed, resamples=200)[
            metric
        ]
        hits += low <= truth <= high
    return hits / simulations


def test_interval_of_rmse_covers_the_true_value_in_about_95_of_100_samples():
    def sample(rng):
        return "regression", rng.normal(size=120), np.zeros(120), None

    assert 0.90 <= coverage("rmse", 1.0, sample) <= 0.98


def test_interval_of_accuracy_covers_the_true_value_in_about_95_of_100_samples():
    def sample(rng):
        y = rng.integers(0, 2, 120)
        decisions = np.where(rng.random(120) < 0.8, y, 1 - y)
        return (
            "classification",
            y,
            np.column_stack([1 - decisions, decisions]) * 0.5 + 0.25,
            decisions,
        )

    assert 0.90 <= coverage("accuracy", 0.8, sample) <= 0.98


def test_intervals_repeat_for_a_seed_and_change_with_it():
    rows = classification(3)
    y, probabilities, decisions = rows.y, rows.output, rows.decisions
    first, again, other = (
        bootstrap.intervals("classification", y, probabilities, decisions, seed, 100)
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("cells", [1, 150 * 7, 150 * 99])
def test_intervals_do_not_depend_on_the_block_that_fits_into_memory(cells, monkeypatch):
    rows = classification(3)
    y, probabilities, decisions = rows.y, rows.output, rows.decisions
    numbers = regression()
    values, prediction = numbers.y, numbers.output

    def bounds():
        return (
            bootstrap.intervals("classification", y, probabilities, decisions, 7, 100),
            bootstrap.intervals("regression", values, prediction, None, 7, 100),
        )

    whole = bounds()
    monkeypatch.setattr(bootstrap, "BLOCK_CELLS", cells)
    for found, wanted in zip(bounds(), whole):
        assert {
            metric: pytest.approx(bound, rel=1e-12) for metric, bound in found.items()
        } == wanted


def test_interval_lies_around_the_value_of_every_metric():
    rows = classification(3)
    y, probabilities, decisions = rows.y, rows.output, rows.decisions
    values = metrics.score("classification", y, probabilities, decisions, LABELS)
    for metric, (low, high) in bootstrap.intervals(
        "classification", y, probabilities, decisions, 0
    ).items():
        assert low < values[metric] < high


def test_rare_class_is_in_every_resample():
    y = np.r_[np.zeros(96, dtype=int), np.ones(4, dtype=int)]
    probabilities = np.column_stack([np.linspace(1, 0, 100), np.linspace(0, 1, 100)])
    bounds = bootstrap.intervals(
        "classification", y, probabilities, thresholds.decide(probabilities, 0.955), 0
    )
    assert bounds["roc_auc"] == (1, 1) and bounds["recall"] == (1, 1)


@pytest.mark.filterwarnings("error")
def test_interval_of_a_metric_that_an_absent_class_leaves_undefined_is_nan_without_a_warning():
    probabilities = np.column_stack([np.linspace(0.1, 0.9, 20), np.linspace(0.9, 0.1, 20)])
    bounds = bootstrap.intervals(
        "classification",
        np.zeros(20, dtype=int),
        probabilities,
        probabilities.argmax(axis=1),
        0,
        50,
    )
    assert np.isnan(bounds["roc_auc"]).all() and np.isnan(bounds["average_precision"]).all()
    assert np.isfinite(bounds["log_loss"]).all()


def quality(metric, y, decisions):
    hits, errors = (y & decisions).sum(), (y != decisions).sum()
    return 1 - errors / len(y) if metric == "accuracy" else 2 * hits / max(2 * hits + errors, 1)


@pytest.mark.parametrize("metric", ["f1", "accuracy"])
def test_threshold_is_the_best_of_all(metric):
    for seed in range(300):
        rng = np.random.default_rng(seed)
        rows = rng.integers(2, 25)
        y = (rng.random(rows) < rng.random()).astype(int)
        scores = (rng.random(rows) * (0.3 + 0.7 * y)).round(rng.integers(1, 4))
        if len(set(scores)) == 1:
            continue
        chosen = thresholds.best_threshold(y, np.column_stack([1 - scores, scores]), metric)
        best = max(quality(metric, y, (scores >= cut).astype(int)) for cut in [*scores, 2])
        assert quality(metric, y, (scores >= chosen).astype(int)) == pytest.approx(best, abs=1e-12)
        assert chosen not in scores or chosen == 0


def test_threshold_lies_halfway_between_two_rows():
    assert thresholds.best_threshold(
        np.array([0, 0, 1, 1]), binary([0.1, 0.2, 0.4, 0.9]), "f1"
    ) == pytest.approx(0.3)


def test_threshold_may_call_every_row_positive_or_none():
    y = np.array([1, 1, 0, 1, 1, 1])
    everything = thresholds.best_threshold(y, binary([0.6, 0.6, 0.6, 0.9, 0.9, 0.9]), "accuracy")
    assert thresholds.decide(binary([0.6, 0.9]), everything).tolist() == [1, 1]
    nothing = thresholds.best_threshold(1 - y, binary([0.2, 0.2, 0.1, 1.0, 0.9, 0.2]), "accuracy")
    assert thresholds.decide(binary([0.2, 1.0]), nothing).tolist() == [0, 0]


def test_threshold_is_one_half_for_equal_scores_and_none_for_three_classes():
    assert thresholds.best_threshold(np.array([0, 1, 1]), binary([0.3, 0.3, 0.3]), "f1") == 0.5
    assert thresholds.best_threshold(np.array([0, 1, 2]), np.eye(3), "f1") is None


@pytest.mark.parametrize("metric", ["f1", "accuracy"])
def test_decisions_of_a_fold_are_made_without_its_own_targets(metric):
    # each fold is separable, but by a threshold that is wrong for the other: a choice on the own fold would be right in all rows
    y, fold = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    probabilities = binary([0.1, 0.2, 0.8, 0.9])
    decisions = thresholds.cross_fitted_decisions(y, probabilities, fold, metric)
    assert decisions.tolist() == [0, 0, 1, 1]
    own = [
        thresholds.decide(
            probabilities[fold == k],
            thresholds.best_threshold(y[fold == k], probabilities[fold == k], metric),
        )
        for k in (0, 1)
    ]
    assert np.concatenate(own).tolist() == y.tolist()


def test_targets_of_a_fold_do_not_change_its_decisions():
    rows = classification(2, seed=4)
    y, probabilities, _ = rows.y, rows.output, rows.decisions
    fold = np.arange(len(y)) % 3
    before = thresholds.cross_fitted_decisions(y, probabilities, fold, "f1")
    after = thresholds.cross_fitted_decisions(
        np.where(fold == 1, 1 - y, y), probabilities, fold, "f1"
    )
    assert (before[fold == 1] == after[fold == 1]).all()
    assert (before[fold != 1] != after[fold != 1]).any()


def test_rows_that_no_fold_predicts_are_not_looked_at():
    y, fold = np.array([1, 1, 0, 1, 0, 1]), np.array([-1, -1, 0, 0, 1, 1])
    probabilities = binary([np.nan, np.nan, 0.2, 0.8, 0.3, 0.7])
    assert thresholds.cross_fitted_decisions(y, probabilities, fold, "f1").tolist() == [
        0,
        0,
        0,
        1,
        0,
        1,
    ]


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
            candidates(metric, dummy=0.1, ridge=0.2, xgboost=0.3), metric, catalogue.SIMPLEST_FIRST
        )
        == best
    )
    assert metrics.is_better(metric, 0.1, 0.2) is (best == "dummy")


def test_tie_goes_to_the_simpler_family_then_to_the_name():
    assert (
        choice.best_candidate(
            candidates("r2", xgboost=0.5, lasso=0.5, random_forest=0.5),
            "r2",
            catalogue.SIMPLEST_FIRST,
        )
        == "lasso"
    )
    assert (
        choice.best_candidate(
            candidates("r2", xgboost=0.5, tuned_xgboost=0.5), "r2", catalogue.SIMPLEST_FIRST
        )
        == "tuned_xgboost"
    )
    assert (
        choice.best_candidate(
            candidates("r2", blend=0.5, catboost=0.5), "r2", catalogue.SIMPLEST_FIRST
        )
        == "catboost"
    )


@pytest.mark.parametrize("metric, worst", [("r2", -9.0), ("rmse", 9e9)])
def test_undefined_score_never_wins(metric, worst):
    assert (
        choice.best_candidate(
            candidates(metric, dummy=None, xgboost=worst), metric, catalogue.SIMPLEST_FIRST
        )
        == "xgboost"
    )
    with pytest.raises(DataError, match=f"no candidate has a cross-validated {metric}"):
        choice.best_candidate(
            candidates(metric, dummy=None, xgboost=None), metric, catalogue.SIMPLEST_FIRST
        )


def test_gates_look_at_test_or_out_of_fold_and_fail_where_there_is_no_value():
    scores = {
        "cv_oof": {"f1": 0.4, "roc_auc": None},
        "test": {"f1": {"value": 0.6}, "log_loss": {"value": 0.5}},
    }

    def passed(metric, **gate):
        (verdict,) = gates.gate_verdicts({metric: Gate(**gate)}, scores)
        return verdict["value"], verdict["passed"]

    assert passed("f1", min=0.6) == (0.6, True)
    assert passed("f1", min=0.5, on="oof") == (0.4, False)
    assert passed("log_loss", max=0.5) == (0.5, True)
    assert passed("log_loss", min=0.1, max=0.4) == (0.5, False)
    assert passed("roc_auc", max=1.0, on="oof") == (None, False)
    assert passed("f1__virginica", min=0.0) == (None, False)


def test_candidate_is_scored_on_the_rows_that_each_part_names():
    rows = classification(2, rows=90, seed=6)
    y, output, _ = rows.y, rows.output, rows.decisions
    rows = classification(2, rows=50, seed=8)
    y_test, test_output, _ = rows.y, rows.output, rows.decisions
    fold = np.full(90, -1)
    for number, (_, predict) in enumerate(KFold(3).split(y[30:])):
        fold[30 + predict] = number
    oof = np.where((fold >= 0)[:, None], output, np.nan)
    scores = candidate_scores(
        "classification", y, oof, fold, output, y_test, test_output, ["no", "yes"], "f1", seed=0
    )

    seen = fold >= 0
    assert scores["threshold"] == thresholds.best_threshold(y[seen], oof[seen], "f1")
    assert scores["cv_oof"]["roc_auc"] == pytest.approx(
        reference.roc_auc_score(y[seen], oof[seen, 1]), rel=1e-5
    )
    by_fold = [reference.roc_auc_score(y[fold == k], oof[fold == k, 1]) for k in range(3)]
    assert scores["cv"]["roc_auc"] == pytest.approx(
        {"mean": np.mean(by_fold), "std": np.std(by_fold)}, rel=1e-5
    )
    decisions = test_output[:, 1] >= scores["threshold"]
    assert scores["test"]["f1__yes"]["value"] == pytest.approx(
        reference.f1_score(y_test, decisions), rel=1e-5
    )
    assert (
        scores["test"]["f1"]["low"] < scores["test"]["f1"]["value"] < scores["test"]["f1"]["high"]
    )
    assert scores["train"]["recall"] == pytest.approx(
        reference.recall_score(y, output[:, 1] >= scores["threshold"]), rel=1e-5
    )
    assert (
        scores["confusion_matrix"]["counts"]
        == reference.confusion_matrix(y_test, decisions).tolist()
    )
    json.dumps(scores, allow_nan=False)


def test_mean_over_folds_leaves_out_a_fold_without_the_metric():
    y, fold = np.array([0, 1, 0, 1, 0, 0]), np.array([0, 0, 0, 0, 1, 1])
    output = binary([0.1, 0.9, 0.6, 0.4, 0.2, 0.3])
    scores = candidate_scores(
        "classification", y, output, fold, output, y, output, ["no", "yes"], "f1", seed=0
    )
    assert scores["cv"]["roc_auc"] == {"mean": 0.75, "std": 0.0}
