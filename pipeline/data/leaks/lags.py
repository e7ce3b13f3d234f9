"""Lags: columns that repeat the target of another row, and columns that follow the rows' order."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.data.leaks import associations
from pipeline.data.leaks.associations import CLASSIFICATION, SAMPLE, Answers
from pipeline.data.leaks.table import DROP, SPLIT_BY_TIME, Leak, TrainingTable

# rows between a column's value and the target that it may repeat
MOST_LAG = 12
# of the rows with both, from which on a column is a lagged copy
COPIED = 0.9
FEWEST_ROWS = 50
# values of a column that may stand for classes
MOST_LABELS = 20
# parts of the target within which an order of the rows is not its own
PARTS = 5
# of the rank correlation of a column with the place of its row
FOLLOWS = 0.9


@dataclass(frozen=True)
class Lag:
    """How many rows before (or, below 0, after) its own a column's target stands, and how often."""

    rows: int
    share: float


def lagged_columns(table: TrainingTable, scores: dict[str, float]) -> list[Leak]:
    """Return the columns that repeat the target of another row.

    Where the split is by time, the targets of earlier rows are known by then.
    """
    found = []
    for column in scores:
        lag = lag_of(table.features[column], table.answers, table.positions)
        if lag is not None and not (table.split_kind == "time" and lag.rows > 0):
            found.append(_lagged(column, lag, table))
    return found


def _lagged(column: str, lag: Lag, table: TrainingTable) -> Leak:
    side = "before" if lag.rows > 0 else "after"
    distance = "the row" if abs(lag.rows) == 1 else f"the row {abs(lag.rows)} rows"
    what = f"{column} repeats {table.target} of {distance} {side} in {lag.share:.1%} of the rows"
    # then the target of a later row is not known by any means
    certain = table.split_kind == "time"
    do = DROP if certain else SPLIT_BY_TIME
    return Leak([column], "lag", lag.share, certain, what, do)


def lag_of(values: pd.Series, answers: Answers, positions: np.ndarray) -> Lag | None:
    """Return the lag at which a column repeats the target, None where it repeats its own or none.

    `positions` are the places of the rows, of which some may be left out; a run of the first ones
    is looked at.
    """
    near = positions < positions.min() + SAMPLE
    x = associations.as_numbers(values[near]).to_numpy(dtype="float64")
    if answers.task == CLASSIFICATION and len(np.unique(x)) > MOST_LABELS:
        return None
    rows = np.arange(-MOST_LAG, MOST_LAG + 1)
    targets = _targets_of_other_rows(answers.values.to_numpy()[near], positions[near], rows)
    if not (_most_agreement(x, targets, answers.task) >= COPIED).any():
        return None
    shares = [_agreement(x, others, answers.task) for others in targets]
    best, own = int(np.argmax(shares)), shares[MOST_LAG]
    if best == MOST_LAG or shares[best] < COPIED or shares[best] <= own:
        return None
    return Lag(int(rows[best]), shares[best])


def _targets_of_other_rows(y: np.ndarray, positions: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return for each of `rows` the targets so many rows before, of shape (rows, targets)."""
    places = positions - positions.min() + MOST_LAG
    targets = np.full(places.max() + 1 + MOST_LAG, np.nan)
    targets[places] = y
    return targets[places - rows[:, np.newaxis]]


def _most_agreement(x: np.ndarray, targets: np.ndarray, task: str) -> np.ndarray:
    """Return for each row of `targets` what its agreement with a column is at most.

    It is the share of the rows alone, for all lags at once: few columns need the agreement itself.
    """
    both = ~np.isnan(x) & ~np.isnan(targets)
    if task == CLASSIFICATION:
        same = _rows_of_commonest_classes(x, targets, both)
    else:
        same = np.isclose(x, targets, rtol=1e-9, atol=0).sum(axis=1)
    return same / np.maximum(both.sum(axis=1), 1)


def _rows_of_commonest_classes(x: np.ndarray, targets: np.ndarray, both: np.ndarray) -> np.ndarray:
    """Return for each row of `targets` the rows that have the commonest class of their value."""
    values, codes = np.unique(x, return_inverse=True)
    classes, numbers = np.unique(targets, return_inverse=True)
    shape = (len(targets), len(values), len(classes))
    lags = np.arange(len(targets))[:, np.newaxis]
    cells = np.ravel_multi_index((lags, codes, numbers.reshape(targets.shape)), shape)
    counts = np.bincount(cells[both], minlength=np.prod(shape)).reshape(shape)
    return counts.max(axis=2).sum(axis=1)


def _agreement(x: np.ndarray, targets: np.ndarray, task: str) -> float:
    """Return the share of the rows in which a column repeats a target, the commonest one aside."""
    both = ~np.isnan(x) & ~np.isnan(targets)
    x, targets = x[both], targets[both]
    if len(x) < FEWEST_ROWS:
        return 0.0
    if task == CLASSIFICATION:
        x = _commonest_class(x, targets)
    same = np.isclose(x, targets, rtol=1e-9, atol=0)
    values, counts = np.unique(targets, return_counts=True)
    others = targets != values[counts.argmax()]
    return float(min(same.mean(), same[others].mean())) if others.any() else 0.0


def _commonest_class(x: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the class that goes most often with each value of a column."""
    _, codes = np.unique(x, return_inverse=True)
    labels, numbers = np.unique(classes, return_inverse=True)
    counts = np.zeros((codes.max() + 1, len(labels)))
    np.add.at(counts, (codes, numbers), 1)
    return labels[counts.argmax(axis=1)][codes]


def follows_rows(values: pd.Series, answers: Answers, positions: np.ndarray) -> bool:
    """Say whether a column rises or falls with the rows' places among rows of like targets.

    Where a table is sorted by its target every good column follows the rows; a counter or a time
    does so among equal targets, too.
    """
    x = associations.as_numbers(values)
    if x.isna().mean() >= associations.MOST_GAPS:
        return False
    parts = answers.values
    if answers.task != CLASSIFICATION:
        parts = pd.qcut(parts.rank(method="first"), PARTS, labels=False)
    places = pd.Series(positions, index=x.index)
    strengths = []
    for _, rows in x.groupby(parts):
        if rows.nunique() > 1:
            there = rows.dropna()
            correlation = associations.rank_correlation(there, places[there.index])
            strengths.append(abs(correlation))
    return bool(strengths) and float(np.mean(strengths)) >= FOLLOWS
