"""Splits: which rows a model is fitted on and which it is judged by, and the files of both.

Every split keeps together what must not be parted: equal rows, the rows of a group, or those of
one moment.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import DATE
from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.project.settings.data import Prepare


class Fold(NamedTuple):
    """Positions of the rows to fit and of the rows to predict, each in the table's order."""

    fit: np.ndarray
    predict: np.ndarray


@dataclass(frozen=True)
class Table:
    """The rows to split and the rule; `labels` are None for regression, `origin` is for errors."""

    frame: pd.DataFrame
    labels: pd.Series | None
    prepare: Prepare
    seed: int
    origin: str


def write_splits(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Write {train, test: rows} as Parquet, each row with the number it had in the CSV.

    With a function of the user's, there are also the tables of the features that it makes of them.
    """
    with files.replacing(folder) as partial:
        partial.mkdir(parents=True)
        for name, frame in tables.items():
            frame.rename_axis("row").to_parquet(partial / f"{name}.parquet", compression="zstd")


def features_of(split: str) -> str:
    """Return the name of the table of a split's features, where the user's own code makes them."""
    return f"{split}_features"


def read_split(dataset: str, split: str) -> pd.DataFrame:
    """Return the train or test split of a prepared dataset, indexed by the row's number in the CSV.

    It holds the inputs, the target and the split column; `features_of` names that of the features.
    Raises DataError where it is not there.
    """
    path = paths.processed(dataset) / f"{split}.parquet"
    if not path.is_file():
        raise DataError(
            f"{path} is not there; run `python prepare_data.py --dataset {dataset}` first"
        )
    return pd.read_parquet(path)


def train_test(
    frame: pd.DataFrame, labels: pd.Series | None, prepare: Prepare, seed: int, origin: str
) -> Fold:
    """Return the positions of the training and the test rows.

    random: seeded, stratified by `labels` where given; equal rows fall on one side. group: a group
    falls on one side. time: the latest rows are the test split; rows of one moment fall on one
    side. Raises DataError where no such split exists.
    """
    table = Table(frame, labels, prepare, seed, origin)
    split = _latest_rows(table) if prepare.split_kind == "time" else _part_of_units(table)
    if not len(split.fit) or not len(split.predict):
        raise DataError(
            f"{origin}: {len(frame)} rows give an empty split at prepare.test_size "
            f"{prepare.test_size} and prepare.split {prepare.split}; give more rows or change one "
            f"of them"
        )
    _check_fitted_classes(
        table, split.fit, "the training rows", "prepare.split or prepare.test_size"
    )
    return split


def folds(
    frame: pd.DataFrame,
    labels: pd.Series | None,
    prepare: Prepare,
    n_folds: int,
    seed: int,
    origin: str,
) -> list[Fold]:
    """Return the folds of the cross-validation of training rows, by the rule of the test split.

    time: each fold is predicted from the rows before it, so the first part of the rows is never
    predicted. Raises DataError where there are too few rows, groups, moments or rows of a class.
    """
    if len(frame) < 2 * n_folds:
        raise DataError(
            f"{origin}: {len(frame)} training rows are too few for train.cv_folds {n_folds}; "
            f"lower it"
        )
    table = Table(frame, labels, prepare, seed, origin)
    if prepare.split_kind == "time":
        parts = _time_folds(table, n_folds)
    elif prepare.split_kind == "group":
        parts = _group_folds(table, n_folds)
    else:
        parts = _random_folds(table, n_folds)
    for number, part in enumerate(parts, start=1):
        _check_fitted_classes(
            table, part.fit, f"the rows that fold {number} is predicted from", "train.cv_folds"
        )
    return parts


# by time


def _latest_rows(table: Table) -> Fold:
    n_rows = len(table.frame)
    cut = n_rows - max(1, round(n_rows * table.prepare.test_size))
    order, (cut,) = _by_time(table, [cut])
    return Fold(np.sort(order[:cut]), np.sort(order[cut:]))


def _time_folds(table: Table, n_folds: int) -> list[Fold]:
    n_rows = len(table.frame)
    size = n_rows // (n_folds + 1)
    order, starts = _by_time(table, [n_rows - size * k for k in range(n_folds, 0, -1)])
    ends = np.r_[starts[1:], len(order)]
    if starts[0] == 0 or (starts == ends).any():
        raise DataError(
            f"{table.origin}: column {table.prepare.split_column!r} holds too few different times "
            f"for train.cv_folds {n_folds}; lower it"
        )
    parts = []
    for start, end in zip(starts, ends):
        parts.append(Fold(np.sort(order[:start]), np.sort(order[start:end])))
    return parts


def _by_time(table: Table, cuts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the rows from the earliest to the latest, and the cuts.

    Each cut is moved back to its moment's first row, so that rows of one moment are never parted: a
    day's later rows would give its earlier ones away.
    """
    column = table.frame[table.prepare.split_column]
    times = moments(column, table.origin).to_numpy()
    order = np.argsort(times, kind="stable")
    return order, np.searchsorted(times[order], times[order][cuts], side="left")


def moments(column: pd.Series, origin: str) -> pd.Series:
    """Return the column's numbers, or its dates in UTC; raises DataError where one is neither."""
    if pd.api.types.is_numeric_dtype(column):
        return column
    found = kinds.typed_as(column, DATE)
    if len(found.unreadable):
        wrong = column.iloc[found.unreadable[0]]
        raise DataError(
            f"{origin}: column {column.name!r} orders the rows, but {wrong!r} is not a date of the "
            f"form 2024-12-31; fix it or change prepare.split"
        )
    return found.values


def units(frame: pd.DataFrame, prepare: Prepare, origin: str) -> np.ndarray | None:
    """Return the number of each row's group, or of its place in time; None for a random split.

    Raises DataError where a time cannot be read.
    """
    if prepare.split_kind == "group":
        return pd.factorize(frame[prepare.split_column])[0]
    if prepare.split_kind == "time":
        times = moments(frame[prepare.split_column], origin).to_numpy()
        return np.argsort(np.argsort(times, kind="stable"))
    return None


# by groups, or by sets of equal rows


def _units(table: Table) -> np.ndarray:
    """Return a number per row, which rows of one group, or rows equal in every column, share."""
    if table.prepare.split_kind == "group":
        return pd.factorize(table.frame[table.prepare.split_column])[0]
    return pd.factorize(pd.util.hash_pandas_object(table.frame, index=False))[0]


def _first_rows(units: np.ndarray) -> np.ndarray:
    """Return the position of each unit's first row."""
    return np.unique(units, return_index=True)[1]


def _part_of_units(table: Table) -> Fold:
    """Split whole units at random, stratified by the label of each unit's first row."""
    from sklearn.model_selection import train_test_split

    units = _units(table)
    first = _first_rows(units)
    stratify = None
    if table.labels is not None and table.prepare.split_kind == "random":
        stratify = table.labels.iloc[first]
        _check_class_sizes(stratify, 2, "a stratified split", table.origin)
    test_size = table.prepare.test_size
    try:
        train_units, _ = train_test_split(
            np.arange(len(first)), test_size=test_size, random_state=table.seed, stratify=stratify
        )
    except ValueError as error:
        raise DataError(
            f"{table.origin}: no split at prepare.test_size {test_size}: {error}"
        ) from None
    in_train = np.isin(units, train_units)
    return Fold(np.flatnonzero(in_train), np.flatnonzero(~in_train))


def _checked_units(table: Table, n_folds: int) -> np.ndarray:
    """Return the units of the rows; raises DataError where folds are more than units or rows."""
    units = _units(table)
    n_units = len(np.unique(units))
    if n_units < n_folds:
        raise DataError(
            f"{table.origin}: {n_units} groups are too few for train.cv_folds {n_folds}; lower it"
        )
    if table.labels is not None:
        _check_class_sizes(table.labels, n_folds, f"train.cv_folds {n_folds}", table.origin)
    return units


def _group_folds(table: Table, n_folds: int) -> list[Fold]:
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    units = _checked_units(table, n_folds)
    kind = GroupKFold if table.labels is None else StratifiedGroupKFold
    splitter = kind(n_folds, shuffle=True, random_state=table.seed)
    rows = np.zeros(len(table.frame))
    return [Fold(fit, predict) for fit, predict in splitter.split(rows, table.labels, units)]


def _random_folds(table: Table, n_folds: int) -> list[Fold]:
    """Split sets of equal rows, stratified by the label of each set's first row."""
    from sklearn.model_selection import KFold, StratifiedKFold

    units = _checked_units(table, n_folds)
    first = _first_rows(units)
    if table.labels is None:
        parts = KFold(n_folds, shuffle=True, random_state=table.seed).split(first)
    else:
        labels = table.labels.iloc[first]
        needs = f"train.cv_folds {n_folds} once equal rows are kept together"
        _check_class_sizes(labels, n_folds, needs, table.origin)
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=table.seed)
        parts = splitter.split(first, labels)
    unit_fold = np.empty(len(first), dtype=int)
    for number, (_, predict) in enumerate(parts):
        unit_fold[predict] = number
    row_fold = unit_fold[units]
    found = []
    for number in range(n_folds):
        found.append(Fold(np.flatnonzero(row_fold != number), np.flatnonzero(row_fold == number)))
    return found


# classes


def _check_class_sizes(labels: pd.Series, least: int, what: str, origin: str) -> None:
    counts = labels.value_counts()
    if counts.min() >= least:
        return
    rows = f"{counts.min()} rows" if counts.min() > 1 else f"{counts.min()} row"
    raise DataError(
        f"{origin}: class {counts.idxmin()!r} of {labels.name!r} has {rows}, {what} needs {least}; "
        f"give more rows of it, merge or remove the class"
    )


def _check_fitted_classes(table: Table, fit: np.ndarray, what: str, setting: str) -> None:
    """Raise DataError where a class has no row among those that a model is fitted on."""
    labels = table.labels
    if labels is None:
        return
    absent = sorted(set(labels) - set(labels.iloc[fit]))
    if absent:
        raise DataError(
            f"{table.origin}: class {absent[0]!r} of {labels.name!r} is not among {what}, so no "
            f"model can learn it; change {setting}, or merge or remove the class"
        )
