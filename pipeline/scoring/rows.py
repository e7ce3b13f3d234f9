"""Rows with a model's predictions, and draws of them; what metrics share is computed once."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

SMALLEST_PROBABILITY = np.finfo(np.float64).eps  # as scikit-learn's log_loss has it


@dataclass(frozen=True)
class ClassFigures:
    """Precision, recall and F1 by class, along the last axis.

    nan where there is no row of the class, which no model could have found; 0 for the precision of
    a class that is there and was not predicted.
    """

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray


@dataclass(frozen=True)
class Ranking:
    """ROC AUC and average precision of one class against the rest, each of shape (draws,).

    nan where the class is absent, or alone.
    """

    roc_auc: np.ndarray
    average_precision: np.ndarray


@dataclass(frozen=True)
class Terms:
    """By what rows are scored beside their target, as params.yaml sets it; each may be None.

    `weight` is how much each row counts, shape (rows,). `costs` is what it costs to decide for each
    class, given the row's own class, shape (rows, classes). `metrics` are the names of those that
    come on top of the built-in ones. Metrics of the user's own see the prepared columns of the
    rows, `frame`, and the labels of the class codes, `classes`.
    """

    weight: np.ndarray | None = None
    costs: np.ndarray | None = None
    frame: pd.DataFrame | None = None
    metrics: tuple[str, ...] = ()
    classes: tuple[str, ...] | None = None

    def __getitem__(self, kept: np.ndarray) -> "Terms":
        """Return the terms of a mask of rows or of places."""
        return Terms(
            weight=None if self.weight is None else self.weight[kept],
            costs=None if self.costs is None else self.costs[kept],
            frame=None if self.frame is None else self.frame.iloc[kept],
            metrics=self.metrics,
            classes=self.classes,
        )


PLAIN = Terms()  # all rows alike, the built-in metrics alone


@dataclass(frozen=True)
class Rows:
    """What a model predicts for rows whose target is known.

    `y` are numbers, or class codes 0 to classes - 1, the positive class last; shape (rows,).
    `output` are predicted numbers, shape (rows,), or class probabilities, shape (rows, classes).
    `decisions` are predicted class codes, shape (rows,); None for regression, and where no metric
    of predicted labels is asked for. `terms` say what each row counts and costs.
    """

    y: np.ndarray
    output: np.ndarray
    decisions: np.ndarray | None = None
    terms: Terms = PLAIN

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, kept: np.ndarray) -> "Rows":
        """Return the rows of a mask or of places."""
        decisions = None if self.decisions is None else self.decisions[kept]
        return Rows(self.y[kept], self.output[kept], decisions, self.terms[kept])

    @property
    def task(self) -> str:
        return "regression" if self.output.ndim == 1 else "classification"

    @property
    def n_classes(self) -> int:
        return self.output.shape[1]

    @cached_property
    def class_figures(self) -> ClassFigures:
        """Precision, recall and F1, each of shape (classes,)."""
        counts = np.bincount(self.cells, minlength=self.n_classes**2)
        figures = class_figures(counts.reshape(1, self.n_classes, self.n_classes))
        return ClassFigures(figures.precision[0], figures.recall[0], figures.f1[0])

    @cached_property
    def probabilities(self) -> np.ndarray:
        """The probabilities without a 0, so that each has a logarithm; each row adds up to 1."""
        clipped = np.clip(self.output, SMALLEST_PROBABILITY, 1)
        return clipped / clipped.sum(axis=1, keepdims=True)

    @cached_property
    def squared_errors(self) -> np.ndarray:
        """The squared error of each number, shape (rows,)."""
        return (self.y - self.output) ** 2

    @cached_property
    def log_losses(self) -> np.ndarray:
        """The log loss of each row, shape (rows,)."""
        return -np.log(self.probabilities[np.arange(len(self)), self.y])

    @cached_property
    def costs(self) -> np.ndarray:
        """What the decision on each row costs, shape (rows,)."""
        if self.terms.costs is None:
            raise ValueError("these rows have no costs")
        return self.terms.costs[np.arange(len(self)), self.decisions]

    def confusion_matrix(self, classes: list[str]) -> dict[str, list[Any]]:
        """Return {labels, counts}; counts[i][j] rows of class i were predicted as class j."""
        counts = np.bincount(self.cells, minlength=self.n_classes**2)
        return {"labels": list(classes), "counts": counts.reshape(self.n_classes, -1).tolist()}

    @property
    def cells(self) -> np.ndarray:
        """The cell of the flattened confusion matrix that each row falls into."""
        return self.y * self.n_classes + self.decisions


@dataclass(frozen=True)
class OutOfFold:
    """What models predict for rows that they were not fitted on: each row by the model of its fold.

    `y`, `output` and `terms` are as in Rows. `fold` is the fold that predicted each row, -1 where
    none did; shape (rows,).
    """

    y: np.ndarray
    output: np.ndarray
    fold: np.ndarray
    terms: Terms = PLAIN

    @property
    def predicted(self) -> np.ndarray:
        """Which rows a fold predicted: a mask of shape (rows,)."""
        return self.fold >= 0

    @property
    def folds(self) -> np.ndarray:
        """The numbers of the folds that predicted rows, in order."""
        return np.unique(self.fold[self.predicted])


@dataclass(frozen=True)
class WeightedRows:
    """Many draws of the same rows.

    `times` says how often each row is drawn, shape (draws, rows).
    """

    rows: Rows
    times: np.ndarray

    @cached_property
    def weights(self) -> np.ndarray:
        """What each row counts in each draw, shape (draws, rows): its own weight as often."""
        weight = self.rows.terms.weight
        return self.times if weight is None else self.times * weight

    @cached_property
    def sizes(self) -> np.ndarray:
        """What the rows of each draw count, shape (draws,): draws of whole groups differ."""
        return self.weights.sum(axis=1)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Return the mean over the drawn rows of what each row has, shape (draws,)."""
        return self.weights @ values / self.sizes

    def deviation(self, values: np.ndarray) -> np.ndarray:
        """Return the standard deviation over the drawn rows of what each row has.

        With weights it is that of the rows' parts in the weighted mean, of which its standard error
        is made.
        """
        weight = self.rows.terms.weight
        if weight is None:
            return np.sqrt(np.maximum(self.mean(values**2) - self.mean(values) ** 2, 0))
        mean = self.mean(values)
        squares = self.mean(weight * values**2) - 2 * mean * self.mean(weight * values)
        return np.sqrt(np.maximum(squares + mean**2 * self.mean(weight), 0))

    @cached_property
    def squared_error(self) -> np.ndarray:
        """The mean squared error of each draw, shape (draws,)."""
        return self.mean(self.rows.squared_errors)

    @cached_property
    def counts(self) -> np.ndarray:
        """The confusion matrix of each draw, shape (draws, classes, classes)."""
        n_classes = self.rows.n_classes
        cells = np.eye(n_classes**2)[self.rows.cells]
        return (self.weights @ cells).reshape(-1, n_classes, n_classes)

    @cached_property
    def class_figures(self) -> ClassFigures:
        """Precision, recall and F1, each of shape (draws, classes)."""
        return class_figures(self.counts)

    @cached_property
    def rankings(self) -> list[Ranking]:
        """The ranking by the positive class where there are two classes, else by each class."""
        n_classes = self.rows.n_classes
        ranked = [1] if n_classes == 2 else range(n_classes)
        return [
            ranking(self.weights, self.rows.y == code, self.rows.output[:, code]) for code in ranked
        ]


def class_figures(counts: np.ndarray) -> ClassFigures:
    """Return figures of shape (n, classes) of n confusion matrices, shape (n, classes, classes)."""
    hits = np.diagonal(counts, axis1=1, axis2=2).astype(float)
    actual, predicted = counts.sum(axis=2), counts.sum(axis=1)
    precision = divided(hits, predicted, otherwise=0)
    f1 = divided(2 * hits, actual + predicted, otherwise=0)
    return ClassFigures(
        precision=np.where(actual > 0, precision, np.nan),
        recall=divided(hits, actual, otherwise=np.nan),
        f1=np.where(actual > 0, f1, np.nan),
    )


def ranking(weights: np.ndarray, positive: np.ndarray, scores: np.ndarray) -> Ranking:
    """Return how well scores rank the positive rows in each draw; equal scores are one step.

    Own code: scikit-learn takes one vector of weights at a time and sorts the rows for each, 12 s
    for 1000 draws of 2000 rows; this takes 0.5 s.
    """
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) != 0])
    hits = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    false = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    all_hits, all_false = hits.sum(axis=1), false.sum(axis=1)
    hits_so_far, false_so_far = hits.cumsum(axis=1), false.cumsum(axis=1)
    pairs_in_order = (false * (hits_so_far - hits / 2)).sum(axis=1)
    precision = divided(hits_so_far, hits_so_far + false_so_far, otherwise=0)
    return Ranking(
        roc_auc=divided(pairs_in_order, all_hits * all_false, otherwise=np.nan),
        average_precision=divided((precision * hits).sum(axis=1), all_hits, otherwise=np.nan),
    )


def divided(numerator: np.ndarray, denominator: np.ndarray, otherwise: float) -> np.ndarray:
    """Return a quotient, `otherwise` where the denominator is not above 0."""
    result = np.full_like(numerator, otherwise)
    return np.divide(numerator, denominator, out=result, where=denominator > 0)
