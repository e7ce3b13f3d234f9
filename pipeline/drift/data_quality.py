"""Drift between two tables: tests, effect sizes, verdicts, data quality, and what to do.

A column has drifted where a test rejects that both tables were drawn alike, after Benjamini and Hochberg's correction over all
columns, and an effect size says that the difference matters: with enough rows the first alone calls every trifle, with few the
second alone calls noise. Columns are typed, tables whatever gives them by name; see columns.Table.
"""

import numpy as np

from pipeline.drift import two_sample, verdicts
from pipeline.drift.roles import CURRENT, REFERENCE
from pipeline.project.params import Drift

RISE = 0.05  # of the share of duplicates or outliers, from which on data quality is called changed


# data quality


def compare_quality(
    looks: dict[str, dict],
    columns: dict[str, dict],
    hashes: list[np.ndarray],
    changes: list[dict],
    limits: Drift,
) -> dict:
    """Return missing values, duplicates, outliers and constant columns of both tables, and a verdict with its reasons.

    `looks` are what each column told, `columns` the verdicts, and `hashes` a number for each row of either table.
    """
    rows = [len(side) for side in hashes]
    sides = {
        name: _side(looks, columns, side, rows[side], hashes[side])
        for side, name in enumerate((REFERENCE, CURRENT))
    }
    one, other = sides[REFERENCE], sides[CURRENT]
    reasons = [f"{change['column']}: {change['change']}, {change['detail']}" for change in changes]
    reasons += [
        f"{name}: missing {column['missing'][REFERENCE]:.1%} -> {column['missing'][CURRENT]:.1%}"
        for name, column in columns.items()
        if column["missing"]["verdict"] == verdicts.DRIFT
    ]
    reasons += [
        f"{name}: {count} values cannot be read" for name, count in other["unreadable"].items()
    ]
    reasons += [
        f"{name}: constant"
        for name in other["constant"]
        if columns[name]["verdict"] == verdicts.DRIFT
    ]
    reasons += [
        f"{name}: outliers {one['outliers'].get(name, 0) / rows[0]:.1%} -> {count / rows[1]:.1%}"
        for name, count in other["outliers"].items()
        if _more_often(one["outliers"].get(name, 0), count, *rows, limits)
    ]
    duplicated = [
        _duplicates(side[: min(rows)]) / min(rows) for side in hashes
    ]  # the more rows, the more are alike by chance
    if len(looks) > 1 and duplicated[1] - duplicated[0] >= RISE:
        reasons.append(f"duplicate rows {duplicated[0]:.1%} -> {duplicated[1]:.1%}")
    return {"verdict": verdicts.CHECK if reasons else verdicts.GOOD, "reasons": reasons, **sides}


def _side(
    looks: dict[str, dict], columns: dict[str, dict], side: int, rows: int, hashes: np.ndarray
) -> dict:
    missing = [column["missing"][(REFERENCE, CURRENT)[side]] for column in columns.values()]
    return {
        "rows": rows,
        "missing_share": float(np.mean(missing)) if missing else 0.0,
        "duplicates": _duplicates(hashes) if looks else 0,
        **{
            part: {name: found[part][side] for name, found in looks.items() if found[part][side]}
            for part in ("outliers", "unreadable")
        },
        "constant": [name for name, found in looks.items() if found["constant"][side]],
    }


def _duplicates(hashes: np.ndarray) -> int:
    return int((np.diff(np.sort(hashes)) == 0).sum())


def _more_often(one: int, other: int, rows: int, other_rows: int, limits: Drift) -> bool:
    """Tell whether a count is a larger share of the other table's rows, by RISE or more and by more than chance."""
    table = np.array([[one, rows - one], [other, other_rows - other]])
    return (
        min(rows, other_rows) >= limits.min_rows
        and other / other_rows - one / rows >= RISE
        and two_sample.contingency_test(table)["p_value"] < limits.alpha
    )
