"""The budget of a search: so many trials, or the seconds that the whole stage may take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.project import files
from pipeline.tuning.trials import Plan
from pipeline.tuning.under_way import Limits

# of the seconds, for what follows the search: the final models, scores, figures and files
RESERVED_SHARE, RESERVED_SECONDS = 0.2, 4.0
MOST_TRIALS = 10_000  # of a search by seconds


@contextmanager
def limits(folder: Path, plan: Plan, n_trials: int | None, n_workers: int) -> Iterator[Limits]:
    """Yield when the search in a folder ends; `n_trials` are those asked for by hand.

    A search by seconds has what earlier ones in this folder left of them, and the folder gets to
    know what it took.
    """
    seconds = plan.tune.seconds
    if seconds is None:
        yield Limits(n_trials or plan.tune.trials, workers=n_workers)
        return
    started, spent = time.time(), _spent(folder)
    for_search = seconds * (1 - RESERVED_SHARE) - RESERVED_SECONDS
    until = started + max(0.0, for_search - spent)
    try:
        yield Limits(n_trials or MOST_TRIALS, until, n_workers)
    finally:
        files.write_json(_file(folder), {"seconds": spent + time.time() - started})


def _spent(folder: Path) -> float:
    """Return the seconds that searches in a folder have taken."""
    if not _file(folder).is_file():
        return 0.0
    return files.read_json(_file(folder), made_by="python tune_hyperparameters.py")["seconds"]


def _file(folder: Path) -> Path:
    return folder / "spent.json"
