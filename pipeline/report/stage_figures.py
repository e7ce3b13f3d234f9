"""What the stages left on a dataset beside the candidates' scores, with named, typed fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from pipeline.project import files, paths
from pipeline.training.results.reading import read_tune


@dataclass(frozen=True)
class SelectedOn:
    """A gain in cross-validation: the search chose by it, so it flatters."""

    absolute: float | None
    percent: float | None


@dataclass(frozen=True)
class PairedGain:
    """A gain on the same test rows with its 95 % interval; positive is better."""

    absolute: float | None
    percent: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Gain:
    """What a tuned candidate gained over the untuned candidate `over`."""

    over: str
    cv_selected_on: SelectedOn
    test: PairedGain


@dataclass(frozen=True)
class Gains:
    """What a tuned candidate gained over its own model untuned and over the best untuned one."""

    same_model: Gain | None
    best_of_train: Gain | None


@dataclass(frozen=True)
class Trials:
    """How many trials a search had, and how often each reason stopped one."""

    total: int
    finished: int
    pruned: int
    failed: int
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Tuning:
    """What the search for hyperparameters did: trials, its best candidate, gains by candidate."""

    trials: Trials
    best: str
    improvement: dict[str, Gains]


@dataclass(frozen=True)
class ShapleyColumn:
    """How far a column moves the output; `direction` is its correlation with the values."""

    mean_abs: float
    direction: float | None


@dataclass(frozen=True)
class Shapley:
    """Shapley values of the columns on some test rows, in the unit of the model's output."""

    rows: int
    unit: str
    columns: dict[str, ShapleyColumn]


@dataclass(frozen=True)
class Explanation:
    """What the best candidate relies on: permutation importance by column, Shapley values."""

    importance: dict[str, float | None]
    shap: Shapley | None


@dataclass(frozen=True)
class DriftTest:
    """One column's test; its effect size against the threshold is the drift score."""

    verdict: str
    effect: str | None = None
    effect_size: float | None = None
    threshold: float | None = None
    p_adjusted: float | None = None
    drift_score: float | None = None
    column: str | None = None


@dataclass(frozen=True)
class QualityFigures:
    """The verdict on the data's quality, and what it rests on."""

    verdict: str
    reasons: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TogetherFigures:
    """Whether rows stand out by all columns taken together, and by which the most."""

    verdict: str
    columns: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class DriftFigures:
    """A comparison of two tables: the verdict, what to do, and the tests by column."""

    verdict: str
    recommendation: str
    quality: QualityFigures
    reference: str = "training split"
    current: str = "test split"
    compared: int = 0
    drifted: list[str] = field(default_factory=list)
    drifted_ignored: list[str] = field(default_factory=list)
    target: DriftTest | None = None
    prediction: DriftTest | None = None
    together: TogetherFigures | None = None
    notes: list[str] = field(default_factory=list)
    columns: dict[str, DriftTest] = field(default_factory=dict)


_TUNING = TypeAdapter(Tuning)
_EXPLANATION = TypeAdapter(Explanation)
_DRIFT = TypeAdapter(DriftFigures)


def explanation(content: Mapping[str, Any]) -> Explanation:
    """Return what a candidate relies on from its part of a stage's JSON file."""
    return _EXPLANATION.validate_python(
        {"importance": content.get("importance", {}), "shap": content.get("shap")}
    )


def read_tuning(dataset: str) -> Tuning | None:
    """Return what the search of a dataset did; None where it has not run."""
    tuned = read_tune(dataset)
    return None if tuned is None else _TUNING.validate_python(tuned)


def read_drift(dataset: str) -> DriftFigures | None:
    """Return the drift stage's figures of a dataset; None where the stage has not run."""
    path = paths.metrics(dataset, "drift")
    if not path.is_file():
        return None
    return _DRIFT.validate_python(files.read_json(path, made_by=f"dvc repro drift@{dataset}"))
