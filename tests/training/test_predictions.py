"""Stored predictions: read together over stages, written in one order, and named where absent."""

import numpy as np
import pandas as pd
import pytest

from pipeline.project import paths
from pipeline.project.errors import DataError
from pipeline.training import predictions


def test_candidates_of_two_stages_are_read_together_and_rows_without_prediction_are_left_out(
    project,
):
    for stage, names in (("train", ["ridge"]), ("tune", ["tuned_ridge"])):
        folder = paths.predictions("tiny", stage)
        folder.mkdir(parents=True)
        frame = pd.DataFrame(
            {
                "target": [1.0, 2.0, 3.0],
                "fold": [-1, 0, 1],
                **{name: [np.nan, 2.5, 3.5] for name in names},
            },
            index=[5, 7, 9],
        )
        (frame if stage == "train" else frame[::-1]).to_parquet(folder / "oof.parquet")
    found = predictions.read_predicted(
        "tiny", "oof", {"ridge": "train", "tuned_ridge": "tune"}, None
    )
    assert (
        found.rows.tolist() == [7, 9]
        and found.y.tolist() == [2, 3]
        and found.fold.tolist() == [0, 1]
    )
    assert found.outputs["tuned_ridge"].tolist() == found.outputs["ridge"].tolist() == [2.5, 3.5]
    with pytest.raises(
        DataError,
        match="data/predictions/tiny/train/test.parquet is not there; run `dvc repro train@tiny`",
    ):
        predictions.read_predicted("tiny", "test", {"ridge": "train"}, None)


def stored(columns: dict) -> None:
    """Write train's test predictions of three rows."""
    folder = paths.predictions("tiny", "train")
    folder.mkdir(parents=True)
    frame = pd.DataFrame({"target": ["a", "b", "a"], **columns}, index=[3, 1, 2])
    frame.to_parquet(folder / "test.parquet")


def test_output_of_classes_has_a_column_for_each_and_follows_the_rows_that_are_asked_for(project):
    stored({"ridge__b": [0.1, 0.2, 0.3], "ridge__a": [0.9, 0.8, 0.7]})
    output = predictions.read_output(
        "tiny", "train", "ridge", "test", ["a", "b"], rows=pd.Index([2, 9, 3])
    )
    assert output[[0, 2]].tolist() == [[0.7, 0.3], [0.9, 0.1]]
    assert np.isnan(output[1]).all()


def test_candidate_without_columns_is_named_with_the_file(project):
    stored({"ridge__a": [0.9, 0.8, 0.7]})
    with pytest.raises(DataError, match="test.parquet: no column 'ridge__b'"):
        predictions.read_output("tiny", "train", "ridge", "test", ["a", "b"])


def test_columns_are_read_as_they_were_named_without_targets_and_folds(project):
    stored({"fold": [0, 1, 0], "dummy": [1.0, 2.0, 3.0], "ridge": [4.0, 5.0, 6.0]})
    folder = paths.predictions("tiny", "train")
    columns = predictions.read_columns(folder, "test")
    assert {name: list(values) for name, values in columns.items()} == {
        "dummy": [1.0, 2.0, 3.0],
        "ridge": [4.0, 5.0, 6.0],
    }
    assert predictions.read_columns(folder, "oof") == {}


def test_columns_of_an_output_are_named_by_candidate_and_class():
    output = np.array([[0.9, 0.1], [0.2, 0.8]])
    columns = predictions.as_columns("ridge", output, ["a", "b"])
    assert (
        list(columns) == predictions.column_names("ridge", ["a", "b"]) == ["ridge__a", "ridge__b"]
    )
    assert columns["ridge__b"].tolist() == [0.1, 0.8]
