"""The table in which leaks are looked for, and what a leak is."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import cleaning, kinds, splits
from pipeline.data.kinds import DATE, TEXT
from pipeline.data.leaks import associations
from pipeline.data.leaks.associations import CLASSIFICATION, Answers
from pipeline.project.rounding import number_text
from pipeline.project.settings.data import Data, Prepare

DROP = "name it in data.drop, or in prepare.allow_leakage where it is known at prediction time"
SPLIT_BY_TIME = (
    f"set prepare.split: time:<column> where the rows are in the order of time; else {DROP}"
)
# leaks of one kind that a line names
MOST_NAMED = 5
EPOCH = pd.Timestamp(0, tz="UTC")


@dataclass(frozen=True)
class Leak:
    """Columns that give the target away, or may; `score` is from 0 to 1.

    A `certain` one no honest column does, the others a person has to judge.
    """

    columns: list[str]
    kind: str
    score: float
    certain: bool
    what: str
    do: str

    def allowed(self, columns: list[str]) -> bool:
        """Say whether all of its columns are among those that params.yaml allows."""
        return set(self.columns) <= set(columns)

    def as_json(self) -> dict[str, Any]:
        """Return it as quality.json holds it."""
        return {**asdict(self), "score": round(self.score, 4)}


@dataclass(frozen=True)
class TrainingTable:
    """The training rows that are looked at.

    `dropped` are typed columns that no model sees; `positions` are the places of the rows in the
    file, or in time where the split is by time. `looked_at` are the answers of a sample of rows.
    """

    features: pd.DataFrame
    dropped: pd.DataFrame
    target: str
    answers: Answers
    looked_at: Answers
    split_kind: str
    positions: np.ndarray

    @cached_property
    def sampled_places(self) -> np.ndarray:
        """Where the rows of `looked_at` stand."""
        return self.features.index.get_indexer(self.looked_at.values.index)

    def sampled(self, column: str) -> pd.Series:
        """Return a feature of the rows that `looked_at` has."""
        return self.features[column].iloc[self.sampled_places]

    def scored(self, score: float) -> str:
        """Return a score with the name of its metric."""
        metric = "balanced accuracy" if self.answers.task == CLASSIFICATION else "r2"
        return f"{metric} {number_text(round(score, 4))}"


def training_table(
    train: pd.DataFrame, dropped: pd.DataFrame, data: Data, prepare: Prepare, seed: int
) -> TrainingTable:
    """Return the training split to look at, and beside it the raw columns that no model sees."""
    target, by = train[data.target], prepare.split_column
    typed = {}
    for column in dropped:
        values = kinds.blank_to_missing(dropped.loc[train.index, column])
        typed[column] = as_searched(kinds.typed(values).values)
    groups = train[by] if prepare.split_kind == "group" else None
    positions = train.index.to_numpy()
    if prepare.split_kind == "time":
        moments = splits.moments(train[by], data.file)
        positions = moments.rank(method="first").to_numpy(dtype=int)
    answers = associations.answers(target, data.task, seed, groups)
    # a time is no leak, however well it predicts: it is known when a prediction is asked for
    names = [name for name in cleaning.feature_columns(train, data, prepare) if name != by]
    searched = {name: as_searched(train[name]) for name in names}
    return TrainingTable(
        pd.DataFrame(searched, index=train.index),
        pd.DataFrame(typed, index=train.index),
        data.target,
        answers,
        answers.sample(),
        prepare.split_kind,
        positions,
    )


def as_searched(values: pd.Series) -> pd.Series:
    """Return a column as a number or a category: of dates the days since 1970, of texts each."""
    kind = kinds.kind_of(values)
    if kind == DATE:
        return (values - EPOCH) / pd.Timedelta(days=1)
    return kinds.as_text(values) if kind == TEXT else values


def by_what_to_do(found: Sequence[Leak]) -> dict[str, str]:
    """Return what was found for each thing to do about it, as one text."""
    leaks: dict[str, list[Leak]] = {}
    for leak in found:
        leaks.setdefault(leak.do, []).append(leak)
    texts = {}
    for do, alike in leaks.items():
        more = f" and {len(alike) - MOST_NAMED} more" if len(alike) > MOST_NAMED else ""
        texts[do] = ", ".join(leak.what for leak in alike[:MOST_NAMED]) + more
    return texts


def lines(found: Sequence[Leak]) -> list[str]:
    """Return a line for each thing to do: what was found, and what to do about it."""
    return [f"{what}: {do}" for do, what in by_what_to_do(found).items()]


def leaks_in(figures: Mapping[str, Any]) -> list[Leak]:
    """Return the leaks that the content of quality.json holds."""
    return [Leak(**content) for content in figures.get("leaks", [])]


def columns_of(found: list[Leak]) -> list[str]:
    """Return all columns that leaks name."""
    return [column for leak in found for column in leak.columns]


def best_columns(scores: dict[str, float], most: int) -> list[str]:
    """Return the columns with the highest scores, in the order of the table."""
    best = sorted(scores, key=lambda column: (-scores[column], column))[:most]
    return [column for column in scores if column in best]
