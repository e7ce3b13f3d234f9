"""The table of metrics, the user's own among them, and the scores of rows by it.

A metric is added by one entry of its task, in definitions/regression.py or classification.py.
"""

from typing import Any

import numpy as np

from pipeline.project import paths
from pipeline.project.errors import UsageError
from pipeline.project.params import Dataset
from pipeline.scoring.definitions.classification import CLASSIFICATION, COST
from pipeline.scoring.definitions.metric import Metric
from pipeline.scoring.definitions.regression import REGRESSION
from pipeline.scoring.rows import Rows, WeightedRows

METRICS: dict[str, Metric] = {metric.name: metric for metric in REGRESSION + CLASSIFICATION}
# the user's own, by name, which terms/own_metrics.py declares
OWN: dict[str, Metric] = {}


def lookup(name: str) -> Metric:
    """Return the metric of a name, that of `f1` for `f1__virginica`.

    Raises UsageError where there is none, such as one that params.yaml declared before.
    """
    base = name.partition("__")[0]
    known = METRICS | OWN
    if base not in known:
        raise UsageError(f"{paths.PARAMS}: no metric {name!r}; known: {', '.join(known)}")
    return known[base]


def of_task(task: str) -> list[Metric]:
    """Return the metrics of every dataset of a task, in the order in which they are written."""
    return [metric for metric in METRICS.values() if metric.task == task and metric.always]


def more_of_settings(block: Dataset) -> tuple[str, ...]:
    """Return the names of the metrics that a dataset's settings ask for."""
    return ((COST,) if block.train.costs else ()) + tuple(block.train.metrics)


def of_settings(block: Dataset) -> list[Metric]:
    """Return the metrics of a dataset: those of its task, and those that its settings ask for."""
    return of_task(block.data.task) + [lookup(name) for name in more_of_settings(block)]


def of_rows(rows: Rows) -> list[Metric]:
    """Return the metrics of some rows: those of their task, and those that their terms name."""
    return of_task(rows.task) + [lookup(name) for name in rows.terms.metrics]


def sign(name: str) -> int:
    """Return 1 for a metric of which greater values are better, else -1."""
    return 1 if lookup(name).greater_is_better else -1


def is_better(name: str, one: float, other: float) -> bool:
    """Return whether one value of a metric is better than another."""
    return one > other if lookup(name).greater_is_better else one < other


def gain(name: str, one: float, other: float) -> float:
    """Return how much better one value of a metric is than another; below 0 where it is worse."""
    return one - other if lookup(name).greater_is_better else other - one


def headline(metric: Metric, values: Any) -> Any:
    """Return a metric's one figure where its values are by class, along the last axis.

    It is that of the positive class of two, else the mean over the classes.
    """
    if not metric.by_class:
        return values
    return values[..., 1] if values.shape[-1] == 2 else values.mean(axis=-1)


def values_of(metric: Metric, rows: Rows) -> Any:
    """Return a metric of the rows, as Metric.value does; by their weights where they have some.

    The user's own metrics take no weights.
    """
    if rows.terms.weight is None or metric.name in OWN:
        return metric.value(rows)
    return metric.weighted(WeightedRows(rows, np.ones((1, len(rows)))))[0]


def value(name: str, rows: Rows) -> float:
    """Return one metric of the rows, a headline one; nan where they do not define it."""
    metric = lookup(name)
    return float(headline(metric, values_of(metric, rows)))


def score(rows: Rows, classes: list[str] | None = None) -> dict[str, float]:
    """Return every metric of the rows, then those by class (`f1__virginica`).

    nan where the rows do not define one. `classes` are the labels in the order of the class codes;
    without them there is nothing by class.
    """
    scores, by_class = {}, {}
    for metric in of_rows(rows):
        values = values_of(metric, rows)
        scores[metric.name] = float(headline(metric, values))
        if metric.by_class and classes:
            for label, of_class in zip(classes, values):
                by_class[f"{metric.name}__{label}"] = float(of_class)
    return scores | by_class
