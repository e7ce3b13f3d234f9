"""The project's files: git, DVC's lock and cache, and what killed runs left behind."""

import re
import shutil
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import psutil

from ops import dvc_marks
from ops.doctor_fault import Fault
from ops.restore import outputs
from pipeline.project import paths
from pipeline.project.errors import DataError, listed
from pipeline.tracking.git import git

OUTPUT_FOLDERS = ("data", "models", "metrics", "reports", "logs", "studies")
MOST_NAMES = 3


def repository() -> list[Fault]:
    """Look for a git repository that DVC knows."""
    faults = []
    if git("rev-parse", "--git-dir") is None:
        remedy = "run `git init`, so that DVC and MLflow know the commit"
        faults.append(Fault("no git repository", remedy))
    if not Path(".dvc/config").is_file():
        remedy = "run `git checkout .dvc`, or `dvc init` in a new project"
        faults.append(Fault("DVC is not initialised", remedy))
    return faults


def lock_conflict() -> list[Fault]:
    """Look for the marks of a merge in dvc.lock."""
    if not paths.DVC_LOCK.is_file():
        return []
    text = paths.DVC_LOCK.read_text(encoding="utf-8")
    if not re.search(r"^(<{7}|>{7}) ", text, re.MULTILINE):
        return []
    remedy = "run `git checkout --ours dvc.lock` and `make pipeline`"
    return [Fault("dvc.lock holds both sides of a merge", remedy)]


def left_behind() -> list[Fault]:
    """Look for what killed runs left: DVC's marks, and half-written files."""
    return [*dvc_marks_at_fault(), *half_written()]


def dvc_marks_at_fault() -> list[Fault]:
    """Look for marks of DVC that keep it from working; it forgets others by itself."""
    problem = dvc_marks.fault()
    if not problem:
        return []
    remedy = f"remove {dvc_marks.RWLOCK} while no DVC runs"
    return [Fault(problem, remedy, dvc_marks.heal)]


def half_written() -> list[Fault]:
    """Look for files whose writers were killed."""
    partial_files = [
        path
        for folder in OUTPUT_FOLDERS
        for path in Path(folder).rglob(".*.partial")
        if is_abandoned(path)
    ]
    if not partial_files:
        return []
    problem = f"half-written files of runs that were killed: {listed(partial_files, MOST_NAMES)}"
    return [Fault(problem, "remove them", partial(remove, partial_files))]


def is_abandoned(path: Path) -> bool:
    """Return whether the process that wrote a half-written file is gone.

    One named `.old` may be the last whole result, and counts as in use.
    """
    name = re.search(r"\.(\d+)(\.old)?\.partial$", path.name)
    if name is None or name[2]:
        return False
    return not psutil.pid_exists(int(name[1]))


def remove(leftovers: Iterable[Path]) -> None:
    """Remove files and folders."""
    for path in leftovers:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def lost_outputs() -> list[Fault]:
    """Look for outputs of dvc.lock that neither the cache nor the working tree has."""
    if not paths.DVC_LOCK.is_file() or lock_conflict() or repository():
        return []
    try:
        is_cached = outputs()
    except DataError as error:
        problem, _, remedy = str(error).rpartition("; ")
        return [Fault(problem, remedy)]
    lost = [path for path, cached in is_cached.items() if not cached and not Path(path).exists()]
    if not lost:
        return []
    return [
        Fault(
            f"outputs that are nowhere on this machine: {listed(lost, MOST_NAMES)}",
            "run `make restore` where a DVC remote holds them, else `make pipeline`, which makes "
            "them again",
            wrong=not is_untouched(),
        )
    ]


def is_untouched() -> bool:
    """Return whether nothing has run here yet, as in a fresh clone."""
    return not any(Path(path).exists() for path in (paths.STORE, "data/processed", "models"))
