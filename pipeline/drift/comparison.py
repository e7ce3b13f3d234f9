"""Drift between two tables: tests, effect sizes, verdicts, data quality, and what to do.

A column has drifted where a test rejects that both tables were drawn alike, after Benjamini and Hochberg's correction over all
columns, and an effect size says that the difference matters: with enough rows the first alone calls every trifle, with few the
second alone calls noise. Columns are typed, tables whatever gives them by name; see columns.Table.
"""

import threading

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import NUMBER
from pipeline.drift import column as drift_column
from pipeline.drift import data_quality, two_sample, verdicts
from pipeline.drift.column import examine_column, held_differently, row_hashes
from pipeline.drift.roles import CURRENT, REFERENCE, Roles
from pipeline.drift.tables import shared_columns
from pipeline.project import rounding, workers
from pipeline.project.params import Drift

# two tables


def compare_tables(
    reference,
    current,
    roles: Roles,
    limits: Drift,
    seed: int = 0,
    n_workers: int = 1,
    measured: dict | None = None,
    ignored: set[str] = frozenset(),
    sparse: set[str] = frozenset(),
    progress: workers.Progress = workers.no_progress,
) -> tuple[dict, tuple[pd.DataFrame, pd.DataFrame]]:
    """Return every result of comparing two tables, and a seeded sample of either, of at most `report_rows` rows.

    One pass over the columns, `n_workers` at a time, so that no more than these are in memory where tables are read by columns.
    `roles` names the columns `target`, `prediction` and `label` (the predicted class), the `task` and the `positive` class, each
    or None. Drift in an `ignored` column is told and is no alarm; of a `sparse` one, what is missing tells nothing.
    """
    answers = {roles.target, roles.prediction, roles.label}
    hidden = {roles.label} - {roles.prediction}  # says the same as the probabilities
    sides, names = (reference, current), shared_columns(reference, current)
    drawn = [
        np.sort(np.random.default_rng(seed).permutation(len(side))[: limits.report_rows])
        for side in sides
    ]
    hashes, lock = [np.zeros(len(side), dtype=np.uint64) for side in sides], threading.Lock()

    def examine(_, place, name):
        one, other = reference[name], current[name]
        found = examine_column(one, other, limits, name in sparse)
        if name not in answers:
            added = [row_hashes(values, place) for values in (one, other)]
            with lock:
                for side, values in zip(hashes, added):
                    side += values
            if found["result"]["kind"] == NUMBER:
                found["thinned"] = [drift_column.thinned(values) for values in (one, other)]
        found["drawn"] = [values.iloc[rows] for values, rows in zip((one, other), drawn)]
        return found

    with progress(len(names), "drift", "column") as step, workers.pool(n_workers) as run:
        looks = dict(
            zip(names, run(examine, None, list(enumerate(names)), lambda place, found: step()))
        )
    samples = tuple(
        pd.DataFrame(
            {name: found["drawn"][side].reset_index(drop=True) for name, found in looks.items()}
        )
        for side in (0, 1)
    )
    thinned = [
        pd.DataFrame(
            {name: found["thinned"][side] for name, found in looks.items() if "thinned" in found}
        )
        for side in (0, 1)
    ]
    both = verdicts.corrected(
        {name: found["result"] for name, found in looks.items() if name not in hidden}, limits
    )
    features = {name: found for name, found in looks.items() if name not in answers}
    columns = {name: both[name] for name in features}
    rows = {REFERENCE: len(reference), CURRENT: len(current)}
    changes = _named_differently(
        *([name for name in side if name not in answers] for side in sides)
    )
    if min(rows.values()) >= limits.min_rows:
        changes += [change for name in features for change in looks[name]["changes"]]

    results = {"rows": rows, **verdicts.summary(columns, changes, rows, limits, ignored)}
    for part in ("target", "prediction"):
        results[part] = (
            {"column": getattr(roles, part), **both[getattr(roles, part)]}
            if getattr(roles, part) in both
            else None
        )
        if results[part] and results[part]["verdict"] == verdicts.DRIFT:
            results["verdict"] = verdicts.DRIFT
    if results["target"]:
        results["target"]["mean"] = {
            side: mean(table[roles.target], roles.positive)
            for side, table in ((REFERENCE, reference), (CURRENT, current))
        }
    results |= {
        "schema_drift": changes,
        "performance": measured,
        "columns": columns,
        "correlations": two_sample.correlation_changes(*thinned, limits)
        if min(rows.values()) >= limits.min_rows
        else [],
        "quality": data_quality.compare_quality(features, columns, hashes, changes, limits),
        "thresholds": limits.model_dump(),
    }
    results["recommendation"] = verdicts.recommendation(results, limits)
    return rounding.rounded(
        {
            "verdict": results.pop("verdict"),
            "recommendation": results.pop("recommendation"),
            **results,
        }
    ), samples


def compare_columns(reference, current, limits: Drift) -> dict[str, dict]:
    """Return {column: test, effect size, missing shares, verdict} of the columns that both tables have.

    `drift_score` is the effect size, of the values or the missing share, in units of its threshold.
    """
    looks = {
        name: examine_column(reference[name], current[name], limits)
        for name in shared_columns(reference, current)
    }
    return verdicts.corrected({name: found["result"] for name, found in looks.items()}, limits)


def schema_drift(reference, current, min_rows: int = 0) -> list[dict]:
    """Return the columns that are missing, new, empty on one side or of another type, each with what was found.

    What a column holds is judged only where both tables have the rows for it.
    """
    found = _named_differently(reference, current)
    if min(len(reference), len(current)) >= min_rows:
        found += [
            change
            for name in shared_columns(reference, current)
            for change in held_differently(reference[name], current[name])
        ]
    return found


def _named_differently(reference, current) -> list[dict]:
    missing = {"change": "missing", "detail": "not in the current data"}
    new = {"change": "new", "detail": "not in the reference"}
    return [{"column": name, **missing} for name in reference if name not in current] + [
        {"column": name, **new} for name in current if name not in reference
    ]


def mean(target: pd.Series, positive: str | None) -> float | None:
    """Return the mean of a numeric target, or the share of its positive class; None where there is neither."""
    present = target.dropna()
    if not len(present):
        return None
    if kinds.kind_of(present) == NUMBER:
        return float(present.mean())
    return float((present == positive).mean()) if positive else None
