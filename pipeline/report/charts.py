"""Charts as numbers: curves, points and counts, from the stored predictions of the candidates."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from pipeline.project.rounding import number_text, to_digits
from pipeline.report.comparison import Candidate, ConfusionMatrix
from pipeline.scoring import metrics
from pipeline.training.predictions import Predicted

MOST_POINTS = 80  # of a curve
MOST_DOTS = 400  # of predicted against actual
MOST_CURVES = 5  # candidates whose curves are drawn together
MOST_CLASSES = 8
BINS = 10  # of a calibration curve
BANDS = 5  # of numbers, for what was predicted for what
DIGITS = 4  # no chart shows more
ROWS_WITHIN = 0.9  # share of the worst candidate's rows up to whose error the tolerance is drawn

Point = list[float]  # x and y


@dataclass(frozen=True)
class Curve:
    """A line of a chart: [x, y] points."""

    name: str
    points: list[Point]


@dataclass(frozen=True)
class ClassCurves:
    """What is drawn of a classifier's probabilities."""

    roc: list[Curve]
    precision_recall: list[Curve]
    calibration: list[Curve]


class Outcome(NamedTuple):  # a list in JSON
    """How many rows of one class, or band of numbers, were predicted as another."""

    actual: str
    predicted: str
    rows: int


class TrialValue(NamedTuple):  # a list in JSON
    """One trial of a search: its number, its model and the cross-validated value."""

    number: int
    model: str
    value: float


@dataclass(frozen=True)
class _Series:
    """What a curve is computed from: whether each row is of the class, and its probability."""

    name: str
    actual: np.ndarray
    scores: np.ndarray


def class_curves(
    names: list[str], oof: Predicted, test: Predicted, classes: list[str]
) -> ClassCurves:
    """Return the ROC, precision-recall and calibration curves of the named candidates.

    With two classes those of the positive one: the first candidate on both splits, the others out
    of fold. With more, those of the first candidate's classes, each against the rest, out of fold.
    A curve whose rows are all of one class is left out: it is not defined.
    """
    series = _of_classes(names[0], oof, classes)
    if len(classes) == 2:
        series = _of_candidates(names[:MOST_CURVES], oof, test)
    defined = [one for one in series if one.actual.any() and not one.actual.all()]
    return ClassCurves(
        roc=_curves(_roc, defined),
        precision_recall=_curves(_precision_recall, defined),
        calibration=_curves(_calibration, defined),
    )


def _of_candidates(names: list[str], oof: Predicted, test: Predicted) -> list[_Series]:
    best, *others = names
    series = [
        _positive(f"{best}, out of fold", oof, best),
        _positive(f"{best}, test", test, best),
    ]
    series += [_positive(f"{name}, out of fold", oof, name) for name in others]
    return series


def _positive(title: str, predicted: Predicted, name: str) -> _Series:
    return _Series(title, predicted.y == 1, predicted.outputs[name][:, 1])


def _of_classes(name: str, oof: Predicted, classes: list[str]) -> list[_Series]:
    probabilities = oof.outputs[name]
    return [
        _Series(label, oof.y == number, probabilities[:, number])
        for number, label in enumerate(classes[:MOST_CLASSES])
    ]


def _curves(
    points: Callable[[np.ndarray, np.ndarray], list[Point]], series: list[_Series]
) -> list[Curve]:
    return [Curve(one.name, points(one.actual, one.scores)) for one in series]


def _roc(actual: np.ndarray, scores: np.ndarray) -> list[Point]:
    from sklearn.metrics import roc_curve

    false, true, _ = roc_curve(actual, scores)
    return _thinned(false, true)


def _precision_recall(actual: np.ndarray, scores: np.ndarray) -> list[Point]:
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(actual, scores, drop_intermediate=True)
    return _thinned(recall[::-1], precision[::-1])


def _calibration(actual: np.ndarray, scores: np.ndarray) -> list[Point]:
    from sklearn.calibration import calibration_curve

    share, mean = calibration_curve(actual, np.clip(scores, 0, 1), n_bins=BINS, strategy="quantile")
    return _thinned(mean, share)


def _thinned(x: np.ndarray, y: np.ndarray, most: int = MOST_POINTS) -> list[Point]:
    """Return points of a curve about equally far from each other along it, with both ends."""
    if len(x) > most:
        steps = np.abs(np.diff(x)) + np.abs(np.diff(y))
        way = np.r_[0, np.cumsum(steps)]
        stops = np.linspace(0, way[-1], most)
        kept = np.unique(np.searchsorted(way, stops).clip(0, len(x) - 1))
        x, y = x[kept], y[kept]
    return [[short(one), short(other)] for one, other in zip(x, y)]


def curves_of_each(predicted: Predicted) -> dict[str, dict[str, list[Point]]]:
    """Return the curves of each candidate by kind, on the rows of one split.

    A classifier of more than two classes has those of all classes pooled, each against the rest
    (scikit-learn's micro-average). Kinds that the rows do not define are left out.
    """
    return {name: _curves_of(predicted, name) for name in predicted.outputs}


def _curves_of(predicted: Predicted, name: str) -> dict[str, list[Point]]:
    output = predicted.outputs[name]
    if output.ndim == 1:
        return {"tolerance": tolerance([name], predicted)[0].points}
    indicators = np.eye(output.shape[1], dtype=bool)[predicted.y]
    two_classes = output.shape[1] == 2
    actual = indicators[:, 1] if two_classes else indicators.ravel()
    scores = output[:, 1] if two_classes else output.ravel()
    if actual.all() or not actual.any():
        return {}
    return {
        "roc": _roc(actual, scores),
        "precision_recall": _precision_recall(actual, scores),
        "calibration": _calibration(actual, scores),
    }


def short(value: float) -> float:
    """Return a finite number with the digits that a chart shows."""
    return to_digits(value, DIGITS)


def dots(predicted: Predicted, name: str) -> list[Point]:
    """Return [actual, predicted] of rows, evenly taken where there are many."""
    every = -(-len(predicted.y) // MOST_DOTS)
    pairs = zip(predicted.y[::every], predicted.outputs[name][::every])
    return [[short(actual), short(output)] for actual, output in pairs]


def tolerance(names: list[str], predicted: Predicted) -> list[Curve]:
    """Return, for each candidate, the share of rows whose error is at most x.

    This is the regression error characteristic (Bi and Bennett 2003), drawn up to the error that
    nine rows in ten of the worst candidate keep to.
    """
    errors = {name: np.sort(np.abs(predicted.y - predicted.outputs[name])) for name in names}
    last = int(ROWS_WITHIN * (len(predicted.y) - 1))
    widest = max(error[last] for error in errors.values())
    share = np.arange(1, len(predicted.y) + 1) / len(predicted.y)
    curves = []
    for name, error in errors.items():
        drawn = error <= widest
        curves.append(Curve(name, [[0.0, 0.0], *_thinned(error[drawn], share[drawn])]))
    return curves


def outcomes(predicted: Predicted, name: str, candidate: Candidate) -> list[Outcome]:
    """Return what was predicted for what: the cells of the confusion matrix.

    With numbers it is that of bands which hold a fifth of the actual values each.
    """
    matrix = candidate.confusion_matrix or _matrix_of_bands(predicted.y, predicted.outputs[name])
    cells = []
    for actual, counts in zip(matrix.labels, matrix.counts):
        for other, rows in zip(matrix.labels, counts):
            cells.append(Outcome(actual, other, rows))
    return cells


def _matrix_of_bands(y: np.ndarray, output: np.ndarray) -> ConfusionMatrix:
    quantiles = np.quantile(y, np.arange(1, BANDS) / BANDS)
    edges = np.unique([short(edge) for edge in quantiles])
    labels = [
        f"up to {number_text(edges[0])}",
        *(f"to {number_text(edge)}" for edge in edges[1:]),
        f"above {number_text(edges[-1])}",
    ]
    bands = len(labels)
    cells = np.searchsorted(edges, y) * bands + np.searchsorted(edges, output)
    counts = np.bincount(cells, minlength=bands**2)
    return ConfusionMatrix(labels, counts.reshape(bands, bands).tolist())


def best_so_far(trials: list[TrialValue], metric: str) -> list[float]:
    """Return, for each trial of a search, the best value up to it."""
    better = max if metrics.lookup(metric).greater_is_better else min
    return list(accumulate((trial.value for trial in trials), better))
