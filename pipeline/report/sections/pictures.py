"""The pictures of a dataset, drawn by the page's script: what it draws, as numbers."""

import math
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from pipeline.drift import verdicts
from pipeline.report import charts, pictures
from pipeline.report.charts import Point, TrialValue
from pipeline.report.history import PastResult
from pipeline.report.sections import drift, leaderboard
from pipeline.report.sections.subject import Subject
from pipeline.report.stage_figures import Shapley
from pipeline.scoring import metrics
from pipeline.training.explanations import MOST_OWNERS

# metrics that are shares, from 0 to 1
SHARES = ("accuracy", "precision", "recall", "f1", "roc_auc", "average_precision")


@dataclass(frozen=True)
class Model:
    """A candidate's cross-validated score, and its milliseconds for 1,000 rows if known."""

    name: str
    cv: float | None
    std: float | None
    ms: float | None


@dataclass(frozen=True)
class TrialCurve:
    """One model in a search: its best value so far by trial, and good trials as dots."""

    name: str
    points: list[Point]
    dots: list[Point]


class Importance(NamedTuple):  # a list in JSON
    """How much worse the score gets where a column is shuffled."""

    column: str
    value: float | None


class ShapleyBar(NamedTuple):  # a list in JSON
    """How far a column moves the output, and in which direction its greater values do."""

    column: str
    mean_abs: float
    direction: float | None


@dataclass(frozen=True)
class ShapleyBars:
    """The columns' bars, in the unit of the model's output on so many rows."""

    unit: str
    rows: int
    columns: list[ShapleyBar]


class DriftBar(NamedTuple):  # a list in JSON
    """A column's drift score."""

    name: str
    role: str
    score: float
    verdict: str


@dataclass(frozen=True)
class Drawing:
    """What the page's script draws of a dataset, beside its curves."""

    metric: str
    lower: bool
    range: tuple[float | None, float | None]
    best: str
    target: str
    models: list[Model]
    course: list[TrialCurve]
    explained: str
    importance: list[Importance]
    shap: ShapleyBars | None
    drift: list[DriftBar]
    past: list[PastResult]


@dataclass(frozen=True)
class Place:
    """Where the script puts the pictures of a dataset."""

    dataset: str


def figures(subject: Subject) -> Place:
    return Place(subject.dataset)


def drawing(subject: Subject) -> dict[str, Any]:
    """Return what the page's script draws of a dataset, as JSON."""
    result = subject.result
    board = leaderboard.rows(subject)
    content = Drawing(
        metric=result.primary_metric,
        lower=not metrics.lookup(result.primary_metric).greater_is_better,
        range=_range(result.primary_metric),
        best=result.best.name,
        target=result.target,
        models=[Model(row.name, row.cv.mean, row.cv.std, row.ms) for row in board],
        course=course(subject.pictures.course or [], result.primary_metric),
        explained=_explained(result.features),
        importance=[Importance(*item) for item in result.explanation.importance.items()],
        shap=_shapley_bars(result.explanation.shap),
        drift=_drift_bars(drift.rows(subject.drift)),
        past=list(subject.past),
    )
    drawn = pictures.as_json(subject.pictures)
    kinds = [kind for kind in (*pictures.CURVES, "dots") if kind in drawn]
    return asdict(content) | {kind: drawn[kind] for kind in kinds}


def _range(metric: str) -> tuple[float | None, float | None]:
    """Return the least and the greatest value that a metric can have; None where it has none."""
    entry = metrics.lookup(metric)
    perfect = entry.perfect if math.isfinite(entry.perfect) else None
    if not entry.greater_is_better:
        return perfect, None
    return (0 if entry.name in SHARES else None), perfect


def course(trials: list[TrialValue], metric: str) -> list[TrialCurve]:
    """Return the curves of a search, with the better half of all its trials as dots."""
    greater = metrics.lookup(metric).greater_is_better
    best_first = sorted((trial.value for trial in trials), reverse=greater)
    half = -(-len(trials) // 2)
    better_half = set(best_first[:half])
    curves = []
    for model in dict.fromkeys(trial.model for trial in trials):
        of_model = [trial for trial in trials if trial.model == model]
        bests = charts.best_so_far(of_model, metric)
        points: list[Point] = [[trial.number, best] for trial, best in zip(of_model, bests)]
        dots: list[Point] = [
            [one.number, one.value] for one in of_model if one.value in better_half
        ]
        curves.append(TrialCurve(model, points, dots))
    return curves


def _explained(features: int) -> str:
    """Return what the explanations of a wide table leave out, for the notes of the pictures."""
    if features <= MOST_OWNERS:
        return ""
    return (
        f" Of {features:,} columns, the {MOST_OWNERS} that go most with its output are looked at."
    )


def _shapley_bars(shap: Shapley | None) -> ShapleyBars | None:
    if shap is None:
        return None
    bars = [ShapleyBar(name, one.mean_abs, one.direction) for name, one in shap.columns.items()]
    return ShapleyBars(shap.unit, shap.rows, bars)


def _drift_bars(rows: list[drift.Row]) -> list[DriftBar]:
    """Return the rows that a test looked at."""
    bars = []
    for row in rows:
        if row.drift_score is not None and row.verdict != verdicts.NOT_ENOUGH_DATA:
            bars.append(DriftBar(row.name, row.role, row.drift_score, row.verdict))
    return bars
