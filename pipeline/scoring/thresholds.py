"""Metrics by task, their intervals, the decision threshold, gates, and the one chooser of the best candidate.

`output` is what a model puts out: numbers of shape (rows,), or class probabilities of shape (rows, classes). Targets of
classification are class numbers, 0 to classes - 1, the positive class last. Precision, recall and F1 are those of the positive
class where there are two classes, else the unweighted mean over the classes, as is the ROC AUC (each class against the rest).
"""

import numpy as np


def best_threshold(y: np.ndarray, probabilities: np.ndarray, metric: str) -> float | None:
    """Return the probability of the positive class from which on a row counts as positive, best by F1 or accuracy.

    It lies halfway between two rows' probabilities, so that no row of these stands on it, or beyond them all where to call every
    row positive, or none, is best. 0.5 where all probabilities are equal. None unless there are two classes.
    """
    if probabilities.shape[1] != 2:
        return None
    scores = probabilities[:, 1]
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.r_[0, np.cumsum(y[order] == 1)]
    steps = np.flatnonzero(np.diff(ranked) < 0) + 1
    if not len(steps):
        return 0.5
    called = np.r_[0, steps, len(y)]  # so many rows can be called positive
    hits, positives = hits[called], hits[-1]
    if metric == "f1":
        quality = 2 * hits / np.maximum(called + positives, 1)
    else:
        quality = (hits + (len(y) - positives) - (called - hits)) / len(y)
    best = called[np.argmax(quality)]
    bounds = np.r_[np.nextafter(1, 2), ranked, 0]  # a threshold above 1 calls no row positive
    above, below = bounds[best], bounds[best + 1]
    middle = (above + below) / 2
    return float(middle if middle > below else above)


def cross_fitted_decisions(
    y: np.ndarray, output: np.ndarray, fold: np.ndarray, metric: str
) -> np.ndarray:
    """Return out-of-fold decisions, each fold's by the threshold that is best on the other folds.

    A threshold that was chosen on the very rows it is scored on flatters the score; rows with fold -1 have no prediction and
    keep the decision 0.
    """
    if output.shape[1] != 2:
        return output.argmax(axis=1)
    decisions = np.zeros(len(y), dtype=int)
    predicted = fold >= 0
    for number in np.unique(fold[predicted]):
        here, others = fold == number, predicted & (fold != number)
        decisions[here] = decide(output[here], best_threshold(y[others], output[others], metric))
    return decisions


def decide(probabilities: np.ndarray, threshold: float | None) -> np.ndarray:
    """Return the class number of each row: the likeliest, or with two classes the second from the threshold on."""
    if threshold is None:
        return probabilities.argmax(axis=1)
    return (probabilities[:, 1] >= threshold).astype(int)
