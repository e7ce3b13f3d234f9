"""The decision threshold: the probability from which on a row counts as positive."""

from dataclasses import replace

import numpy as np

from pipeline.scoring.rows import OutOfFold, Rows


def decide(probabilities: np.ndarray, threshold: float | None) -> np.ndarray:
    """Return the class code of each row: the likeliest, or the positive from a threshold on.

    `probabilities` have shape (rows, classes), the codes shape (rows,).
    """
    if threshold is None:
        return probabilities.argmax(axis=1)
    return (probabilities[:, 1] >= threshold).astype(int)


def decided(rows: Rows, threshold: float | None) -> Rows:
    """Return the rows with the decisions of a threshold; those of regression as they are."""
    if rows.task == "regression":
        return rows
    return replace(rows, decisions=decide(rows.output, threshold))


def best_threshold(y: np.ndarray, probabilities: np.ndarray, metric: str) -> float | None:
    """Return the threshold that is best by F1 or accuracy; None unless there are two classes.

    It lies halfway between two rows' probabilities, so that no row of these lies on it, or beyond
    them all where calling every row positive, or none, is best. 0.5 where all are equal.
    """
    if probabilities.shape[1] != 2:
        return None
    scores = probabilities[:, 1]
    order = np.argsort(-scores, kind="stable")
    ranked, hits_so_far = scores[order], np.r_[0, np.cumsum(y[order] == 1)]
    steps = np.flatnonzero(np.diff(ranked) < 0) + 1
    if not len(steps):
        return 0.5
    # so many rows can be called positive: none, all, or all above a step
    called = np.r_[0, steps, len(y)]
    hits, positives = hits_so_far[called], hits_so_far[-1]
    if metric == "f1":
        quality = 2 * hits / np.maximum(called + positives, 1)
    else:
        negatives_left = (len(y) - positives) - (called - hits)
        quality = (hits + negatives_left) / len(y)
    return _halfway(ranked, called[np.argmax(quality)])


def _halfway(ranked: np.ndarray, called: int) -> float:
    """Return a threshold that calls so many of the rows positive, ranked from the highest."""
    # a threshold above 1 calls no row positive
    bounds = np.r_[np.nextafter(1, 2), ranked, 0]
    above, below = bounds[called], bounds[called + 1]
    middle = (above + below) / 2
    return float(middle if middle > below else above)


def cross_fitted_decisions(out_of_fold: OutOfFold, metric: str) -> np.ndarray:
    """Return out-of-fold decisions, shape (rows,): a fold's by the best threshold of the others.

    A threshold that was chosen on the very rows it is scored on flatters the score. Rows with fold
    -1 have no prediction and keep the decision 0.
    """
    y, output, fold = out_of_fold.y, out_of_fold.output, out_of_fold.fold
    if output.shape[1] != 2:
        return output.argmax(axis=1)
    decisions = np.zeros(len(y), dtype=int)
    for number in out_of_fold.folds:
        here, others = fold == number, out_of_fold.predicted & (fold != number)
        threshold = best_threshold(y[others], output[others], metric)
        decisions[here] = decide(output[here], threshold)
    return decisions
