"""The trial of a proposed block: what `prepare` and `train` would refuse is changed, and said."""

from dataclasses import dataclass

import pipeline.project.processor  # noqa: F401 - before numpy

import pandas as pd

from pipeline.data import cleaning, doubts, kinds, splits
from pipeline.data.kinds import NUMBER
from pipeline.data.leaks import search
from pipeline.data.leaks.table import Leak, columns_of, lines, training_table
from pipeline.data.splits import Fold
from pipeline.project import errors
from pipeline.project.errors import DataError
from pipeline.project.params import Data, Prepare

MOST_FOLDS, FEWEST_FOLDS = 5, 2


@dataclass(frozen=True)
class Trial:
    """The data block that the first stages take, the folds that they can make, and remarks."""

    data: Data
    cv_folds: int
    remarks: list[str]


def tried(frame: pd.DataFrame, data: Data, prepare: Prepare, seed: int, origin: str) -> Trial:
    """Return the block with what the first stages would refuse changed.

    Raises DataError, as these stages do, where it is for a person to change the table.
    """
    data, remarks = _readable(frame, data)
    if data.drop:
        listed = errors.listed(data.drop, most=30)
        remarks.insert(0, f"dropped, as empty or different in every row: {listed}")
    cleaned = cleaning.clean(frame, data, None, origin)
    labels = cleaned[data.target] if data.task == "classification" else None
    rows = splits.train_test(cleaned, labels, prepare, seed, origin)
    cv_folds = _most_folds(cleaned.iloc[rows.fit], data, prepare, seed, origin)
    if cv_folds < MOST_FOLDS:
        remarks.append(f"cv_folds {cv_folds}: a class has too few rows for {MOST_FOLDS}")
    for leak in _certain_leaks(frame, cleaned.iloc[rows.fit], data, prepare, seed):
        data = _changed(data, drop=[*data.drop, *leak.columns])
        remarks.append(f"dropped as a leak: {leak.what}")
    cleaned = cleaning.clean(frame, data, None, origin)
    found = doubts.find(frame, cleaned, data)
    remarks += [f"doubtful: {line}" for line in doubts.lines(found)]
    return Trial(data, cv_folds, remarks)


def _changed(data: Data, **values: list[str]) -> Data:
    return data.model_copy(update=values)


def _readable(frame: pd.DataFrame, data: Data) -> tuple[Data, list[str]]:
    """Return the block in which columns of numbers with some text are categories, and remarks."""
    categorical, remarks = [*data.categorical], []
    for name in frame.columns.difference([data.target, *data.drop, *data.categorical], sort=False):
        raw = kinds.blank_to_missing(frame[name])
        found = kinds.typed(raw)
        if found.kind == NUMBER and len(found.unreadable):
            categorical.append(name)
            remarks.append(
                f"{name}: numbers but for {found.fault(raw)}; fix it in the file and take the "
                f"column out of data.categorical"
            )
    return _changed(data, categorical=categorical), remarks


def _most_folds(train: pd.DataFrame, data: Data, prepare: Prepare, seed: int, origin: str) -> int:
    """Return the largest number of folds that the training rows can be split into."""
    labels = train[data.target] if data.task == "classification" else None

    def made(n_folds: int) -> list[Fold]:
        return splits.folds(train, labels, prepare, n_folds, seed, origin)

    for n_folds in range(MOST_FOLDS, FEWEST_FOLDS, -1):
        try:
            made(n_folds)
        except DataError:
            continue
        return n_folds
    made(FEWEST_FOLDS)
    return FEWEST_FOLDS


def _certain_leaks(
    frame: pd.DataFrame, train: pd.DataFrame, data: Data, prepare: Prepare, seed: int
) -> list[Leak]:
    """Return the leaks that prepare would refuse, also those that show once others are dropped."""
    leaks: list[Leak] = []
    while True:
        kept = train.drop(columns=columns_of(leaks))
        if kept.shape[1] < 2:
            raise DataError(f"every column gives the target away: {'; '.join(lines(leaks))}")
        dropped = frame[frame.columns.difference(kept.columns, sort=False)]
        found = search.search(training_table(kept, dropped, data, prepare, seed)).found
        certain = [leak for leak in found if leak.certain and set(leak.columns) <= set(kept)]
        if not certain:
            return leaks
        leaks += certain
