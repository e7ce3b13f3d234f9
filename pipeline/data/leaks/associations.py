"""Associations: how well columns tell the target, by a cross-validated tree and by order."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import NUMBER

CLASSIFICATION = "classification"
# rows that a tree and an order are looked for in
SAMPLE = 10_000
FOLDS = 3
# a column with a larger share of missing values repeats nothing, whatever its few values say
MOST_GAPS = 0.5
# that a column tells without a single error: one that is right in 99 of 100 does so by chance
# in less than 1 of 100 tables
ENOUGH_ROWS = 500
# of the rows, from which on a column repeats the target
REPEATED = 0.95


@dataclass(frozen=True)
class Answers:
    """What columns are to tell: numbers, or the codes of classes.

    `groups` are the values that the split keeps on one side, None where it keeps none.
    """

    task: str
    values: pd.Series
    seed: int
    groups: pd.Series | None = None

    @property
    def chance(self) -> float:
        """The score of a guess: balanced accuracy of one class, or r2 of the mean."""
        return 1 / self.values.nunique() if self.task == CLASSIFICATION else 0.0

    def above_chance(self, score: float) -> float:
        """Return how far a score is from that of a guess, 0, to 1."""
        return (score - self.chance) / (1 - self.chance)

    def sample(self) -> "Answers":
        """Return the rows to look at; up to as many of each class: a rare one counts."""
        shuffled = self.values.sample(frac=1, random_state=self.seed)
        if self.task == CLASSIFICATION:
            rows_of_a_class = max(SAMPLE // shuffled.nunique(), FOLDS)
            shuffled = shuffled.groupby(shuffled).head(rows_of_a_class)
        else:
            shuffled = shuffled.head(SAMPLE)
        return Answers(self.task, shuffled, self.seed, self.groups)


def answers(target: pd.Series, task: str, seed: int, groups: pd.Series | None = None) -> Answers:
    """Return a typed target as what columns are to tell."""
    values = target.astype("category").cat.codes if task == CLASSIFICATION else target
    return Answers(task, values, seed, groups)


def score_of_column(values: pd.Series, wanted: Answers) -> float:
    """Return how well one column tells the target, from 0 to 1.

    It is the balanced accuracy or r2 of a cross-validated tree. For regression the squared rank
    correlation counts where it is larger, because a tree cannot repeat a copied number exactly. A
    column that is mostly there is looked at a second time on the rows that have it, so that gaps do
    not hide a copy.
    """
    score = _column_score(values, wanted)
    if 0 < values.isna().mean() < MOST_GAPS:
        score = max(score, _column_score(values.dropna(), wanted))
    return score


def _column_score(values: pd.Series, wanted: Answers) -> float:
    score = score_of_columns(values.to_frame(), wanted)
    if wanted.task != CLASSIFICATION and _can_be_ranked(values):
        score = max(score, values.corr(wanted.values[values.index], method="spearman") ** 2)
    return float(score)


def _can_be_ranked(values: pd.Series) -> bool:
    is_number = kinds.kind_of(values) == NUMBER
    return is_number and values.isna().mean() < MOST_GAPS and values.nunique() > 1


def score_of_columns(
    columns: pd.DataFrame, wanted: Answers, groups: pd.Series | None = None
) -> float:
    """Return the score of a tree on some columns, cross-validated by `groups` or the split's."""
    target = wanted.values[columns.index]
    if wanted.task == CLASSIFICATION:
        target = target[target.map(target.value_counts()) >= FOLDS]
    groups = wanted.groups if groups is None else groups
    groups = None if groups is None else groups[target.index]
    too_few = target.nunique() < 2 or len(target) < 2 * FOLDS
    if too_few or (groups is not None and groups.nunique() < FOLDS):
        return 0.0
    X = np.column_stack([as_numbers(columns.loc[target.index, name]) for name in columns])
    return _tree_score(X, target.to_numpy(), wanted, groups)


def _tree_score(X: np.ndarray, y: np.ndarray, wanted: Answers, groups: pd.Series | None) -> float:
    from sklearn.metrics import balanced_accuracy_score, r2_score

    tree, folds = _tree(wanted, groups is not None)
    predicted = np.empty_like(y)
    for fit, predict in folds.split(X, y, groups):
        predicted[predict] = tree.fit(X[fit], y[fit]).predict(X[predict])
    metric = balanced_accuracy_score if wanted.task == CLASSIFICATION else r2_score
    return float(metric(y, predicted))


def as_numbers(values: pd.Series) -> pd.Series:
    """Return a column of numbers as it is, and of another the places of its sorted values."""
    if kinds.kind_of(values) == NUMBER:
        return values
    return values.astype("category").cat.codes


def _tree(wanted: Answers, grouped: bool) -> tuple[Any, Any]:
    """Return an unfitted decision tree, and scikit-learn's folds for it."""
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    if wanted.task == CLASSIFICATION:
        classifier = DecisionTreeClassifier(min_samples_leaf=2, random_state=wanted.seed)
        return classifier, StratifiedGroupKFold(FOLDS) if grouped else StratifiedKFold(FOLDS)
    regressor = DecisionTreeRegressor(min_samples_leaf=2, random_state=wanted.seed)
    return regressor, GroupKFold(FOLDS) if grouped else KFold(FOLDS)


# whether a column repeats the target, as no measurement does


def repeated_share(values: pd.Series, wanted: Answers) -> float:
    """Return the share of the rows in which a column repeats the target, as no measurement does.

    Numbers: the share that stands in the order of the target. Classes: 1 where no value has two of
    them, numbers do not mix them, and either a class is a single value or the rows are many, and
    else 0. Gaps do not count, but where having one tells the class.
    """
    share = 0.0
    if values.isna().mean() < MOST_GAPS:
        share = _repeated_as_it_stands(values.dropna(), wanted)
    if wanted.task == CLASSIFICATION and values.hasnans:
        share = max(share, _repeated_as_it_stands(values, wanted))
    return share


def _repeated_as_it_stands(values: pd.Series, wanted: Answers) -> float:
    target = wanted.values[values.index]
    if wanted.task != CLASSIFICATION:
        return share_in_order(values, target) if _can_be_ranked(values) else 0.0
    target = target[target.map(target.value_counts()) >= FOLDS]
    return float(_separates(values[target.index], target))


def _separates(values: pd.Series, classes: pd.Series) -> bool:
    codes = pd.Series(pd.factorize(values, use_na_sentinel=False)[0], index=values.index)
    is_pure = (classes.groupby(codes).nunique() == 1).all()
    if classes.nunique() < 2 or not is_pure or _changes(values, classes) >= classes.nunique():
        return False
    one_value = codes.groupby(classes).nunique().min() == 1
    return bool(one_value or len(classes) >= ENOUGH_ROWS)


def _changes(values: pd.Series, classes: pd.Series) -> int:
    """Return how often the class changes along the order of a column of numbers."""
    if kinds.kind_of(values) != NUMBER:
        return 0  # categories have no order
    along = classes[values.sort_values(kind="stable").index].to_numpy()
    return int((along[1:] != along[:-1]).sum())


def share_in_order(values: pd.Series, target: pd.Series) -> float:
    """Return the share of the rows that stand in the order of the target, rising or falling.

    It is the longest run of rows in which both rise; rows of the commonest target do not count, as
    they stand in order with any column.
    """
    x, y = values.to_numpy(), target.to_numpy()
    commonest = int(np.unique(y, return_counts=True)[1].max())
    if len(y) == commonest:
        return 0.0
    longest = max(_longest_rise(x, y), _longest_rise(x, -y))
    return (longest - commonest) / (len(y) - commonest)


def _longest_rise(x: np.ndarray, y: np.ndarray) -> int:
    """Return the most rows in which y does not fall while x rises, by patience sorting."""
    # rows with the same x stand in falling order, so that they rise by chance in none
    along = y[np.lexsort((-y, x))]
    tails: list[float] = []
    for value in along.tolist():
        place = bisect_right(tails, value)
        tails[place : place + 1] = [value]
    return len(tails)


def rank_strength(values: pd.Series, wanted: Answers) -> float:
    """Return how strongly the order of a column goes with the target, from 0 to 1.

    Numbers: the squared rank correlation. Classes: how far the ROC AUC of the class that is told
    best is from that of a guess, 0.5, in its unit.
    """
    target = wanted.values[values.index]
    if values.nunique() < 2 or target.nunique() < 2:
        return 0.0
    if wanted.task != CLASSIFICATION:
        return float(values.corr(target, method="spearman") ** 2)
    ranks = values.rank().to_numpy()
    classes = target.to_numpy().astype(np.int64)
    n_rows = np.bincount(classes)
    sums = np.bincount(classes, weights=ranks)
    there = (n_rows > 0) & (n_rows < len(ranks))
    n_rows, sums = n_rows[there], sums[there]
    areas = (sums - n_rows * (n_rows + 1) / 2) / (n_rows * (len(ranks) - n_rows))
    return float(np.abs(2 * areas - 1).max())
