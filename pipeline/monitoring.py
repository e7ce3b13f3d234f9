"""Served rows against the rows that their model was trained on: windows of the inference log, a quick look at the means, and how
well the model does, estimated and, once labels came, measured.

An alarm needs several windows: one bad hour is none.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline import columns, drift, estimation, files, inference_log, outputs, paths, registry, scoring, tables
from pipeline.errors import DataError
from pipeline.params import Drift, Params

SHOWN = 5                   # features of the quick look that are told, the farthest off first


def judge(dataset: str, settings: Params, limits: Drift, labels_file: str | None = None):
    """Return every result of comparing the newest rows of a dataset's log with the training rows of the version that served them,
    a sample of either, and the columns' roles.

    Raises DataError where the training rows are no longer those of that version; the quick look, which needs no more than the
    statistics stored with the version, is printed before.
    """
    served = inference_log.read(dataset, limits.windows * limits.window_rows)
    origin = f"{served.model} version {served.version}"
    folder = registry.resolve(dataset, settings, served.version).folder
    metadata, statistics = (files.read_json(folder / f"{name}.json", made_by=f"python register_model.py --dataset {dataset}")
                            for name in ("metadata", "train_stats"))
    look = quick_look(statistics, served.features, limits)
    print("\n".join(_told(dataset, origin, served, look, limits)))
    quality = files.read_json(paths.metrics(dataset, "quality"), made_by=f"python prepare_data.py --dataset {dataset}")
    if metadata["split_hash"] != quality["split_hash"]:
        raise DataError(f"{paths.processed(dataset)}: {origin} was trained on other rows than these, so that there is nothing to "
                        f"compare with; bring its data back (`git checkout` of its commit, `dvc checkout`) or serve a model of "
                        f"these rows")
    spec = Known(metadata, *_candidate(dataset, metadata))
    logged = [name for name in metadata["features"] if name not in settings.dataset(dataset).serve.log_redact]
    reference, oof = _training_rows(dataset, spec, logged)
    labels = _labels(served, labels_file, spec) if labels_file else None
    current = _served_rows(served, spec, labels)
    target, prediction, label = (spec.roles[part] for part in ("target", "prediction", "label"))
    texts = (*(name for name, kind in metadata["features"].items() if kind == "categorical"),
             *((target, label) if spec.classes else ()))
    ignored = drift.ignored((spec.candidate or {}).get("importance"), logged, limits, dataset)
    results, samples = drift.judge(
        reference, columns.with_text(columns.of_frame(current), texts), spec.roles, limits, settings.seed, settings.cores(),
        _performance(served, spec, reference, oof, labels, limits, settings.seed), ignored, sparse={target})
    others = {target, label} - {prediction}
    found = windows(*(frame[[name for name in frame if name not in others]] for frame in (reference, current)), prediction, texts,
                    served.rows["time"], limits, ignored)
    log = {"broken_lines": served.broken, "rows_of_other_versions": served.others,
           "labelled_rows": 0 if labels is None else int(labels.notna().sum())}
    results = {"schema": 1, "dataset": dataset, "synthetic": metadata["synthetic"], "model": served.model,
               "model_version": served.version, "reference": f"training rows of {origin}", "current": "inference log", "log": log,
               **results, "verdict": verdict(found, limits), "windows": found, "quick_look": look}
    results["recommendation"] = recommendation(results, limits)
    return drift.rounded(results), samples, spec.roles


@dataclass(frozen=True)
class Known:
    """What is known of a served version: its metadata, and of its training, where that is still at hand, its scores (`candidate`)
    and the metric by which it was chosen."""

    metadata: dict
    candidate: dict | None
    primary_metric: str | None

    @property
    def classes(self) -> list[str] | None:
        return self.metadata["classes"]

    @property
    def roles(self) -> dict:
        return outputs.roles(self.metadata["task"], self.metadata["target"], self.classes)


def _candidate(dataset: str, metadata: dict) -> tuple[dict | None, str | None]:
    """Return the figures of the training that gave a version, and its primary metric; None where another has taken its place."""
    path = paths.metrics(dataset, metadata["stage"])
    trained = files.read_json(path, made_by=f"dvc repro {metadata['stage']}@{dataset}") if path.is_file() else {"candidates": {}}
    candidate = trained["candidates"].get(metadata["candidate"], {})
    same = candidate.get("model_sha256") == metadata["model_sha256"]
    return (candidate, trained["primary_metric"]) if same else (None, None)


def _training_rows(dataset: str, spec: Known, features: list[str]) -> tuple[pd.DataFrame, np.ndarray | None]:
    """Return the training rows with, where they are at hand, their out-of-fold predictions, and the latter as they are."""
    metadata = spec.metadata
    frame = tables.read_split(dataset, "train")[[*features, metadata["target"]]]
    if spec.candidate is None:
        return frame, None
    oof = outputs.stored(dataset, spec.candidate, metadata["candidate"], "oof", spec.classes, frame.index)
    there = ~np.isnan(oof).reshape(len(oof), -1).any(axis=1)
    return outputs.joined(frame, oof, spec.classes, metadata["threshold"]), oof[there]


def _served_rows(served: inference_log.Served, spec: Known, labels: pd.Series | None) -> pd.DataFrame:
    """Return the features as they were logged, beside them what the model answered and the true answers that came."""
    frame = served.features.copy()
    if spec.candidate is not None:          # else there is nothing to compare the answers with
        answer, (positive, label) = served.rows["prediction"], (spec.roles["positive"], spec.roles["label"])
        if positive and served.probabilities is not None and positive in served.probabilities:
            frame[outputs.MODEL_OUTPUT] = served.probabilities[positive]
        elif not positive:
            frame[outputs.MODEL_OUTPUT] = answer
        if label:
            frame[label] = answer
    return frame if labels is None else frame.assign(**{spec.metadata["target"]: labels})


def _labels(served: inference_log.Served, path: str, spec: Known) -> pd.Series:
    """Return the true answer of each served row, missing where it has not come; typed as the target is."""
    known = inference_log.read_labels(path)
    found = served.rows[["request_id", "row"]].merge(known, how="left", on=["request_id", "row"])["label"]
    if not found.notna().any():
        raise DataError(f"{path}: none of its {len(known)} labels belongs to one of the {len(found)} newest rows of the log; "
                        f"check request_id and row, or raise --windows")
    if spec.classes is None:
        labels = pd.to_numeric(found, errors="coerce").astype("float64")
        unknown = found[labels.isna() & found.notna()]
        allowed = "numbers"
    else:
        labels = tables.as_text(found)
        unknown = labels[labels.notna() & ~labels.isin(spec.classes)]
        allowed = tables.listed(spec.classes)
    if len(unknown):
        raise DataError(f"{path}: label: found {tables.listed(unknown.unique())}; the model knows: {allowed}")
    return labels.set_axis(served.rows.index)


def _performance(served: inference_log.Served, spec: Known, reference: pd.DataFrame, oof: np.ndarray | None,
                 labels: pd.Series | None, limits: Drift, seed: int) -> dict | None:
    """Return how the model scored out of fold, how it is estimated to do on the served rows, and how it did on the labelled ones.

    It does worse where the out-of-fold score lies outside the 95 % interval of the labelled rows' score, on the better side.
    """
    if spec.candidate is None:
        return None
    metadata, classes, metric = spec.metadata, spec.classes, spec.primary_metric
    results = {"candidate": metadata["candidate"], "metric": metric, "worse": False, "reference": dict(spec.candidate["cv_oof"]),
               "current": {}, "estimated": None}
    output = served.rows["prediction"].to_numpy() if classes is None else _probabilities(served, classes)
    if output is None:
        return results
    decisions = pd.Categorical(tables.as_text(served.rows["prediction"]), classes).codes if classes else None
    if classes:
        y = pd.Categorical(reference[metadata["target"]], classes).codes
        results["estimated"] = estimation.estimate(estimation.calibration(y, oof)(output), output, decisions, seed)
    if labels is not None:
        there = labels.notna().to_numpy()
        y = labels[there].to_numpy(dtype=float) if classes is None else pd.Categorical(labels[there], classes).codes.astype(int)
        parts = metadata["task"], y, output[there].astype(float), None if decisions is None else decisions[there]
        results["current"] = scoring.score(*parts, classes)
        if len(y) >= limits.min_rows:
            results["interval"] = scoring.intervals(*parts, seed)[metric]
            results["worse"] = scoring.clearly_worse(metric, spec.candidate["cv_oof"][metric], results["interval"])
    return results


def _probabilities(served: inference_log.Served, classes: list[str]) -> np.ndarray | None:
    """Return the logged probabilities in the order of the classes; None where a row has none."""
    if served.probabilities is None or not set(classes) <= set(served.probabilities):
        return None
    output = served.probabilities[classes].to_numpy(dtype=float)
    return None if np.isnan(output).any() else output


def _told(dataset: str, origin: str, served: inference_log.Served, look: dict, limits: Drift) -> list[str]:
    """Return what was read of the log, and the quick look at it."""
    skipped = [f"{served.broken} broken lines"] if served.broken else []
    skipped += [f"{count} rows of version {number}" for number, count in sorted(served.others.items())]
    times = served.rows["time"]
    lines = [f"log {dataset}: {len(times):,} rows that {origin} served from {times.iloc[0]} to {times.iloc[-1]}"
             f"{'; skipped: ' + ', '.join(skipped) if skipped else ''}"]
    beyond = sorted((name for name in look if look[name]["exceeds"]), key=lambda name: -abs(look[name]["z"]))
    shown = [f"{name} z {look[name]['z']:+.1f} (shift {look[name]['shift']:+.2f})" for name in beyond[:SHOWN]]
    shown += ["..."] if len(beyond) > SHOWN else []
    lines.append(f"quick look: the mean of {len(beyond)} of {len(look)} features is off by more than {limits.z_threshold:g} "
                 f"standard errors{': ' * bool(shown)}{', '.join(shown)}")
    return lines


# windows

def quick_look(statistics: dict, served: pd.DataFrame, limits: Drift) -> dict[str, dict]:
    """Return {feature: z, shift, exceeds} of the served rows' means against the training statistics of the model.

    z is the difference of the means in standard errors of both: the deviation of the training rows times sqrt(1/n + 1/N). Of
    categories it is that of the share of the training rows' commonest one. A twentieth of unchanged features exceeds 2.
    """
    table, found = columns.of_frame(served), {}
    for name, figures in statistics["features"].items():
        if name not in table:
            continue
        values = table[name].dropna()
        if "categories" in figures:
            commonest = next(iter(figures["categories"]), None)
            before, values = figures["categories"].get(commonest), (tables.as_text(values) == commonest).astype(float)
            deviation = None if before is None else np.sqrt(before * (1 - before))
        else:
            before, deviation = figures["mean"], figures["std"]
        if before is None or not deviation or not len(values) or columns.kind(values) != "number":
            continue
        shift = (values.mean() - before) / deviation
        rows = statistics["rows"] * (1 - figures["missing_share"])
        z = shift / np.sqrt(1 / len(values) + 1 / rows)
        found[name] = {"z": float(z), "shift": float(shift), "exceeds": bool(abs(z) > limits.z_threshold)}
    return found


def windows(reference: pd.DataFrame, served: pd.DataFrame, prediction: str, texts: tuple[str, ...], times: pd.Series,
            limits: Drift, ignored: set[str] = frozenset()) -> list[dict]:
    """Return the verdicts on windows of `window_rows` served rows each, the oldest first, and on no more than `windows` of them.

    They end with the newest row; what is left of an oldest one counts only where it is the only one. Both tables
    hold features and the prediction, which may drift as they may; `texts` are the columns of categories.
    """
    starts = range(len(served) - limits.window_rows, -1, -limits.window_rows)[:limits.windows]
    found = []
    for start in reversed(starts or [0]):
        part = served.iloc[start:start + limits.window_rows]
        window = columns.with_text(columns.of_frame(part), tuple(texts))
        compared = drift.compare(reference, window, limits)
        answer = compared.pop(prediction, {"verdict": drift.NO_DRIFT})
        changes = [change for change in drift.schema_drift(reference, window, limits.min_rows) if change["column"] != prediction]
        result = drift.summary(compared, changes, {"reference": len(reference), "current": len(part)}, limits, ignored)
        moved = [prediction] if answer["verdict"] == drift.DRIFT else []
        found.append({"first": times.iloc[start], "last": times.iloc[start + len(part) - 1], "rows": len(part),
                      "verdict": drift.DRIFT if moved else result["verdict"],
                      "drifted": [*(change["column"] for change in changes if change["change"] != "new"), *result["drifted"],
                                  *moved]})
    return found


def verdict(found: list[dict], limits: Drift) -> str:
    """Return the verdict of several windows: drift where so many of them drifted as an alarm needs.

    Where too few could be judged for that ever to be, there are not enough data.
    """
    verdicts = [window["verdict"] for window in found]
    if verdicts.count(drift.DRIFT) >= limits.alarm_windows:
        return drift.DRIFT
    return drift.NO_DRIFT if len(verdicts) - verdicts.count(drift.TOO_FEW) >= limits.alarm_windows else drift.TOO_FEW


def recommendation(results: dict, limits: Drift) -> str:
    """Return in words what to do; `results` are those of all rows, but for the verdict, which is that of the windows."""
    found = results["windows"]
    drifted = [window for window in found if window["verdict"] == drift.DRIFT]
    if results["verdict"] == drift.TOO_FEW:
        judged = sum(window["verdict"] != drift.TOO_FEW for window in found)
        return (f"wait for more rows: {judged} windows of {limits.window_rows} could be judged, an alarm needs "
                f"{limits.alarm_windows}")
    if (results["performance"] or {}).get("worse"):
        return results["recommendation"]
    if drifted and results["verdict"] == drift.NO_DRIFT:
        return f"look again after the next window: {len(drifted)} of {len(found)} drifted, {limits.alarm_windows} are an alarm"
    if drifted and not (results["drifted"] or results["schema_drift"]):
        return f"look at {tables.listed(dict.fromkeys(name for window in drifted for name in window['drifted']))}"
    return results["recommendation"]
