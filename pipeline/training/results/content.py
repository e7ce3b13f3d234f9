"""The content of train.json and tune.json, and the candidates in them."""

from typing import Any, NotRequired, TypedDict


class Spread(TypedDict):
    """A metric over the folds; None, with the reason, where one of them does not define it."""

    mean: float | None
    std: float | None
    reason: NotRequired[str]


class Measured(TypedDict):
    """A metric on the test rows with its 95 % interval, which not every metric has."""

    value: float | None
    low: NotRequired[float | None]
    high: NotRequired[float | None]


class ConfusionMatrix(TypedDict):
    """counts[i][j] rows of class labels[i] were predicted as class labels[j]."""

    labels: list[str]
    counts: list[list[int]]


class HeaviestRows(TypedDict):
    """Few test rows that make a good share of the squared error of all."""

    rows: int
    of: int
    share: float


class Contribution(TypedDict):
    """How much a column adds to the output, and the sign of its rank correlation with that."""

    mean_abs: float | None
    direction: float | None


class Contributions(TypedDict):
    """The mean Shapley values of a model on some test rows, in the unit of its output."""

    rows: int
    unit: str
    columns: dict[str, Contribution]


class Walked(TypedDict):
    """How many test rows were walked over how many values of a constrained column; none broke it.

    `direction` is 1 where the output may only rise, -1 where it may only fall.
    """

    direction: int
    rows: int
    values: int


class Candidate(TypedDict):
    """One trained model: its parameters, its scores by metric, and what it relies on."""

    stage: str
    params: dict[str, Any]
    cv: dict[str, Spread]
    cv_oof: dict[str, float | None]
    train: dict[str, float | None]
    test: dict[str, Measured]
    threshold: NotRequired[float | None]
    decision_costs: NotRequired[list[list[float]]]
    confusion_matrix: NotRequired[ConfusionMatrix]
    heaviest_rows: NotRequired[HeaviestRows]
    model_sha256: str
    importance: dict[str, float | None]
    shap: NotRequired[Contributions]
    monotone: NotRequired[dict[str, Walked]]


class Heading(TypedDict):
    """What the results say of the problem that they are of.

    `metrics_code` is the sha256 of each file that the user's own metrics come from, and
    `constant_decisions` are what it costs on the test rows to decide for one class whatever the
    row, where decisions have costs.
    """

    schema: int
    dataset: str
    task: str
    primary_metric: str
    seed: int
    synthetic: bool
    data_hash: str
    split_hash: str
    rows: dict[str, int]
    cv_folds: int
    metrics_code: NotRequired[dict[str, str]]
    constant_decisions: NotRequired[dict[str, Measured]]


class StageResults(Heading):
    """The content of train.json, and what tune.json has in common with it."""

    candidates: dict[str, Candidate]


class TrialCounts(TypedDict):
    """How many trials a search had and how they ended; `reasons` are those of the failed ones."""

    total: int
    finished: int
    pruned: int
    failed: int
    reasons: dict[str, int]


class Gain(TypedDict):
    """How much better one value of a metric is than another, in its unit and in per cent."""

    absolute: float | None
    percent: float | None


class GainOnTest(Gain):
    """A gain on the test rows with its 95 % interval of paired draws."""

    low: float | None
    high: float | None


class Improvement(TypedDict):
    """How much better a candidate is than another one, `over`."""

    over: str
    cv_selected_on: Gain
    test: GainOnTest


class Improvements(TypedDict):
    """How much better a tuned candidate is than the same model untuned, and than train's best."""

    same_model: Improvement | None
    best_of_train: Improvement


class ParetoFront(TypedDict, total=False):
    """The trials that no other beats in both objectives, and how the winner is picked."""

    pareto: list[dict[str, Any]]
    picked: str


class TuneResults(StageResults, ParetoFront):
    """The content of tune.json; `course` holds [number, model, value] of the finished trials."""

    trials: TrialCounts
    course: list[list[Any]]
    best: str
    improvement: dict[str, Improvements]


def classes_of(candidate: Candidate) -> list[str] | None:
    """Return the labels in the order of the candidate's probabilities; None for regression."""
    matrix = candidate.get("confusion_matrix")
    return matrix["labels"] if matrix else None
