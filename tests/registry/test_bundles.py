"""The files of a version: verified before use, and what tells rows that a model was trained on."""

import shutil

import numpy as np
import pandas as pd
import pytest

from pipeline.project import files
from pipeline.project.errors import DataError
from pipeline.registry import bundles
from support.registered import resolve


@pytest.mark.parametrize(
    "name", ["estimator.skops", "train_stats.json", "train_rows.npy", "model_card.md"]
)
def test_flipped_byte_is_refused_with_both_hashes(first, name):
    path = resolve().folder / name
    registered = files.digest(path)
    broken = bytearray(path.read_bytes())
    broken[len(broken) // 2] ^= 1
    path.write_bytes(broken)
    with pytest.raises(
        DataError, match=f"{name}: sha256 {files.digest(path)} is not the registered {registered}"
    ):
        resolve()


def test_added_or_missing_file_is_refused(first):
    folder = resolve().folder
    (folder / "more.txt").write_text("x")
    with pytest.raises(DataError, match="more.txt: sha256 .* is not the registered of no file"):
        resolve()
    (folder / "more.txt").unlink()
    (folder / "train_stats.json").unlink()
    with pytest.raises(DataError, match="train_stats.json: sha256 of no file"):
        resolve()
    shutil.rmtree(folder)
    with pytest.raises(
        DataError,
        match=(
            "is not there: the project was moved, or mlruns cleaned; delete mlflow.db, keep mlruns"
        ),
    ):
        resolve()


def test_equal_rows_have_equal_hashes_whatever_the_types_they_are_read_with():
    kinds = {"a": "number", "b": "category"}
    one = pd.DataFrame({"a": [1, 0, 3], "b": ["x", None, "20"]})
    other = pd.DataFrame({"b": [" x", "", "20"], "a": ["1.0", "-0.0", "3"], "c": 1})
    assert (bundles.row_hashes(one, kinds) == bundles.row_hashes(other, kinds)).all()
    assert (
        len(
            np.unique(
                bundles.row_hashes(pd.concat([one, one.assign(a=7), one.assign(b="y")]), kinds)
            )
        )
        == 9
    )
