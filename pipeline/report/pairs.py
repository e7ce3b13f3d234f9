"""Candidates side by side on the test rows: paired differences, curves, and scores on slices."""

from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from pipeline.project.rounding import significant
from pipeline.report import charts
from pipeline.report.best import BestOnSplit
from pipeline.report.charts import Point
from pipeline.report.comparison import DatasetResult
from pipeline.scoring import bootstrap, metrics, slices, thresholds
from pipeline.scoring.bootstrap import Resampled
from pipeline.scoring.rows import Rows
from pipeline.scoring.slices import Slice
from pipeline.training.predictions import Predicted

# rows drawn in all for a candidate: of a large table fewer draws, which vary less
MOST_DRAWN = 20_000_000
FEWEST_DRAWS = 200


class Difference(NamedTuple):  # a list in JSON
    """How much better one candidate's metric is than another's, and its 95 % interval."""

    better_by: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Pair:
    """Two candidates: by metric, how much better `one` is than `other` on the same test rows."""

    one: str
    other: str
    differences: dict[str, Difference]


@dataclass(frozen=True)
class Pairs:
    """Every two candidates of a dataset, and what is drawn and listed of each on the test rows.

    draws      of the test rows, for the intervals
    curves     by candidate and kind
    dots       by candidate, [actual, predicted] of a regression
    on_slices  by candidate, the primary metric on the slices in their order; None on few rows
    """

    pairs: list[Pair]
    draws: int
    curves: dict[str, dict[str, list[Point]]]
    dots: dict[str, list[Point]]
    on_slices: dict[str, list[float | None]]


def compare(
    result: DatasetResult, test: Predicted, split: BestOnSplit, parts: list[Slice], seed: int
) -> Pairs:
    """Return the candidates side by side; `split` holds the features of the test rows.

    The intervals are those of a paired bootstrap (Efron and Tibshirani 1993): each draw takes the
    same rows for all candidates.
    """
    rows = {name: _decided(result, test, split, name) for name in result.candidates}
    wanted = metrics.of_rows(rows[result.best.name])
    draws = draws_of(len(test.y))
    drawn = {
        name: bootstrap.resampled_metrics(one, wanted, seed, draws, split.sampling)
        for name, one in rows.items()
    }
    pairs = []
    for one, other in combinations(drawn, 2):
        pairs.append(Pair(one, other, _differences(drawn[one], drawn[other])))
    masks = [part.mask(split.X) for part in parts]
    scored = {name: _on_slices(result.primary_metric, one, masks) for name, one in rows.items()}
    is_regression = result.task == "regression"
    return Pairs(
        pairs,
        draws,
        curves=charts.curves_of_each(test),
        dots={name: charts.dots(test, name) for name in rows} if is_regression else {},
        on_slices=scored,
    )


def draws_of(rows: int) -> int:
    """Return how often so many rows are drawn."""
    return max(FEWEST_DRAWS, min(bootstrap.RESAMPLES, MOST_DRAWN // rows))


def _decided(result: DatasetResult, test: Predicted, split: BestOnSplit, name: str) -> Rows:
    """Return the test rows as a candidate predicts them, with the classes that it decides for."""
    predicted = Rows(test.y, test.outputs[name], terms=split.terms)
    return thresholds.decided(predicted, result.candidates[name].rule)


def _differences(one: dict[str, Resampled], other: dict[str, Resampled]) -> dict[str, Difference]:
    differences = {}
    for metric in one:
        score = bootstrap.difference(one[metric], other[metric]).score.as_json()
        differences[metric] = Difference(score["value"], score["low"], score["high"])
    return differences


def _on_slices(metric: str, rows: Rows, masks: list[np.ndarray]) -> list[float | None]:
    """Return the metric on each slice; None where it has too few rows or the metric is undefined.

    Raises nothing for a slice of one class: the metric is nan there.
    """
    scores = []
    for mask in masks:
        enough = mask.sum() >= slices.FEWEST_TEST_ROWS
        scores.append(significant(metrics.value(metric, rows[mask])) if enough else None)
    return scores
