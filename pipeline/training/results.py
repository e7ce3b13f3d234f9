"""The results of train and tune: what train.json and tune.json hold, and the candidates in them."""

from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict, cast

from pipeline.models import catalogue
from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.scoring import choice, scores
from pipeline.scoring.choice import Contender
from pipeline.scoring.terms import own_metrics
from pipeline.training.problem import Problem

TRAIN, TUNE = "train", "tune"
STAGES = (TRAIN, TUNE)  # whose results hold candidates
COMMANDS = {TRAIN: "train.py", TUNE: "tune_hyperparameters.py"}


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


@dataclass(frozen=True)
class ScoredCandidates:
    """The candidates of train and tune that are of the prepared data, and train's results."""

    trained: StageResults
    by_name: dict[str, Candidate]

    def best(self) -> str:
        """Return the name of the best one by the cross-validated primary metric."""
        return best_candidate(self.by_name, self.trained["primary_metric"])


def read_train(dataset: str) -> StageResults:
    """Return train's results of a dataset; raise DataError where it has not run."""
    return cast(StageResults, _read(dataset, TRAIN))


def read_tune(dataset: str) -> TuneResults | None:
    """Return tune's results of a dataset; None where it has not run."""
    if not paths.metrics(dataset, TUNE).is_file():
        return None
    return cast(TuneResults, _read(dataset, TUNE))


def read_stage(dataset: str, stage: str) -> StageResults | None:
    """Return what a stage's results have in common; None where the stage has not run."""
    if not paths.metrics(dataset, stage).is_file():
        return None
    return cast(StageResults, _read(dataset, stage))


def _read(dataset: str, stage: str) -> Any:
    command = f"python {COMMANDS[stage]} --dataset {dataset}"
    return files.read_json(paths.metrics(dataset, stage), made_by=command)


def read_candidates(dataset: str) -> ScoredCandidates:
    """Return the candidates of a dataset over all stages; tuning may not have run yet.

    Raises DataError where a stage's candidates are of other data than the prepared ones, or scored
    differently from train's.
    """
    quality = files.read_json(
        paths.metrics(dataset, "quality"), made_by=f"python prepare_data.py --dataset {dataset}"
    )
    trained = read_train(dataset)
    if trained["split_hash"] != quality["split_hash"]:
        raise DataError(
            f"{paths.metrics(dataset, TRAIN)}: its models are of other data than "
            f"{paths.processed(dataset)}; run `python train.py --dataset {dataset}`, or `dvc repro`"
        )
    tuned = read_tune(dataset)
    if tuned is None:
        return ScoredCandidates(trained, dict(trained["candidates"]))
    if _comparable(tuned) != _comparable(trained):
        raise DataError(
            f"{paths.metrics(dataset, TUNE)}: its models are of other data or settings than "
            f"train's; run `python tune_hyperparameters.py --dataset {dataset}`, or `dvc repro`"
        )
    return ScoredCandidates(trained, trained["candidates"] | tuned["candidates"])


def read_train_of(problem: Problem) -> StageResults:
    """Return train's results; raise DataError where they are of another problem than this."""
    trained = read_train(problem.dataset)
    problem_now = (
        problem.split_hash,
        problem.seed,
        problem.primary_metric,
        len(problem.folds),
    )
    if _comparable(trained) != problem_now:
        raise DataError(
            f"{paths.metrics(problem.dataset, TRAIN)}: its models are of other data or settings; "
            f"run `python train.py --dataset {problem.dataset}` first"
        )
    return trained


def _comparable(results: StageResults) -> tuple[str, int, str, int]:
    """Return what two stages must share so that their scores can be compared."""
    return (
        results["split_hash"],
        results["seed"],
        results["primary_metric"],
        results["cv_folds"],
    )


def heading(problem: Problem) -> Heading:
    """Return what train.json and tune.json say of the problem, before their own results."""
    content: Heading = {
        "schema": 1,
        "dataset": problem.dataset,
        "task": problem.task,
        "primary_metric": problem.primary_metric,
        "seed": problem.seed,
        "synthetic": problem.synthetic,
        "data_hash": problem.data_hash,
        "split_hash": problem.split_hash,
        "rows": {"train": len(problem.X), "test": len(problem.X_test)},
        "cv_folds": len(problem.folds),
    }
    code = own_metrics.code_of(problem.terms.metrics)
    if code:
        content["metrics_code"] = code
    if problem.classes and problem.terms_test.costs is not None:
        costs = scores.costs_of_constant_decisions(
            problem.y_test, problem.terms_test, problem.classes, problem.seed, problem.sampling
        )
        content["constant_decisions"] = {
            label: cast(Measured, score.as_json()) for label, score in costs.items()
        }
    return content


def ranked(candidates: dict[str, Candidate], metric: str) -> list[str]:
    """Return the candidates' names from the best to the worst by the cross-validated metric."""
    return choice.ranked(_contenders(candidates, metric), metric, catalogue.SIMPLEST_FIRST)


def best_candidate(candidates: dict[str, Candidate], metric: str) -> str:
    """Return the name of the best candidate by the cross-validated metric.

    A tie goes to the simpler model, see scoring/choice.py. Raises DataError where the metric is
    undefined for all of them.
    """
    contenders = _contenders(candidates, metric)
    return choice.best_candidate(contenders, metric, catalogue.SIMPLEST_FIRST)


def _contenders(candidates: dict[str, Candidate], metric: str) -> dict[str, Contender]:
    contenders = {}
    for name, candidate in candidates.items():
        folds = candidate["cv"][metric]
        model_type = candidate["params"].get("model_type")
        contenders[name] = Contender(model_type, folds["mean"], folds.get("reason"))
    return contenders


def classes_of(candidate: Candidate) -> list[str] | None:
    """Return the labels in the order of the candidate's probabilities; None for regression."""
    matrix = candidate.get("confusion_matrix")
    return matrix["labels"] if matrix else None
