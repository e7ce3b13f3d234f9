"""What of each number in a table its other columns do not explain: the residuals of regressions.

All regressions come from one matrix: the inverse of the columns' covariance holds the coefficients
of each column on all others (Lauritzen 1996, Graphical Models, section 5.1).
"""

import numpy as np
import pandas as pd

# levels of a category that the regressions see
MOST_LEVELS = 10
# standard deviations beyond which a value counts as this far
FARTHEST = 8.0
# added to the variances, so that columns that repeat each other have an inverse
RIDGE = 1e-3
DECIMALS = 6


def unexplained_parts(
    numbers: pd.DataFrame, categories: pd.DataFrame
) -> list[tuple[str, np.ndarray]]:
    """Return (column, its residuals) of each number that varies, in rows where it is there.

    Where numbers are not negative their logarithms are explained as well, as prices and durations
    relate by products.
    """
    levels = _levels(categories)
    parts = _residuals(numbers, levels)
    never_negative = numbers.loc[:, numbers.min() >= 0]
    return parts + _residuals(np.log1p(never_negative), levels)


def _levels(categories: pd.DataFrame) -> list[np.ndarray]:
    """Return a column of 0 and 1 for each common level of the categories but the commonest."""
    columns = []
    for name in categories:
        counts = categories[name].value_counts()
        common = sorted(counts.index, key=lambda value: (-counts[value], str(value)))
        for level in common[1:MOST_LEVELS]:
            columns.append(_standardised((categories[name] == level).to_numpy(dtype=float)))
    return columns


def _residuals(numbers: pd.DataFrame, levels: list[np.ndarray]) -> list[tuple[str, np.ndarray]]:
    """Return what regressions of each number on the other columns leave, nan where it is not."""
    names = [name for name in numbers if numbers[name].nunique() > 1]
    columns = [_standardised(numbers[name].to_numpy()) for name in names] + levels
    if len(columns) < 2 or not names:
        return []
    table = np.column_stack(columns)
    covariance = table.T @ table / len(table)
    inverse = np.linalg.inv(covariance + RIDGE * np.eye(len(columns)))
    left = table @ inverse[:, : len(names)] / np.diag(inverse)[: len(names)]
    # the last digits differ by processor, and a value may lie on the line between two bins
    left = left.round(DECIMALS)
    left[numbers[names].isna().to_numpy()] = np.nan
    return [(name, left[:, place]) for place, name in enumerate(names)]


def _standardised(values: np.ndarray) -> np.ndarray:
    """Return values with mean 0 and deviation 1, missing ones in the middle."""
    filled = np.where(np.isnan(values), np.nanmedian(values), values)
    # so that the largest numbers do not overflow
    filled = filled / (np.abs(filled).max() or 1.0)
    deviation = filled.std()
    if deviation == 0:
        return np.zeros(len(filled))
    return np.clip((filled - filled.mean()) / deviation, -FARTHEST, FARTHEST)
