"""Drift between two tables: tests, effect sizes, verdicts, data quality, and what to do.

A column has drifted where a test rejects that both tables were drawn alike, after Benjamini and Hochberg's correction over all
columns, and an effect size says that the difference matters: with enough rows the first alone calls every trifle, with few the
second alone calls noise. Columns are typed, tables whatever gives them by name; see columns.Table.
"""

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import NUMBER
from pipeline.drift import tables
from pipeline.drift.roles import CURRENT, REFERENCE
from pipeline.project.params import Drift

SMALL = 5  # an expected count below it makes the chi-squared distribution a poor approximation (Cochran 1954)
CORRELATED_ROWS = (
    20_000  # or a few more, of each table: enough to see any change of a correlation that matters
)
LISTED = 10  # correlation changes that are listed, the largest first


# tests and effect sizes


def compare_numbers(reference: np.ndarray, current: np.ndarray) -> dict:
    """Return the two-sample Kolmogorov-Smirnov test and the Wasserstein distance in standard deviations of the reference.

    Both arrays are sorted: both figures read the distance of the two empirical distributions, which one merge of the two gives.
    The p-value is that of the asymptotic distribution, which is conservative where values repeat. A constant reference is
    measured in the standard deviation of both tables.
    """
    from scipy.stats import kstwo

    both = np.concatenate([reference, current])
    order = both.argsort(kind="stable")  # a merge: both halves are in order
    both = both[order]
    below = np.cumsum(
        order < len(reference), dtype=np.int64
    )  # so many of the reference are not above each value
    gap = np.abs(below / len(reference) - (np.arange(1, len(both) + 1) - below) / len(current))[:-1]
    unit = max(-both[0], both[-1]) or 1.0  # so that the largest numbers do not overflow
    distance = float(gap @ np.diff(both / unit))
    statistic = float(
        gap.max(where=both[1:] != both[:-1], initial=0.0)
    )  # of values that repeat, the last has them all below
    scale = (reference if reference[0] < reference[-1] else both) / unit
    rows = round(len(reference) * len(current) / (len(reference) + len(current)))
    return {
        "test": "Kolmogorov-Smirnov",
        "statistic": statistic,
        "p_value": float(kstwo.sf(statistic, rows)),
        "effect": "normed Wasserstein",
        "effect_size": distance / float(scale.std()) if distance else 0.0,
    }


def compare_categories(reference: pd.Series, current: pd.Series) -> dict:
    """Return a test of equal shares and the Jensen-Shannon distance, base 2 (Lin 1991): 0 = alike, 1 = nothing in common.

    Categories too rare to be compared one by one are taken together, so that a column of 10,000 names is no alarm by itself.
    """
    from scipy.spatial.distance import jensenshannon

    counts = pd.DataFrame(
        {REFERENCE: reference.value_counts(sort=False), CURRENT: current.value_counts(sort=False)}
    )
    counts = counts.fillna(0).sort_index()
    table = _rare_together(counts.to_numpy().T)
    distance = (
        jensenshannon(*(table / table.sum(axis=1, keepdims=True)), base=2)
        if table.shape[1] > 1
        else 0.0
    )
    return {
        **contingency_test(table),
        "effect": "Jensen-Shannon",
        "effect_size": float(np.nan_to_num(distance)),
        "new_categories": int((counts[REFERENCE] == 0).sum()),
    }


def _rare_together(table: np.ndarray) -> np.ndarray:
    """Return a table of counts in which the columns expected less than five times on either side are one."""
    expected = table.sum(axis=0) * table.sum(axis=1).min() / table.sum()
    rare = expected < SMALL
    return (
        np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)]) if rare.sum() > 1 else table
    )


def contingency_test(table: np.ndarray) -> dict:
    """Return the test that two rows of counts have equal shares: chi-squared, or another where counts are small.

    Then it is Fisher's exact test for two columns, the G-test (log-likelihood ratio) for more.
    """
    from scipy.stats import chi2_contingency, fisher_exact

    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return {"test": "none: one category", "statistic": 0.0, "p_value": 1.0}
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    if expected.min() >= SMALL:
        name, found = "chi-squared", chi2_contingency(table, correction=False)
    elif table.shape[1] == 2:
        odds, p_value = fisher_exact(table)
        return {
            "test": "Fisher's exact",
            "statistic": float(odds) if np.isfinite(odds) else None,
            "p_value": float(p_value),
        }
    else:
        name, found = "G-test", chi2_contingency(table, correction=False, lambda_="log-likelihood")
    return {"test": name, "statistic": float(found.statistic), "p_value": float(found.pvalue)}


def compare_missing(reference: pd.Series, current: pd.Series) -> dict:
    """Return the shares of missing values and, where there are any, the test that they are equal."""
    gaps = np.array([reference.isna().sum(), current.isna().sum()])
    if not gaps.any():
        return no_test(reference, current)
    rows = np.array([len(reference), len(current)])
    shares = gaps / np.maximum(rows, 1)
    return {
        REFERENCE: float(shares[0]),
        CURRENT: float(shares[1]),
        **contingency_test(np.column_stack([gaps, rows - gaps])),
        "effect_size": float(abs(shares[0] - shares[1])),
    }


def no_test(reference: pd.Series, current: pd.Series) -> dict:
    shares = [
        float(values.isna().mean()) if len(values) else 0.0 for values in (reference, current)
    ]
    return {
        REFERENCE: shares[0],
        CURRENT: shares[1],
        "test": None,
        "statistic": None,
        "p_value": None,
        "effect_size": 0.0,
    }


def adjusted(p_values: list[float]) -> np.ndarray:
    """Return p-values adjusted for the false discovery rate (Benjamini and Hochberg 1995), in the same order."""
    p_values = np.asarray(p_values, dtype=float)
    order = np.argsort(-p_values, kind="stable")
    ranks = np.arange(len(p_values), 0, -1)
    result = np.empty(len(p_values))
    result[order] = np.minimum.accumulate(np.minimum(p_values[order] * len(p_values) / ranks, 1))
    return result


def correlation_changes(
    reference: pd.DataFrame, current: pd.DataFrame, limits: Drift
) -> list[dict]:
    """Return the pairs of number columns whose rank correlation changed, the largest change first.

    Each is tested by Fisher's z with Bonett and Wright's (2000) variance, corrected over the pairs as the columns are.
    """
    names = [
        name
        for name in tables.shared_columns(reference, current)
        if kinds.kind_of(reference[name]) == kinds.kind_of(current[name]) == NUMBER
        and min(reference[name].nunique(), current[name].nunique()) > 1
    ]
    if len(names) < 2:
        return []
    left, right = np.triu_indices(len(names), k=1)
    z, variance, rho = [], [], []
    for frame in (reference[names], current[names]):
        r = frame.rank().corr().to_numpy()[left, right]
        there = frame.notna().to_numpy(dtype=float)
        n = (there.T @ there)[left, right]
        rho.append(r)
        z.append(np.arctanh(np.clip(r, -0.999999, 0.999999)))
        variance.append((1 + r**2 / 2) / np.maximum(n - 3, 1))
    from scipy.stats import norm

    p_values = 2 * norm.sf(np.abs(z[0] - z[1]) / np.sqrt(variance[0] + variance[1]))
    change = np.abs(rho[0] - rho[1])
    defined = np.flatnonzero(np.isfinite(p_values))
    p_values[defined] = adjusted(p_values[defined])
    found = [
        place
        for place in defined
        if p_values[place] < limits.alpha and change[place] >= limits.correlation
    ]
    return [
        {
            "columns": [names[left[place]], names[right[place]]],
            REFERENCE: float(rho[0][place]),
            CURRENT: float(rho[1][place]),
            "p_adjusted": float(p_values[place]),
        }
        for place in sorted(found, key=lambda place: (-change[place], place))[:LISTED]
    ]
