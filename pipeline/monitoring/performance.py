"""Served rows against the rows that their model was trained on: windows of the inference log, a quick look at the means, and how
well the model does, estimated and, once labels came, measured.

An alarm needs several windows: one bad hour is none.
"""

import numpy as np
import pandas as pd

from pipeline.data import kinds, targets
from pipeline.inference_log.reader import LoggedRows
from pipeline.monitoring import estimation
from pipeline.monitoring.known_version import KnownVersion
from pipeline.monitoring.labels import read_labels
from pipeline.project import errors
from pipeline.project.errors import DataError
from pipeline.project.params import Drift
from pipeline.scoring import bootstrap, metrics
from pipeline.scoring.rows import Rows


def matched_labels(served: LoggedRows, path: str, spec: KnownVersion) -> pd.Series:
    """Return the true answer of each served row, missing where it has not come; typed as the target is."""
    known = read_labels(path)
    found = served.rows[["request_id", "row"]].merge(known, how="left", on=["request_id", "row"])[
        "label"
    ]
    if not found.notna().any():
        raise DataError(
            f"{path}: none of its {len(known)} labels belongs to one of the {len(found)} newest rows of the log; "
            f"check request_id and row, or raise --windows"
        )
    if spec.classes is None:
        labels = pd.to_numeric(found, errors="coerce").astype("float64")
        unknown = found[labels.isna() & found.notna()]
        allowed = "numbers"
    else:
        labels = kinds.as_text(found)
        unknown = labels[labels.notna() & ~labels.isin(spec.classes)]
        allowed = errors.listed(spec.classes)
    if len(unknown):
        raise DataError(
            f"{path}: label: found {errors.listed(unknown.unique())}; the model knows: {allowed}"
        )
    return labels.set_axis(served.rows.index)


def measured_performance(
    served: LoggedRows,
    spec: KnownVersion,
    reference: pd.DataFrame,
    oof: np.ndarray | None,
    labels: pd.Series | None,
    limits: Drift,
    seed: int,
) -> dict | None:
    """Return how the model scored out of fold, how it is estimated to do on the served rows, and how it did on the labelled ones.

    It does worse where the out-of-fold score lies outside the 95 % interval of the labelled rows' score, on the better side.
    """
    if spec.candidate is None:
        return None
    metadata, classes, metric = spec.metadata, spec.classes, spec.primary_metric
    results = {
        "candidate": metadata["candidate"],
        "metric": metric,
        "worse": False,
        "reference": dict(spec.candidate["cv_oof"]),
        "current": {},
        "estimated": None,
    }
    output = (
        served.rows["prediction"].to_numpy()
        if classes is None
        else logged_probabilities(served, classes)
    )
    if output is None:
        return results
    decisions = (
        targets.class_numbers(kinds.as_text(served.rows["prediction"]), classes)
        if classes
        else None
    )
    if classes:
        y = targets.class_numbers(reference[metadata["target"]], classes)
        results["estimated"] = estimation.estimate(
            estimation.calibration(y, oof)(output), output, decisions, seed
        )
    if labels is not None:
        there = labels.notna().to_numpy()
        y = targets.numeric_target(labels[there], classes)
        rows = Rows(
            y,
            output[there].astype(float),
            None if decisions is None else decisions[there],
        )
        results["current"] = metrics.score(rows, classes)
        if len(rows) >= limits.min_rows:
            results["interval"] = bootstrap.resampled(metric, rows, seed).interval
            results["worse"] = bootstrap.clearly_worse(
                metric, spec.candidate["cv_oof"][metric], results["interval"]
            )
    return results


def logged_probabilities(served: LoggedRows, classes: list[str]) -> np.ndarray | None:
    """Return the logged probabilities in the order of the classes; None where a row has none."""
    if served.probabilities is None or not set(classes) <= set(served.probabilities):
        return None
    output = served.probabilities[classes].to_numpy(dtype=float)
    return None if np.isnan(output).any() else output
