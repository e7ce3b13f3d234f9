"""What goes with a version of a registered model, in one folder:

the stored model, as models.load takes it, with metadata.json and train_stats.json
request.json                    what metrics/registration/ asks for
train_rows.npy                  hashes of the rows that it was trained on, so that it is judged on others
checks.json                     what the hashes are of, and some rows with the output that the model had for them
model_card.json model_card.md   what a person must know before relying on it
"""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.data.kinds import NUMBER, conform, kinds_of, of_kind
from pipeline.models import storage
from pipeline.models.fitted import Model
from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.registry import model_card

SMOKE_ROWS = 5  # of the training split, whose output is kept
TOLERANCE = 1e-6  # relative: by so much another machine's output of them may differ
MADE_BY = "make sync"


def write(folder: Path, request: dict, root: Path = Path()) -> None:
    """Write the bundle of the model that a request asks for into a folder that is not there yet.

    `root` is where the stages' outputs lie, if not in the project.
    """
    dataset = request["dataset"]
    stored, splits = root / paths.models(dataset, request["stage"]), root / paths.processed(dataset)
    if files.digest(splits) != request["split_hash"]:
        raise DataError(
            f"{splits} is not what {stored / request['candidate']} was trained on; run `dvc repro`"
        )
    shutil.copytree(stored / request["candidate"], folder)
    shutil.copy(stored / "train_stats.json", folder)
    files.write_json(folder / "request.json", request)
    model = storage.load(folder)
    train, test = (pd.read_parquet(splits / f"{split}.parquet") for split in ("train", "test"))
    kinds = kinds_of(train)
    np.save(folder / "train_rows.npy", np.unique(row_hashes(train, kinds)), allow_pickle=False)
    rows = conform(train.head(SMOKE_ROWS), model.spec.inputs)
    files.write_json(
        folder / "checks.json",
        {
            "row_columns": kinds,
            "output": model.output(rows).tolist(),
            "rows": rows.astype(object).where(rows.notna(), None).to_dict("records"),
        },
    )
    quality = files.read_json(
        root / paths.metrics(dataset, "quality"),
        made_by=f"python prepare_data.py --dataset {dataset}",
    )
    metadata = files.read_json(
        folder / "metadata.json", made_by=f"python train.py --dataset {dataset}"
    )
    card = model_card.content(request, metadata, quality, model_card.slices(model, test))
    files.write_json(folder / "model_card.json", card)
    files.write_text(folder / "model_card.md", model_card.text(card))


def hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file of a bundle."""
    return {
        path.relative_to(folder).as_posix(): files.digest(path)
        for path in files.folder_files(folder)
    }


def verify(folder: Path, expected: dict[str, str]) -> None:
    """Raise DataError where a bundle's files are not those whose sha256 are given."""
    found = hashes(folder)
    for name in sorted(found.keys() | expected.keys()):
        if found.get(name) != expected.get(name):
            raise DataError(
                f"{folder / name}: sha256 {found.get(name, 'of no file')} is not the registered "
                f"{expected.get(name, 'of no file')}: the file was changed; put another version in its place with "
                f"rollback.py"
            )


def check(folder: Path) -> Model:
    """Return a bundle's model once it is found to load and to put out what it did when it was registered."""
    model = storage.load(folder)
    expected = np.array(files.read_json(folder / "checks.json", MADE_BY)["output"])
    found = model.output(smoke_rows(folder))
    if found.shape != expected.shape or not np.allclose(
        found, expected, rtol=TOLERANCE, atol=TOLERANCE
    ):
        raise DataError(
            f"{folder}: for the rows of checks.json it puts out {found.tolist()}, and {expected.tolist()} when "
            f"it was registered: the packages differ; install requirements.txt"
        )
    return model


def smoke_rows(folder: Path) -> pd.DataFrame:
    """Return the rows whose output is kept, as the model takes them."""
    checks, metadata = (
        files.read_json(folder / name, MADE_BY) for name in ("checks.json", "metadata.json")
    )
    return conform(
        pd.DataFrame(checks["rows"], columns=list(metadata["inputs"])), metadata["inputs"]
    )


def row_hashes(frame: pd.DataFrame, kinds: dict[str, str], origin: str = "the table") -> np.ndarray:
    """Return a number per row: equal rows have equal ones, whatever types the table was read with.

    Raises DataError where the table lacks one of the columns.
    """
    typed = conform(frame, kinds, origin)
    numbers = of_kind(kinds, NUMBER)
    typed[numbers] += 0.0  # -0.0 is 0.0
    return pd.util.hash_pandas_object(typed, index=False).to_numpy()


def unseen(folder: Path, frame: pd.DataFrame, origin: str) -> np.ndarray:
    """Tell of each row whether the bundle's model was not trained on it."""
    kinds = files.read_json(folder / "checks.json", MADE_BY)["row_columns"]
    return ~np.isin(
        row_hashes(frame, kinds, origin), np.load(folder / "train_rows.npy", allow_pickle=False)
    )
