"""Who is trained on which rows: the train and test split, and the folds of the cross-validation."""

import numpy as np
import pandas as pd

from pipeline.errors import DataError
from pipeline.params import Prepare

Fold = tuple[np.ndarray, np.ndarray]        # positions of the rows to fit and of the rows to predict


def train_test(frame: pd.DataFrame, labels: pd.Series | None, prepare: Prepare, seed: int, origin: str) -> Fold:
    """Return the positions of the training and the test rows, each in the table's order.

    random: seeded, stratified by `labels` where given; equal rows fall on one side. group: a group falls on one side.
    time: the latest rows are the test split. Raises DataError where no such split exists.
    """
    if prepare.split_kind == "time":
        order = _order(frame[prepare.split_column], origin)
        cut = len(order) - round(len(order) * prepare.test_size)
        train, test = np.sort(order[:cut]), np.sort(order[cut:])
    else:
        train, test = _by_units(_units(frame, prepare), labels, prepare, seed, origin)
    if not len(train) or not len(test):
        raise DataError(f"{origin}: {len(frame)} rows give an empty split at prepare.test_size {prepare.test_size}; "
                        f"give more rows or change it")
    return train, test


def folds(frame: pd.DataFrame, labels: pd.Series | None, prepare: Prepare, n_folds: int, seed: int, origin: str) -> list[Fold]:
    """Return the folds of the cross-validation of training rows, under the same rule as the test split.

    time: each fold is predicted from the rows before it, so the first part of the rows is never predicted.
    """
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold, TimeSeriesSplit
    if len(frame) < 2 * n_folds:
        raise DataError(f"{origin}: {len(frame)} training rows are too few for train.cv_folds {n_folds}; lower it")
    if prepare.split_kind == "time":
        order = _order(frame[prepare.split_column], origin)
        return [(np.sort(order[fit]), np.sort(order[predict])) for fit, predict in TimeSeriesSplit(n_folds).split(order)]
    units = _units(frame, prepare)
    if len(np.unique(units)) < n_folds:
        raise DataError(f"{origin}: {len(np.unique(units))} groups are too few for train.cv_folds {n_folds}; lower it")
    if labels is not None:
        _check_class_sizes(labels, n_folds, f"train.cv_folds {n_folds}", origin)
    if prepare.split_kind == "group":
        splitter = GroupKFold(n_folds, shuffle=True, random_state=seed) if labels is None else StratifiedGroupKFold(
            n_folds, shuffle=True, random_state=seed)
        return list(splitter.split(np.zeros(len(frame)), labels, units))
    first = np.unique(units, return_index=True)[1]
    if labels is not None:
        _check_class_sizes(labels.iloc[first], n_folds, f"train.cv_folds {n_folds} once equal rows are kept together", origin)
        parts = StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(first, labels.iloc[first])
    else:
        parts = KFold(n_folds, shuffle=True, random_state=seed).split(first)
    unit_fold = np.empty(len(first), dtype=int)
    for number, (_, predict) in enumerate(parts):
        unit_fold[predict] = number
    row_fold = unit_fold[units]
    return [(np.flatnonzero(row_fold != number), np.flatnonzero(row_fold == number)) for number in range(n_folds)]


def _by_units(units: np.ndarray, labels: pd.Series | None, prepare: Prepare, seed: int, origin: str) -> Fold:
    """Split whole units (groups, or sets of equal rows), stratified by the label of each unit's first row."""
    from sklearn.model_selection import train_test_split
    first = np.unique(units, return_index=True)[1]
    stratify = None
    if labels is not None and prepare.split_kind == "random":
        _check_class_sizes(labels.iloc[first], 2, "a stratified split", origin)
        stratify = labels.iloc[first]
    try:
        train_units, _ = train_test_split(np.arange(len(first)), test_size=prepare.test_size, random_state=seed,
                                          stratify=stratify)
    except ValueError as error:
        raise DataError(f"{origin}: no split at prepare.test_size {prepare.test_size}: {error}") from None
    in_train = np.isin(units, train_units)
    return np.flatnonzero(in_train), np.flatnonzero(~in_train)


def _units(frame: pd.DataFrame, prepare: Prepare) -> np.ndarray:
    """Return a number per row: rows of one group, or rows equal in every column, have the same one."""
    if prepare.split_kind == "group":
        return pd.factorize(frame[prepare.split_column])[0]
    return pd.factorize(pd.util.hash_pandas_object(frame, index=False))[0]


def _order(column: pd.Series, origin: str) -> np.ndarray:
    """Return the positions of the rows from the earliest to the latest; equal times keep the table's order."""
    if not pd.api.types.is_numeric_dtype(column):
        moments = pd.to_datetime(column, errors="coerce", format="mixed", utc=True)
        if moments.isna().any():
            wrong = column[moments.isna()].iloc[0]
            raise DataError(f"{origin}: column {column.name!r} orders the rows, but {wrong!r} is no date; mend it or change "
                            f"prepare.split")
        column = moments
    return np.argsort(column.to_numpy(), kind="stable")


def _check_class_sizes(labels: pd.Series, least: int, what: str, origin: str) -> None:
    counts = labels.value_counts()
    if counts.min() < least:
        raise DataError(f"{origin}: class {counts.idxmin()!r} of {labels.name!r} has {counts.min()} rows, {what} needs {least}; "
                        f"give more rows of it, merge or remove the class")
