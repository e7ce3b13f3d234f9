"""Invented targets with what a model predicts for them."""

import numpy as np

from pipeline.scoring.rows import Rows

LABELS = ["setosa", "versicolor", "virginica"]


def classification(
    n_classes: int, rows: int = 150, seed: int = 0, digits: int | None = None
) -> Rows:
    """Return targets, informative probabilities and decisions, the last shuffled for an odd seed.

    With `digits` the probabilities of two classes are rounded, for ties; one of them is 0.
    """
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, rows)
    bonus = 0.5 * np.eye(n_classes)[y]
    probabilities = rng.dirichlet(np.ones(n_classes), rows) + bonus * rng.random((rows, 1))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    if digits is not None:
        probabilities = binary(probabilities[:, 1].round(digits))
    probabilities[0] = np.eye(n_classes)[(y[0] + 1) % n_classes]
    likeliest = probabilities.argmax(axis=1)
    return Rows(y, probabilities, rng.permutation(likeliest) if seed % 2 else likeliest)


def regression(rows: int = 150, seed: int = 0) -> Rows:
    """Return targets and numbers that are near them."""
    rng = np.random.default_rng(seed)
    y = rng.normal(10, 3, rows)
    return Rows(y, y + rng.normal(0.5, 1, rows))


def binary(positive: np.ndarray | list[float]) -> np.ndarray:
    """Return the probabilities of two classes from that of the positive one."""
    return np.column_stack([1 - np.array(positive), positive])
