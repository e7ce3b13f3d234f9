"""What pictures draw: scikit-learn's curves in few points, and files that `dvc plots show` reads."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import auc, roc_auc_score

from pipeline.project import paths
from pipeline.project.errors import DataError
from pipeline.report import charts
from pipeline.training import predictions
from pipeline.training.predictions import Predicted


def predicted(rows=3000, seed=0, part="oof"):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, rows)
    outputs = {}
    for name, weight in (("good", 2), ("fair", 1)):
        scores = 1 / (1 + np.exp(-weight * (y - 0.5) - rng.normal(size=rows)))
        outputs[name] = np.column_stack([1 - scores, scores])
    return Predicted(pd.RangeIndex(rows), y, None, outputs)


def test_curves_are_those_of_the_predictions_in_few_points():
    parts = {"oof": predicted(), "test": predicted(500, 1)}
    drawn = charts.curves(["good", "fair"], parts, ["no", "yes"])
    assert [curve["name"] for curve in drawn["roc"]] == [
        "good, out of fold",
        "good, test",
        "fair, out of fold",
    ]
    for curve, part, name in zip(drawn["roc"], ("oof", "test", "oof"), ("good", "good", "fair")):
        points = np.array(curve["points"])
        assert (
            len(points) <= charts.MOST_POINTS
            and points[0].tolist() == [0, 0]
            and points[-1].tolist() == [1, 1]
        )
        assert auc(*points.T) == pytest.approx(
            roc_auc_score(parts[part].y, parts[part].outputs[name][:, 1]), abs=0.003
        )
    for kind in ("precision_recall", "calibration"):
        assert all(
            0 <= value <= 1 for curve in drawn[kind] for point in curve["points"] for value in point
        )
    shares = np.array(drawn["calibration"][0]["points"])
    assert len(shares) == charts.BINS and (np.diff(shares[:, 0]) > 0).all()


def test_more_classes_have_a_curve_each_and_an_absent_one_has_none():
    y = np.array([0, 1, 0, 1, 1, 0])
    part = Predicted(pd.RangeIndex(6), y, None, {"m": np.full((6, 3), 1 / 3)})
    assert [
        curve["name"]
        for curve in charts.curves(["m"], {"oof": part, "test": part}, ["a", "b", "c"])["roc"]
    ] == ["a", "b"]


def test_tolerance_is_the_share_of_rows_within_an_error():
    y = np.zeros(100)
    part = Predicted(
        pd.RangeIndex(100),
        y,
        None,
        {"sharp": np.linspace(0, 1, 100), "blunt": np.linspace(0, 2, 100)},
    )
    sharp, blunt = charts.tolerance(["sharp", "blunt"], part)
    assert sharp["points"][0] == [0, 0] and sharp["points"][-1] == [1, 1]
    assert blunt["points"][-1] == pytest.approx([1.8, 0.9], abs=0.03)


def test_outcomes_of_numbers_share_out_the_rows_in_bands_of_the_actual_values():
    y = np.arange(100.0)
    rows = charts.outcomes(Predicted(pd.RangeIndex(100), y, None, {"m": y}), "m", {})
    assert sum(count for _, _, count in rows) == 100 and len(rows) == charts.BANDS**2
    assert all((actual == other) == (count > 0) for actual, other, count in rows)
    matrix = {"confusion_matrix": {"labels": ["a", "b"], "counts": [[3, 1], [0, 2]]}}
    assert charts.outcomes(None, "m", matrix) == [
        ["a", "a", 3],
        ["a", "b", 1],
        ["b", "a", 0],
        ["b", "b", 2],
    ]


def test_dots_are_no_more_than_can_be_seen():
    y = np.arange(10_001.0)
    assert (
        300
        < len(charts.dots(Predicted(pd.RangeIndex(len(y)), y, None, {"m": y}), "m"))
        <= charts.MOST_DOTS
    )


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


@pytest.mark.parametrize("metric, bests", [("rmse", [3, 3, 2]), ("r2", [3, 5, 5])])
def test_course_of_a_search_holds_the_best_value_so_far(metric, bests):
    course = [[0, "a", 3], [2, "b", 5], [7, "a", 2]]
    assert charts.best_so_far(course, metric) == [
        [*trial, best] for trial, best in zip(course, bests)
    ]
