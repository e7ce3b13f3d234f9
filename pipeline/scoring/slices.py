"""Slices: parts of a table where a model may do worse, named by params.yaml or found by a tree.

Slices are searched on the training rows, by the errors of models that had not seen them; the test
rows then show, with an interval, whether the finding holds. They choose nothing.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from pipeline.project import rounding
from pipeline.project.settings.judging import Slices
from pipeline.scoring import bootstrap
from pipeline.scoring.bootstrap import Interval, Score
from pipeline.scoring.rows import Rows
from pipeline.scoring.sampling import BY_ROW, Sampling

# slices of the tree that are shown
WORST = 3
# of a named column; and of a column that the tree may split by
MOST_VALUES = 10
# to score a slice on the test split
FEWEST_TEST_ROWS = 10
# of the bootstrap: half the digits of the headline's are enough here
RESAMPLES = 200
# of the errors' variance that a split explains
LEAST_GAIN = 0.005
MISSING = "(missing)"
# of a slice of too few rows
NOT_SCORED = Score(math.nan, Interval(math.nan, math.nan))
# of the true class that an error counts: one row does not make a slice
LEAST_PROBABILITY = 0.001


@dataclass(frozen=True)
class Condition:
    """What a column's value is compared with: a number by > or ≤, a category by = or ≠.

    A missing number counts as low, a missing category is called MISSING.
    """

    column: str
    operator: Literal[">", "≤", "=", "≠"]
    value: float | str

    def __str__(self) -> str:
        value = f"{self.value:,.6g}" if isinstance(self.value, float) else self.value
        return f"{self.column} {self.operator} {value}"

    def mask(self, X: pd.DataFrame) -> np.ndarray:
        """Return which rows meet the condition, shape (rows,)."""
        values = X[self.column]
        if self.operator in ("=", "≠"):
            return (_as_label(values) == self.value).to_numpy() == (self.operator == "=")
        return (values > self.value).to_numpy() == (self.operator == ">")


@dataclass(frozen=True)
class Slice:
    """The rows that meet all conditions, and who looked for them: params.yaml or the search."""

    origin: Literal["params.yaml", "search"]
    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        return " and ".join(str(condition) for condition in self.conditions)

    def mask(self, X: pd.DataFrame) -> np.ndarray:
        """Return which rows meet all conditions, shape (rows,)."""
        kept = np.ones(len(X), dtype=bool)
        for condition in self.conditions:
            kept &= condition.mask(X)
        return kept


@dataclass(frozen=True)
class SliceScore:
    """How a model does on a slice, and whether it is worse than overall by more than chance."""

    rows: int
    score: Score
    worse: bool

    def as_json(self) -> dict[str, Any]:
        """Return what the comparison holds of it."""
        return {"rows": self.rows, **self.score.as_json(), "worse": self.worse}


def find(X: pd.DataFrame, error: np.ndarray, settings: Slices) -> list[Slice]:
    """Return the slices that params.yaml names, and the worst that a tree finds.

    `error` is each row's, shape (rows,).
    """
    named = []
    for column in settings.columns:
        named += of_column(X[column], settings.min_rows)
    return named + worst_leaves(X, error, settings)


def of_column(values: pd.Series, min_rows: int) -> list[Slice]:
    """Return one slice per frequent category, or per quarter of a column of numbers."""
    if not pd.api.types.is_numeric_dtype(values):
        return _of_categories(values, min_rows)
    edges = sorted({_readable(edge) for edge in values.quantile([0.25, 0.5, 0.75]).dropna()})
    quarters = []
    for low, high in zip([None, *edges], [*edges, None]):
        conditions = []
        if low is not None:
            conditions.append(Condition(values.name, ">", low))
        if high is not None:
            conditions.append(Condition(values.name, "≤", high))
        quarters.append(Slice("params.yaml", tuple(conditions)))
    table = values.to_frame()
    return [one for one in quarters if one.conditions and one.mask(table).sum() >= min_rows]


def _of_categories(values: pd.Series, min_rows: int) -> list[Slice]:
    counts = _as_label(values).value_counts()
    frequent = sorted(counts[counts >= min_rows].index[:MOST_VALUES])
    return [Slice("params.yaml", (Condition(values.name, "=", label),)) for label in frequent]


def errors(y: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Return each row's error, shape (rows,): the distance of a number, the log loss of a class."""
    if output.ndim == 1:
        return np.abs(y - output)
    return -np.log(np.clip(output[np.arange(len(y)), y], LEAST_PROBABILITY, 1))


def score(
    part: Slice,
    X: pd.DataFrame,
    rows: Rows,
    metric: str,
    overall: float | None,
    seed: int,
    sampling: Sampling = BY_ROW,
) -> SliceScore:
    """Return the score of a metric on the rows of a slice.

    `overall` is that on all rows, and `sampling` says how these were drawn.
    """
    kept = part.mask(X)
    count = int(kept.sum())
    if count < FEWEST_TEST_ROWS:
        return SliceScore(count, NOT_SCORED, worse=False)
    of_slice = sampling.of_part(kept)
    measured = bootstrap.resampled(metric, rows[kept], seed, RESAMPLES, of_slice)
    worse = bootstrap.clearly_worse(metric, overall, measured.interval)
    return SliceScore(count, measured.score, worse)


@dataclass(frozen=True)
class _Indicator:
    """What the tree may split by: a column of numbers, or whether a column holds a label."""

    column: str
    label: str | None
    values: np.ndarray

    def condition(self, threshold: float, above: bool) -> Condition:
        """Return what a split at a threshold asks of the rows on one side of it."""
        if self.label is None:
            return Condition(self.column, ">" if above else "≤", _readable(threshold))
        return Condition(self.column, "=" if above else "≠", self.label)


@dataclass(frozen=True)
class _Leaf:
    error: float
    conditions: tuple[Condition, ...]


def worst_leaves(X: pd.DataFrame, error: np.ndarray, settings: Slices) -> list[Slice]:
    """Return the leaves of a shallow tree whose mean error is above the table's, worst first."""
    if not settings.depth or len(X) < 2 * settings.min_rows:
        return []
    indicators = _indicators(X)
    if not indicators:
        return []
    leaves = _leaves(_grown(indicators, error, settings), indicators)
    worse = [leaf for leaf in leaves if leaf.error > error.mean() and leaf.conditions]
    worst = sorted(worse, key=_worst_first)[:WORST]
    return [Slice("search", _without_implied(leaf.conditions)) for leaf in worst]


def _worst_first(leaf: _Leaf) -> tuple[float, str]:
    """Return what leaves are sorted by: their error, then how their conditions are written."""
    written = str([list(astuple(condition)) for condition in leaf.conditions])
    return -leaf.error, written


def _grown(indicators: Sequence[_Indicator], error: np.ndarray, settings: Slices) -> Any:
    """Return scikit-learn's tree, grown on the errors."""
    from sklearn.tree import DecisionTreeRegressor

    tree = DecisionTreeRegressor(
        max_depth=settings.depth,
        min_samples_leaf=max(settings.min_rows, len(error) // 50),
        min_impurity_decrease=LEAST_GAIN * error.var(),
        random_state=0,
    )
    table = np.column_stack([indicator.values for indicator in indicators])
    return tree.fit(table, error).tree_


def _leaves(nodes: Any, indicators: Sequence[_Indicator]) -> list[_Leaf]:
    leaves = []
    waiting: list[tuple[int, tuple[Condition, ...]]] = [(0, ())]
    while waiting:
        node, conditions = waiting.pop()
        left, right = nodes.children_left[node], nodes.children_right[node]
        # a leaf has no children: -1
        if left < 0:
            leaves.append(_Leaf(float(nodes.value[node].ravel()[0]), conditions))
            continue
        indicator, threshold = indicators[nodes.feature[node]], nodes.threshold[node]
        waiting.append((left, (*conditions, indicator.condition(threshold, above=False))))
        waiting.append((right, (*conditions, indicator.condition(threshold, above=True))))
    return leaves


def _indicators(X: pd.DataFrame) -> list[_Indicator]:
    """Return the table's numbers, missing ones below all others, and its frequent categories.

    Dates are split by year; texts are not.
    """
    indicators = []
    for name in X.columns:
        if pd.api.types.is_numeric_dtype(X[name]):
            values = X[name].to_numpy(dtype=float)
            if np.isfinite(values).any():
                filled = np.where(np.isnan(values), np.nanmin(values) - 1, values)
                indicators.append(_Indicator(name, None, filled))
            continue
        if _is_text(X[name]):
            continue
        labels = _as_label(X[name])
        for label in sorted(labels.value_counts().index[:MOST_VALUES]):
            holds = (labels == label).to_numpy(dtype=float)
            indicators.append(_Indicator(name, label, holds))
    return indicators


def _without_implied(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """Return the conditions without those that another one of the same column implies."""
    conditions = tuple(dict.fromkeys(conditions))
    return tuple(one for one in conditions if not _is_implied(one, conditions))


def _is_implied(one: Condition, conditions: Iterable[Condition]) -> bool:
    others = [other for other in conditions if other.column == one.column]
    alike: list[Any] = [other.value for other in others if other.operator == one.operator]
    if one.operator == "≤":
        return one.value != min(alike)
    if one.operator == ">":
        return one.value != max(alike)
    if one.operator == "≠":
        return any(other.operator == "=" for other in others)
    return False


def _as_label(values: pd.Series) -> pd.Series:
    """Return categories as they are called, of dates the year."""
    if pd.api.types.is_datetime64_any_dtype(values):
        values = values.dt.year.astype("Int64")
    return values.astype(object).where(values.notna(), MISSING).astype(str)


def _is_text(values: pd.Series) -> bool:
    """Say whether values are texts, of which none comes back; see data/kinds.py."""
    return isinstance(values.dtype, pd.StringDtype) and values.dtype.na_value is pd.NA


def _readable(number: float) -> float:
    return rounding.to_digits(number, digits=4)
