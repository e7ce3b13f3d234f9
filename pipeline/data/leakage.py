"""Leakage: columns that alone predict the target near-perfectly, as a leak of the answer does."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

# of one column alone, from which on it is taken for a leak
LEAK_SCORE = 0.99
# rows that the check looks at
SAMPLE = 10_000
FOLDS = 3
# a column with a larger share of missing values repeats nothing, whatever its few values say
MOST_GAPS = 0.5


@dataclass(frozen=True)
class Answers:
    """What a column is to predict: numbers, or the codes of classes."""

    task: str
    values: pd.Series
    seed: int


def leaking_columns(train: pd.DataFrame, target: str, task: str, seed: int) -> dict[str, float]:
    """Return {column: score} of the features that alone predict the target near-perfectly.

    A column that is mostly there is looked at a second time on the rows that have it, so that gaps
    do not hide a copy.
    """
    answers = Answers(task, _sample(train[target], task, seed), seed)
    leaks = {}
    for column, values in train.drop(columns=target).loc[answers.values.index].items():
        score = score_alone(values, answers)
        if 0 < values.isna().mean() < MOST_GAPS:
            score = max(score, score_alone(values.dropna(), answers))
        if score >= LEAK_SCORE:
            leaks[str(column)] = round(float(score), 4)
    return leaks


def _sample(target: pd.Series, task: str, seed: int) -> pd.Series:
    """Return the target of the rows to look at; up to as many of each class: a rare one counts."""
    shuffled = target.sample(frac=1, random_state=seed)
    if task == "regression":
        return shuffled.head(SAMPLE)
    codes = shuffled.astype("category").cat.codes
    rows_of_a_class = max(SAMPLE // codes.nunique(), FOLDS)
    return codes.groupby(codes).head(rows_of_a_class)


def score_alone(values: pd.Series, answers: Answers) -> float:
    """Return how well one column predicts: balanced accuracy or r2 of a tree, cross-validated.

    For regression the squared rank correlation counts where it is larger, because a tree cannot
    repeat a copied number exactly.
    """
    wanted = answers.values[values.index]
    if answers.task == "classification":
        wanted = wanted[wanted.map(wanted.value_counts()) >= FOLDS]
    if wanted.nunique() < 2 or len(wanted) < 2 * FOLDS:
        return 0.0
    values = values[wanted.index]
    score = _tree_score(values, wanted, answers)
    if answers.task == "regression" and _can_be_ranked(values):
        score = max(score, values.corr(wanted, method="spearman") ** 2)
    return score


def _tree_score(values: pd.Series, wanted: pd.Series, answers: Answers) -> float:
    from sklearn.model_selection import cross_val_score

    inputs = values if _is_number(values) else values.astype("category").cat.codes
    tree, scoring = _tree(answers)
    return cross_val_score(tree, inputs.to_frame(), wanted, cv=FOLDS, scoring=scoring).mean()


def _tree(answers: Answers) -> tuple[Any, str]:
    """Return an unfitted decision tree and scikit-learn's name of what it is scored by."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    if answers.task == "classification":
        return (
            DecisionTreeClassifier(min_samples_leaf=2, random_state=answers.seed),
            "balanced_accuracy",
        )
    return DecisionTreeRegressor(min_samples_leaf=2, random_state=answers.seed), "r2"


def _is_number(values: pd.Series) -> bool:
    return values.dtype.kind == "f"


def _can_be_ranked(values: pd.Series) -> bool:
    return _is_number(values) and values.isna().mean() < MOST_GAPS and values.nunique() > 1
