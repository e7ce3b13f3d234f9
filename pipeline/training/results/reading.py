"""Reading the results of train and tune: together where they can be compared, else refused."""

from dataclasses import dataclass
from typing import Any, cast

from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.training.problem import Problem
from pipeline.training.results.content import Candidate, StageResults, TuneResults
from pipeline.training.results.ranking import best_candidate

TRAIN, TUNE = "train", "tune"
STAGES = (TRAIN, TUNE)  # whose results hold candidates
COMMANDS = {TRAIN: "train.py", TUNE: "tune_hyperparameters.py"}


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
