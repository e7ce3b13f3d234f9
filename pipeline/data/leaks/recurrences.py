"""Recurrences: columns whose values come back with one target, as those of a patient do."""

from itertools import combinations

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import NUMBER
from pipeline.data.leaks import associations
from pipeline.data.leaks.associations import CLASSIFICATION, SAMPLE, Answers
from pipeline.data.leaks.table import Leak, TrainingTable, best_columns
from pipeline.project.rounding import number_text

# how well rows with the same value tell each other's target
RECURS, RECURS_SURELY = 0.9, 0.99
# how much better they tell it than a tree does for values that it has not seen
BETTER_THAN_NEW = 0.3
# different values that recur, and of them in each class, below which a recurrence is chance
FEWEST_VALUES = 20
FEWEST_OF_A_CLASS = 5
# rows whose value recurs, below which few would be on both sides of a split
FEWEST_RECURRING = 0.5
# columns that pairs are made of
PAIRED = 6


def recurring_columns(table: TrainingTable) -> list[Leak]:
    """Return the columns whose values recur with one target and say nothing of new values.

    A random split has rows of one value on both sides. Columns that params.yaml drops are looked at
    as well: where they name a patient, the other columns may know the patient, too.
    """
    if table.split_kind == "group":
        return []
    scores = {}
    for column, values in [*table.dropped.items(), *table.features.items()]:
        score = _recurrence(values.to_frame(), table, RECURS)
        if score:
            scores[str(column)] = score
    if not scores:
        return []
    do = f"set prepare.split: group:{_group_column(list(scores), table)}"
    found = []
    for column, score in scores.items():
        certain = score >= RECURS_SURELY and column in table.features
        found.append(_recurring([column], score, certain, do, table))
    return found


def recurring_pairs(table: TrainingTable, scores: dict[str, float]) -> list[Leak]:
    """Return two columns whose values together recur with one target, as a person's do."""
    if table.split_kind == "group":
        return []
    alike = {}
    for column in scores:
        codes = pd.factorize(table.features[column], use_na_sentinel=False)[0]
        alike[column] = recurrence(codes, table.answers)
    for a, b in combinations(best_columns(alike, PAIRED), 2):
        score = _recurrence(table.features[[a, b]], table, RECURS_SURELY)
        if score:
            do = "find the column that names them and set prepare.split: group:<column>"
            return [_recurring([a, b], score, False, do, table)]
    return []


def _recurrence(columns: pd.DataFrame, table: TrainingTable, least: float) -> float:
    """Return how well a value's rows tell each other's target; 0 where new values are told, too."""
    codes = np.zeros(len(columns), dtype=np.int64)
    for column in columns:
        values, unique = pd.factorize(columns[column], use_na_sentinel=False)
        codes = pd.factorize(codes * len(unique) + values)[0]
    score = recurrence(codes, table.answers)
    if score < least:
        return 0.0
    new = score_of_new_values(columns, codes, table.answers)
    return score if score - new >= BETTER_THAN_NEW else 0.0


def _group_column(columns: list[str], table: TrainingTable) -> str:
    """Return the first column that may be the name of a group: text or whole numbers."""
    for column in columns:
        values = (table.features if column in table.features else table.dropped)[column]
        if kinds.kind_of(values) != NUMBER or (values.dropna() % 1 == 0).all():
            return column
    return columns[0]


def _recurring(
    columns: list[str], score: float, certain: bool, do: str, table: TrainingTable
) -> Leak:
    names = " and ".join(columns)
    what = (
        f"rows with the same {names} share the same {table.target} (agreement "
        f"{number_text(round(score, 4))}), which says nothing about a new {names}"
    )
    do += (
        " where predictions are for new ones, or name it in prepare.allow_leakage where the same "
        "ones come back"
    )
    return Leak(columns, "recurrence", score, certain, what, do)


def recurrence(codes: np.ndarray, wanted: Answers) -> float:
    """Return how well the other rows with its value tell the target of a row, 0 where few recur.

    `codes` number the values of all rows, from 0 on. Classes: how often another row has the same
    one, as the mean over the classes. Numbers: r2 of the mean of the others.
    """
    counts = np.bincount(codes)
    others = counts[codes] - 1
    recurs = others > 0
    if recurs.mean() < FEWEST_RECURRING or (counts > 1).sum() < FEWEST_VALUES:
        return 0.0
    codes, others = codes[recurs], others[recurs]
    target = wanted.values.to_numpy()[recurs]
    if wanted.task == CLASSIFICATION:
        return _same_class(codes, others, target.astype(np.int64))
    sums = np.bincount(codes, weights=target)
    errors = target - (sums[codes] - target) / others
    deviations = target - target.mean()
    variation = float((deviations**2).sum())
    return 1 - float((errors**2).sum()) / variation if variation else 0.0


def _same_class(codes: np.ndarray, others: np.ndarray, classes: np.ndarray) -> float:
    n_classes = int(classes.max()) + 1
    both = codes * n_classes + classes
    _, place, counts = np.unique(both, return_inverse=True, return_counts=True)
    same = (counts[place] - 1) / others
    shares = []
    for k in range(n_classes):
        rows = classes == k
        if len(np.unique(codes[rows])) >= FEWEST_OF_A_CLASS:
            shares.append(same[rows].mean())
    return float(np.mean(shares)) if len(shares) > 1 else 0.0


def score_of_new_values(columns: pd.DataFrame, codes: np.ndarray, wanted: Answers) -> float:
    """Return the score of a tree on rows whose values, numbered by `codes`, it has not seen."""
    shuffled = np.random.default_rng(wanted.seed).permutation(codes.max() + 1)
    rows_of_values = np.bincount(codes)[shuffled].cumsum()
    n_values = int((rows_of_values <= SAMPLE).sum())
    rows = np.isin(codes, shuffled[: max(FEWEST_VALUES, n_values)])
    groups = pd.Series(codes, index=columns.index)
    return associations.score_of_columns(columns[rows], wanted, groups)
