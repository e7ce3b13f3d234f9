"""Metrics by task, their intervals, the decision threshold, gates, and the one chooser of the best candidate.

`output` is what a model puts out: numbers of shape (rows,), or class probabilities of shape (rows, classes). Targets of
classification are class numbers, 0 to classes - 1, the positive class last. Precision, recall and F1 are those of the positive
class where there are two classes, else the unweighted mean over the classes, as is the ROC AUC (each class against the rest).
"""

import numpy as np

from pipeline.project import rounding
from pipeline.scoring import metrics

RESAMPLES = 1000  # of the bootstrap
LEVEL = 0.95  # of the intervals
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
BLOCK_CELLS = 4_000_000  # resamples x rows that are drawn at a time: bounds the memory


def clearly_worse(
    metric: str, before: float | None, interval: tuple[float | None, float | None]
) -> bool:
    """Tell whether a score got worse by more than chance: what it was before is better than every value of its interval now."""
    return before is not None and all(
        bound is not None and metrics.is_better(metric, before, bound) for bound in interval
    )


def intervals(
    task: str,
    y: np.ndarray,
    output: np.ndarray,
    decisions: np.ndarray | None,
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[str, tuple[float, float]]:
    """Return the 95 % bootstrap interval (percentiles; Efron 1979) of every metric of the task."""
    return {
        metric: interval(values)
        for metric, values in resampled_metrics(task, y, output, decisions, seed, resamples).items()
    }


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the interval that holds 95 % of a metric's resampled values."""
    return tuple(float(bound) for bound in np.quantile(values, TAILS))


def resampled_metrics(
    task: str,
    y: np.ndarray,
    output: np.ndarray,
    decisions: np.ndarray | None,
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[str, np.ndarray]:
    """Return every metric of the task on each of `resamples` draws of the rows; the same rows are drawn for every model.

    Rows are drawn with replacement, within each class for classification, so that a rare class is in every resample.
    """
    strata = (
        [np.flatnonzero(y == k) for k in np.unique(y)]
        if task == "classification"
        else [np.arange(len(y))]
    )
    rngs = np.random.default_rng(seed).spawn(
        len(strata)
    )  # one each, so that the draws do not depend on the blocks
    samples = {}
    block = max(1, min(resamples, BLOCK_CELLS // len(y)))
    for start in range(0, resamples, block):
        weights = _weights(strata, min(block, resamples - start), rngs)
        part = (
            _weighted_regression(weights, y, output)
            if task == "regression"
            else _weighted_classification(weights, y, output, decisions)
        )
        for metric, values in part.items():
            samples.setdefault(metric, []).append(values)
    return {metric: np.concatenate(values) for metric, values in samples.items()}


def _weights(strata: list[np.ndarray], count: int, rngs: list[np.random.Generator]) -> np.ndarray:
    """Return how often each row is drawn in each of `count` resamples: shape (count, rows)."""
    weights = np.zeros((count, sum(map(len, strata))))
    for rows, rng in zip(strata, rngs):
        drawn = rng.integers(len(rows), size=(count, len(rows)))
        flat = (drawn + np.arange(count)[:, None] * len(rows)).ravel()
        weights[:, rows] = np.bincount(flat, minlength=count * len(rows)).reshape(count, len(rows))
    return weights


def _weighted_regression(
    weights: np.ndarray, y: np.ndarray, prediction: np.ndarray
) -> dict[str, np.ndarray]:
    n = len(y)
    residual, centred = y - prediction, y - y.mean()
    squares = weights @ residual**2
    total = weights @ centred**2 - (weights @ centred) ** 2 / n
    r2 = 1 - np.divide(squares, total, out=np.ones_like(squares), where=total > 0)
    return {"rmse": np.sqrt(squares / n), "mae": weights @ np.abs(residual) / n, "r2": r2}


def _weighted_classification(
    weights: np.ndarray, y: np.ndarray, probabilities: np.ndarray, decisions: np.ndarray
) -> dict[str, np.ndarray]:
    n, n_classes = len(y), probabilities.shape[1]
    cells = np.eye(n_classes**2)[y * n_classes + decisions]
    counts = (weights @ cells).reshape(-1, n_classes, n_classes)
    recalls, precisions, f1s = metrics.recall_precision_f1(counts)
    own = np.clip(probabilities, metrics.SMALLEST_PROBABILITY, 1)
    own = (own / own.sum(axis=1, keepdims=True))[np.arange(n), y]
    of_positive = (
        (lambda values: values[:, 1]) if n_classes == 2 else (lambda values: values.mean(axis=1))
    )
    ranked = [
        _weighted_ranking(weights, y == k, probabilities[:, k])
        for k in ([1] if n_classes == 2 else range(n_classes))
    ]
    return {
        "accuracy": np.trace(counts, axis1=1, axis2=2) / n,
        "precision": of_positive(precisions),
        "recall": of_positive(recalls),
        "f1": of_positive(f1s),
        "roc_auc": np.mean([auc for auc, _ in ranked], axis=0),
        "average_precision": np.mean([precision for _, precision in ranked], axis=0),
        "log_loss": weights @ -np.log(own) / n,
    }


def _weighted_ranking(
    weights: np.ndarray, positive: np.ndarray, scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ROC AUC and the average precision of each weighted resample; rows of equal score are one step.

    nan where the class is absent, or alone.
    """
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) != 0])
    hits = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    false = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    all_hits, all_false = hits.sum(axis=1), false.sum(axis=1)
    true_so_far, false_so_far = hits.cumsum(axis=1), false.cumsum(axis=1)
    auc = _ratio((false * (true_so_far - hits / 2)).sum(axis=1), all_hits * all_false)
    called = true_so_far + false_so_far
    precision = np.divide(true_so_far, called, out=np.zeros_like(called), where=called > 0)
    return auc, _ratio((precision * hits).sum(axis=1), all_hits)


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    return np.divide(
        numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0
    )


def paired_difference(
    task: str, y: np.ndarray, metric: str, one: tuple, other: tuple, seed: int
) -> dict[str, float | None]:
    """Return how much better one model's metric is than another's on the same rows, with a 95 % bootstrap interval.

    Both are (output, decisions), and each resample draws the same rows for both (Efron and Tibshirani 1993), so that what is hard
    for both cancels out.
    """
    sign = -1 if metric in metrics.LOWER_IS_BETTER else 1
    values, samples = [], []
    for output, decisions in (one, other):
        names = None if task == "regression" else [str(number) for number in range(output.shape[1])]
        values.append(metrics.score(task, y, output, decisions, names)[metric])
        samples.append(resampled_metrics(task, y, output, decisions, seed)[metric])
    low, high = interval(sign * (samples[0] - samples[1]))
    return {
        "absolute": rounding.significant(sign * (values[0] - values[1])),
        "low": rounding.significant(low),
        "high": rounding.significant(high),
    }
