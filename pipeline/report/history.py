"""The comparison over time, as Markdown: against another git revision, and over MLflow's runs."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from pipeline.project import paths
from pipeline.project.errors import DataError, UsageError
from pipeline.project.rounding import number_text
from pipeline.report import comparison
from pipeline.report.comparison import DatasetResult
from pipeline.scoring import metrics
from pipeline.tracking.comparisons import RecordedComparison

REVISION_HEAD = [
    "| dataset | best before | best now | metric | cv before | cv now | test before | test now | |",
    "| --- | --- | --- | --- | ---: | ---: | ---: | ---: | --- |",
]
Figures = dict[str, dict[str, Any]]  # of a file, as `dvc metrics diff` gives them: old, new, diff


@dataclass(frozen=True)
class Change:
    """A figure before and now; `changed` is False where dvc reports no difference."""

    old: float | None
    new: float | None
    changed: bool


def against(revision: str) -> list[str]:
    """Return what changed in the best models' figures since a git revision.

    Raises UsageError where git does not know the revision.
    """
    results = comparison.read().datasets
    differences = _metrics_diff(revision)
    rows = []
    for dataset, result in results.items():
        figures = differences.get(paths.best(dataset).as_posix())
        if figures:
            rows.append(_changed_row(dataset, result, figures))
    if not rows:
        return [f"Best models against {revision}: no figure changed."]
    return [f"Best models against {revision}:", "", *REVISION_HEAD, *rows]


def _changed_row(dataset: str, result: DatasetResult, figures: Figures) -> str:
    best, metric = result.best.name, result.primary_metric
    before = figures["candidate"]["old"] or "none" if "candidate" in figures else best
    cv = _change(figures.get("cv"), result.cv.mean)
    test = _change(figures.get("test"), result.test.value)
    cells = [
        dataset,
        before,
        best,
        metric,
        number_text(cv.old),
        number_text(cv.new),
        number_text(test.old),
        number_text(test.new),
        _trend_of_cv(cv, result.cv.std or 0, metric),
    ]
    return _row(cells)


def _change(difference: dict[str, Any] | None, now: float | None) -> Change:
    if difference is None:
        return Change(now, now, changed=False)
    return Change(difference.get("old"), difference.get("new"), changed=True)


def _trend_of_cv(cv: Change, deviation: float, metric: str) -> str:
    """Return whether the cross-validated score got better by more than the folds differ."""
    if not cv.changed:
        return "the same in cv"
    if cv.old is None or cv.new is None:
        return "new"
    if abs(cv.new - cv.old) <= deviation:
        return "within the deviation of the folds"
    return "better" if metrics.is_better(metric, cv.new, cv.old) else "**worse**"


def _metrics_diff(revision: str) -> dict[str, Figures]:
    """Return {file: {figure: {old, new, diff}}} of `dvc metrics diff`."""
    command = [sys.executable, "-m", "dvc", "metrics", "diff", "--json", revision]
    command += ["--targets", str(paths.BEST)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().removeprefix("ERROR: ").splitlines()
        reason = lines[0] if lines else "dvc gives no reason"
        raise UsageError(
            f"--against {revision}: {reason}; give a commit, tag or branch of this repository"
        )
    return json.loads(done.stdout or "{}")


def past(recorded: dict[str, list[RecordedComparison]], origin: str) -> list[str]:
    """Return what every recorded comparison chose, the newest first, dataset by dataset.

    Raises DataError, which names `origin`, where nothing is recorded.
    """
    tables = [_past_of(dataset, runs) for dataset, runs in recorded.items() if runs]
    if not tables:
        raise DataError(f"{origin}: no comparison is recorded yet; run `dvc repro`, or `make sync`")
    lines: list[str] = []
    for table in tables:
        lines += ["", *table]
    return lines[1:]


def _past_of(dataset: str, runs: list[RecordedComparison]) -> list[str]:
    metric = runs[0].metric
    lines = [
        f"### {dataset}",
        "",
        f"| recorded | commit | data | best | cv {metric} | test {metric} | 95 % interval | |",
        "| --- | --- | --- | --- | ---: | ---: | ---: | --- |",
    ]
    for run, older in zip(runs, [*runs[1:], None]):
        cells = [
            run.time,
            run.commit,
            run.data,
            run.best,
            number_text(run.cv),
            number_text(run.test),
            f"{number_text(run.low)} to {number_text(run.high)}",
            _trend(run, older),
        ]
        lines.append(_row(cells))
    return lines


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


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
