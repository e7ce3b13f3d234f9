"""The trial of a proposed block: what `prepare` and `train` would refuse is changed, and said."""

import re
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from pipeline.data import cleaning, doubts, kinds, splits
from pipeline.data.leaks import search
from pipeline.data.leaks.table import Leak, columns_of, lines, training_table
from pipeline.data.splits import Fold
from pipeline.project.errors import DataError
from pipeline.project.settings.data import Data, Prepare

MOST_FOLDS, FEWEST_FOLDS = 5, 2
RECURRING = re.compile(r"set prepare\.split: group:(.+?)(?= if | where |,|$)")


@dataclass(frozen=True)
class Trial:
    """The blocks that the first stages take, the folds that they can make, and remarks."""

    data: Data
    prepare: Prepare
    cv_folds: int
    remarks: list[str]


@dataclass(frozen=True)
class Proposed:
    """A table with the blocks that are proposed for it; errors call the table `origin`."""

    frame: pd.DataFrame
    data: Data
    prepare: Prepare
    seed: int
    origin: str

    def cleaned(self) -> pd.DataFrame:
        """Return the table as prepare cleans it."""
        return cleaning.clean(self.frame, self.data, self.prepare, self.origin)

    def labels(self, frame: pd.DataFrame) -> pd.Series | None:
        """Return the classes of some rows, None where there are none."""
        return frame[self.data.target] if self.data.task == "classification" else None

    def changed(self, **values: Any) -> "Proposed":
        """Return the same with other keys in the data block."""
        return replace(self, data=self.data.model_copy(update=values))


def tried(frame: pd.DataFrame, data: Data, prepare: Prepare, seed: int, origin: str) -> Trial:
    """Return the blocks with what the first stages would refuse changed.

    Raises DataError, as these stages do, where it is for a person to change the table.
    """
    remarks: list[str] = []
    proposed = Proposed(cleaning.with_target(frame, data), data, prepare, seed, origin)
    proposed = _readable(proposed, remarks)
    proposed = _split(proposed, remarks)
    proposed = _without_leaks(proposed, remarks)
    cleaned = proposed.cleaned()
    train = cleaned.iloc[_rows(proposed, cleaned).fit]
    cv_folds = _most_folds(proposed, train)
    if cv_folds < MOST_FOLDS:
        remarks.append(f"cv_folds {cv_folds}: too few rows of a class, groups or times for more")
    found = doubts.find(proposed.frame, cleaned, proposed.data, proposed.prepare.split_column)
    remarks += [f"doubtful: {line}" for line in doubts.lines(found)]
    return Trial(proposed.data, proposed.prepare, cv_folds, remarks)


def _rows(proposed: Proposed, cleaned: pd.DataFrame) -> Fold:
    labels = proposed.labels(cleaned)
    return splits.train_test(cleaned, labels, proposed.prepare, proposed.seed, proposed.origin)


def _readable(proposed: Proposed, remarks: list[str]) -> Proposed:
    """Return the block in which columns of numbers with some text are categories."""
    data, frame = proposed.data, proposed.frame
    categorical = [*data.categorical]
    settled = [data.target, *data.drop, *data.categorical, *data.dates]
    for name in frame.columns.difference(settled, sort=False):
        raw = kinds.blank_to_missing(frame[name])
        found = kinds.typed(raw)
        if len(found.unreadable):
            categorical.append(name)
            remarks.append(
                f"{name}: {found.kind}s but for {found.fault(raw)}; fix it in the file, or name "
                f"it in data.missing where it means a missing value, and take the column out of "
                f"data.categorical"
            )
    empty = [name for name in frame if name not in settled and frame[name].isna().all()]
    return proposed.changed(categorical=categorical, drop=[*data.drop, *empty])


def _split(proposed: Proposed, remarks: list[str]) -> Proposed:
    """Return the block with a random split where the proposed one cannot be made."""
    if proposed.prepare.split_kind == "random":
        return proposed
    try:
        cleaned = proposed.cleaned()
        _most_folds(proposed, cleaned.iloc[_rows(proposed, cleaned).fit])
        return proposed
    except DataError as error:
        cause = str(error).removeprefix(f"{proposed.origin}: ")
        remarks.append(f"split random: not {proposed.prepare.split}, as {cause}")
        return replace(proposed, prepare=proposed.prepare.model_copy(update={"split": "random"}))


def _without_leaks(proposed: Proposed, remarks: list[str]) -> Proposed:
    """Return the block without the leaks that prepare would refuse, and what shows after them.

    What comes back with the same target names the thing that rows are of: the split is by it then.
    """
    while True:
        found = _leaks(proposed)
        certain = [leak for leak in found if leak.certain]
        if not certain:
            remarks += [f"may be a leak: {line}" for line in lines(found)]
            return proposed
        leak = certain[0]
        grouped = _by_group(proposed, leak)
        if grouped is not None:
            remarks.append(f"split {grouped.prepare.split}: {leak.what}")
            proposed = grouped
            continue
        dropped = columns_of(certain)
        features = cleaning.feature_columns(proposed.cleaned(), proposed.data, proposed.prepare)
        if set(features) <= set(dropped):
            all_of_them = "; ".join(lines(certain))
            raise DataError(f"{proposed.origin}: every column gives the target away: {all_of_them}")
        remarks += [f"dropped as a leak: {leak.what}" for leak in certain]
        proposed = proposed.changed(drop=[*proposed.data.drop, *dropped])


def _leaks(proposed: Proposed) -> list[Leak]:
    """Return the leaks that prepare would find."""
    cleaned = proposed.cleaned()
    train = cleaned.iloc[_rows(proposed, cleaned).fit]
    dropped = proposed.frame[proposed.frame.columns.difference(train.columns, sort=False)]
    table = training_table(train, dropped, proposed.data, proposed.prepare, proposed.seed)
    return search.search(table).found


def _by_group(proposed: Proposed, leak: Leak) -> Proposed | None:
    """Return the block split by the thing that a leak says comes back, None where it cannot be."""
    named = RECURRING.search(leak.do)
    if named is None or proposed.prepare.split_kind != "random":
        return None
    if named[1] not in proposed.frame or proposed.frame[named[1]].isna().any():
        return None
    data = proposed.data
    kept = {
        "drop": [name for name in data.drop if name != named[1]],
        "categorical": [name for name in data.categorical if name != named[1]],
        "dates": {name: formats for name, formats in data.dates.items() if name != named[1]},
    }
    split = proposed.prepare.model_copy(update={"split": f"group:{named[1]}"})
    grouped = replace(proposed.changed(**kept), prepare=split)
    try:
        cleaned = grouped.cleaned()
        _most_folds(grouped, cleaned.iloc[_rows(grouped, cleaned).fit])
    except DataError:
        return None
    return grouped


def _most_folds(proposed: Proposed, train: pd.DataFrame) -> int:
    """Return the largest number of folds of the training rows that each hold every class."""
    labels = proposed.labels(train)

    def made(n_folds: int) -> None:
        folds = splits.folds(
            train, labels, proposed.prepare, n_folds, proposed.seed, proposed.origin
        )
        if labels is not None:
            _check_classes(labels, folds, proposed.origin)

    for n_folds in range(MOST_FOLDS, FEWEST_FOLDS, -1):
        try:
            made(n_folds)
        except DataError:
            continue
        return n_folds
    made(FEWEST_FOLDS)
    return FEWEST_FOLDS


def _check_classes(labels: pd.Series, folds: list[Fold], origin: str) -> None:
    """Raise DataError where a fold lacks a class: a score by class is not defined there."""
    n_classes = labels.nunique()
    lacking = [fold for fold in folds if labels.iloc[fold.predict].nunique() < n_classes]
    if lacking:
        raise DataError(f"{origin}: {len(lacking)} of {len(folds)} folds lack a class")
