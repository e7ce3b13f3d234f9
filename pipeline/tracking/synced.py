"""Whether anything has changed since the store last held every run; MLflow takes long to ask."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pipeline.project import paths
from pipeline.project.files import write_text
from pipeline.tracking import store

# what decides which runs and versions there should be, and which there are
CHANGED_IN_PLACE = (
    "params.yaml",
    "metrics/**/*",
    "logs/promotions/*",
    "logs/pipelines/*",
    "mlflow.db",
)
# folders of a stage's outputs, which a run waits for; pages below them are written again and again
MADE_OR_REMOVED = ("models/*/*/*", "reports/*/*/*", "data/predictions/*/*", "mlruns/*")
CODE = Path(__file__).parent.parent


def is_synced(dataset: str) -> bool:
    """Return whether all is as it was when `note_synced` was called for the same `--dataset`."""
    noted = _file(dataset)
    if not noted.is_file() or not store.uses_own_store():
        return False
    return noted.read_text(encoding="utf-8") == _state()


def note_synced(dataset: str) -> None:
    """Note that the store holds what it should of a dataset, or of `all`; not of a server's."""
    if store.uses_own_store():
        write_text(_file(dataset), _state())


def _file(dataset: str) -> Path:
    return paths.MLFLOW_SYNCED / dataset


def _state() -> str:
    lines = sorted({*_versions(), *_names()})
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _versions() -> Iterator[str]:
    """Yield each file that is written in place, or is code of the record, with time and size."""
    changed = (path for pattern in CHANGED_IN_PLACE for path in Path().glob(pattern))
    for path in (*changed, *CODE.rglob("*.py")):
        about = path.stat()
        yield f"{path} {about.st_mtime_ns} {about.st_size}"


def _names() -> Iterator[str]:
    for pattern in MADE_OR_REMOVED:
        yield from (str(path) for path in Path().glob(pattern))
