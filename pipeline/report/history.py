"""The comparison over time: against another git revision, and over the runs in the MLflow store; both as Markdown."""

import json
import subprocess
import sys

from pipeline.project import files, paths, rounding
from pipeline.project.errors import DataError, UsageError
from pipeline.scoring import metrics
from pipeline.tracking.comparisons import RecordedComparison


def against(revision: str) -> list[str]:
    """Return what changed in the best models' figures since a git revision, as `dvc metrics diff` tells it."""
    now = files.read_json(paths.COMPARISON, made_by="dvc repro")["datasets"]
    before = _diff(revision)
    lines = [
        f"Best models against {revision}:",
        "",
        "| dataset | best before | best now | metric | cv before | cv now | test before | test now | |",
        "| --- | --- | --- | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for dataset, result in now.items():
        changes = before.get(paths.best(dataset).as_posix(), {})
        if not changes:
            continue
        best, metric = result["best"]["name"], result["primary_metric"]
        candidate, previous = (
            result["candidates"][best],
            changes.get("candidate", {"old": best})["old"] or "none",
        )
        cv, test = (
            {"new": value, **changes.get(part, {})}
            for part, value in (
                ("cv", candidate["cv"][metric]["mean"]),
                ("test", candidate["test"][metric]["value"]),
            )
        )
        lines.append(
            f"| {dataset} | {previous} | {best} | {metric} | {rounding.number_text(cv.get('old', cv['new']))} | {rounding.number_text(cv['new'])} | "
            f"{rounding.number_text(test.get('old', test['new']))} | {rounding.number_text(test['new'])} | {_judged(cv, candidate, metric)} |"
        )
    return lines if len(lines) > 4 else [f"Best models against {revision}: no figure changed."]


def _judged(cv: dict, candidate: dict, metric: str) -> str:
    """Return whether the cross-validated score got better by more than the folds differ."""
    old, new, deviation = cv.get("old"), cv["new"], candidate["cv"][metric]["std"] or 0
    if "old" not in cv:
        return "the same in cv"
    if old is None or new is None:
        return "new"
    if abs(new - old) <= deviation:
        return "within the deviation of the folds"
    return "better" if metrics.is_better(metric, new, old) else "**worse**"


def _diff(revision: str) -> dict[str, dict]:
    """Return {file: {figure: {old, new, diff}}} of `dvc metrics diff`."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "dvc",
            "metrics",
            "diff",
            "--json",
            revision,
            "--targets",
            str(paths.BEST),
        ],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        reason = done.stderr.strip().removeprefix("ERROR: ").splitlines() or ["no reason told"]
        raise UsageError(
            f"--against {revision}: {reason[0]}; give a commit, tag or branch of this repository"
        )
    return json.loads(done.stdout or "{}")


def past(recorded: dict[str, list[RecordedComparison]], origin: str) -> list[str]:
    """Return what every recorded comparison chose, the newest first, dataset by dataset."""
    lines = []
    for dataset, runs in recorded.items():
        if not runs:
            continue
        metric = runs[0].metric
        lines += [
            "",
            f"### {dataset}",
            "",
            f"| recorded | commit | data | best | cv {metric} | test {metric} | 95 % interval | |",
            "| --- | --- | --- | --- | ---: | ---: | ---: | --- |",
        ]
        for run, older in zip(runs, [*runs[1:], None]):
            lines.append(
                f"| {run.time} | {run.commit} | {run.data} | {run.best} | {rounding.number_text(run.cv)} | "
                f"{rounding.number_text(run.test)} | {rounding.number_text(run.low)} to {rounding.number_text(run.high)} | {_trend(run, older)} |"
            )
    if not lines:
        raise DataError(f"{origin}: no comparison is recorded yet; run `dvc repro`, or `make sync`")
    return lines[1:]


def _trend(run: RecordedComparison, older: RecordedComparison | None) -> str:
    """Return how a comparison's cross-validated score stands to the one before it."""
    if older is None:
        return "first"
    if older.metric != run.metric or run.cv is None or older.cv is None:
        return "another metric"
    if run.data != older.data:
        return "other data"
    if run.cv == older.cv:
        return "the same"
    return "better" if metrics.is_better(run.metric, run.cv, older.cv) else "worse"
