"""Served rows against the rows that their model was trained on: windows of the inference log, a quick look at the means, and how
well the model does, estimated and, once labels came, measured.

An alarm needs several windows: one bad hour is none.
"""

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import NUMBER
from pipeline.drift import comparison, tables
from pipeline.drift.verdicts import DRIFT, NO_DRIFT, NOT_ENOUGH_DATA, summary
from pipeline.project import errors
from pipeline.project.params import Drift

# windows


def quick_look(statistics: dict, served: pd.DataFrame, limits: Drift) -> dict[str, dict]:
    """Return {feature: z, shift, exceeds} of the served rows' means against the training statistics of the model.

    z is the difference of the means in standard errors of both: the deviation of the training rows times sqrt(1/n + 1/N). Of
    categories it is that of the share of the training rows' commonest one. A twentieth of unchanged features exceeds 2.
    """
    table, found = tables.of_frame(served), {}
    for name, figures in statistics["features"].items():
        if name not in table:
            continue
        values = table[name].dropna()
        if "categories" in figures:
            commonest = next(iter(figures["categories"]), None)
            before, values = (
                figures["categories"].get(commonest),
                (kinds.as_text(values) == commonest).astype(float),
            )
            deviation = None if before is None else np.sqrt(before * (1 - before))
        else:
            before, deviation = figures["mean"], figures["std"]
        if before is None or not deviation or not len(values) or kinds.kind_of(values) != NUMBER:
            continue
        shift = (values.mean() - before) / deviation
        rows = statistics["rows"] * (1 - figures["missing_share"])
        z = shift / np.sqrt(1 / len(values) + 1 / rows)
        found[name] = {
            "z": float(z),
            "shift": float(shift),
            "exceeds": bool(abs(z) > limits.z_threshold),
        }
    return found


def windows(
    reference: pd.DataFrame,
    served: pd.DataFrame,
    prediction: str,
    texts: tuple[str, ...],
    times: pd.Series,
    limits: Drift,
    ignored: set[str] = frozenset(),
) -> list[dict]:
    """Return the verdicts on windows of `window_rows` served rows each, the oldest first, and on no more than `windows` of them.

    They end with the newest row; what is left of an oldest one counts only where it is the only one. Both tables
    hold features and the prediction, which may drift as they may; `texts` are the columns of categories.
    """
    starts = range(len(served) - limits.window_rows, -1, -limits.window_rows)[: limits.windows]
    found = []
    for start in reversed(starts or [0]):
        part = served.iloc[start : start + limits.window_rows]
        window = tables.with_text(tables.of_frame(part), tuple(texts))
        compared = comparison.compare_columns(reference, window, limits)
        answer = compared.pop(prediction, {"verdict": NO_DRIFT})
        changes = [
            change
            for change in comparison.schema_drift(reference, window, limits.min_rows)
            if change["column"] != prediction
        ]
        result = summary(
            compared, changes, {"reference": len(reference), "current": len(part)}, limits, ignored
        )
        moved = [prediction] if answer["verdict"] == DRIFT else []
        found.append(
            {
                "first": times.iloc[start],
                "last": times.iloc[start + len(part) - 1],
                "rows": len(part),
                "verdict": DRIFT if moved else result["verdict"],
                "drifted": [
                    *(change["column"] for change in changes if change["change"] != "new"),
                    *result["drifted"],
                    *moved,
                ],
            }
        )
    return found


def windows_verdict(found: list[dict], limits: Drift) -> str:
    """Return the verdict of several windows: drift where so many of them drifted as an alarm needs.

    Where too few could be judged for that ever to be, there are not enough data.
    """
    verdicts = [window["verdict"] for window in found]
    if verdicts.count(DRIFT) >= limits.alarm_windows:
        return DRIFT
    return (
        NO_DRIFT
        if len(verdicts) - verdicts.count(NOT_ENOUGH_DATA) >= limits.alarm_windows
        else NOT_ENOUGH_DATA
    )


def windows_recommendation(results: dict, limits: Drift) -> str:
    """Return in words what to do; `results` are those of all rows, but for the verdict, which is that of the windows."""
    found = results["windows"]
    drifted = [window for window in found if window["verdict"] == DRIFT]
    if results["verdict"] == NOT_ENOUGH_DATA:
        judged = sum(window["verdict"] != NOT_ENOUGH_DATA for window in found)
        return (
            f"wait for more rows: {judged} windows of {limits.window_rows} could be judged, an alarm needs "
            f"{limits.alarm_windows}"
        )
    if (results["performance"] or {}).get("worse"):
        return results["recommendation"]
    if drifted and results["verdict"] == NO_DRIFT:
        return f"look again after the next window: {len(drifted)} of {len(found)} drifted, {limits.alarm_windows} are an alarm"
    if drifted and not (results["drifted"] or results["schema_drift"]):
        return f"look at {errors.listed(dict.fromkeys(name for window in drifted for name in window['drifted']))}"
    return results["recommendation"]
