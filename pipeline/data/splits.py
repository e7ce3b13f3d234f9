"""Tables: read them from files, check and clean them, describe their quality, and write and read the splits."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.project.params import Prepare


def write_splits(folder: Path, train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Write both splits as Parquet, each row with the number it had in the CSV."""
    with files.replacing(folder) as partial:
        partial.mkdir(parents=True)
        for name, frame in (("train", train), ("test", test)):
            frame.rename_axis("row").to_parquet(partial / f"{name}.parquet", compression="zstd")


def read_split(dataset: str, split: str) -> pd.DataFrame:
    """Return the train or test split of a prepared dataset, indexed by the row's number in the CSV."""
    path = paths.processed(dataset) / f"{split}.parquet"
    if not path.is_file():
        raise DataError(
            f"{path} is not there; run `python prepare_data.py --dataset {dataset}` first"
        )
    return pd.read_parquet(path)


Fold = tuple[np.ndarray, np.ndarray]  # positions of the rows to fit and of the rows to predict


def train_test(
    frame: pd.DataFrame, labels: pd.Series | None, prepare: Prepare, seed: int, origin: str
) -> Fold:
    """Return the positions of the training and the test rows, each in the table's order.

    random: seeded, stratified by `labels` where given; equal rows fall on one side. group: a group falls on one side.
    time: the latest rows are the test split; rows of one moment fall on one side. Raises DataError where no such split exists.
    """
    if prepare.split_kind == "time":
        cut = len(frame) - max(1, round(len(frame) * prepare.test_size))
        order, (cut,) = _by_time(frame[prepare.split_column], [cut], origin)
        train, test = np.sort(order[:cut]), np.sort(order[cut:])
    else:
        train, test = _by_units(_units(frame, prepare), labels, prepare, seed, origin)
    if not len(train) or not len(test):
        raise DataError(
            f"{origin}: {len(frame)} rows give an empty split at prepare.test_size {prepare.test_size} and "
            f"prepare.split {prepare.split}; give more rows or change one of them"
        )
    _check_fitted_classes(
        labels, train, "the training rows", "prepare.split or prepare.test_size", origin
    )
    return train, test


def folds(
    frame: pd.DataFrame,
    labels: pd.Series | None,
    prepare: Prepare,
    n_folds: int,
    seed: int,
    origin: str,
) -> list[Fold]:
    """Return the folds of the cross-validation of training rows, under the same rule as the test split.

    time: each fold is predicted from the rows before it, so the first part of the rows is never predicted.
    """
    if len(frame) < 2 * n_folds:
        raise DataError(
            f"{origin}: {len(frame)} training rows are too few for train.cv_folds {n_folds}; lower it"
        )
    parts = (
        _time_folds(frame, prepare, n_folds, origin)
        if prepare.split_kind == "time"
        else _unit_folds(frame, labels, prepare, n_folds, seed, origin)
    )
    for number, (fit, _) in enumerate(parts, start=1):
        _check_fitted_classes(
            labels, fit, f"the rows that fold {number} is predicted from", "train.cv_folds", origin
        )
    return parts


def _time_folds(frame: pd.DataFrame, prepare: Prepare, n_folds: int, origin: str) -> list[Fold]:
    size = len(frame) // (n_folds + 1)
    order, starts = _by_time(
        frame[prepare.split_column], [len(frame) - size * k for k in range(n_folds, 0, -1)], origin
    )
    ends = np.r_[starts[1:], len(order)]
    if starts[0] == 0 or (starts == ends).any():
        raise DataError(
            f"{origin}: column {prepare.split_column!r} holds too few different times for train.cv_folds {n_folds}; "
            f"lower it"
        )
    return [(np.sort(order[:start]), np.sort(order[start:end])) for start, end in zip(starts, ends)]


def _unit_folds(
    frame: pd.DataFrame,
    labels: pd.Series | None,
    prepare: Prepare,
    n_folds: int,
    seed: int,
    origin: str,
) -> list[Fold]:
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    units = _units(frame, prepare)
    if len(np.unique(units)) < n_folds:
        raise DataError(
            f"{origin}: {len(np.unique(units))} groups are too few for train.cv_folds {n_folds}; lower it"
        )
    if labels is not None:
        _check_class_sizes(labels, n_folds, f"train.cv_folds {n_folds}", origin)
    if prepare.split_kind == "group":
        splitter = (
            GroupKFold(n_folds, shuffle=True, random_state=seed)
            if labels is None
            else StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
        )
        return list(splitter.split(np.zeros(len(frame)), labels, units))
    first = np.unique(units, return_index=True)[1]
    if labels is not None:
        _check_class_sizes(
            labels.iloc[first],
            n_folds,
            f"train.cv_folds {n_folds} once equal rows are kept together",
            origin,
        )
        parts = StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(
            first, labels.iloc[first]
        )
    else:
        parts = KFold(n_folds, shuffle=True, random_state=seed).split(first)
    unit_fold = np.empty(len(first), dtype=int)
    for number, (_, predict) in enumerate(parts):
        unit_fold[predict] = number
    row_fold = unit_fold[units]
    return [
        (np.flatnonzero(row_fold != number), np.flatnonzero(row_fold == number))
        for number in range(n_folds)
    ]


def _by_units(
    units: np.ndarray, labels: pd.Series | None, prepare: Prepare, seed: int, origin: str
) -> Fold:
    """Split whole units (groups, or sets of equal rows), stratified by the label of each unit's first row."""
    from sklearn.model_selection import train_test_split

    first = np.unique(units, return_index=True)[1]
    stratify = None
    if labels is not None and prepare.split_kind == "random":
        _check_class_sizes(labels.iloc[first], 2, "a stratified split", origin)
        stratify = labels.iloc[first]
    try:
        train_units, _ = train_test_split(
            np.arange(len(first)), test_size=prepare.test_size, random_state=seed, stratify=stratify
        )
    except ValueError as error:
        raise DataError(
            f"{origin}: no split at prepare.test_size {prepare.test_size}: {error}"
        ) from None
    in_train = np.isin(units, train_units)
    return np.flatnonzero(in_train), np.flatnonzero(~in_train)


def _units(frame: pd.DataFrame, prepare: Prepare) -> np.ndarray:
    """Return a number per row: rows of one group, or rows equal in every column, have the same one."""
    if prepare.split_kind == "group":
        return pd.factorize(frame[prepare.split_column])[0]
    return pd.factorize(pd.util.hash_pandas_object(frame, index=False))[0]


def _by_time(column: pd.Series, cuts: list[int], origin: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the rows from the earliest to the latest, and the cuts, each moved back to its moment's first row.

    So rows of one moment are never cut apart: a day's later rows would tell of its earlier ones.
    """
    moments = _moments(column, origin).to_numpy()
    order = np.argsort(moments, kind="stable")
    return order, np.searchsorted(moments[order], moments[order][cuts], side="left")


def _moments(column: pd.Series, origin: str) -> pd.Series:
    """Return the column's numbers, or its dates: ISO 8601 only, for 01/02/2024 is January to some and February to others."""
    if pd.api.types.is_numeric_dtype(column):
        return column
    moments = pd.to_datetime(column, errors="coerce", format="ISO8601", utc=True)
    if moments.isna().any():
        wrong = column[moments.isna()].iloc[0]
        raise DataError(
            f"{origin}: column {column.name!r} orders the rows, but {wrong!r} is no date of the form 2024-12-31; "
            f"mend it or change prepare.split"
        )
    return moments


def _check_class_sizes(labels: pd.Series, least: int, what: str, origin: str) -> None:
    counts = labels.value_counts()
    if counts.min() < least:
        rows = f"{counts.min()} row" + ("s" if counts.min() > 1 else "")
        raise DataError(
            f"{origin}: class {counts.idxmin()!r} of {labels.name!r} has {rows}, {what} needs {least}; "
            f"give more rows of it, merge or remove the class"
        )


def _check_fitted_classes(
    labels: pd.Series | None, fit: np.ndarray, what: str, setting: str, origin: str
) -> None:
    if labels is None:
        return
    absent = sorted(set(labels) - set(labels.iloc[fit]))
    if absent:
        raise DataError(
            f"{origin}: class {absent[0]!r} of {labels.name!r} is not among {what}, so no model can learn it; "
            f"change {setting}, or merge or remove the class"
        )
