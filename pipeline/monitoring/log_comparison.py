"""The comparison of served rows with the rows that their model was trained and tested on."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import splits, typed_tables
from pipeline.drift import comparison, verdicts
from pipeline.drift.comparison import Plan
from pipeline.drift.results import TableComparison
from pipeline.drift.roles import MODEL_OUTPUT, Roles, with_output
from pipeline.monitoring import performance, quick_look, windows
from pipeline.monitoring.known_version import KnownVersion, read_known_version
from pipeline.monitoring.labels import matched_labels
from pipeline.monitoring.performance import ServedPerformance, TrainingRows
from pipeline.monitoring.quick_look import FeatureShift
from pipeline.monitoring.windows import Window, windows_recommendation, windows_verdict
from pipeline.project import rounding
from pipeline.project.params import Params
from pipeline.project.settings.drift import Drift
from pipeline.scoring.thresholds import rule_of_json
from pipeline.serving.inference_log import reader
from pipeline.serving.inference_log.reader import LoggedRows
from pipeline.training.predictions import OUT_OF_FOLD, TEST, read_output


@dataclass(frozen=True)
class ServedLog:
    """The newest rows of a dataset's log, the version that served them, and a quick look at them.

    The quick look needs no more than the statistics stored with the version.
    """

    dataset: str
    rows: LoggedRows
    version: KnownVersion
    quick_look: dict[str, FeatureShift]

    def lines(self, z_threshold: float) -> list[str]:
        """Return what was read of the log, and the quick look at it."""
        skipped = [f"{self.rows.broken} broken lines"] if self.rows.broken else []
        for number, count in sorted(self.rows.others.items()):
            skipped.append(f"{count} rows of version {number}")
        times = self.rows.rows["time"]
        rows = (
            f"log {self.dataset}: {len(times):,} rows that {self.version.name} served from "
            f"{times.iloc[0]} to {times.iloc[-1]}"
        )
        if skipped:
            rows += f"; skipped: {', '.join(skipped)}"
        return [rows, quick_look.line(self.quick_look, z_threshold)]


@dataclass(frozen=True)
class LogComparison:
    """What comparing served rows with training rows came to.

    `found` compares all rows; its verdict and recommendation are those of the windows.
    """

    log: ServedLog
    found: TableComparison
    windows: list[Window]
    performance: ServedPerformance | None
    labelled_rows: int

    def as_json(self) -> dict[str, Any]:
        """Return it as drift.json holds it."""
        version, rows = self.log.version, self.log.rows
        looks = {name: asdict(shift) for name, shift in self.log.quick_look.items()}
        return {
            "schema": 1,
            "dataset": self.log.dataset,
            "synthetic": version.metadata["synthetic"],
            "model": rows.model,
            "model_version": rows.version,
            "reference": f"training and test rows of {version.name}",
            "current": "inference log",
            "log": {
                "broken_lines": rows.broken,
                "rows_of_other_versions": rows.others,
                "labelled_rows": self.labelled_rows,
            },
            **self.found.as_json(),
            "windows": [asdict(window) for window in self.windows],
            "quick_look": rounding.rounded(looks),
        }

    def lines(self) -> list[str]:
        """Return a line for every window, and how well the model did."""
        lines = [windows.line(window) for window in self.windows]
        if self.performance is not None:
            lines += performance.lines(self.performance, self.labelled_rows)
        return lines


def read_served_log(dataset: str, settings: Params, limits: Drift) -> ServedLog:
    """Return the newest rows that a version served, as many as the windows have.

    Raises DataError where there is no log or no such version.
    """
    rows = reader.read_log(dataset, limits.windows * limits.window_rows)
    version = read_known_version(dataset, settings, rows.model, rows.version)
    look = quick_look.quick_look(version.statistics, rows.features, limits.z_threshold)
    return ServedLog(dataset, rows, version, look)


def compare_with_training(
    log: ServedLog,
    limits: Drift,
    labels_file: str | None = None,
    unlogged: list[str] | None = None,
    seed: int = 0,
    n_workers: int = 1,
) -> LogComparison:
    """Return every result of comparing served rows with the rows their version learned from.

    `unlogged` names inputs that are left out of the log on purpose. Raises DataError where the
    training rows are no longer those of the version, or the labels do not belong to the rows.
    """
    version = log.version
    version.check_training_rows(log.dataset)
    inputs = [name for name in version.metadata["inputs"] if name not in (unlogged or [])]
    training = _training_rows(log.dataset, version, inputs)
    reference = _reference(log.dataset, version, inputs)
    labels = matched_labels(log.rows, labels_file, version) if labels_file else None
    current = _served_rows(log.rows, version, labels)
    scores = performance.served_performance(log.rows, version, training, labels, limits, seed)
    importance = version.candidate.get("importance") if version.candidate else None
    ignored = verdicts.ignored_columns(importance, inputs, limits, log.dataset)
    # labels come for some rows, and the training rows have no output of the version
    sparse = frozenset([version.target, MODEL_OUTPUT])
    plan = Plan(version.roles, limits, seed, frozenset(ignored), sparse)
    found = comparison.compare_tables(
        reference,
        typed_tables.with_text(typed_tables.of_frame(current), version.texts),
        plan,
        scores.as_json() if scores else None,
        n_workers,
    )
    compared = _windows(reference, current, log, plan, n_workers)
    found = replace(
        found,
        verdict=windows_verdict(compared, limits),
        recommendation=windows_recommendation(compared, found),
    )
    return LogComparison(log, found, compared, scores, 0 if labels is None else int(labels.count()))


def _windows(
    reference: pd.DataFrame, current: pd.DataFrame, log: ServedLog, plan: Plan, n_workers: int
) -> list[Window]:
    """Return the windows of the served rows, compared by features and prediction."""
    prediction = plan.roles.prediction
    others = plan.roles.answers - {prediction}
    reference = reference[[name for name in reference if name not in others]]
    current = current[[name for name in current if name not in others]]
    times, texts = log.rows.rows["time"], log.version.texts
    plan = replace(plan, roles=Roles(prediction=prediction))
    return windows.compare_windows(reference, current, times, texts, plan, n_workers)


def _training_rows(dataset: str, version: KnownVersion, inputs: list[str]) -> TrainingRows:
    """Return the training rows with, where they are at hand, their out-of-fold predictions."""
    frame = splits.read_split(dataset, "train")[[*inputs, version.target]]
    if version.candidate is None:
        return TrainingRows(frame)
    stage, name = version.metadata["stage"], version.metadata["candidate"]
    oof = read_output(dataset, stage, name, OUT_OF_FOLD, version.classes, frame.index)
    there = ~np.isnan(oof).reshape(len(oof), -1).any(axis=1)
    answered = with_output(frame, oof, version.classes, rule_of_json(version.metadata))
    return TrainingRows(answered, oof[there])


def _reference(dataset: str, version: KnownVersion, inputs: list[str]) -> pd.DataFrame:
    """Return the training rows and, below them, the test rows with what the version put out.

    The version's output on rows that it has not seen compares with what it served; that of the
    folds' models, which predicted the training rows, is distributed otherwise.
    """
    columns = [*inputs, version.target]
    training = splits.read_split(dataset, "train")[columns]
    if version.candidate is None:
        return training
    stage, name = version.metadata["stage"], version.metadata["candidate"]
    test = splits.read_split(dataset, "test")[columns]
    output = read_output(dataset, stage, name, TEST, version.classes, test.index)
    answered = with_output(test, output, version.classes, rule_of_json(version.metadata))
    return pd.concat([training, answered], ignore_index=True)


def _served_rows(
    served: LoggedRows, version: KnownVersion, labels: pd.Series | None
) -> pd.DataFrame:
    """Return the features as they were logged, the model's answers, and the labels that came."""
    frame, roles = served.features.copy(), version.roles
    # else there is nothing to compare the answers with
    if version.candidate is not None:
        answer = served.rows["prediction"]
        if roles.positive is None:
            frame[MODEL_OUTPUT] = answer
        elif served.probabilities is not None and roles.positive in served.probabilities:
            frame[MODEL_OUTPUT] = served.probabilities[roles.positive]
        if roles.label is not None:
            frame[roles.label] = answer
    return frame if labels is None else frame.assign(**{version.target: labels})
