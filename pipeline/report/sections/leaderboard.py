"""The leaderboard: a dataset's candidates from the best to the worst."""

from dataclasses import dataclass

from pipeline.project import paths, rounding
from pipeline.report import best
from pipeline.report.comparison import BoundedScore, FoldScores
from pipeline.report.sections.subject import Subject, mlflow_runs, seconds


@dataclass(frozen=True)
class Row:
    """A candidate's primary metric; `fit` in seconds, `ms` in milliseconds for 1,000 rows.

    `kb` is the size of its stored model in kilobytes.
    """

    name: str
    best: bool
    cv: FoldScores
    oof: float | None
    train: float | None
    test: BoundedScore
    fit: float | None
    ms: float | None
    kb: float | None
    run: str | None


@dataclass(frozen=True)
class Leaderboard:
    """The rows; times, sizes and addresses of runs are shown where this machine has them.

    `undefined` says on how many folds the metric is not defined, where it is not on some.
    """

    rows: list[Row]
    undefined: str | None
    timed: bool
    sized: bool
    linked: bool


def figures(subject: Subject) -> Leaderboard:
    ranked = rows(subject)
    timed = any(row.ms for row in ranked)
    sized = any(row.kb for row in ranked)
    reasons = [row.cv.reason for row in ranked if row.cv.reason]
    undefined = reasons[0] if reasons else None
    return Leaderboard(ranked, undefined, timed, sized, linked=ranked[0].run is not None)


def rows(subject: Subject) -> list[Row]:
    """Return one row per candidate, the best first."""
    dataset, result = subject.dataset, subject.result
    metric, runs, fits = result.primary_metric, mlflow_runs(dataset), _fit_seconds(dataset)
    table = []
    for name in best.ranked(result.candidates, metric):
        candidate = result.candidates[name]
        predict = seconds(dataset, f"{candidate.stage}_predict")
        table.append(
            Row(
                name=name,
                best=name == result.best.name,
                cv=candidate.cv[metric],
                oof=candidate.cv_oof[metric],
                train=candidate.train[metric],
                test=candidate.test[metric],
                fit=fits.get(name),
                ms=_per_thousand_rows(predict.get(name)),
                kb=_stored_size(dataset, candidate.stage, name),
                run=runs.get(f"{candidate.stage}/{name}"),
            )
        )
    return table


def _fit_seconds(dataset: str) -> dict[str, float]:
    tuned = seconds(dataset, "tune").get("fits", {})
    return {**seconds(dataset, "train"), **tuned}


def _stored_size(dataset: str, stage: str, name: str) -> float | None:
    """Return the kilobytes of a candidate's stored model; None where it is not on this machine."""
    parts = [path for path in (paths.models(dataset, stage) / name).rglob("*") if path.is_file()]
    if not parts:
        return None
    return rounding.significant(sum(path.stat().st_size for path in parts) / 1000)


def _per_thousand_rows(seconds_per_row: float | None) -> float | None:
    """Return the milliseconds of 1,000 rows."""
    return None if seconds_per_row is None else rounding.significant(1e6 * seconds_per_row)
