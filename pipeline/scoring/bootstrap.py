"""Metrics by task, their intervals, the decision threshold, gates, and the one chooser of the best candidate.

`output` is what a model puts out: numbers of shape (rows,), or class probabilities of shape (rows, classes). Targets of
classification are class numbers, 0 to classes - 1, the positive class last. Precision, recall and F1 are those of the positive
class where there are two classes, else the unweighted mean over the classes, as is the ROC AUC (each class against the rest).
"""

import numpy as np

from pipeline.project import rounding
from pipeline.scoring import metrics
from pipeline.scoring.rows import Rows, WeightedRows

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
    rows = Rows(y, output, decisions)
    samples: dict[str, list[np.ndarray]] = {metric.name: [] for metric in metrics.of_task(task)}
    block = max(1, min(resamples, BLOCK_CELLS // len(y)))
    for start in range(0, resamples, block):
        weights = _weights(strata, min(block, resamples - start), rngs)
        drawn = WeightedRows(rows, weights)
        for metric in metrics.of_task(task):
            samples[metric.name].append(metrics.headline(metric, metric.weighted(drawn)))
    return {name: np.concatenate(values) for name, values in samples.items()}


def _weights(strata: list[np.ndarray], count: int, rngs: list[np.random.Generator]) -> np.ndarray:
    """Return how often each row is drawn in each of `count` resamples: shape (count, rows)."""
    weights = np.zeros((count, sum(map(len, strata))))
    for rows, rng in zip(strata, rngs):
        drawn = rng.integers(len(rows), size=(count, len(rows)))
        flat = (drawn + np.arange(count)[:, None] * len(rows)).ravel()
        weights[:, rows] = np.bincount(flat, minlength=count * len(rows)).reshape(count, len(rows))
    return weights


def paired_difference(
    task: str, y: np.ndarray, metric: str, one: tuple, other: tuple, seed: int
) -> dict[str, float | None]:
    """Return how much better one model's metric is than another's on the same rows, with a 95 % bootstrap interval.

    Both are (output, decisions), and each resample draws the same rows for both (Efron and Tibshirani 1993), so that what is hard
    for both cancels out.
    """
    sign = metrics.sign(metric)
    values, samples = [], []
    for output, decisions in (one, other):
        values.append(metrics.value(metric, Rows(y, output, decisions)))
        samples.append(resampled_metrics(task, y, output, decisions, seed)[metric])
    low, high = interval(sign * (samples[0] - samples[1]))
    return {
        "absolute": rounding.significant(sign * (values[0] - values[1])),
        "low": rounding.significant(low),
        "high": rounding.significant(high),
    }
