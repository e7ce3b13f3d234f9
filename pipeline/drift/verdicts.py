"""Drift between two tables: tests, effect sizes, verdicts, data quality, and what to do.

A column has drifted where a test rejects that both tables were drawn alike, after Benjamini and Hochberg's correction over all
columns, and an effect size says that the difference matters: with enough rows the first alone calls every trifle, with few the
second alone calls noise. Columns are typed, tables whatever gives them by name; see columns.Table.
"""

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.drift import two_sample
from pipeline.project import errors, paths
from pipeline.project.errors import DataError
from pipeline.project.params import Drift
from pipeline.scoring import metrics
from pipeline.scoring.rows import Rows

# the verdict on a column, a window or a table
DRIFT, NO_DRIFT = "drift", "no drift"
NOT_ENOUGH_DATA, NOT_COMPARED = "not enough data", "not compared"
# the verdict on the quality of the data
GOOD, CHECK = "good", "check"
# with which detect_drift.py ends, unless --fail-on says otherwise
EXIT_STATUS = {DRIFT: 3, NOT_ENOUGH_DATA: 4}

IGNORED = 0.01  # of the greatest importance: a column below it does not matter to the model
LISTED_IMPORTANCES = 20  # a model's figures list so many columns at most


# verdicts


def corrected(results: dict[str, dict], limits: Drift) -> dict[str, dict]:
    """Return the results of the columns' tests with p-values adjusted over all of them, and the verdicts."""
    tests = [
        test
        for result in results.values()
        for test in (result, result["missing"])
        if test["p_value"] is not None and test["verdict"] != NOT_ENOUGH_DATA
    ]
    for test, p_value in zip(tests, two_sample.adjusted([test["p_value"] for test in tests])):
        test["p_adjusted"] = float(p_value)
        found = p_value < limits.alpha and test["effect_size"] >= test["threshold"]
        test["verdict"] = DRIFT if found else NO_DRIFT
    for result in results.values():
        parts = {"values": result, "missing": result["missing"]}
        result["drift_in"] = [name for name, test in parts.items() if test["verdict"] == DRIFT]
        result["drift_score"] = max(
            test["effect_size"] / (test["threshold"] or 1) for test in parts.values()
        )
        if result["drift_in"]:
            result["verdict"] = DRIFT
    return results


def summary(
    columns: dict[str, dict],
    changes: list[dict],
    rows: dict[str, int],
    limits: Drift,
    ignored: set[str] = frozenset(),
) -> dict:
    """Return the table's verdict, the share of drifted columns and the mean drift score, 1 being a column on its threshold.

    A column that is missing, empty or of another type is drift whatever the rest says; a new one, which no model reads, is not,
    nor is one that drifted and is `ignored`.
    """
    compared = {
        name: column for name, column in columns.items() if column["verdict"] in (DRIFT, NO_DRIFT)
    }
    drifted = [
        name
        for name, column in compared.items()
        if column["verdict"] == DRIFT and name not in ignored
    ]
    noted = [
        name for name, column in compared.items() if column["verdict"] == DRIFT and name in ignored
    ]
    broken = [change["column"] for change in changes if change["change"] != "new"]
    if broken or len(drifted) >= limits.min_columns:
        verdict = DRIFT
    else:
        verdict = (
            NO_DRIFT if compared and min(rows.values()) >= limits.min_rows else NOT_ENOUGH_DATA
        )
    return {
        "verdict": verdict,
        "drift_share": len(drifted) / len(compared) if compared else None,
        "drift_score": float(np.mean([column["drift_score"] for column in compared.values()]))
        if compared
        else None,
        "compared": len(compared),
        **{
            key: sorted(names, key=lambda name: (-columns[name]["drift_score"], name))
            for key, names in (("drifted", drifted), ("drifted_ignored", noted))
        },
    }


# what it means


def ignored_columns(
    importance: dict[str, float] | None, columns, limits: Drift, dataset: str
) -> set[str]:
    """Return the columns that the model ignores, where drift is weighted by importance: shuffling one of them costs the model
    less than a hundredth of what the most important one costs, or it does not see it.

    `importance` lists the most important columns. One that it does not list is ignored only where that is sure.
    """
    if limits.weighting == "none":
        return set()
    if importance is None:
        raise DataError(
            f"{paths.metrics(dataset, 'train')}: no importances, which drift.weighting needs; run `python train.py "
            f"--dataset {dataset}`"
        )
    importance = {
        column: loss or 0.0 for column, loss in importance.items()
    }  # None: not defined on so few rows
    bar = IGNORED * max(importance.values(), default=0)
    all_listed = len(importance) < LISTED_IMPORTANCES or min(importance.values()) < bar
    return {column for column in columns if importance.get(column, 0 if all_listed else bar) < bar}


def performance(task: str, target: pd.Series, prediction: pd.Series) -> dict[str, float]:
    """Return the metrics of predicted labels or numbers where both are there; nothing where no row has both."""
    there = target.notna() & prediction.notna()
    if not there.any():
        return {}
    target, prediction = target[there], prediction[there]
    if task == "regression":
        return metrics.score(Rows(target.to_numpy(), prediction.to_numpy()))
    from sklearn.metrics import accuracy_score, f1_score

    target, prediction = kinds.as_text(target), kinds.as_text(prediction)
    return {
        "accuracy": float(accuracy_score(target, prediction)),
        "f1_macro": float(f1_score(target, prediction, average="macro", zero_division=0)),
    }


def recommendation(results: dict, limits: Drift) -> str:
    """Return in words what to do about the results."""
    broken = [change["column"] for change in results["schema_drift"] if change["change"] != "new"]
    target = [
        results[part]["column"]
        for part in ("target", "prediction")
        if (results.get(part) or {}).get("verdict") == DRIFT
    ]
    if results["compared"] == 0 and broken:
        return f"no column can be compared: these are tables of different things, or mend {errors.listed(broken)}"
    if broken:
        return f"mend the columns first: {errors.listed(broken)}"
    if results["verdict"] == NOT_ENOUGH_DATA:
        return (
            f"collect more rows before judging: {min(results['rows'].values())} of the {limits.min_rows} that a verdict needs"
            if min(results["rows"].values()) < limits.min_rows
            else "no column has values enough to be judged"
        )
    if (results.get("performance") or {}).get("worse"):
        return "retrain: the model does worse on the current rows" + (
            f"; look at {errors.listed(results['drifted'])}" if results["drifted"] else ""
        )
    if results["verdict"] == DRIFT and target:
        return f"retrain: {errors.listed(target)} moved" + (
            f", and so did {errors.listed(results['drifted'])}" if results["drifted"] else ""
        )
    if results["verdict"] == DRIFT:
        return f"look at {errors.listed(results['drifted'])}; retrain if the change is to stay"
    if results["drifted_ignored"]:
        return f"nothing to do: the model ignores {errors.listed(results['drifted_ignored'])}, which moved"
    return (
        "nothing to do"
        if results["quality"]["verdict"] == GOOD
        else f"look at the data: {results['quality']['reasons'][0]}"
    )
