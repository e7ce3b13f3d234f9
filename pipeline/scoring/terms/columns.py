"""Columns of numbers that terms are read from, and the lines of those that are not numbers."""

import numpy as np
import pandas as pd

from pipeline.project.errors import DataError, listed


def numbers(frame: pd.DataFrame, column: str, key: str, origin: str) -> np.ndarray:
    """Return a column of numbers without gaps, which `key` of params.yaml names, shape (rows,).

    Raises DataError where it is not one.
    """
    if column not in frame:
        raise DataError(
            f"{origin}: no column {column!r}, which {key} names; there are: "
            f"{listed(frame.columns, most=30)}; one that models must not see is named in "
            f"train.features.exclude, not in data.drop"
        )
    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float)
    missing = frame.index[~np.isfinite(values)]
    if len(missing):
        raise DataError(
            f"{origin}: {column!r}, which {key} names, is not a number in "
            f"{lines_in_file(missing)}; fix it there"
        )
    return values


def lines_in_file(rows: pd.Index) -> str:
    """Return the line of the file in which the first of some rows stands; the header is line 1."""
    more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    return f"line {rows[0] + 2}{more}"
