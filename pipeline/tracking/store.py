"""The MLflow record of what the stages' files say; with registry.py the only importer of MLflow.

A stage writes its files and calls `record`; `make sync` calls the same for whatever the store lacks. A run is known by its
identity, a hash of what it records, so that writing a result twice makes no second run, and a store that was lost is written anew
from the files. No stage decides by what the store says.
"""

import logging
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from pipeline.project import files, paths
from pipeline.project.errors import DataError

TRACKING_URI = "MLFLOW_TRACKING_URI"
LOCAL_UI = "http://127.0.0.1:5000"  # where `make ui` shows the local store
SQLITE = "sqlite:///"


def cause(error: Exception) -> str:
    """Return the first line of an error of MLflow's or of a library below it; its name where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def tracking_uri() -> str:
    """Return the store's address: MLFLOW_TRACKING_URI where set, else the file that a plain `mlflow ui` here opens."""
    return os.environ.get(TRACKING_URI) or own_store()


def own_store() -> str:
    return f"{SQLITE}{paths.STORE.resolve().as_posix()}"


@contextmanager
def open_store():
    """Yield mlflow, set to this project's store, while no other process writes to it: two that create it at once both fail."""
    mlflow = _mlflow()
    from filelock import FileLock

    os.environ.pop(
        "MLFLOW_RUN_ID", None
    )  # that of `mlflow run`, which is none of the runs written here
    before = os.environ.get(TRACKING_URI)
    with FileLock(paths.STORE_LOCK):
        if not os.environ.get(TRACKING_URI) and not paths.STORE.exists():
            _create_store()
        mlflow.set_tracking_uri(tracking_uri())
        try:
            yield mlflow
        finally:  # MLflow writes the address into the environment, where another project's turn would find it
            mlflow.set_tracking_uri(before)
            if before is None:
                os.environ.pop(TRACKING_URI, None)


def client():
    """Return MLflow's client of the store, for reading: no lock is taken, and a store that is not there is not made."""
    uri = tracking_uri()
    if uri.startswith(SQLITE) and not Path(uri.removeprefix(SQLITE).partition("?")[0]).is_file():
        raise DataError(
            f"{uri}: no MLflow store; run `dvc repro`, or `make sync` where the stages have run"
        )
    return _mlflow().MlflowClient(tracking_uri=uri)


def _mlflow():
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    import mlflow

    logging.getLogger("alembic").setLevel(logging.WARNING)  # the creation of a store is no news
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    return mlflow


def _create_store() -> None:
    """Make the store's file whole or not at all: MLflow refuses one whose creation was cut short, and for good."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with tempfile.TemporaryDirectory() as folder, files.replacing(paths.STORE) as partial:
        made = Path(folder) / paths.STORE.name
        store = SqlAlchemyStore(
            f"{SQLITE}{made.as_posix()}", f"./{paths.ARTIFACTS}"
        )  # where `mlflow ui` keeps artifacts
        store.engine.dispose()
        shutil.copyfile(made, partial)
