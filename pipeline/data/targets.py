"""Tables: read them from files, check and clean them, describe their quality, and write and read the splits."""

import numpy as np
import pandas as pd


def class_labels(target: pd.Series, positive: str | None) -> list[str]:
    """Return the class labels in the order of a model's probabilities: sorted, the positive one last."""
    labels = sorted(target.unique())
    if positive is not None:
        labels.remove(positive)
        labels.append(positive)
    return labels


def numeric_target(target: pd.Series, classes: list[str] | None) -> np.ndarray:
    """Return the target as numbers, or as the number of each row's class."""
    if classes is None:
        return target.to_numpy(dtype=np.float64)
    return pd.Categorical(target, categories=classes).codes.astype(np.int64)
