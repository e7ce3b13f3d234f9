"""The local MLflow store: its schema, where it says its artifacts lie, and what it lacks."""

import importlib.util
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from alembic.script import ScriptDirectory

from ops.doctor_fault import Fault
from ops.doctor_project import is_untouched
from pipeline import command
from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.tracking import record, store

# the tables and columns that say where artifacts lie
LOCATIONS = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}
MIGRATIONS = Path("store/db_migrations")  # in the folder of MLflow's package
REBUILD = f"move {paths.STORE} away and run `make sync`"


class Place(NamedTuple):
    """A location of artifacts, and the column of the store that holds it."""

    table: str
    column: str
    location: str


def rows(query: str) -> list[tuple[Any, ...]]:
    """Return what the store answers; nothing is written."""
    with closing(sqlite3.connect(f"{paths.STORE.resolve().as_uri()}?mode=ro", uri=True)) as opened:
        return opened.execute(query).fetchall()


def is_readable() -> bool:
    """Return whether the local store is used, and has the schema of the installed MLflow."""
    return has_local_store() and not schema()


def has_local_store() -> bool:
    """Return whether the project's own store is used, and is there."""
    return paths.STORE.is_file() and store.uses_own_store()


def file_store() -> list[Fault]:
    """Look for a store of files from an MLflow before version 3."""
    if not list(paths.ARTIFACTS.glob("*/meta.yaml")):
        return []
    problem = "mlruns/ is a store of files, which MLflow takes no more"
    return [Fault(problem, "move mlruns/ away and run `make sync`")]


@cache
def migrations() -> Any:
    """Return MLflow's changes of the schema, as Alembic reads them; it imports MLflow for that."""

    package = importlib.util.find_spec("mlflow")
    assert package and package.submodule_search_locations
    scripts = ScriptDirectory(str(Path(package.submodule_search_locations[0]) / MIGRATIONS))
    scripts.get_current_head()
    return scripts


def schema() -> list[Fault]:
    """Compare the store's schema with the one of the MLflow that is installed."""
    if not has_local_store():
        return []
    try:
        ((present,),) = rows("SELECT version_num FROM alembic_version")
    except (sqlite3.DatabaseError, ValueError) as error:
        return [Fault(f"{paths.STORE} is not an MLflow store ({error})", REBUILD)]
    scripts = migrations()
    if present == scripts.get_current_head():
        return []
    if present not in {script.revision for script in scripts.walk_revisions()}:
        problem = f"{paths.STORE} was written by a newer MLflow"
        return [Fault(problem, "use that version here, too")]
    remedy = f"copy it and run `mlflow db upgrade {store.SQLITE}{paths.STORE}`"
    return [Fault(f"{paths.STORE} was written by an older MLflow", remedy, upgrade)]


def upgrade() -> None:
    """Bring the store to the schema of the MLflow that is installed, after a copy of it."""
    copy_store("upgrade")
    mlflow = [sys.executable, "-m", "mlflow"]
    done = subprocess.run(
        [*mlflow, "db", "upgrade", store.own_store()], capture_output=True, text=True
    )
    if done.returncode:
        reasons = done.stderr.strip().splitlines() or ["no reason given"]
        raise DataError(f"{paths.STORE} could not be upgraded: {reasons[-1]}")


def copy_store(before: str) -> None:
    """Keep a copy of the store as it is before a change."""
    shutil.copy(paths.STORE, f"{paths.STORE}.before-{before}")


def moved_store() -> list[Fault]:
    """Look for artifacts that the store expects elsewhere: the folder was moved or copied."""
    if not is_readable() or not paths.ARTIFACTS.is_dir():
        return []
    moved = {}
    for table, column in LOCATIONS.items():
        for (location,) in rows(f"SELECT DISTINCT {column} FROM {table}"):
            here = place_here(location or "")
            if here and here != location:
                moved[Place(table, column, location)] = here
    if not moved:
        return []
    first = next(iter(moved)).location
    problem = (
        f"{paths.STORE} names {len(moved)} places of artifacts in another folder, such as {first}"
    )
    remedy = "let `make doctor FIX=yes` name this folder's"
    return [Fault(problem, remedy, partial(relocate, moved))]


def place_here(location: str) -> str | None:
    """Return where an artifact folder lies in this project; None for one outside of any mlruns."""
    parts = re.fullmatch(r"(?:file://)?(/.*|[A-Za-z]:[/\\].*)[/\\]mlruns[/\\](.+)", location)
    if parts is None or "://" in parts[1]:
        return None
    return (paths.ARTIFACTS.resolve() / parts[2].replace("\\", "/")).as_posix()


def relocate(moved: dict[Place, str]) -> None:
    """Write other places of artifacts into a copy of the store, and put it in the store's place."""
    copy_store("relocation")
    with files.replacing(paths.STORE) as partial_store:
        shutil.copy(paths.STORE, partial_store)
        with closing(sqlite3.connect(partial_store)) as opened, opened:
            for place, here in moved.items():
                opened.execute(
                    f"UPDATE {place.table} SET {place.column} = ? WHERE {place.column} = ?",
                    (here, place.location),
                )


def lost_artifacts() -> list[Fault]:
    """Look for logged models whose files are gone; other runs may have no artifacts."""
    if not is_readable() or moved_store():
        return []
    locations = [location for (location,) in rows("SELECT artifact_location FROM logged_models")]
    lost = [place for place in locations if place_here(place) and not Path(place).is_dir()]
    if not lost:
        return []
    return [Fault(f"the files of {len(lost)} logged models are gone, such as {lost[0]}", REBUILD)]


def missing_runs() -> list[Fault]:
    """Look for results that the store has no run of."""
    if not store.uses_own_store() or schema():
        return []
    settings = command.settings()
    missing = record.identities(settings) - recorded_identities()
    if not missing:
        return []
    problem = f"the store has no run of {len(missing)} results"
    return [Fault(problem, "run `make sync`", write_missing_runs, wrong=not is_untouched())]


def recorded_identities() -> set[str]:
    """Return the identities of the store's finished runs."""
    if not has_local_store():
        return set()
    found = rows(
        "SELECT t.value FROM tags t JOIN runs r ON r.run_uuid = t.run_uuid "
        "WHERE t.key = 'identity' AND r.status = 'FINISHED' AND r.lifecycle_stage = 'active'"
    )
    return {identity for (identity,) in found}


def write_missing_runs() -> None:
    """Write the runs that the store lacks."""
    settings = command.settings()
    record.sync_runs(settings.datasets, settings)


def broken_aliases() -> list[Fault]:
    """Look for aliases of the registry whose version, or whose model's files, are gone."""
    if not is_readable():
        return []
    found = rows(
        "SELECT a.name, a.alias, a.version, v.current_stage, m.artifact_location "
        "FROM registered_model_aliases a "
        "LEFT JOIN model_versions v ON v.name = a.name AND v.version = a.version "
        "LEFT JOIN logged_models m ON 'models:/' || m.model_id = v.source"
    )
    faults = []
    for name, alias, version, stage, place in found:
        origin = f"{name}@{alias} is version {version}"
        if stage is None or stage == "Deleted_Internal":
            remedy = (
                "run `python rollback.py --dataset D --to V` with a version that `--list` shows"
            )
            faults.append(Fault(f"{origin}, which is gone", remedy))
        elif place and not Path(place_here(place) or place).exists():
            remedy = "run `make restore` and `make sync`, or roll back to another version"
            faults.append(Fault(f"{origin}, whose files are gone from {place}", remedy))
    return faults
