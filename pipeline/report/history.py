"""The comparison over time: against another git revision, over commits, and over MLflow's runs."""

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from pipeline.project import paths
from pipeline.project.errors import DataError, UsageError
from pipeline.project.rounding import number_text
from pipeline.report import comparison
from pipeline.report.comparison import DatasetResult
from pipeline.scoring import metrics
from pipeline.tracking import comparisons
from pipeline.tracking.comparisons import RecordedComparison
from pipeline.tracking.git import contents, git

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


@dataclass(frozen=True)
class PastResult:
    """What a comparison found at one time, by a commit's files or a run in MLflow."""

    source: str
    time: str
    name: str
    best: str
    cv: float | None
    test: float | None
    low: float | None
    high: float | None


MOST_COMMITS = 30  # the newest
COMMITS, RUNS = "commits", "MLflow runs"


def past_results(results: dict[str, DatasetResult]) -> dict[str, list[PastResult]]:
    """Return the past results of each dataset under its metric of today, the oldest first."""
    committed = _committed(list(results))
    past = {}
    for dataset, result in results.items():
        metric = result.primary_metric
        runs = [_of_run(run) for run in comparisons.noted(dataset) if run.metric == metric]
        commits = [_of_commit(one) for one in committed[dataset] if one.metric == metric]
        past[dataset] = sorted([*_distinct(commits), *runs], key=lambda one: one.time)
    return past


@dataclass(frozen=True)
class _Committed:
    """The figures of the best candidate as a commit holds them."""

    commit: str
    time: str
    metric: str
    figures: dict[str, Any]


def _committed(datasets: list[str]) -> dict[str, list[_Committed]]:
    """Return what the newest commits that changed a best candidate hold, the oldest first."""
    log = git("log", f"-{MOST_COMMITS}", "--format=%h\t%cI", "--", paths.BEST.as_posix())
    commits = [line.split("\t") for line in reversed((log or "").splitlines())]
    files = {name: paths.best(name).as_posix() for name in datasets}
    found: dict[str, list[_Committed]] = {}
    for dataset, file in files.items():
        found[dataset] = []
        texts = contents([f"{commit}:./{file}" for commit, _ in commits])
        for (commit, when), text in zip(commits, texts):
            if text is not None:
                figures = json.loads(text)
                found[dataset].append(
                    _Committed(commit, _minute(when), figures["primary_metric"], figures)
                )
    return found


def _of_commit(one: _Committed) -> PastResult:
    figures = one.figures
    return PastResult(
        COMMITS,
        one.time,
        one.commit,
        figures["candidate"],
        figures["cv"],
        figures["test"],
        figures.get("test_low"),
        figures.get("test_high"),
    )


def _of_run(run: RecordedComparison) -> PastResult:
    time = _minute(run.time)
    return PastResult(RUNS, time, run.commit, run.best, run.cv, run.test, run.low, run.high)


def _minute(time: str) -> str:
    """Return an ISO time in UTC, to the minute; such texts sort by time."""
    return datetime.fromisoformat(time).astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M")


def _distinct(results: list[PastResult]) -> list[PastResult]:
    """Return the results without those that are the same as the one before."""
    distinct: list[PastResult] = []
    for one in results:
        if not distinct or (one.best, one.cv, one.test) != (
            distinct[-1].best,
            distinct[-1].cv,
            distinct[-1].test,
        ):
            distinct.append(one)
    return distinct


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
