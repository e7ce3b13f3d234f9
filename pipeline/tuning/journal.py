"""The journal of a search: what it keeps on disk, in a folder that no other process searches in.

It holds Optuna's own journal and what each fit gave. A folder belongs to one data set, one choice
of settings, and one state of the code and of the libraries, see `identity`.
"""

import hashlib
import importlib
import importlib.metadata
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.project.params import Params
from pipeline.scoring.terms import own_metrics
from pipeline.training.problem import Problem
from pipeline.tuning.trials import FoldFit, Limits, Plan, Trial, plan_of

ROOMS = (
    "own",
    "data",
    "scoring",
    "models",
    "training",
    "tuning",
)  # whose code the trials depend on
LIBRARIES = (
    "catboost",
    "imbalanced-learn",
    "lightgbm",
    "numpy",
    "optuna",
    "pandas",
    "scikit-learn",
    "scipy",
)


MOST_TRIALS = 10_000  # of a search by seconds


class Journal:
    """Optuna's journal, written by rename, so that a kill at any moment leaves a whole one.

    The file has the form of optuna.storages.journal.JournalFileBackend, which opens it. With
    `empty` the file is not read, and stays as it is until `commit`.
    """

    CREATE_TRIAL = 4  # of optuna.storages.journal._storage.JournalOperation

    def __init__(self, path: Path, empty: bool = False):
        self.path = path
        self.logs: list[dict[str, Any]] = []
        if path.is_file() and not empty:
            lines = path.read_text(encoding="utf-8").splitlines()
            self.logs = [json.loads(line) for line in lines]

    def read_logs(self, log_number_from: int) -> list[dict[str, Any]]:
        """Return the logs from a number on, as Optuna asks for them."""
        return self.logs[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Hold logs until `commit`."""
        self.logs += json.loads(json.dumps(logs))

    def trials(self) -> int:
        """Return how many trials it holds."""
        return sum(log["op_code"] == self.CREATE_TRIAL for log in self.logs)

    def commit(self) -> None:
        """Write all logs."""
        lines = [json.dumps(log, separators=(",", ":")) + "\n" for log in self.logs]
        files.write_text(self.path, "".join(lines))


def identity(problem: Problem, settings: Params) -> dict[str, str]:
    """Return hashes of what a study's trials depend on: a change in any of it makes a new study."""
    own = own_metrics.code_of(problem.terms.metrics)
    return {
        "data": _digest(problem.split_hash),
        "settings": _digest(_settings(problem.dataset, settings)),
        "code": _digest([*_code(), own] if own else _code()),
        "libraries": _digest(_libraries()),
    }


def _settings(dataset: str, settings: Params) -> dict[str, Any]:
    """Return what params.yaml says that a trial depends on."""
    block, plan = settings.dataset(dataset), plan_of(dataset, settings)
    search_spaces = {}
    for model, space in plan.search_spaces.items():
        search_spaces[model] = {name: values.model_dump() for name, values in space.items()}
    return {
        "seed": settings.seed,
        "prepare": block.prepare.model_dump(),
        "data": block.data.model_dump(),
        "train": block.train.model_dump(exclude={"models"}),
        "tune": block.tune.model_dump(exclude={"trials", "seconds", "final", "blend", "tolerance"}),
        "by_time": block.tune.seconds is not None,
        "hyperparameters": plan.hyperparameters,
        "search_spaces": search_spaces,
        "portfolio": plan.portfolio,
    }


def _code() -> list[str]:
    """Return the hashes of all modules in ROOMS."""
    package = Path(__file__).parents[1]
    modules = []
    for room in ROOMS:
        modules += sorted((package / room).rglob("*.py"))
    return [files.digest(module) for module in modules]


def _libraries() -> dict[str, str]:
    """Return the versions of LIBRARIES and of xgboost, whose package has several names."""
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return versions | {"xgboost": importlib.import_module("xgboost").__version__}


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@contextmanager
def opened(problem: Problem, settings: Params) -> Iterator[Path]:
    """Yield the folder of the study of the data and settings; no other process searches in it.

    Prints what changed where the study is a new one. Raises DataError where the folder is in use.
    """
    wanted = identity(problem, settings)
    studies = paths.studies(problem.dataset)
    folder = studies / _digest(wanted)[:12]
    if not (folder / "study.json").is_file():
        _say_what_changed(problem.dataset, wanted)
        files.write_json(folder / "study.json", wanted)
    try:
        with FileLock(folder / "lock", timeout=0):
            yield folder
    except Timeout:
        raise DataError(
            f"{folder} is in use: another process tunes {problem.dataset}; wait for it, or end it"
        ) from None


def _say_what_changed(dataset: str, wanted: dict[str, str]) -> None:
    """Print in what a new study differs from the last one, if there is any."""
    others = paths.studies(dataset).glob("*/study.json")
    last = max(others, key=lambda path: path.stat().st_mtime, default=None)
    if last is None:
        return
    known = files.read_json(last, made_by="python tune_hyperparameters.py")
    changed = [part for part in wanted if known.get(part) != wanted[part]]
    what = " and the ".join(changed)
    print(f"tune {dataset}: a new study, for the {what} changed since the last one")


@contextmanager
def limits(
    folder: Path,
    plan: Plan,
    n_trials: int | None,
    n_workers: int,
    started: float,
    what_follows: Callable[[list[Trial]], float],
) -> Iterator[Limits]:
    """Yield when the search in a folder ends; `n_trials` are those asked for by hand.

    A search by seconds has what earlier ones in this folder left of them, and the folder gets to
    know what it took since `started`, a moment as time.time() counts it.
    """
    seconds = plan.tune.seconds
    if seconds is None:
        yield Limits(n_trials or plan.tune.trials, workers=n_workers)
        return
    spent = _spent(folder)
    until = started + seconds - spent
    try:
        yield Limits(n_trials or MOST_TRIALS, until, n_workers, what_follows)
    finally:
        files.write_json(_spent_file(folder), {"seconds": spent + time.time() - started})


def _spent(folder: Path) -> float:
    """Return the seconds that searches in a folder have taken."""
    if not _spent_file(folder).is_file():
        return 0.0
    return files.read_json(_spent_file(folder), made_by="python tune_hyperparameters.py")["seconds"]


def _spent_file(folder: Path) -> Path:
    return folder / "spent.json"


def write_fit(folder: Path, trial: Trial, fold: int, fit: FoldFit) -> None:
    """Keep what a fold of a trial gave, with what the trial is known by."""
    with files.replacing(_fit_file(folder, trial, fold)) as partial:
        with open(partial, "wb") as stream:
            np.savez(
                stream,
                output=fit.output,
                rounds=fit.rounds or 0,
                cost=fit.cost,
                seconds=fit.seconds,
                predicting=fit.predicting,
                trial=_known_by(trial),
            )


def read_fit(folder: Path, trial: Trial, fold: int) -> FoldFit | None:
    """Return what a fold of the trial gave; None where it is not there, or of another trial."""
    try:
        with np.load(_fit_file(folder, trial, fold), allow_pickle=False) as content:
            if str(content["trial"]) != _known_by(trial):
                return None
            return FoldFit(
                output=content["output"],
                rounds=int(content["rounds"]) or None,
                cost=float(content["cost"]),
                seconds=float(content["seconds"]),
                predicting=float(content["predicting"]),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _fit_file(folder: Path, trial: Trial, fold: int) -> Path:
    return folder / "fits" / f"{trial.number:04}_{fold}.npz"


def _known_by(trial: Trial) -> str:
    """Return a hash of what distinguishes trials of the same number."""
    return _digest([trial.model, trial.hyperparameters, trial.early_stopping])
