"""Pairs of columns that together tell the target much better than either of them."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import NUMBER
from pipeline.data.leaks import associations
from pipeline.data.leaks.associations import CLASSIFICATION
from pipeline.data.leaks.table import Leak, TrainingTable, best_columns, columns_of

# balanced accuracy or r2: two columns together are a model, and may be a good one
SUSPECT = 0.99
# of the columns, those that tell the target best: the only ones that pairs are made of
COMBINED, PAIRED = 16, 5
ROWS = 2_000
# of the order of a sum, difference, product or ratio, from which on a tree is worth its time
PROMISING = 0.9
DROP = (
    "name them in data.drop where they are parts of the answer, or in prepare.allow_leakage where "
    "they are known at prediction time"
)


@dataclass(frozen=True)
class Operation:
    """A number made of two: how it is written, and what it is."""

    text: str
    of: Callable[[pd.Series, pd.Series], pd.Series]


OPERATIONS = (
    Operation("{} + {}", lambda a, b: a + b),
    Operation("{} - {}", lambda a, b: a - b),
    Operation("{} * {}", lambda a, b: a * b),
    Operation("{} / {}", lambda a, b: a / b),
    Operation("{1} / {0}", lambda a, b: b / a),
)


def combined_columns(table: TrainingTable, scores: dict[str, float]) -> list[Leak]:
    """Return pairs whose sum, difference, product or ratio tells the target."""
    frame = _rows(table)
    numbers = {}
    for column, score in scores.items():
        if kinds.kind_of(frame[column]) == NUMBER:
            numbers[column] = score
    found: list[Leak] = []
    for a, b in combinations(best_columns(numbers, COMBINED), 2):
        leak = _combination(frame[[a, b]], table, max(scores[a], scores[b]))
        if leak is not None and not {a, b} & set(columns_of(found)):
            found.append(leak)
    return found


def paired_columns(table: TrainingTable, scores: dict[str, float]) -> list[Leak]:
    """Return pairs with which a tree tells the target."""
    frame = _rows(table)
    found: list[Leak] = []
    for a, b in combinations(best_columns(scores, PAIRED), 2):
        score = associations.score_of_columns(frame[[a, b]], table.looked_at)
        if score >= SUSPECT and _is_better(score, max(scores[a], scores[b])):
            what = f"{a} and {b} together predict {table.target} ({table.scored(score)})"
            found.append(Leak([a, b], "pair", score, False, what, DROP))
    return found


def _rows(table: TrainingTable) -> pd.DataFrame:
    return table.features.loc[table.looked_at.values.index[:ROWS]]


def _is_better(score: float, alone: float) -> bool:
    """Say whether two columns leave less than half of the error of the better one."""
    return 1 - score < (1 - alone) / 2


def _combination(two: pd.DataFrame, table: TrainingTable, alone: float) -> Leak | None:
    """Return the sum, difference, product or ratio of two columns that tells the target."""
    a, b = two.columns
    for operation in OPERATIONS:
        values = operation.of(two[a], two[b]).replace([np.inf, -np.inf], np.nan)
        if values.isna().mean() >= associations.MOST_GAPS:
            continue
        if associations.rank_strength(values.dropna(), table.looked_at) < PROMISING:
            continue
        share = 0.0
        if table.answers.task != CLASSIFICATION:
            share = associations.repeated_share(values, table.looked_at)
        certain = share >= associations.REPEATED
        score = associations.score_of_column(values, table.looked_at)
        if not certain and (score < SUSPECT or not _is_better(score, alone)):
            continue
        what = f"{operation.text.format(a, b)} predicts {table.target} ({table.scored(score)})"
        if certain:
            what = (
                f"{operation.text.format(a, b)} repeats {table.target} in {share:.1%} of the rows"
            )
        return Leak([a, b], "pair", max(score, share), certain, what, DROP)
    return None
