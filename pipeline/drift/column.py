"""Drift between two tables: tests, effect sizes, verdicts, data quality, and what to do.

A column has drifted where a test rejects that both tables were drawn alike, after Benjamini and Hochberg's correction over all
columns, and an effect size says that the difference matters: with enough rows the first alone calls every trifle, with few the
second alone calls noise. Columns are typed, tables whatever gives them by name; see columns.Table.
"""

import numpy as np
import pandas as pd

from pipeline.data import kinds, quality
from pipeline.data.kinds import NUMBER
from pipeline.drift import two_sample, verdicts
from pipeline.project.params import Drift


def held_differently(one: pd.Series, other: pd.Series) -> list[dict]:
    """Return the change of what a column holds, in a list, or an empty one."""
    empty = bool(one.isna().all()), bool(other.isna().all())
    if any(empty):
        return (
            []
            if all(empty)
            else [
                {
                    "column": one.name,
                    "change": "empty",
                    "detail": f"no value in the {'reference' if empty[0] else 'current data'}",
                }
            ]
        )
    if kinds.kind_of(one) != kinds.kind_of(other):
        return [
            {
                "column": one.name,
                "change": "type",
                "detail": f"{kinds.kind_of(one)} in the reference, {kinds.kind_of(other)} in the current data",
            }
        ]
    return []


# one column


def examine_column(one: pd.Series, other: pd.Series, limits: Drift, sparse: bool = False) -> dict:
    """Return what two typed columns tell: the `result` of the tests before correction, `changes` of the schema, and what data
    quality asks of either: constant, unreadable and, of numbers, outliers.

    Numbers are sorted once, which serves the test, the distance and the quartiles. The verdict is final where there is no
    correction to wait for.
    """
    sort, few = kinds.kind_of(one), min(len(one), len(other)) < limits.min_rows
    verdict = verdicts.NOT_ENOUGH_DATA if few else verdicts.NO_DRIFT
    missing = two_sample.no_test(one, other) if sparse else two_sample.compare_missing(one, other)
    result = {
        "kind": sort,
        "test": None,
        "statistic": None,
        "p_value": None,
        "p_adjusted": None,
        "effect": None,
        "effect_size": 0.0,
        "threshold": limits.numbers if sort == NUMBER else limits.categories,
        "missing": {**missing, "p_adjusted": None, "threshold": limits.missing, "verdict": verdict},
    }
    found = {
        "result": result,
        "changes": held_differently(one, other),
        "constant": [constant(one), constant(other)],
        "unreadable": [values.attrs.get("unreadable", 0) for values in (one, other)],
        "outliers": [0, 0],
    }
    present = one.dropna(), other.dropna()
    rows = min(map(len, present))
    if sort == kinds.kind_of(other) == NUMBER:
        present = tuple(np.sort(values.to_numpy()) for values in present)
        found["outliers"] = count_outliers(*present)
    if (
        rows == 0 or kinds.kind_of(other) != sort or sort == "date"
    ):  # empty, another type, or dates, which move by themselves
        result["verdict"] = verdicts.NOT_COMPARED
    else:
        test = (
            two_sample.compare_numbers(*present)
            if sort == NUMBER
            else two_sample.compare_categories(*present)
        )
        result.update(
            test, verdict=verdicts.NOT_ENOUGH_DATA if rows < limits.min_rows else verdicts.NO_DRIFT
        )
    return found


def constant(values: pd.Series) -> bool:
    return values.head(100).nunique(dropna=False) <= 1 and values.nunique(dropna=False) <= 1


def count_outliers(one: np.ndarray, other: np.ndarray) -> list[int]:
    """Return how many of two sorted arrays lie outside Tukey's fences of the first, so that the shares can be compared."""
    if not len(one):
        return [0, 0]
    low, high = (_quantile(one, share) for share in (0.25, 0.75))
    fence = quality.IQR_FENCE * (high - low)
    return [
        int(
            np.searchsorted(values, low - fence, "left")
            + len(values)
            - np.searchsorted(values, high + fence, "right")
        )
        for values in (one, other)
    ]


def _quantile(ordered: np.ndarray, share: float) -> float:
    """Return a quantile of a sorted array, between two values the straight line."""
    place = share * (len(ordered) - 1)
    below, above = ordered[int(place)], ordered[min(int(place) + 1, len(ordered) - 1)]
    return float(below + (above - below) * (place - int(place)))


def row_hashes(values: pd.Series, place: int) -> np.ndarray:
    """Return a number for each value of a column; the sums over the columns of a row tell which rows are alike."""
    content = (
        values.to_numpy() + 0.0 if kinds.kind_of(values) == NUMBER else pd.factorize(values)[0]
    )  # 0.0: -0 is 0
    return pd.util.hash_array(content) * np.uint64(2 * place + 1)


def thinned(values: pd.Series) -> np.ndarray:
    """Return every so many-th value; copied, as a view would keep the whole column in memory."""
    return values.to_numpy()[:: max(1, len(values) // two_sample.CORRELATED_ROWS)].copy()
