"""The spread of metrics that are means over rows, of which a few rows can carry the most.

It is the standard error of a metric's values on draws, shape (draws,), up to a factor that all
draws share, by the delta method (Efron and Tibshirani 1993, chapter 5).
"""

from collections.abc import Callable

import numpy as np

from pipeline.scoring.rows import WeightedRows, divided


def _of_rmse(draws: WeightedRows) -> np.ndarray:
    deviation = draws.deviation(draws.rows.squared_errors)
    return divided(deviation, 2 * np.sqrt(draws.squared_error), otherwise=0)


def _of_mae(draws: WeightedRows) -> np.ndarray:
    return draws.deviation(np.abs(draws.rows.y - draws.rows.output))


def _of_r2(draws: WeightedRows) -> np.ndarray:
    """Return the spread of a ratio of means; a draw's mean of the target is taken for that of all.

    Mean squares of e and d, errors and deviations: the row's part in r2 is (e² - ratio d²) / d².
    """
    squares = draws.rows.squared_errors
    deviations = (draws.rows.y - draws.rows.y.mean()) ** 2
    variance = draws.mean(deviations)
    ratio = divided(draws.squared_error, variance, otherwise=0)
    weight = draws.rows.terms.weight
    if weight is None:
        weight = np.ones(len(squares))
    mean_product = draws.mean(weight * squares * deviations)
    mean_fourth = draws.mean(weight * deviations**2)
    parts = draws.mean(weight * squares**2) - 2 * ratio * mean_product + ratio**2 * mean_fourth
    return divided(np.sqrt(np.maximum(parts, 0)), variance, otherwise=0)


def _of_log_loss(draws: WeightedRows) -> np.ndarray:
    return draws.deviation(draws.rows.log_losses)


SPREADS: dict[str, Callable[[WeightedRows], np.ndarray]] = {
    "rmse": _of_rmse,
    "mae": _of_mae,
    "r2": _of_r2,
    "log_loss": _of_log_loss,
}
