"""Whether the rows of two tables can be told apart by all of their columns taken together.

A classifier learns on some rows from which table each comes and orders the others by it: where both
tables were drawn alike, rows of either are equally often near the top (Lopez-Paz and Oquab,
Revisiting Classifier Two-Sample Tests, ICLR 2017). How often chance alone orders them as well is
seen by giving the rows to the tables at random and learning anew. The classifier sees each column,
and what of each number the other columns do not explain, so that it finds a few odd rows and a
changed relation, which no column shows by itself.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import CATEGORY, NUMBER
from pipeline.drift.domain_classifier import Features, Order, cross_fitted, features_of
from pipeline.drift.roles import Sides
from pipeline.drift.two_sample import TestResult
from pipeline.drift.verdicts import DRIFT, NO_DRIFT, TOGETHER_SHARE, JudgedTest
from pipeline.project.settings.drift import Drift

CLASSIFIER, SEPARATED = "domain classifier", "share of rows"
# of either table, and of its columns: bounds the time
MOST_ROWS, MOST_COLUMNS = 5000, 100
# the shares of all rows, from the top of the order, in which the rows of either table are counted
TOPS = (0.005, 0.02, 0.05, 0.15)
# orders by chance, the given one among them, that may differ as much without an alarm being lost
AS_MUCH = 3
# orders by chance at most, whatever alpha is
MOST_PERMUTATIONS = 3000
# of the current rows: if the reference lacks fewer, that does not matter
SMALLEST_SHARE = 0.01
# columns and rows that are named
NAMED_COLUMNS, NAMED_ROWS = 3, 10


@dataclass(frozen=True)
class Separation:
    """Whether the rows of two tables can be told apart, and by what.

    The statistic of `test` is the classifier's AUC on rows that it did not learn from. Its effect
    size is the share of the current rows near the top of the classifier's order, less that of the
    reference rows. `columns` put those rows there, the first the most; `rows` are the first of them
    by their number in the current table, from 1 on, and `found` counts them in the sample.
    """

    test: JudgedTest
    columns: list[str]
    rows: list[int]
    found: int
    compared_rows: Sides[int]
    compared_columns: int

    @property
    def has_drifted(self) -> bool:
        """Whether the verdict is drift."""
        return self.test.verdict == DRIFT

    def as_json(self) -> dict[str, Any]:
        """Return it as drift.json holds it."""
        result = self.test.result
        return {
            "verdict": self.test.verdict,
            "auc": result.statistic,
            "p_value": result.p_value,
            "p_adjusted": self.test.p_adjusted,
            "share": result.effect_size,
            "threshold": self.test.threshold,
            "columns": self.columns,
            "rows": self.rows,
            "found": self.found,
            "compared_rows": self.compared_rows.as_json(),
            "compared_columns": self.compared_columns,
        }


def separate(
    samples: Sides[pd.DataFrame], drawn: Sides[np.ndarray], limits: Drift, seed: int
) -> Separation | None:
    """Return whether the rows of two samples can be told apart; None where no column can tell.

    Both hold typed columns; `drawn` are the places of the rows in their tables. Dates are left out.
    """
    kept = samples.map(lambda frame: _spread(len(frame), MOST_ROWS))
    names = _comparable(samples, seed)
    if not names or min(len(kept.reference), len(kept.current)) < limits.min_rows:
        return None
    reference = samples.reference[names].iloc[kept.reference]
    current = samples.current[names].iloc[kept.current]
    features = features_of(pd.concat([reference, current], ignore_index=True))
    is_current = np.arange(len(features.bins)) >= len(reference)
    rng = np.random.default_rng(seed)
    order = cross_fitted(features, is_current, rng)
    best = _best_top(order.rank, is_current)
    in_top = order.rank > 1 - best.share
    separated = np.flatnonzero(in_top & is_current)
    share = float(in_top[is_current].mean() - in_top[~is_current].mean())
    p_value = _permuted_p_value(features, is_current, best.p_value, limits, rng)
    result = TestResult(CLASSIFIER, _auc(order.rank, is_current), p_value, SEPARATED, share)
    test = JudgedTest(result, SMALLEST_SHARE, NO_DRIFT)
    test = test.corrected(min(p_value / TOGETHER_SHARE, 1.0), limits.alpha)
    rows = Sides(len(reference), len(current))
    found = Separation(test, [], [], len(separated), rows, len(names))
    if not found.has_drifted:
        return found
    first = separated[np.argsort(-order.rank[separated], kind="stable")][:NAMED_ROWS]
    return replace(
        found,
        columns=_columns_that_separate(features, order, separated),
        rows=(drawn.current[kept.current[first - len(reference)]] + 1).tolist(),
    )


def _spread(rows: int, most: int) -> np.ndarray:
    """Return places spread over so many rows, at most so many."""
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).round().astype(int))


def _comparable(samples: Sides[pd.DataFrame], seed: int) -> list[str]:
    """Return the columns that the classifier sees, drawn where there are many."""
    names = []
    for name in samples.reference:
        before, now = samples.reference[name], samples.current[name]
        kind = kinds.kind_of(before)
        is_there = before.notna().any() and now.notna().any()
        if is_there and kind in (NUMBER, CATEGORY) and kind == kinds.kind_of(now):
            names.append(name)
    if len(names) <= MOST_COLUMNS:
        return names
    places = np.random.default_rng(seed).permutation(len(names))[:MOST_COLUMNS]
    return [names[place] for place in np.sort(places)]


# the test


@dataclass(frozen=True)
class _Top:
    """The share of all rows from the top in which the tables differ most, and how surely.

    The p-value takes the order for one that was given, not learned from the rows themselves.
    """

    share: float
    p_value: float


def _best_top(rank: np.ndarray, is_current: np.ndarray) -> _Top:
    """Return where the tables differ most, by the counts in each top and by the rank sum."""
    from scipy.stats import hypergeom

    n_rows, n_current = len(rank), int(is_current.sum())
    in_top = [rank > 1 - share for share in TOPS]
    hits = [int((chosen & is_current).sum()) for chosen in in_top]
    sizes = [int(chosen.sum()) for chosen in in_top]
    p_values = hypergeom.sf(np.array(hits) - 1, n_rows, n_current, sizes)
    of_all_rows = _rank_sum_p_value(rank, is_current)
    best = TOPS[int(np.argmin(p_values))]
    return _Top(best, min(float(p_values.min()), of_all_rows))


def _permuted_p_value(
    features: Features,
    is_current: np.ndarray,
    observed: float,
    limits: Drift,
    rng: np.random.Generator,
) -> float:
    """Return the p-value by permutations: how often rows given at random differ as much.

    It ends where it can no longer be small enough to matter (Besag and Clifford 1991).
    """
    orders = min(math.ceil(AS_MUCH / (limits.alpha * TOGETHER_SHARE)), MOST_PERMUTATIONS)
    # the given order is one of those that chance may give
    as_much = 1
    for done in range(2, orders + 1):
        given = rng.permutation(is_current)
        if _best_top(cross_fitted(features, given, rng).rank, given).p_value <= observed:
            as_much += 1
        if as_much >= AS_MUCH:
            return as_much / done
    return as_much / orders


def _auc(rank: np.ndarray, is_current: np.ndarray) -> float:
    """Return the share of pairs of rows in which the current one is further up."""
    n_current = int(is_current.sum())
    n_reference = len(rank) - n_current
    places = rank.argsort().argsort()[is_current]
    below = places.sum() - n_current * (n_current - 1) / 2
    return float(below / (n_current * n_reference))


def _rank_sum_p_value(rank: np.ndarray, is_current: np.ndarray) -> float:
    """Return the p-value that the current rows are no further up (Mann and Whitney 1947)."""
    from scipy.stats import norm

    n_current = int(is_current.sum())
    n_reference = len(rank) - n_current
    deviation = np.sqrt((len(rank) + 1) / (12 * n_current * n_reference))
    return float(norm.sf((_auc(rank, is_current) - 0.5) / deviation))


# what separates


def _columns_that_separate(features: Features, order: Order, rows: np.ndarray) -> list[str]:
    """Return the columns that add the most to the scores of some rows, the first the most."""
    added: dict[str, float] = dict.fromkeys(features.owners, 0.0)
    for number, score in enumerate(order.scores):
        here = rows[order.fold[rows] == number]
        parts = score[features.bins[here]].sum(axis=0)
        for name, part in zip(features.owners, parts):
            added[name] += float(part)
    most = max(added.values())
    telling = [name for name in added if added[name] >= most / 4]
    return sorted(telling, key=lambda name: (-added[name], name))[:NAMED_COLUMNS]
