"""The comparison of all datasets, with named, typed fields; reads and writes its JSON file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.report.stage_figures import Explanation, Tuning
from pipeline.scoring import gates
from pipeline.scoring.scores import HeaviestRows
from pipeline.scoring.thresholds import Rule

SCHEMA = 1  # of docs/schema/comparison_results.schema.json


@dataclass(frozen=True)
class FoldScores:
    """A metric over the folds of the cross-validation; None, with the reason, if not defined."""

    mean: float | None
    std: float | None
    reason: str | None = None


@dataclass(frozen=True)
class BoundedScore:
    """A metric on the test rows with its 95 % interval; the metrics of a single class have none."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class ConfusionMatrix:
    """counts[i][j] rows of class labels[i] were predicted as class labels[j]."""

    labels: list[str]
    counts: list[list[int]]

    def rows_of_classes(self) -> list[int]:
        """Return how many rows each class has."""
        return [sum(row) for row in self.counts]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A candidate's scores by metric; classification also has a decision threshold and a matrix."""

    stage: str
    params: dict[str, Any]
    cv: dict[str, FoldScores]
    cv_oof: dict[str, float | None]
    train: dict[str, float | None]
    test: dict[str, BoundedScore]
    threshold: float | None = None
    decision_costs: list[list[float]] | None = None
    confusion_matrix: ConfusionMatrix | None = None
    heaviest_rows: HeaviestRows | None = None
    model_sha256: str

    @property
    def rule(self) -> Rule:
        """The rule by which its probabilities become decisions."""
        return self.threshold if self.decision_costs is None else self.decision_costs

    @property
    def model_type(self) -> str | None:
        """The family in the catalogue; a blend has none of its own."""
        return self.params.get("model_type")


@dataclass(frozen=True)
class Improvement:
    """How much better a cross-validated score is than that of the candidate `over`."""

    over: str
    absolute: float | None
    percent: float | None


@dataclass(frozen=True)
class Best:
    """The chosen candidate, by what it was chosen, and what it gains over a baseline."""

    name: str
    by: str
    improvement: Improvement | None


@dataclass(frozen=True)
class SliceTest:
    """The primary metric on the test rows of a slice; worse: its interval is below the overall."""

    rows: int
    value: float | None
    low: float | None
    high: float | None
    worse: bool


@dataclass(frozen=True)
class SliceResult:
    """A part of the table, who named it, its error against the mean error, and its test score."""

    where: str
    origin: str
    train_rows: int
    error_ratio: float | None
    test: SliceTest


@dataclass(frozen=True)
class Advice:
    """One thing that follows from the figures, how grave it is, and what to do about it."""

    level: str
    what: str
    do: str


@dataclass(frozen=True)
class Rows:
    """How many rows each split holds, and how the table was split."""

    by: str
    train: int
    test: int


@dataclass(frozen=True, kw_only=True)
class DatasetResult:
    """One dataset's part of the comparison.

    `expected` are the best candidate's metrics out of fold, less what its being chosen flatters.
    `constant_decisions` are what it costs to decide for one class whatever the row.
    """

    task: str
    primary_metric: str
    target: str
    source: str
    synthetic: bool
    data_hash: str
    rows: Rows
    features: int
    missing_share: float = 0.0
    class_counts: dict[str, int] | None = None
    cv_folds: int
    constant_decisions: dict[str, BoundedScore] | None = None
    candidates: dict[str, Candidate]
    best: Best
    expected: dict[str, float | None]
    tuning: Tuning | None
    gates: list[gates.Verdict]
    explanation: Explanation
    slices: list[SliceResult]
    advice: list[Advice]
    verdict: str

    @property
    def classes(self) -> list[str] | None:
        """The class labels in the order of the probabilities; None for regression."""
        matrix = self.chosen.confusion_matrix
        return matrix.labels if matrix else None

    @property
    def chosen(self) -> Candidate:
        """The best candidate."""
        return self.candidates[self.best.name]

    @property
    def cv(self) -> FoldScores:
        """The best candidate's primary metric over the folds."""
        return self.chosen.cv[self.primary_metric]

    @property
    def test(self) -> BoundedScore:
        """The best candidate's primary metric on the test rows."""
        return self.chosen.test[self.primary_metric]


@dataclass(frozen=True)
class MeanRank:
    """A candidate that every dataset has, with its mean rank over the datasets."""

    name: str
    mean_rank: float


@dataclass(frozen=True)
class Comparison:
    """The datasets' results, and the candidates that all of them have, the best first."""

    schema: int
    overall: list[MeanRank]
    datasets: dict[str, DatasetResult]


_COMPARISON = TypeAdapter(Comparison)
_CANDIDATE = TypeAdapter(Candidate)


def read(path: Path = paths.COMPARISON, made_by: str = "dvc repro") -> Comparison:
    """Return the comparison that was written last.

    Raises DataError where the file is missing (it names the command `made_by`) or of another form.
    """
    return parsed(files.read_json(path, made_by), path)


def parsed(content: dict[str, Any], path: Path = paths.COMPARISON) -> Comparison:
    """Return a comparison from the content of its JSON file; `path` is what an error names."""
    try:
        return _COMPARISON.validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise DataError(
            f"{path}: {key}: {first['msg']}; run `python compare_results.py` again"
        ) from None


def candidate(content: Mapping[str, Any]) -> Candidate:
    """Return a candidate from its part of a stage's JSON file."""
    return _CANDIDATE.validate_python(content)


def bounded_scores(content: Mapping[str, Any] | None) -> dict[str, BoundedScore] | None:
    """Return scores from their part of a stage's JSON file; None where it has none."""
    return None if content is None else {key: BoundedScore(**one) for key, one in content.items()}


def write(comparison: Comparison) -> None:
    """Write the comparison's JSON file."""
    files.write_json(paths.COMPARISON, as_json(comparison))


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return the content of the comparison's JSON file."""
    content = asdict(comparison)
    for result in content["datasets"].values():
        if result["constant_decisions"] is None:
            del result["constant_decisions"]
        for candidate in result["candidates"].values():
            _drop_what_does_not_apply(candidate)
    return content


def _drop_what_does_not_apply(candidate: dict[str, Any]) -> None:
    """Remove what only classes, heavy tails, undefined folds or metrics of all classes have."""
    if candidate["confusion_matrix"] is None:
        del candidate["threshold"], candidate["confusion_matrix"]
    if candidate["decision_costs"] is None:
        del candidate["decision_costs"]
    if candidate["heaviest_rows"] is None:
        del candidate["heaviest_rows"]
    for folds in candidate["cv"].values():
        if folds["reason"] is None:
            del folds["reason"]
    for metric, score in candidate["test"].items():
        if "__" in metric:
            del score["low"], score["high"]
