"""The table of metrics: the name of each, the direction in which it is better, its computation.

A metric is added by one entry of METRICS. Precision, recall, F1 and average precision are those of
the positive class where there are two classes, else the unweighted mean over the classes, as is the
ROC AUC (each class against the rest).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pipeline.project import paths
from pipeline.project.errors import UsageError
from pipeline.project.params import Dataset
from pipeline.scoring.rows import SMALLEST_PROBABILITY, Rows, WeightedRows, divided

COST = "cost_per_1000"
PER_ROWS = 1000


@dataclass(frozen=True)
class Metric:
    """One metric.

    name               as scikit-learn spells it
    greater_is_better  its direction
    perfect            its best possible value
    by_class           whether it is given by class too (`f1__virginica`)
    of                 what it is computed from
    value              its value on rows, nan where they do not define it; one for each class, shape
                       (classes,), if by_class
    weighted           its values on draws, shape (draws,), or (draws, classes) if by_class
    blend_loss         each row's loss that a blend chosen by this metric minimises, from blended
                       numbers, or probabilities of each row's own class, and the target
    always             whether all datasets of the task have it; else those whose settings name it
    most_draws         of a bootstrap, for a metric that is called for each of them; None: all
    """

    name: str
    task: Literal["regression", "classification"]
    greater_is_better: bool
    perfect: float
    by_class: bool
    of: Literal["numbers", "labels", "probabilities"]
    value: Callable[[Rows], Any]
    weighted: Callable[[WeightedRows], np.ndarray]
    blend_loss: Callable[[np.ndarray, np.ndarray], np.ndarray]
    always: bool = True
    most_draws: int | None = None

    def is_beyond_perfect(self, value: float) -> bool:
        """Return whether no model can have this value, as it is better than the best one."""
        return value > self.perfect if self.greater_is_better else value < self.perfect


def _rmse(rows: Rows) -> float:
    return _sklearn_metrics().root_mean_squared_error(rows.y, rows.output)


def _weighted_rmse(draws: WeightedRows) -> np.ndarray:
    return np.sqrt(draws.squared_error)


def _mae(rows: Rows) -> float:
    return _sklearn_metrics().mean_absolute_error(rows.y, rows.output)


def _weighted_mae(draws: WeightedRows) -> np.ndarray:
    return draws.mean(np.abs(draws.rows.y - draws.rows.output))


def _r2(rows: Rows) -> float:
    if not len(rows) or rows.y.min() == rows.y.max():
        return math.nan
    return _sklearn_metrics().r2_score(rows.y, rows.output)


def _weighted_r2(draws: WeightedRows) -> np.ndarray:
    centred = draws.rows.y - draws.rows.y.mean()
    variance = draws.mean(centred**2) - draws.mean(centred) ** 2
    return 1 - divided(draws.squared_error, variance, otherwise=np.nan)


def _accuracy(rows: Rows) -> float:
    return (rows.y == rows.decisions).mean()


def _weighted_accuracy(draws: WeightedRows) -> np.ndarray:
    return np.trace(draws.counts, axis1=1, axis2=2) / draws.sizes


def _precision(rows: Rows | WeightedRows) -> np.ndarray:
    return rows.class_figures.precision


def _recall(rows: Rows | WeightedRows) -> np.ndarray:
    return rows.class_figures.recall


def _f1(rows: Rows | WeightedRows) -> np.ndarray:
    return rows.class_figures.f1


def _roc_auc(rows: Rows) -> float:
    return _of_ranking(_sklearn_metrics().roc_auc_score, rows)


def _weighted_roc_auc(draws: WeightedRows) -> np.ndarray:
    return np.mean([ranking.roc_auc for ranking in draws.rankings], axis=0)


def _average_precision(rows: Rows) -> float:
    return _of_ranking(_sklearn_metrics().average_precision_score, rows)


def _weighted_average_precision(draws: WeightedRows) -> np.ndarray:
    return np.mean([ranking.average_precision for ranking in draws.rankings], axis=0)


def _of_ranking(measure: Callable[[np.ndarray, np.ndarray], float], rows: Rows) -> float:
    """Return a metric of the positive class of two, else the mean; nan where a class is absent."""
    indicators = np.eye(rows.n_classes, dtype=int)[rows.y]
    if not indicators.any(axis=0).all():
        return math.nan
    if rows.n_classes == 2:
        return measure(indicators[:, 1], rows.output[:, 1])
    return measure(indicators, rows.output)


def _log_loss(rows: Rows) -> float:
    labels = range(rows.n_classes)
    return _sklearn_metrics().log_loss(rows.y, rows.probabilities, labels=labels)


def _weighted_log_loss(draws: WeightedRows) -> np.ndarray:
    return draws.mean(draws.rows.log_losses)


def _cost(rows: Rows) -> float:
    return float(PER_ROWS * rows.costs.mean())


def _weighted_cost(draws: WeightedRows) -> np.ndarray:
    return PER_ROWS * draws.mean(draws.rows.costs)


def _squared_error(blended: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (blended - y) ** 2


def _absolute_error(blended: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.abs(blended - y)


def _own_log_loss(own_probability: np.ndarray, _: np.ndarray) -> np.ndarray:
    """Return the log loss: smooth, and a blend chosen by ranks alone can lose its calibration."""
    return -np.log(np.maximum(own_probability, SMALLEST_PROBABILITY))


def _sklearn_metrics() -> Any:
    """Return sklearn.metrics, which takes over 0.3 s to load."""
    from sklearn import metrics

    return metrics


def _of_each_class(name: str, figures: Callable[[Rows | WeightedRows], np.ndarray]) -> Metric:
    return Metric(
        name=name,
        task="classification",
        greater_is_better=True,
        perfect=1,
        by_class=True,
        of="labels",
        value=figures,
        weighted=figures,
        blend_loss=_own_log_loss,
    )


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            name="rmse",
            task="regression",
            greater_is_better=False,
            perfect=0,
            by_class=False,
            of="numbers",
            value=_rmse,
            weighted=_weighted_rmse,
            blend_loss=_squared_error,
        ),
        Metric(
            name="mae",
            task="regression",
            greater_is_better=False,
            perfect=0,
            by_class=False,
            of="numbers",
            value=_mae,
            weighted=_weighted_mae,
            blend_loss=_absolute_error,
        ),
        Metric(
            name="r2",
            task="regression",
            greater_is_better=True,
            perfect=1,
            by_class=False,
            of="numbers",
            value=_r2,
            weighted=_weighted_r2,
            blend_loss=_squared_error,
        ),
        Metric(
            name="accuracy",
            task="classification",
            greater_is_better=True,
            perfect=1,
            by_class=False,
            of="labels",
            value=_accuracy,
            weighted=_weighted_accuracy,
            blend_loss=_own_log_loss,
        ),
        _of_each_class("precision", _precision),
        _of_each_class("recall", _recall),
        _of_each_class("f1", _f1),
        Metric(
            name="roc_auc",
            task="classification",
            greater_is_better=True,
            perfect=1,
            by_class=False,
            of="probabilities",
            value=_roc_auc,
            weighted=_weighted_roc_auc,
            blend_loss=_own_log_loss,
        ),
        Metric(
            name="average_precision",
            task="classification",
            greater_is_better=True,
            perfect=1,
            by_class=False,
            of="probabilities",
            value=_average_precision,
            weighted=_weighted_average_precision,
            blend_loss=_own_log_loss,
        ),
        Metric(
            name="log_loss",
            task="classification",
            greater_is_better=False,
            perfect=0,
            by_class=False,
            of="probabilities",
            value=_log_loss,
            weighted=_weighted_log_loss,
            blend_loss=_own_log_loss,
        ),
        Metric(
            name=COST,
            task="classification",
            greater_is_better=False,
            perfect=-math.inf,
            by_class=False,
            of="labels",
            value=_cost,
            weighted=_weighted_cost,
            blend_loss=_own_log_loss,
            always=False,
        ),
    )
}


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
