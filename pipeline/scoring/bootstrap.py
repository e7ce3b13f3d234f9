"""Intervals of scores, from metrics of rows drawn with replacement (the bootstrap; Efron 1979)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pipeline.project import rounding
from pipeline.scoring import metrics
from pipeline.scoring.metrics import Metric
from pipeline.scoring.rows import Rows, WeightedRows

RESAMPLES = 1000
LEVEL = 0.95
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)

# resamples x rows that are drawn at a time: bounds the memory
BLOCK_CELLS = 4_000_000


class Interval(NamedTuple):
    """The bounds of 95 % of a metric's resampled values; nan where the metric is not defined."""

    low: float
    high: float


@dataclass(frozen=True)
class Score:
    """A value of a metric with its 95 % interval.

    nan where the metric is not defined, None where no interval was computed.
    """

    value: float
    interval: Interval | None = None

    def as_json(self) -> dict[str, float | None]:
        """Return what is stored: six significant digits, None where something is not defined."""
        content = {"value": rounding.significant(self.value)}
        if self.interval is not None:
            content["low"] = rounding.significant(self.interval.low)
            content["high"] = rounding.significant(self.interval.high)
        return content


@dataclass(frozen=True)
class Resampled:
    """One metric of some rows, and of many draws of them; `draws` has shape (resamples,)."""

    metric: str
    value: float
    draws: np.ndarray

    @property
    def interval(self) -> Interval:
        return interval(self.draws)

    @property
    def score(self) -> Score:
        return Score(self.value, self.interval)


def interval(draws: np.ndarray) -> Interval:
    """Return the interval that holds 95 % of a metric's resampled values (percentiles)."""
    low, high = np.quantile(draws, TAILS)
    return Interval(float(low), float(high))


def clearly_worse(
    metric: str, before: float | None, now: tuple[float | None, float | None]
) -> bool:
    """Return whether a score is worse than before by more than chance.

    It is where the one before is better than both bounds of the interval now.
    """
    low, high = now
    if before is None or low is None or high is None:
        return False
    return metrics.is_better(metric, before, low) and metrics.is_better(metric, before, high)


def intervals(rows: Rows, seed: int, resamples: int = RESAMPLES) -> dict[str, Interval]:
    """Return the interval of every metric of the rows' task."""
    drawn = resampled_metrics(rows, metrics.of_task(rows.task), seed, resamples)
    return {name: interval(draws) for name, draws in drawn.items()}


def resampled(metric: str, rows: Rows, seed: int, resamples: int = RESAMPLES) -> Resampled:
    """Return one metric of the rows and of draws of them, the same rows for every model."""
    drawn = resampled_metrics(rows, [metrics.lookup(metric)], seed, resamples)
    return Resampled(metric, metrics.value(metric, rows), drawn[metric])


def difference(one: Resampled, other: Resampled) -> Resampled:
    """Return how much better one model's metric is than another's on the same rows.

    Each draw takes the same rows for both (Efron and Tibshirani 1993), so that what is hard for
    both cancels out.
    """
    sign = metrics.sign(one.metric)
    return Resampled(
        one.metric,
        value=sign * (one.value - other.value),
        draws=sign * (one.draws - other.draws),
    )


def resampled_metrics(
    rows: Rows, wanted: Sequence[Metric], seed: int, resamples: int = RESAMPLES
) -> dict[str, np.ndarray]:
    """Return metrics on each of many draws of the rows, each of shape (resamples,).

    The same rows are drawn for every model: within each class for classification, so that a rare
    class is in every resample. Own code: scipy.stats.bootstrap calls the metric once a resample and
    takes 10 s for the ROC AUC of 2000 rows, this 0.6 s for all metrics (1000 resamples).
    """
    strata = _strata(rows)
    # one generator each, so that the draws do not depend on the blocks
    generators = np.random.default_rng(seed).spawn(len(strata))
    blocks: dict[str, list[np.ndarray]] = {metric.name: [] for metric in wanted}
    most = max(1, min(resamples, BLOCK_CELLS // len(rows)))
    for start in range(0, resamples, most):
        weights = _weights(strata, min(most, resamples - start), generators)
        drawn = WeightedRows(rows, weights)
        for metric in wanted:
            blocks[metric.name].append(metrics.headline(metric, metric.weighted(drawn)))
    return {name: np.concatenate(values) for name, values in blocks.items()}


def _strata(rows: Rows) -> list[np.ndarray]:
    """Return the places of the rows that are drawn from together."""
    if rows.task == "regression":
        return [np.arange(len(rows))]
    return [np.flatnonzero(rows.y == code) for code in np.unique(rows.y)]


def _weights(
    strata: list[np.ndarray], count: int, generators: list[np.random.Generator]
) -> np.ndarray:
    """Return how often each row is drawn in each of `count` resamples: shape (count, rows)."""
    weights = np.zeros((count, sum(len(places) for places in strata)))
    for places, generator in zip(strata, generators):
        size = len(places)
        drawn = generator.integers(size, size=(count, size))
        # each resample gets numbers of its own, so that one count serves them all
        numbered = (drawn + np.arange(count)[:, None] * size).ravel()
        counts = np.bincount(numbered, minlength=count * size)
        weights[:, places] = counts.reshape(count, size)
    return weights
