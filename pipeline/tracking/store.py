"""The MLflow store: its address, its lock, and how it is opened; MLflow is imported here first."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from filelock import FileLock

from pipeline.project import files, paths
from pipeline.project.errors import DataError

TRACKING_URI = "MLFLOW_TRACKING_URI"
RUN_ID = "MLFLOW_RUN_ID"
# while it works, for the processes that it starts
SET_BY_MLFLOW = (TRACKING_URI, "MLFLOW_EXPERIMENT_ID", RUN_ID)
LOCAL_UI = "http://127.0.0.1:5000"  # where `make ui` shows the local store
SQLITE = "sqlite:///"


def tracking_uri() -> str:
    """Return the store's address: MLFLOW_TRACKING_URI, else the file that `mlflow ui` opens."""
    return os.environ.get(TRACKING_URI) or own_store()


def own_store() -> str:
    """Return the address of the project's own store."""
    return f"{SQLITE}{paths.STORE.resolve().as_posix()}"


def uses_own_store() -> bool:
    """Say whether the project's own store is used, to which nobody writes without the lock."""
    return tracking_uri() == own_store()


def ui_address() -> str:
    """Return where the store's pages are shown, without the user name and password of a server."""
    server = urlsplit(tracking_uri())
    if server.scheme not in ("http", "https"):
        return LOCAL_UI
    host = server.netloc.rpartition("@")[2]
    return urlunsplit(server._replace(netloc=host, query="", fragment="")).rstrip("/")


def cause(error: Exception) -> str:
    """Return the first line of an error from MLflow or a library below it, else its type's name."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@contextmanager
def open_store() -> Iterator[Any]:
    """Yield mlflow, set to the store, while no other process writes to it.

    The lock is also needed to create the store: of two that do it at once both fail.
    """
    mlflow = _load_mlflow()
    before = {variable: os.environ.get(variable) for variable in SET_BY_MLFLOW}
    # the run of `mlflow run`, which is none of those written here
    os.environ.pop(RUN_ID, None)
    with FileLock(paths.STORE_LOCK):
        if uses_own_store() and not paths.STORE.exists():
            _create_store()
        mlflow.set_tracking_uri(tracking_uri())
        try:
            yield mlflow
        finally:
            # so that MLflow asks the environment again, which may be another project's by then
            mlflow.set_tracking_uri(None)
            _put_back(before)


def _put_back(variables: dict[str, str | None]) -> None:
    """Give variables of the environment the values that they had, or none."""
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def client() -> Any:
    """Return MLflow's client of the store, for reading: it takes no lock and creates no store.

    Raises DataError where the store is a file that does not exist.
    """
    uri = tracking_uri()
    if uri.startswith(SQLITE):
        file = Path(uri.removeprefix(SQLITE).partition("?")[0])
        if not file.is_file():
            raise DataError(
                f"{uri}: no MLflow store; run `dvc repro`, or `make sync` where the stages have run"
            )
    return _load_mlflow().MlflowClient(tracking_uri=uri)


def _load_mlflow() -> Any:
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    import mlflow

    # the creation of a store is not news
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    return mlflow


def _create_store() -> None:
    """Create the store's file atomically: MLflow refuses one whose creation was cut short."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    artifacts = f"./{paths.ARTIFACTS}"  # where `mlflow ui` keeps them
    with tempfile.TemporaryDirectory() as folder, files.replacing(paths.STORE) as partial:
        new = Path(folder) / paths.STORE.name
        SqlAlchemyStore(f"{SQLITE}{new.as_posix()}", artifacts).engine.dispose()
        shutil.copyfile(new, partial)
