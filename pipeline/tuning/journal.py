"""What a search keeps on disk, in a folder that no other process searches in: Optuna's journal, and what each fit gave.

A folder belongs to one data set, one choice of settings, one state of the code and of the libraries, see `identity`.
"""

import hashlib
import json
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.project.params import Params
from pipeline.training.problem import Problem

ROOMS = ("data", "scoring", "models", "training", "tuning")  # whose code the trials depend on
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


class Journal:
    """Optuna's journal, written a whole batch at a time by rename: a kill at any moment leaves whole batches of trials.

    The file has the form of optuna.storages.journal.JournalFileBackend, which opens it.
    """

    CREATE_TRIAL = 4  # of optuna.storages.journal._storage.JournalOperation

    def __init__(self, path: Path):
        self.path, self.logs = path, []
        if path.is_file():
            self.logs = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def read_logs(self, log_number_from: int) -> list[dict]:
        """Return the logs from a number on, as Optuna asks for them."""
        return self.logs[log_number_from:]

    def append_logs(self, logs: list[dict]) -> None:
        """Hold logs until `commit`."""
        self.logs += json.loads(json.dumps(logs))

    def cut(self, trials: int) -> None:
        """Forget all that came after so many trials."""
        starts = [
            place for place, log in enumerate(self.logs) if log["op_code"] == self.CREATE_TRIAL
        ]
        if len(starts) > trials:
            del self.logs[starts[trials] :]

    def trials(self) -> int:
        """Return how many trials it holds."""
        return sum(log["op_code"] == self.CREATE_TRIAL for log in self.logs)

    def commit(self) -> None:
        """Write all logs."""
        files.write_text(
            self.path, "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in self.logs)
        )


def identity(problem: Problem, settings: Params) -> dict:
    """Return what a study's trials depend on: a change in any of it makes a new study."""
    import importlib
    from importlib.metadata import version

    spec = settings.dataset(problem.dataset)
    chosen = spec.tune.models
    wanted = {
        "seed": settings.seed,
        "prepare": spec.prepare.model_dump(),
        "data": spec.data.model_dump(),
        "train": spec.train.model_dump(exclude={"models"}),
        "tune": spec.tune.model_dump(exclude={"trials", "blend", "tolerance"}),
        "hyperparameters": {
            model: settings.hyperparameters(problem.dataset, model) for model in chosen
        },
        "search_spaces": {
            model: {
                name: space.model_dump() for name, space in settings.search_spaces[model].items()
            }
            for model in chosen
        },
        "portfolio": {model: settings.portfolio.get(model, []) for model in chosen},
    }
    libraries = {name: version(name) for name in LIBRARIES} | {
        "xgboost": importlib.import_module("xgboost").__version__
    }
    package = Path(__file__).parents[1]
    code = [
        files.digest(module) for room in ROOMS for module in sorted((package / room).glob("*.py"))
    ]
    return {
        part: _digest(content)
        for part, content in (
            ("data", problem.split_hash),
            ("settings", wanted),
            ("code", code),
            ("libraries", libraries),
        )
    }


def _digest(content) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@contextmanager
def opened(problem: Problem, settings: Params):
    """Yield the folder of the study that the data and the settings belong to, while no other process searches in it."""
    from filelock import FileLock, Timeout

    wanted = identity(problem, settings)
    folder = paths.studies(problem.dataset) / _digest(wanted)[:12]
    others = sorted(
        paths.studies(problem.dataset).glob("*/study.json"), key=lambda path: path.stat().st_mtime
    )
    if not (folder / "study.json").is_file():
        if others:
            last = files.read_json(others[-1], made_by="python tune_hyperparameters.py")
            changed = [part for part in wanted if last.get(part) != wanted[part]]
            print(
                f"tune {problem.dataset}: a new study, for the {' and the '.join(changed)} changed since the last one"
            )
        files.write_json(folder / "study.json", wanted)
    try:
        with FileLock(folder / "lock", timeout=0):
            yield folder
    except Timeout:
        raise DataError(
            f"{folder} is in use: another process tunes {problem.dataset}; wait for it, or end it"
        ) from None


def fit_file(folder: Path, trial: int, fold: int) -> Path:
    """Return where a fold of a trial is kept."""
    return folder / "fits" / f"{trial:04}_{fold}.npz"


def write_fit(path: Path, fit: dict, known_by: list) -> None:
    """Keep what a fold of a trial gave, with what the trial is known by."""
    with files.replacing(path) as partial, open(partial, "wb") as stream:
        np.savez(
            stream,
            output=fit["output"],
            rounds=fit["rounds"] or 0,
            cost=fit["cost"],
            seconds=fit["seconds"],
            trial=_digest(known_by),
        )


def read_fit(path: Path, known_by: list) -> dict | None:
    """Return what a fold of the trial gave; None where it is not there, or of another trial."""
    try:
        with np.load(path, allow_pickle=False) as content:
            if str(content["trial"]) != _digest(known_by):
                return None
            return {
                "output": content["output"],
                "rounds": int(content["rounds"]) or None,
                "cost": float(content["cost"]),
                "seconds": float(content["seconds"]),
            }
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
