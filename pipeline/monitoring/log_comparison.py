"""Served rows against the rows that their model was trained on: windows of the inference log, a quick look at the means, and how
well the model does, estimated and, once labels came, measured.

An alarm needs several windows: one bad hour is none.
"""

import numpy as np
import pandas as pd

from pipeline.data import splits
from pipeline.data.kinds import CATEGORY
from pipeline.drift import comparison, tables, verdicts
from pipeline.drift.roles import MODEL_OUTPUT, with_output
from pipeline.inference_log import reader
from pipeline.inference_log.reader import LoggedRows
from pipeline.monitoring import performance, windows
from pipeline.monitoring.known_version import KnownVersion
from pipeline.project import files, paths, rounding
from pipeline.project.errors import DataError
from pipeline.project.params import Drift, Params
from pipeline.registry import versions
from pipeline.training import predictions
from pipeline.training import results as training_results

SHOWN = 5  # features of the quick look that are told, the farthest off first


def compare_with_training(
    dataset: str, settings: Params, limits: Drift, labels_file: str | None = None
):
    """Return every result of comparing the newest rows of a dataset's log with the training rows of the version that served them,
    a sample of either, and the columns' roles.

    Raises DataError where the training rows are no longer those of that version; the quick look, which needs no more than the
    statistics stored with the version, is printed before.
    """
    served = reader.read_log(dataset, limits.windows * limits.window_rows)
    origin = f"{served.model} version {served.version}"
    folder = versions.resolve(dataset, settings, served.version).folder
    metadata, statistics = (
        files.read_json(
            folder / f"{name}.json", made_by=f"python register_model.py --dataset {dataset}"
        )
        for name in ("metadata", "train_stats")
    )
    look = windows.quick_look(statistics, served.features, limits)
    print("\n".join(_told(dataset, origin, served, look, limits)))
    quality = files.read_json(
        paths.metrics(dataset, "quality"), made_by=f"python prepare_data.py --dataset {dataset}"
    )
    if metadata["split_hash"] != quality["split_hash"]:
        raise DataError(
            f"{paths.processed(dataset)}: {origin} was trained on other rows than these, so that there is nothing to "
            f"compare with; bring its data back (`git checkout` of its commit, `dvc checkout`) or serve a model of "
            f"these rows"
        )
    spec = KnownVersion(metadata, *_candidate(dataset, metadata))
    logged = [
        name
        for name in metadata["inputs"]
        if name not in settings.dataset(dataset).serve.log_redact
    ]
    reference, oof = _training_rows(dataset, spec, logged)
    labels = performance.matched_labels(served, labels_file, spec) if labels_file else None
    current = _served_rows(served, spec, labels)
    roles = spec.roles
    target, prediction, label = roles.target, roles.prediction, roles.label
    texts = (
        *(name for name, kind in metadata["inputs"].items() if kind == CATEGORY),
        *((target, label) if spec.classes else ()),
    )
    ignored = verdicts.ignored_columns(
        (spec.candidate or {}).get("importance"), logged, limits, dataset
    )
    results, samples = comparison.compare_tables(
        reference,
        tables.with_text(tables.of_frame(current), texts),
        spec.roles,
        limits,
        settings.seed,
        settings.cores(),
        performance.measured_performance(
            served, spec, reference, oof, labels, limits, settings.seed
        ),
        ignored,
        sparse={target},
    )
    others = {target, label} - {prediction}
    found = windows.windows(
        *(frame[[name for name in frame if name not in others]] for frame in (reference, current)),
        prediction,
        texts,
        served.rows["time"],
        limits,
        ignored,
    )
    log = {
        "broken_lines": served.broken,
        "rows_of_other_versions": served.others,
        "labelled_rows": 0 if labels is None else int(labels.notna().sum()),
    }
    results = {
        "schema": 1,
        "dataset": dataset,
        "synthetic": metadata["synthetic"],
        "model": served.model,
        "model_version": served.version,
        "reference": f"training rows of {origin}",
        "current": "inference log",
        "log": log,
        **results,
        "verdict": windows.windows_verdict(found, limits),
        "windows": found,
        "quick_look": look,
    }
    results["recommendation"] = windows.windows_recommendation(results, limits)
    return rounding.rounded(results), samples, spec.roles


def _candidate(dataset: str, metadata: dict) -> tuple[dict | None, str | None]:
    """Return the figures of the training that gave a version, and its primary metric; None where another has taken its place."""
    trained = training_results.read_stage(dataset, metadata["stage"])
    candidate = trained["candidates"].get(metadata["candidate"]) if trained else None
    if candidate is None or candidate["model_sha256"] != metadata["model_sha256"]:
        return None, None
    return candidate, trained["primary_metric"]


def _training_rows(
    dataset: str, spec: KnownVersion, features: list[str]
) -> tuple[pd.DataFrame, np.ndarray | None]:
    """Return the training rows with, where they are at hand, their out-of-fold predictions, and the latter as they are."""
    metadata = spec.metadata
    frame = splits.read_split(dataset, "train")[[*features, metadata["target"]]]
    if spec.candidate is None:
        return frame, None
    oof = predictions.read_output(
        dataset,
        metadata["stage"],
        metadata["candidate"],
        predictions.OUT_OF_FOLD,
        spec.classes,
        frame.index,
    )
    there = ~np.isnan(oof).reshape(len(oof), -1).any(axis=1)
    return with_output(frame, oof, spec.classes, metadata["threshold"]), oof[there]


def _served_rows(served: LoggedRows, spec: KnownVersion, labels: pd.Series | None) -> pd.DataFrame:
    """Return the features as they were logged, beside them what the model answered and the true answers that came."""
    frame = served.features.copy()
    if spec.candidate is not None:  # else there is nothing to compare the answers with
        answer, (positive, label) = (
            served.rows["prediction"],
            (spec.roles.positive, spec.roles.label),
        )
        if positive and served.probabilities is not None and positive in served.probabilities:
            frame[MODEL_OUTPUT] = served.probabilities[positive]
        elif not positive:
            frame[MODEL_OUTPUT] = answer
        if label:
            frame[label] = answer
    return frame if labels is None else frame.assign(**{spec.metadata["target"]: labels})


def _told(dataset: str, origin: str, served: LoggedRows, look: dict, limits: Drift) -> list[str]:
    """Return what was read of the log, and the quick look at it."""
    skipped = [f"{served.broken} broken lines"] if served.broken else []
    skipped += [
        f"{count} rows of version {number}" for number, count in sorted(served.others.items())
    ]
    times = served.rows["time"]
    lines = [
        f"log {dataset}: {len(times):,} rows that {origin} served from {times.iloc[0]} to {times.iloc[-1]}"
        f"{'; skipped: ' + ', '.join(skipped) if skipped else ''}"
    ]
    beyond = sorted(
        (name for name in look if look[name]["exceeds"]), key=lambda name: -abs(look[name]["z"])
    )
    shown = [
        f"{name} z {look[name]['z']:+.1f} (shift {look[name]['shift']:+.2f})"
        for name in beyond[:SHOWN]
    ]
    shown += ["..."] if len(beyond) > SHOWN else []
    lines.append(
        f"quick look: the mean of {len(beyond)} of {len(look)} features is off by more than {limits.z_threshold:g} "
        f"standard errors{': ' * bool(shown)}{', '.join(shown)}"
    )
    return lines
