"""What each row counts, by data.weight."""

import numpy as np
import pandas as pd

from pipeline.project.errors import DataError
from pipeline.scoring.terms.columns import numbers


def weights_of_rows(frame: pd.DataFrame, column: str, origin: str) -> np.ndarray:
    """Return the weights of rows, shape (rows,), with a mean of 1.

    The settings of models that speak of rows, such as the least weight of a leaf, then mean what
    they mean without weights. Raises DataError where a weight is missing or below 0, or all are 0.
    """
    weights = numbers(frame, column, "data.weight", origin)
    if (weights < 0).any() or not weights.sum() > 0:
        raise DataError(
            f"{origin}: {column!r}, which data.weight names, has weights below 0 or none above it"
        )
    return weights / weights.mean()
