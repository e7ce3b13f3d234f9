"""What charts draw: scikit-learn's curves in few points, and what was predicted for what."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import auc, roc_auc_score

from pipeline.report import charts
from pipeline.report.charts import TrialValue
from pipeline.training.predictions import Predicted
from support.results import candidate


def predicted(rows=3000, seed=0, part="oof"):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, rows)
    outputs = {}
    for name, weight in (("good", 2), ("fair", 1)):
        scores = 1 / (1 + np.exp(-weight * (y - 0.5) - rng.normal(size=rows)))
        outputs[name] = np.column_stack([1 - scores, scores])
    return Predicted(pd.RangeIndex(rows), y, None, outputs)


def test_curves_are_those_of_the_predictions_in_few_points():
    oof, test = predicted(), predicted(500, 1)
    drawn = charts.class_curves(["good", "fair"], oof, test, ["no", "yes"])
    assert [curve.name for curve in drawn.roc] == [
        "good, out of fold",
        "good, test",
        "fair, out of fold",
    ]
    for curve, part, name in zip(drawn.roc, (oof, test, oof), ("good", "good", "fair")):
        points = np.array(curve.points)
        assert len(points) <= charts.MOST_POINTS
        assert points[0].tolist() == [0, 0] and points[-1].tolist() == [1, 1]
        expected = roc_auc_score(part.y, part.outputs[name][:, 1])
        assert auc(*points.T) == pytest.approx(expected, abs=0.003)
    for curve in drawn.precision_recall + drawn.calibration:
        points = np.array(curve.points)
        assert (points >= 0).all() and (points <= 1).all()
    shares = np.array(drawn.calibration[0].points)
    assert len(shares) == charts.BINS and (np.diff(shares[:, 0]) > 0).all()


def test_more_classes_have_a_curve_each_and_an_absent_one_has_none():
    y = np.array([0, 1, 0, 1, 1, 0])
    part = Predicted(pd.RangeIndex(6), y, None, {"m": np.full((6, 3), 1 / 3)})
    curves = charts.class_curves(["m"], part, part, ["a", "b", "c"])
    assert [curve.name for curve in curves.roc] == ["a", "b"]


def test_tolerance_is_the_share_of_rows_within_an_error():
    y = np.zeros(100)
    part = Predicted(
        pd.RangeIndex(100),
        y,
        None,
        {"sharp": np.linspace(0, 1, 100), "blunt": np.linspace(0, 2, 100)},
    )
    sharp, blunt = charts.tolerance(["sharp", "blunt"], part)
    assert sharp.points[0] == [0, 0] and sharp.points[-1] == [1, 1]
    assert blunt.points[-1] == pytest.approx([1.8, 0.9], abs=0.03)


def test_outcomes_of_numbers_share_out_the_rows_in_bands_of_the_actual_values():
    y = np.arange(100.0)
    part = Predicted(pd.RangeIndex(100), y, None, {"m": y})
    outcomes = charts.outcomes(part, "m", candidate())
    assert sum(one.rows for one in outcomes) == 100 and len(outcomes) == charts.BANDS**2
    assert all((one.actual == one.predicted) == (one.rows > 0) for one in outcomes)


def test_outcomes_of_classes_are_the_cells_of_the_confusion_matrix():
    matrix = {"labels": ["a", "b"], "counts": [[3, 1], [0, 2]]}
    assert charts.outcomes(None, "m", candidate(confusion_matrix=matrix)) == [
        ("a", "a", 3),
        ("a", "b", 1),
        ("b", "a", 0),
        ("b", "b", 2),
    ]


def test_dots_are_no_more_than_can_be_seen():
    y = np.arange(10_001.0)
    assert (
        300
        < len(charts.dots(Predicted(pd.RangeIndex(len(y)), y, None, {"m": y}), "m"))
        <= charts.MOST_DOTS
    )


@pytest.mark.parametrize("metric, bests", [("rmse", [3, 3, 2]), ("r2", [3, 5, 5])])
def test_course_of_a_search_holds_the_best_value_so_far(metric, bests):
    trials = [TrialValue(0, "a", 3), TrialValue(2, "b", 5), TrialValue(7, "a", 2)]
    assert charts.best_so_far(trials, metric) == bests
