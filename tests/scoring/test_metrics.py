"""Each metric is scikit-learn's, on rows as they are and on weighted draws of them."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from sklearn import metrics as reference

from pipeline.project import rounding
from pipeline.scoring import metrics
from pipeline.scoring.metrics import METRICS
from pipeline.scoring.rows import Rows, Terms, WeightedRows
from support.predicted import LABELS, classification, regression

ROWS = 80
CASES = {
    "regression": {"numbers": regression(ROWS)},
    "classification": {
        "two classes": classification(2, ROWS),
        "two classes, ties, shuffled decisions": classification(2, ROWS, seed=1, digits=1),
        "two classes, many ties": classification(2, ROWS, seed=4, digits=0),
        "three classes": classification(3, ROWS, seed=2),
        "three classes, shuffled decisions": classification(3, ROWS, seed=3),
    },
}
EVERY_METRIC_AND_CASE = [
    pytest.param(metric, rows, id=f"{metric.name}, {case}")
    for metric in METRICS.values()
    if metric.always
    for case, rows in CASES[metric.task].items()
]


def of_labels(measure, rows, weights, **options):
    """Return scikit-learn's figure of predicted labels."""
    return measure(rows.y, rows.decisions, sample_weight=weights, **options)


def by_class(measure, rows, weights):
    """Return scikit-learn's figure of each class."""
    every_class = range(rows.n_classes)
    return of_labels(measure, rows, weights, average=None, labels=every_class, zero_division=0)


def of_numbers(measure, rows, weights):
    return measure(rows.y, rows.output, sample_weight=weights)


def of_ranks(measure, rows, weights):
    if rows.n_classes == 2:
        return measure(rows.y, rows.output[:, 1], sample_weight=weights)
    indicators = np.eye(rows.n_classes, dtype=int)[rows.y]
    return measure(indicators, rows.output, sample_weight=weights)


def log_loss(rows, weights):
    every_class = range(rows.n_classes)
    return reference.log_loss(rows.y, rows.output, labels=every_class, sample_weight=weights)


SCIKIT_LEARNS = {
    "rmse": partial(of_numbers, reference.root_mean_squared_error),
    "mae": partial(of_numbers, reference.mean_absolute_error),
    "r2": partial(of_numbers, reference.r2_score),
    "accuracy": partial(of_labels, reference.accuracy_score),
    "precision": partial(by_class, reference.precision_score),
    "recall": partial(by_class, reference.recall_score),
    "f1": partial(by_class, reference.f1_score),
    "roc_auc": partial(of_ranks, reference.roc_auc_score),
    "average_precision": partial(of_ranks, reference.average_precision_score),
    "log_loss": log_loss,
}


@pytest.mark.parametrize("metric, rows", EVERY_METRIC_AND_CASE)
def test_metric_is_scikit_learns_with_and_without_weights(metric, rows):
    expected = partial(SCIKIT_LEARNS[metric.name], rows)
    assert metric.value(rows) == pytest.approx(expected(None), rel=1e-12)
    draws = np.random.default_rng(5).multinomial(ROWS, np.full(ROWS, 1 / ROWS), size=6)
    weighted = metric.weighted(WeightedRows(rows, draws.astype(float)))
    for number, weights in enumerate(draws):
        assert weighted[number] == pytest.approx(expected(weights), rel=1e-9)


@pytest.mark.parametrize("metric, rows", EVERY_METRIC_AND_CASE)
def test_metric_of_rows_with_weights_is_scikit_learns_on_draws_of_them_too(metric, rows):
    rng = np.random.default_rng(6)
    weight = rng.exponential(size=ROWS)
    expected = partial(SCIKIT_LEARNS[metric.name], rows)
    weighted = replace(rows, terms=Terms(weight=weight))
    found = metrics.values_of(metric, weighted)
    assert found == pytest.approx(expected(weight), rel=1e-9)
    times = rng.multinomial(ROWS, np.full(ROWS, 1 / ROWS), size=2).astype(float)
    for drawn, value in zip(times, metric.weighted(WeightedRows(weighted, times))):
        assert value == pytest.approx(expected(weight * drawn), rel=1e-9)


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.by_class])
def test_headline_is_that_of_the_positive_class_of_two_or_else_the_mean(name):
    measure = getattr(reference, f"{name}_score")
    two, three = classification(2, seed=1), classification(3, seed=3)
    expected = of_labels(measure, two, None, average="binary")
    assert metrics.value(name, two) == pytest.approx(expected, rel=1e-12)
    expected = of_labels(measure, three, None, average="macro")
    assert metrics.value(name, three) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("rows", CASES["classification"].values(), ids=CASES["classification"])
def test_score_has_every_metric_of_classification_then_those_by_class(rows):
    labels = LABELS[: rows.n_classes]
    scores = metrics.score(rows, labels)
    of_task = metrics.of_task("classification")
    expected = {metric.name: metrics.value(metric.name, rows) for metric in of_task}
    for metric in of_task:
        if metric.by_class:
            names = [f"{metric.name}__{label}" for label in labels]
            expected |= dict(zip(names, metric.value(rows)))
    assert scores == expected and list(scores) == list(expected)


def test_score_has_every_metric_of_regression():
    rows = regression()
    scores = metrics.score(rows)
    of_task = [name for name, metric in METRICS.items() if metric.task == "regression"]
    assert scores == {name: metrics.value(name, rows) for name in of_task}


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_direction_has_one_owner(metric):
    better, worse = (2.0, 1.0) if metric.greater_is_better else (1.0, 2.0)
    for name in (metric.name, f"{metric.name}__virginica"):
        assert metrics.is_better(name, better, worse) and not metrics.is_better(name, worse, better)
        assert not metrics.is_better(name, better, better)
        assert metrics.gain(name, better, worse) == 1 and metrics.gain(name, worse, better) == -1
        assert metrics.sign(name) == (1 if metric.greater_is_better else -1)


@pytest.mark.parametrize(
    "metric",
    [pytest.param(metric, id=name) for name, metric in METRICS.items() if metric.always],
)
def test_nothing_is_better_than_perfect(metric):
    if metric.task == "regression":
        y = regression().y
        rows = Rows(y, y)
    else:
        y = np.arange(30) % 3
        rows = Rows(y, np.eye(3)[y], y)
    assert metrics.value(metric.name, rows) == pytest.approx(metric.perfect, abs=1e-12)
    for worse in CASES[metric.task].values():
        assert metrics.is_better(metric.name, metric.perfect, metrics.value(metric.name, worse))


@pytest.mark.parametrize(
    "name, losses",
    [
        ("rmse", [0.25, 0.5625]),
        ("r2", [0.25, 0.5625]),
        ("mae", [0.5, 0.75]),
        ("f1", [-np.log(0.5), -np.log(0.25)]),
        ("log_loss", [-np.log(0.5), -np.log(0.25)]),
    ],
)
def test_blend_minimises_the_loss_that_goes_with_the_metric(name, losses):
    blended, y = np.array([0.5, 0.25]), np.array([0, 1])
    assert METRICS[name].blend_loss(blended, y) == pytest.approx(losses)


def test_metric_that_rows_do_not_define_is_not_a_number_and_stored_as_none():
    y, probabilities = np.array([0, 0, 0]), np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    scores = metrics.score(Rows(y, probabilities, np.array([0, 0, 1])), ["no", "yes"])
    assert math.isnan(scores["roc_auc"]) and math.isnan(scores["average_precision"])
    assert np.isnan([scores["recall"], scores["precision"], scores["f1"]]).all()
    assert scores["log_loss"] == pytest.approx(-np.log([0.9, 0.6, 0.2]).mean())
    assert math.isnan(metrics.score(Rows(np.array([1.0]), np.array([2.0])))["r2"])
    stored = [rounding.significant(one) for one in (math.nan, math.inf, None, 0.123456789)]
    assert stored == [None, None, None, 0.123457]


def test_confusion_matrix_is_scikit_learns():
    rows = classification(3, seed=3)
    assert rows.confusion_matrix(LABELS) == {
        "labels": LABELS,
        "counts": reference.confusion_matrix(rows.y, rows.decisions).tolist(),
    }
