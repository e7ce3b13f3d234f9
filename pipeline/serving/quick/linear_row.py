"""One row through scikit-learn's linear models: their arithmetic, without their checks."""

from collections.abc import Callable
from typing import Any

import numpy as np

REGRESSIONS = ("LinearRegression", "Ridge", "Lasso")
CLASSIFICATION = "LogisticRegression"


def linear(model: Any) -> Callable[[np.ndarray], list[float]]:
    """Return the function of a table of one row that a linear model is; else raise ValueError."""
    coefficients, intercept = model.coef_.T, model.intercept_
    if type(model).__name__ in REGRESSIONS:
        return lambda Z: (Z @ coefficients + intercept).reshape(-1).tolist()
    if type(model).__name__ != CLASSIFICATION:
        raise ValueError(f"{type(model).__name__} is not known here")
    return _two_classes(model) if len(model.classes_) == 2 else _several_classes(model)


def _two_classes(model: Any) -> Callable[[np.ndarray], list[float]]:
    from scipy.special import expit

    def probabilities(Z: np.ndarray) -> list[float]:
        positive = float(expit(Z @ model.coef_.T + model.intercept_)[0, 0])
        return [1 - positive, positive]

    return probabilities


def _several_classes(model: Any) -> Callable[[np.ndarray], list[float]]:
    from sklearn.utils.extmath import softmax

    def probabilities(Z: np.ndarray) -> list[float]:
        return softmax(Z @ model.coef_.T + model.intercept_, copy=False)[0].tolist()

    return probabilities
