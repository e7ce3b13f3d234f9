"""Look for what keeps the project from working here, and say what to do: packages, DVC's locks and cache, the MLflow store.

    python -m ops.doctor
    python -m ops.doctor --fix          # and mend what can be mended without losing anything; the store is copied first

Reads   requirements.txt, dvc.lock, .dvc/, mlflow.db, metrics/
Writes  nothing; with --fix the store, its copy mlflow.db.before-<what>, and removes what killed runs left behind

Exit status 1 where something is wrong.
"""

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil

from ops.restore import listed, outputs
from pipeline import command
from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.tracking import record
from pipeline.tracking.git import git

PYTHONS = (3, 11), (3, 13)
RWLOCK = Path(".dvc/tmp/rwlock")
LOCATIONS = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}
MIGRATIONS = Path("store/db_migrations/versions")  # in the folder of MLflow's package


@dataclass
class Fault:
    """Something wrong: what was found, what to do, and how to mend it where that is safe; or a step that is still to be made."""

    found: str
    remedy: str
    mend: Callable | None = None
    wrong: bool = True


# the environment


def python_version() -> list[Fault]:
    first, last = PYTHONS
    if first <= sys.version_info[:2] <= last:
        return []
    newest = ".".join(map(str, last))
    return [
        Fault(
            f"Python {sys.version.split()[0]}",
            f"use {'.'.join(map(str, first))} to {newest}: remove .venv and run "
            f"`make setup PYTHON=python{newest}`",
        )
    ]


def packages() -> list[Fault]:
    """Compare what is installed with what requirements.txt pins."""
    from packaging.requirements import Requirement

    other = []
    for line in Path("requirements.txt").read_text(encoding="utf-8").splitlines():
        text = line.split(" #")[0].strip()
        if not re.match(r"[A-Za-z]", text):
            continue
        pin = Requirement(text)
        if pin.marker and not pin.marker.evaluate():
            continue
        try:
            installed = importlib.metadata.version(pin.name)
        except importlib.metadata.PackageNotFoundError:
            installed = "none"
        if installed == "none" or not pin.specifier.contains(installed):
            other.append(f"{pin.name} {installed} in place of {pin.specifier}")
    return (
        [
            Fault(
                f"other packages than requirements.txt pins: {listed(other)}",
                "run `touch requirements.txt && make setup`",
            )
        ]
        if other
        else []
    )


def environment() -> list[Fault]:
    faults = []
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        faults.append(
            Fault(
                "PYTHONDONTWRITEBYTECODE is set",
                "unset it: without its byte code Python starts much slower",
            )
        )
    if os.environ.get("MLFLOW_TRACKING_URI", "").startswith("file:"):
        faults.append(
            Fault(
                "MLFLOW_TRACKING_URI names a folder, which MLflow takes no more",
                "unset it, or name a server",
            )
        )
    program = Path(".venv/bin/dvc")  # its first line names the Python that it was installed for
    if program.is_file():
        python = Path(
            program.read_bytes().partition(b"\n")[0].decode(errors="replace").removeprefix("#!")
        )
        if python.name.startswith("python") and not (
            python.parent.is_dir() and python.parent.samefile(program.parent)
        ):
            faults.append(
                Fault(
                    f".venv was made in {python.parent.parent}: its programs start only with that folder in place",
                    "remove .venv and run `make setup`",
                )
            )
    return faults


# the project's files


def repository() -> list[Fault]:
    faults = []
    if git("rev-parse", "--git-dir") is None:
        faults.append(
            Fault("no git repository", "run `git init`, so that DVC and MLflow know the commit")
        )
    if not Path(".dvc/config").is_file():
        faults.append(
            Fault(
                "DVC is not initialised", "run `git checkout .dvc`, or `dvc init` in a new project"
            )
        )
    return faults


def lock_conflict() -> list[Fault]:
    if paths.DVC_LOCK.is_file() and re.search(
        r"^(<{7}|>{7}) ", paths.DVC_LOCK.read_text(encoding="utf-8"), re.M
    ):
        return [
            Fault(
                "dvc.lock holds both sides of a merge",
                "run `git checkout --ours dvc.lock` and `make pipeline`",
            )
        ]
    return []


def left_behind() -> list[Fault]:
    """Look for what killed runs left: DVC's marks of who reads and writes, and half-written files."""
    faults = []
    if RWLOCK.is_file():
        try:
            marks = json.loads(RWLOCK.read_text(encoding="utf-8") or "{}")
            readers = [mark for side in marks.get("read", {}).values() for mark in side]
            gone = [
                mark
                for mark in [*readers, *marks.get("write", {}).values()]
                if not psutil.pid_exists(int(mark["pid"]))
            ]
            unreadable = False
        except (ValueError, KeyError, TypeError, AttributeError):
            gone, unreadable = [], True
        if gone or unreadable:
            faults.append(
                Fault(
                    f"{RWLOCK} {'cannot be read' if unreadable else 'names processes that are gone'}",
                    f"remove {RWLOCK} while no DVC runs",
                    RWLOCK.unlink,
                )
            )
    partial = [
        path
        for folder in ("data", "models", "metrics", "reports", "logs", "studies")
        for path in Path(folder).rglob(".*.partial")
        if writer_gone(path)
    ]
    if partial:
        faults.append(
            Fault(
                f"half-written files of runs that were killed: {listed(partial)}",
                "remove them",
                lambda: [remove(path) for path in partial],
            )
        )
    return faults


def writer_gone(path: Path) -> bool:
    found = re.search(r"\.(\d+)(\.old)?\.partial$", path.name)
    return bool(
        found and not found[2] and not psutil.pid_exists(int(found[1]))
    )  # an `.old` one may be the last whole result


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def cache() -> list[Fault]:
    """Look for outputs of dvc.lock that neither the cache nor the working tree has."""
    if not paths.DVC_LOCK.is_file() or lock_conflict() or repository():
        return []
    try:
        found = outputs()
    except DataError as error:
        return [Fault(*str(error).rsplit("; ", 1))]
    lost = [path for path, held in found.items() if not held and not Path(path).exists()]
    return (
        [
            Fault(
                f"outputs that are nowhere on this machine: {listed(lost)}",
                "run `make restore` where a DVC remote holds "
                "them, else `make pipeline`, which makes them again",
                wrong=not untouched(),
            )
        ]
        if lost
        else []
    )


def untouched() -> bool:
    """Tell whether nothing has run here yet, as in a fresh clone."""
    return not any(Path(path).exists() for path in (paths.STORE, "data/processed", "models"))


# the MLflow store


def local_store() -> bool:
    return paths.STORE.is_file() and not os.environ.get("MLFLOW_TRACKING_URI")


def rows(query: str) -> list[tuple]:
    """Return what the store answers; nothing is written."""
    with closing(sqlite3.connect(f"{paths.STORE.resolve().as_uri()}?mode=ro", uri=True)) as store:
        return store.execute(query).fetchall()


def old_store() -> list[Fault]:
    old = sorted(paths.ARTIFACTS.glob("*/meta.yaml"))
    return (
        [
            Fault(
                "mlruns/ is a store of files, which MLflow takes no more",
                "move mlruns/ away and run `make sync`",
            )
        ]
        if old
        else []
    )


def schema() -> list[Fault]:
    """Compare the store's schema with the one of the MLflow that is installed."""
    if not local_store():
        return []
    try:
        ((found,),) = rows("SELECT version_num FROM alembic_version")
    except (sqlite3.DatabaseError, ValueError) as error:
        return [
            Fault(
                f"{paths.STORE} is no MLflow store ({error})",
                f"move {paths.STORE} away and run `make sync`",
            )
        ]
    texts = [
        path.read_text(encoding="utf-8")
        for path in (
            Path(importlib.util.find_spec("mlflow").submodule_search_locations[0]) / MIGRATIONS
        ).glob("*.py")
    ]
    known, followed = (
        set(re.findall(rf"^{name} = ['\"](\w+)['\"]", "\n".join(texts), re.M))
        for name in ("revision", "down_revision")
    )
    (newest,) = known - followed
    if found == newest:
        return []
    if found not in known:
        return [Fault(f"{paths.STORE} was written by a newer MLflow", "use that one here, too")]
    return [
        Fault(
            f"{paths.STORE} was written by an older MLflow",
            f"copy it and run `mlflow db upgrade sqlite:///{paths.STORE}`",
            upgrade,
        )
    ]


def upgrade() -> None:
    copy_store("upgrade")
    done = subprocess.run(
        [sys.executable, "-m", "mlflow", "db", "upgrade", f"sqlite:///{paths.STORE.resolve()}"],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise DataError(
            f"{paths.STORE} could not be upgraded: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}"
        )


def copy_store(what: str) -> None:
    shutil.copy(paths.STORE, f"{paths.STORE}.before-{what}")


def moved_store() -> list[Fault]:
    """Look for artifacts that the store says to lie in another folder: this one was moved or copied."""
    if not local_store() or schema() or not paths.ARTIFACTS.is_dir():
        return []
    moved = {}
    for table, column in LOCATIONS.items():
        for (location,) in rows(f"SELECT DISTINCT {column} FROM {table}"):
            here = place_here(location or "")
            if here and here != location:
                moved[table, column, location] = here
    if not moved:
        return []
    return [
        Fault(
            f"{paths.STORE} names {len(moved)} places of artifacts in another folder, such as {next(iter(moved))[2]}",
            "let `make doctor FIX=yes` name this folder's",
            lambda: relocate(moved),
        )
    ]


def lost_artifacts() -> list[Fault]:
    if not local_store() or schema() or moved_store():
        return []
    lost = [
        place
        for (place,) in rows(
            "SELECT artifact_location FROM logged_models"
        )  # other runs may have none
        if place_here(place) and not Path(place).is_dir()
    ]
    return (
        [
            Fault(
                f"the files of {len(lost)} logged models are gone, such as {lost[0]}",
                f"move {paths.STORE} away and run `make sync`",
            )
        ]
        if lost
        else []
    )


def place_here(location: str) -> str | None:
    """Return where an artifact folder of the store lies in this project; None where it names no place in a project's mlruns."""
    found = re.fullmatch(r"(?:file://)?(/.*|[A-Za-z]:[/\\].*)[/\\]mlruns[/\\](.+)", location)
    return (
        (paths.ARTIFACTS.resolve() / found[2].replace("\\", "/")).as_posix()
        if found and "://" not in found[1]
        else None
    )


def relocate(moved: dict[tuple[str, str, str], str]) -> None:
    """Write other places of artifacts into a copy of the store, and put it in the store's place."""
    copy_store("relocation")
    with files.replacing(paths.STORE) as partial:
        shutil.copy(paths.STORE, partial)
        with closing(sqlite3.connect(partial)) as store, store:
            for (table, column, location), here in moved.items():
                store.execute(
                    f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (here, location)
                )


def runs_missing() -> list[Fault]:
    """Look for results that the store has no run of."""
    if os.environ.get("MLFLOW_TRACKING_URI") or local_store() and schema():
        return []
    present = (
        rows(
            "SELECT t.value FROM tags t JOIN runs r ON r.run_uuid = t.run_uuid WHERE t.key = 'identity' "
            "AND r.status = 'FINISHED' AND r.lifecycle_stage = 'active'"
        )
        if local_store()
        else []
    )
    missing = record.identities(command.settings()) - {identity for (identity,) in present}
    return (
        [
            Fault(
                f"the store has no run of {len(missing)} results",
                "run `make sync`",
                record.sync_runs,
                wrong=not untouched(),
            )
        ]
        if missing
        else []
    )


def aliases() -> list[Fault]:
    """Look for aliases of the registry whose version, or whose model's files, are gone."""
    if not local_store() or schema():
        return []
    faults = []
    for name, alias, version, stage, place in rows(
        "SELECT a.name, a.alias, a.version, v.current_stage, m.artifact_location FROM registered_model_aliases a "
        "LEFT JOIN model_versions v ON v.name = a.name AND v.version = a.version "
        "LEFT JOIN logged_models m ON 'models:/' || m.model_id = v.source"
    ):
        if stage is None or stage == "Deleted_Internal":
            faults.append(
                Fault(
                    f"{name}@{alias} is version {version}, which is gone",
                    "run `python rollback.py --dataset D --to V` with a version that `--list` shows",
                )
            )
        elif place and not Path(place_here(place) or place).exists():
            faults.append(
                Fault(
                    f"{name}@{alias} is version {version}, whose files are gone from {place}",
                    "run `make restore` and `make sync`, or roll back to another version",
                )
            )
    return faults


CHECKS = {
    "Python": python_version,
    "packages": packages,
    "environment": environment,
    "repository": repository,
    "dvc.lock": lock_conflict,
    "left behind": left_behind,
    "outputs": cache,
    "old store": old_store,
    "store's schema": schema,
    "store's place": moved_store,
    "logged models": lost_artifacts,
    "store's runs": runs_missing,
    "aliases": aliases,
}


def examine(fix: bool) -> int:
    """Print what every check finds, mend what can be mended if asked to; return how many faults are left."""
    left = 0
    for name, check in CHECKS.items():
        faults = check()
        mended = [fault for fault in faults if fix and fault.mend]
        for fault in mended:
            fault.mend()
            print(f"mended  {name}: {fault.found}")
        faults = check() if mended else faults
        for fault in faults:
            print(
                f"{'FAULT' if fault.wrong else 'to do':6}  {name}: {fault.found}; {fault.remedy}"
                f"{' (--fix does it)' * bool(fault.mend)}"
            )
        if not faults and not mended:
            print(f"ok      {name}")
        left += sum(fault.wrong for fault in faults)
    return left


def main(argv=None):
    parser = command.parser(__doc__)
    parser.add_argument(
        "--fix", action="store_true", help="mend what can be mended without losing anything"
    )
    args = parser.parse_args(argv)
    command.settings()
    left = examine(args.fix)
    if left:
        raise DataError(f"{left} {'fault' if left == 1 else 'faults'}; see above")


if __name__ == "__main__":
    command.run(main)
