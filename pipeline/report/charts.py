"""What the report's pictures and `dvc plots show` draw: curves, points and bars as numbers, from the stored predictions."""

from itertools import accumulate

import numpy as np

from pipeline.project import rounding
from pipeline.scoring import metrics
from pipeline.training.predictions import Predicted

MOST_POINTS = 80  # of a curve
MOST_DOTS = 400  # of predicted against actual
MOST_CURVES = 5  # candidates whose curves are drawn together
MOST_CLASSES = 8
BINS = 10  # of a calibration curve
BANDS = 5  # of numbers, for what was predicted for what
CURVES = ("roc", "precision_recall", "calibration", "tolerance")


def curves(
    names: list[str], parts: dict[str, Predicted], classes: list[str]
) -> dict[str, list[dict]]:
    """Return the ROC, precision-recall and calibration curves: {kind: [{name, points}]}.

    With two classes those of the positive one: the first candidate on both parts, the others out of fold. With more, those of the
    first candidate's classes, each against the rest, out of fold.
    """
    oof, test = parts["oof"], parts["test"]
    if len(classes) == 2:
        series = [
            (f"{names[0]}, out of fold", oof.y == 1, oof.outputs[names[0]][:, 1]),
            (f"{names[0]}, test", test.y == 1, test.outputs[names[0]][:, 1]),
        ]
        series += [
            (f"{name}, out of fold", oof.y == 1, oof.outputs[name][:, 1])
            for name in names[1:MOST_CURVES]
        ]
    else:
        series = [
            (label, oof.y == number, oof.outputs[names[0]][:, number])
            for number, label in enumerate(classes[:MOST_CLASSES])
        ]
    found = {"roc": [], "precision_recall": [], "calibration": []}
    for name, actual, scores in series:
        if actual.all() or not actual.any():  # no curve where a class is absent
            continue
        for kind, points in (
            ("roc", _roc(actual, scores)),
            ("precision_recall", _precision_recall(actual, scores)),
            ("calibration", _calibration(actual, scores)),
        ):
            found[kind].append({"name": name, "points": points})
    return found


def _roc(actual: np.ndarray, scores: np.ndarray) -> list[list[float]]:
    from sklearn.metrics import roc_curve

    false, true, _ = roc_curve(actual, scores)
    return _thinned(false, true)


def _precision_recall(actual: np.ndarray, scores: np.ndarray) -> list[list[float]]:
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(actual, scores, drop_intermediate=True)
    return _thinned(recall[::-1], precision[::-1])


def _calibration(actual: np.ndarray, scores: np.ndarray) -> list[list[float]]:
    from sklearn.calibration import calibration_curve

    share, mean = calibration_curve(actual, np.clip(scores, 0, 1), n_bins=BINS, strategy="quantile")
    return _thinned(mean, share)


def _thinned(x: np.ndarray, y: np.ndarray, most: int = MOST_POINTS) -> list[list[float]]:
    """Return points of a curve about equally far from each other along it, both ends among them."""
    if len(x) > most:
        way = np.r_[0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))]
        kept = np.unique(np.searchsorted(way, np.linspace(0, way[-1], most)).clip(0, len(x) - 1))
        x, y = x[kept], y[kept]
    return [[short(one), short(other)] for one, other in zip(x, y)]


def dots(predicted: Predicted, name: str) -> list[list[float]]:
    """Return [actual, predicted] of rows, evenly taken where there are many."""
    every = -(-len(predicted.y) // MOST_DOTS)
    return [
        [short(actual), short(output)]
        for actual, output in zip(predicted.y[::every], predicted.outputs[name][::every])
    ]


def short(value: float) -> float:
    """Return four significant digits; no picture shows more."""
    return rounding.to_digits(value, 4)


def tolerance(names: list[str], predicted: Predicted) -> list[dict]:
    """Return, for each candidate, the share of rows whose error is at most x.

    This is the regression error characteristic (Bi and Bennett 2003), drawn up to the error that nine rows in ten of the worst
    candidate keep to.
    """
    errors = {name: np.sort(np.abs(predicted.y - predicted.outputs[name])) for name in names}
    widest = max(error[int(0.9 * (len(error) - 1))] for error in errors.values())
    share = np.arange(1, len(predicted.y) + 1) / len(predicted.y)
    return [
        {
            "name": name,
            "points": [[0.0, 0.0], *_thinned(error[error <= widest], share[error <= widest])],
        }
        for name, error in errors.items()
    ]


def outcomes(predicted: Predicted, name: str, candidate: dict) -> list[list]:
    """Return [actual, predicted, rows]: the confusion matrix, or with numbers that of the actual values' fifths."""
    matrix = candidate.get("confusion_matrix")
    if matrix is None:
        edges = np.unique(
            [short(edge) for edge in np.quantile(predicted.y, np.arange(1, BANDS) / BANDS)]
        )
        labels = [
            f"up to {rounding.number_text(edges[0])}",
            *(f"to {rounding.number_text(edge)}" for edge in edges[1:]),
            f"above {rounding.number_text(edges[-1])}",
        ]
        bands = [
            np.searchsorted(edges, values) for values in (predicted.y, predicted.outputs[name])
        ]
        counts = np.bincount(bands[0] * len(labels) + bands[1], minlength=len(labels) ** 2).reshape(
            len(labels), -1
        )
        matrix = {"labels": labels, "counts": counts.tolist()}
    return [
        [actual, other, count]
        for actual, row in zip(matrix["labels"], matrix["counts"])
        for other, count in zip(matrix["labels"], row)
    ]


def best_so_far(course: list[list], metric: str) -> list[list]:
    """Return the [number, model, value] of a search's trials, each with the best value up to it."""
    bests = accumulate(
        (value for _, _, value in course), max if metrics.lookup(metric).greater_is_better else min
    )
    return [[*trial, best] for trial, best in zip(course, bests)]
