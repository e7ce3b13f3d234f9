"""Targets as numbers: the order of class labels, and the number that stands for each class."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def class_labels(target: pd.Series, positive: str | None) -> list[str]:
    """Return the class labels in the order of a model's probabilities: sorted, the positive last.

    Raises ValueError where `positive` is not one of the labels.
    """
    labels = sorted(target.unique())
    if positive is not None:
        labels.remove(positive)
        labels.append(positive)
    return labels


def class_numbers(labels: ArrayLike, classes: list[str]) -> np.ndarray:
    """Return the place of each label in `classes`, int64 of shape (rows,); -1 for None."""
    return pd.Categorical(labels, categories=classes).codes.astype(np.int64)


def numeric_target(target: pd.Series, classes: list[str] | None) -> np.ndarray:
    """Return the target as float64 numbers, or as class numbers where there are classes."""
    if classes is None:
        return target.to_numpy(dtype=np.float64)
    return class_numbers(target, classes)
