"""The metrics of regression; one is added by its entry in REGRESSION."""

import math
from typing import Any

import numpy as np

from pipeline.scoring.definitions.metric import Metric
from pipeline.scoring.rows import Rows, WeightedRows, divided


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


def _squared_error(blended: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (blended - y) ** 2


def _absolute_error(blended: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.abs(blended - y)


def _sklearn_metrics() -> Any:
    """Return sklearn.metrics, which takes over 0.3 s to load."""
    from sklearn import metrics

    return metrics


REGRESSION = (
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
)
