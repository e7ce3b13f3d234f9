"""Associations: how well columns tell the target, by a cross-validated tree and by order."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import LARGEST, NUMBER

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
class Folded:
    """Rows in the folds of a cross-validation: their places, their targets, (fit, predict) each."""

    places: np.ndarray
    targets: np.ndarray
    folds: list[tuple[np.ndarray, np.ndarray]]


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

    @cached_property
    def folded(self) -> Folded:
        """All rows in folds, which are the same for every column without gaps."""
        return _folded(self.values, self.task, self.groups)

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
        there = values.dropna()
        score = max(score, rank_correlation(there, wanted.values[there.index]) ** 2)
    return score


def _can_be_ranked(values: pd.Series) -> bool:
    is_number = kinds.kind_of(values) == NUMBER
    return is_number and values.isna().mean() < MOST_GAPS and values.nunique() > 1


def rank_correlation(values: pd.Series, others: pd.Series) -> float:
    """Return the rank correlation of two columns without gaps, 0 where one has a single value.

    It is Spearman's; scipy.stats.spearmanr tests it as well, which takes most of its time.
    """
    x, y = values.rank().to_numpy(), others.rank().to_numpy()
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale else 0.0


def score_of_columns(
    columns: pd.DataFrame, wanted: Answers, groups: pd.Series | None = None
) -> float:
    """Return the score of a tree on some columns, cross-validated by `groups` or the split's."""
    if groups is None and columns.index.equals(wanted.values.index):
        folded = wanted.folded
    else:
        groups = wanted.groups if groups is None else groups
        folded = _folded(wanted.values[columns.index], wanted.task, groups)
    if not folded.folds:
        return 0.0
    if len(folded.places) < len(columns):
        columns = columns.iloc[folded.places]
    X = np.column_stack([as_numbers(columns[name]) for name in columns])
    # as scikit-learn reads it; a sum or product of two columns may lie beyond
    X = X.clip(-LARGEST, LARGEST).astype(np.float32)
    return _tree_score(X, folded, wanted)


def _folded(target: pd.Series, task: str, groups: pd.Series | None) -> Folded:
    """Return the rows of a target in folds; without folds where too few rows are left for them."""
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    places = np.flatnonzero(_often_enough(target, task))
    target = target.iloc[places]
    y = target.to_numpy()
    groups = None if groups is None else groups[target.index]
    too_few = target.nunique() < 2 or len(y) < 2 * FOLDS
    if too_few or (groups is not None and groups.nunique() < FOLDS):
        return Folded(places, y, [])
    if task == CLASSIFICATION:
        splitter = StratifiedKFold(FOLDS) if groups is None else StratifiedGroupKFold(FOLDS)
    else:
        splitter = KFold(FOLDS) if groups is None else GroupKFold(FOLDS)
    return Folded(places, y, list(splitter.split(y, y, groups)))


def _often_enough(target: pd.Series, task: str) -> np.ndarray:
    """Say of each row whether its class has a row for every fold."""
    if task != CLASSIFICATION:
        return np.ones(len(target), dtype=bool)
    classes = target.to_numpy()
    return np.bincount(classes)[classes] >= FOLDS


def _tree_score(X: np.ndarray, folded: Folded, wanted: Answers) -> float:
    """Return the cross-validated score of a tree.

    scikit-learn's checks of its input take longer than the tree does on a few hundred rows, so that
    a table of thousands of columns spends its time on them; only gaps need them.
    """
    import sklearn

    tree, y = _tree(wanted), folded.targets
    has_gaps = bool(np.isnan(X).any())
    predicted = np.empty_like(y)
    with sklearn.config_context(skip_parameter_validation=True):
        for fit, predict in folded.folds:
            tree.fit(X[fit], y[fit], check_input=has_gaps)
            predicted[predict] = tree.predict(X[predict], check_input=has_gaps)
    return _balanced_accuracy(y, predicted) if wanted.task == CLASSIFICATION else _r2(y, predicted)


def _balanced_accuracy(classes: np.ndarray, predicted: np.ndarray) -> float:
    rows = np.bincount(classes)
    right = np.bincount(classes[predicted == classes], minlength=len(rows))
    there = rows > 0
    return float((right[there] / rows[there]).mean())


def _r2(y: np.ndarray, predicted: np.ndarray) -> float:
    return float(1 - ((y - predicted) ** 2).sum() / ((y - y.mean()) ** 2).sum())


def as_numbers(values: pd.Series) -> pd.Series:
    """Return a column of numbers as it is, and of another the places of its sorted values."""
    if kinds.kind_of(values) == NUMBER:
        return values
    return values.astype("category").cat.codes


def _tree(wanted: Answers) -> Any:
    """Return an unfitted decision tree of scikit-learn."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    if wanted.task == CLASSIFICATION:
        return DecisionTreeClassifier(min_samples_leaf=2, random_state=wanted.seed)
    return DecisionTreeRegressor(min_samples_leaf=2, random_state=wanted.seed)


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
    often = _often_enough(target, wanted.task)
    return float(_separates(values[often], target.to_numpy()[often]))


def _separates(values: pd.Series, classes: np.ndarray) -> bool:
    n_classes = len(np.unique(classes))
    if n_classes < 2:
        return False
    codes = pd.factorize(values, use_na_sentinel=False)[0]
    class_of_value = np.zeros(codes.max() + 1, dtype=classes.dtype)
    class_of_value[codes] = classes
    is_pure = (class_of_value[codes] == classes).all()
    if not is_pure or _changes(values, classes) >= n_classes:
        return False
    if kinds.kind_of(values) != NUMBER and _share_recurring(codes) < REPEATED:
        # a value that stands in one row, as a name or a text, tells its class of necessity
        return False
    one_value = np.unique(class_of_value, return_counts=True)[1].min() == 1
    return bool(one_value or len(classes) >= ENOUGH_ROWS)


def _share_recurring(codes: np.ndarray) -> float:
    """Return the share of the rows whose value stands in another row as well."""
    return float((np.bincount(codes)[codes] > 1).mean())


def _changes(values: pd.Series, classes: np.ndarray) -> int:
    """Return how often the class changes along the order of a column of numbers."""
    if kinds.kind_of(values) != NUMBER:
        return 0  # categories have no order
    along = classes[np.argsort(values.to_numpy(), kind="stable")]
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
        return rank_correlation(values, target) ** 2
    ranks = values.rank().to_numpy()
    classes = target.to_numpy().astype(np.int64)
    n_rows = np.bincount(classes)
    sums = np.bincount(classes, weights=ranks)
    there = (n_rows > 0) & (n_rows < len(ranks))
    n_rows, sums = n_rows[there], sums[there]
    areas = (sums - n_rows * (n_rows + 1) / 2) / (n_rows * (len(ranks) - n_rows))
    return float(np.abs(2 * areas - 1).max())
