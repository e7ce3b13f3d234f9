"""The roles of columns in a comparison: true answer, prediction, predicted class, or feature."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import NUMBER
from pipeline.scoring import metrics, thresholds
from pipeline.scoring.rows import Rows
from pipeline.scoring.thresholds import Rule

# the two tables of a comparison
REFERENCE, CURRENT = "reference", "current"
# the columns that hold what a model puts out for a row, and the class that it decides for
MODEL_OUTPUT, MODEL_LABEL = "model output", "model label"
# whole numbers with at most so many different values are taken for classes
FEW_CLASSES = 10

T = TypeVar("T")
Other = TypeVar("Other")


@dataclass(frozen=True)
class Sides(Generic[T]):
    """One thing of each of the two tables."""

    reference: T
    current: T

    def map(self, function: Callable[[T], Other]) -> "Sides[Other]":
        """Return the function's result for each table."""
        return Sides(function(self.reference), function(self.current))

    def as_json(self) -> dict[str, T]:
        """Return {"reference": ..., "current": ...}."""
        return {REFERENCE: self.reference, CURRENT: self.current}


@dataclass(frozen=True)
class Roles:
    """Names of the columns that are not features, each None where a table has no such column.

    `label` holds the predicted class; it is the prediction itself unless that is a probability of
    the class `positive`.
    """

    task: str | None = None
    target: str | None = None
    prediction: str | None = None
    label: str | None = None
    positive: str | None = None

    @property
    def answers(self) -> set[str]:
        """The columns that are not features."""
        return {name for name in (self.target, self.prediction, self.label) if name is not None}

    @property
    def probability(self) -> str | None:
        """The column of the positive class's probability."""
        return self.prediction if self.positive and self.label != self.prediction else None


def roles_of_model(task: str, target: str, classes: list[str] | None) -> Roles:
    """Return the roles of the columns in rows to which `with_output` has added a model's output.

    The output is a number, the probability of the positive class, or with more than two classes
    the one that the model decides for.
    """
    if classes is None:
        return Roles(task, target, MODEL_OUTPUT)
    if len(classes) == 2:
        return Roles(task, target, MODEL_OUTPUT, label=MODEL_LABEL, positive=classes[1])
    return Roles(task, target, MODEL_OUTPUT, label=MODEL_OUTPUT)


def roles_of_tables(
    reference: Any, current: Any, target: str | None, prediction: str | None
) -> Roles:
    """Return the roles of the columns in two tables of unknown origin.

    They have a task only where one of them has target and prediction, both of one kind.
    """
    if target is None or prediction is None:
        return Roles(None, target, prediction)
    answers = [_in_both(reference, current, column) for column in (target, prediction)]
    if kinds.kind_of(answers[0]) != kinds.kind_of(answers[1]):
        return Roles(None, target, prediction)
    if kinds.kind_of(answers[0]) == NUMBER and not _are_classes(*answers):
        return Roles("regression", target, prediction)
    labels = sorted(set(kinds.as_text(answers[0].dropna())))
    return Roles(
        "classification",
        target,
        prediction,
        label=prediction if labels else None,
        positive=labels[1] if len(labels) == 2 else None,
    )


def _in_both(reference: Any, current: Any, column: str) -> pd.Series:
    """Return a column of whichever tables have it, one below the other."""
    return pd.concat([table[column] for table in (reference, current) if column in table])


def _are_classes(target: pd.Series, prediction: pd.Series) -> bool:
    """Tell whether columns of numbers are class codes: few and whole."""
    if target.nunique() > FEW_CLASSES:
        return False
    return all(bool((values.dropna() % 1 == 0).all()) for values in (target, prediction))


def with_output(
    frame: pd.DataFrame, output: np.ndarray, classes: list[str] | None, rule: Rule
) -> pd.DataFrame:
    """Return the rows that have a model's output, with it and the class that it decides for.

    `output` has shape (rows,) for numbers or (rows, classes) for probabilities; rows without an
    output are NaN.
    """
    there = ~np.isnan(output).reshape(len(frame), -1).any(axis=1)
    frame, output = frame[there].copy(), output[there]
    if classes is None:
        return frame.assign(**{MODEL_OUTPUT: output})
    decided = np.array(classes)[thresholds.decide(output, rule)]
    if len(classes) == 2:
        return frame.assign(**{MODEL_OUTPUT: output[:, 1], MODEL_LABEL: decided})
    return frame.assign(**{MODEL_OUTPUT: decided})


def scores_by_side(tables: Sides[Any], roles: Roles) -> dict[str, dict[str, float]] | None:
    """Return {side: metrics} of the predictions in the tables that have target and prediction.

    None where the columns have no task.
    """
    if roles.task is None:
        return None
    return {
        side: prediction_scores(table[roles.target], table[roles.prediction], roles.task)
        for side, table in tables.as_json().items()
        if roles.target in table and roles.prediction in table
    }


def prediction_scores(target: pd.Series, prediction: pd.Series, task: str) -> dict[str, float]:
    """Return the metrics of predicted numbers or labels; {} where no row has both."""
    there = target.notna() & prediction.notna()
    if not there.any():
        return {}
    target, prediction = target[there], prediction[there]
    if task == "regression":
        return metrics.score(Rows(target.to_numpy(), prediction.to_numpy()))
    from sklearn.metrics import accuracy_score, f1_score

    target, prediction = kinds.as_text(target), kinds.as_text(prediction)
    return {
        "accuracy": float(accuracy_score(target, prediction)),
        "f1_macro": float(f1_score(target, prediction, average="macro", zero_division=0)),
    }
