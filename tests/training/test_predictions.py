"""Stored predictions are read back for candidates of several stages together."""

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
