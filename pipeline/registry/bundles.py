"""A bundle: what goes with a version of a registered model, in one folder.

the stored model                as models.storage loads it, with metadata.json and train_stats.json
request.json                    what metrics/registration/ asks for
train_rows.npy                  hashes of its training rows, so that it is scored on others
checks.json                     the columns of those hashes; some rows with the model's output
model_card.json model_card.md   what a person must know before relying on it
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.data.kinds import NUMBER, Formats, as_json, conform, kinds_of, of_kind
from pipeline.models import storage
from pipeline.models.fitted import Fitted
from pipeline.own import recorded
from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.registry import model_card, registration
from pipeline.registry.registration import Request
from pipeline.tracking.git import git

SMOKE_ROWS = 5  # of the training split, whose output is kept
TOLERANCE = 1e-6  # relative: by so much the output may differ on another machine
MADE_BY = "make sync"
ABSENT = "of no file"  # stands in messages for the sha256 of a file that is not there
IN_ARTIFACTS = "data/model"  # where a version's artifacts hold its bundle


def write(folder: Path, request: Request, root: Path = Path()) -> None:
    """Write the bundle of the model that a request asks for into a new folder.

    `root` is where the stages' outputs lie, if not in the project. Raises DataError where the
    splits are not those that the model was trained on.
    """
    dataset = request.dataset
    stored, splits = root / request.folder, root / paths.processed(dataset)
    if files.digest(splits) != request.split_hash:
        raise DataError(f"{splits} is not what {stored} was trained on; run `dvc repro`")
    quality = files.read_json(
        root / paths.metrics(dataset, "quality"),
        made_by=f"python prepare_data.py --dataset {dataset}",
    )
    train = pd.read_parquet(splits / "train.parquet")
    test = pd.read_parquet(splits / "test.parquet")

    shutil.copytree(stored, folder)
    shutil.copy(stored.parent / "train_stats.json", folder)
    registration.write_request(folder / "request.json", request)
    model = storage.load(folder, code_is_committed(folder))
    _write_checks(folder, model, train)
    metadata = files.read_json(
        folder / "metadata.json", made_by=f"python train.py --dataset {dataset}"
    )
    parts = model_card.scores_by_slice(model, test, quality.get("weight"))
    card = model_card.content(request, metadata, quality, parts)
    files.write_json(folder / "model_card.json", card)
    files.write_text(folder / "model_card.md", model_card.text(card))


def _write_checks(folder: Path, model: Fitted, train: pd.DataFrame) -> None:
    """Write the hashes of the training rows, and the model's output for the first of them."""
    kinds = kinds_of(train)
    hashes = np.unique(row_hashes(train, kinds))
    np.save(folder / "train_rows.npy", hashes, allow_pickle=False)
    rows = model.spec.typed(train.head(SMOKE_ROWS))
    checks = {
        "row_columns": kinds,
        "output": model.output(rows).tolist(),
        "rows": as_json(rows).to_dict("records"),
    }
    files.write_json(folder / "checks.json", checks)


def hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file of a bundle."""
    return {
        path.relative_to(folder).as_posix(): files.digest(path)
        for path in files.folder_files(folder)
    }


def verify(folder: Path, registered: dict[str, str]) -> None:
    """Raise DataError where a bundle's files are not those whose sha256 were registered."""
    present = hashes(folder)
    for name in sorted(present.keys() | registered.keys()):
        if present.get(name) != registered.get(name):
            raise DataError(
                f"{folder / name}: sha256 {present.get(name, ABSENT)} is not the registered "
                f"{registered.get(name, ABSENT)}: the file was changed; put another version in "
                f"its place with rollback.py"
            )


def check(folder: Path, trust_code: bool = False) -> Fitted:
    """Return a bundle's model, once it loads and its output is what it was at registration.

    `trust_code` is that of storage.load. Raises DataError where it is not.
    """
    model = storage.load(folder, trust_code)
    registered = np.array(files.read_json(folder / "checks.json", MADE_BY)["output"])
    output = model.output(smoke_rows(folder))
    same = output.shape == registered.shape and np.allclose(
        output, registered, rtol=TOLERANCE, atol=TOLERANCE
    )
    if not same:
        raise DataError(
            f"{folder}: for the rows of checks.json its output is {output.tolist()}, and was "
            f"{registered.tolist()} when it was registered: the packages differ; install "
            f"requirements.txt"
        )
    return model


def smoke_rows(folder: Path) -> pd.DataFrame:
    """Return the rows whose output is kept, in the model's columns and types."""
    checks = files.read_json(folder / "checks.json", MADE_BY)
    inputs = files.read_json(folder / "metadata.json", MADE_BY)["inputs"]
    return conform(pd.DataFrame(checks["rows"], columns=list(inputs)), inputs)


def code_is_committed(folder: Path) -> bool:
    """Return whether commits of this repository hold the user's own code that a bundle copies.

    Then it is as trustworthy as the checkout. So a champion can be compared with the model that a
    change of that code gave.
    """
    code = files.read_json(folder / "metadata.json", MADE_BY).get("own", {}).get("code", {})
    for path in code:
        blob = git("hash-object", str(folder / recorded.COPIES / path))
        history = git("log", "--all", "--format=", "--raw", "--no-abbrev", "--", path)
        if not blob or blob not in (history or ""):
            return False
    return True


def row_hashes(
    frame: pd.DataFrame,
    kinds: dict[str, str],
    origin: str = "the table",
    formats: Formats | None = None,
) -> np.ndarray:
    """Return a hash per row, shape (rows,): equal for equal rows, whatever types they have.

    Raises DataError where the table lacks one of the columns.
    """
    typed = conform(frame, kinds, origin, formats)
    numbers = of_kind(kinds, NUMBER)
    typed[numbers] += 0.0  # -0.0 becomes 0.0
    return pd.util.hash_pandas_object(typed, index=False).to_numpy()


def is_new(folder: Path, frame: pd.DataFrame, origin: str) -> np.ndarray:
    """Return, shape (rows,), whether the bundle's model was not trained on each row of a table."""
    kinds = files.read_json(folder / "checks.json", MADE_BY)["row_columns"]
    trained_on = np.load(folder / "train_rows.npy", allow_pickle=False)
    formats = files.read_json(folder / "metadata.json", MADE_BY).get("date_formats")
    return ~np.isin(row_hashes(frame, kinds, origin, formats), trained_on)


def restore(folder: Path, dataset: str, sha256: str, bundle_sha256: str) -> bool:
    """Write the bundle of a model that was registered before; return whether its files were found.

    They are looked for in the store's artifacts, in the project, and in DVC's cache by commit.
    """
    for path in sorted(paths.ARTIFACTS.glob(f"*/models/*/artifacts/{IN_ARTIFACTS}/request.json")):
        same_model = sha256 in path.read_text(encoding="utf-8")
        if same_model and files.digest(path.parent) == bundle_sha256:
            shutil.copytree(path.parent, folder)
            return True
    request = registration.current_request(dataset)
    if request and request.model_sha256 == sha256:
        write(folder, request)
        return True
    return _restore_from_commit(folder, dataset, sha256)


def _restore_from_commit(folder: Path, dataset: str, sha256: str) -> bool:
    """Write the bundle that a commit asked for, its files from DVC's cache or remote."""
    path = paths.registration(dataset)
    commits = git("log", "--format=%H", "--", str(path)) or ""
    for commit in commits.split():
        content = json.loads(git("show", f"{commit}:./{path.as_posix()}") or "{}")
        if content.get("model_sha256") != sha256:
            continue
        request = registration.from_json(content)
        with tempfile.TemporaryDirectory() as temporary:
            root = Path(temporary)
            for output in (
                request.folder.parent,
                paths.processed(dataset),
                paths.metrics(dataset, "quality"),
            ):
                _fetch(output, commit, root / output)
            if (root / paths.processed(dataset)).is_dir():
                write(folder, request, root)
                return True
    return False


def _fetch(output: Path, commit: str, target: Path) -> None:
    """Write an output as of a commit, from DVC's cache or remote; nothing where neither has it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    get = [sys.executable, "-m", "dvc", "get", ".", output.as_posix(), "--rev", commit]
    subprocess.run([*get, "-o", str(target)], capture_output=True)
