"""The metrics of classification; one is added by its entry in CLASSIFICATION.

Precision, recall, F1 and average precision are those of the positive class where there are two
classes, else the unweighted mean over the classes, as is the ROC AUC (each class against the rest).
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline.scoring.definitions.metric import Metric
from pipeline.scoring.rows import SMALLEST_PROBABILITY, Rows, WeightedRows

COST = "cost_per_1000"
PER_ROWS = 1000


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


CLASSIFICATION = (
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
