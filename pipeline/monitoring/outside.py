"""Outside: served rows with values that no training row has, of which the training says nothing."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import DATE, NUMBER, TEXT
from pipeline.project import errors

# of the served rows, from which on a column lies outside: few new extremes come by chance
MOST_OUTSIDE = 0.05
MOST_NAMED = 3


@dataclass(frozen=True)
class Outside:
    """The share of the served rows that lie outside the training rows, and by which columns."""

    share: float
    columns: list[str]

    def line(self) -> str:
        """Return what it means for an estimate without labels."""
        return (
            f"  the estimate is void: {self.share:.1%} of the rows lie outside the training rows: "
            f"{errors.listed(self.columns, most=MOST_NAMED)}"
        )


def outside(training: pd.DataFrame, served: pd.DataFrame) -> Outside | None:
    """Return how many rows have a number beyond the training rows', or an unseen category.

    Dates are later by nature, and texts differ from each other: only their gaps count. A gap
    counts where no training row has one. None where each column has few such rows.
    """
    rows, columns = np.zeros(len(served), dtype=bool), []
    for column in served.columns.intersection(training.columns, sort=False):
        beyond = _beyond(training[column], served[column])
        if beyond.mean() > MOST_OUTSIDE:
            rows |= beyond
            columns.append(str(column))
    return Outside(float(rows.mean()), columns) if columns else None


def _beyond(training: pd.Series, served: pd.Series) -> np.ndarray:
    if kinds.kind_of(training) == NUMBER:
        numbers = pd.to_numeric(served, errors="coerce")
        beyond = (numbers < training.min()) | (numbers > training.max())
        gaps = numbers.isna()
    elif kinds.kind_of(training) in (DATE, TEXT):
        beyond, gaps = np.zeros(len(served), dtype=bool), served.isna()
    else:
        beyond = ~kinds.as_text(served).isin(training.dropna().unique())
        gaps = served.isna()
    new_gaps = not training.hasnans
    return np.where(gaps, new_gaps, beyond).astype(bool)
