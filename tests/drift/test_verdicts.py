"""A drift verdict needs a test and an effect size, and columns that the model uses."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.data.typed_tables import of_frame
from pipeline.drift.verdicts import LISTED_IMPORTANCES, exit_status, ignored_columns
from pipeline.project import rounding
from pipeline.project.errors import DataError
from pipeline.training.assessment import MOST_COLUMNS
from support.drift_tables import LIMITS, column_verdicts, compare_columns


def test_sure_but_small_difference_is_no_drift_and_large_but_unsure_neither():
    rng = np.random.default_rng(0)
    many = [pd.DataFrame({"x": rng.normal(mean, 1, 50_000)}) for mean in (0, 0.05)]
    few = [pd.DataFrame({"x": rng.normal(mean, 1, 60)}) for mean in (0, 0.15)]
    sure, unsure = compare_columns(*many, LIMITS)["x"], compare_columns(*few, LIMITS)["x"]
    assert (
        sure.values.p_adjusted < 1e-6
        and sure.values.result.effect_size < LIMITS.numbers
        and sure.verdict == "no drift"
    )
    assert (
        unsure.values.p_adjusted > LIMITS.alpha
        and unsure.values.result.effect_size > LIMITS.numbers
        and unsure.verdict == "no drift"
    )


def test_both_sides_need_the_rows():
    rng = np.random.default_rng(0)
    large, small = (
        pd.DataFrame({"x": rng.normal(size=500)}),
        pd.DataFrame({"x": rng.normal(5, 1, LIMITS.min_rows - 1)}),
    )
    assert (
        column_verdicts(large, small) == column_verdicts(small, large) == {"x": "not enough data"}
    )
    assert column_verdicts(large, pd.DataFrame({"x": rng.normal(5, 1, LIMITS.min_rows)})) == {
        "x": "drift"
    }
    gaps = pd.DataFrame({"x": np.r_[rng.normal(5, 1, 40), np.full(460, np.nan)]})
    assert compare_columns(gaps, gaps, LIMITS)["x"].verdict == "not enough data"


def test_changed_missing_share_is_drift_by_a_test_of_its_own():
    rng = np.random.default_rng(0)
    full = pd.DataFrame({"x": rng.normal(size=1000)})
    found = compare_columns(full, full.where(rng.random((1000, 1)) > 0.1), LIMITS)["x"]
    assert (found.verdict, found.drift_in) == ("drift", ["missing"])
    assert found.missing_share.reference == 0 and 0.07 < found.missing_share.current < 0.13


@pytest.mark.parametrize(
    "values, current, verdict",
    [
        ([1.0] * 100, [1.0] * 100, "no drift"),
        (["a"] * 100, ["a"] * 100, "no drift"),
        ([1.0] * 100, [2.0] * 100, "drift"),
        ([0.1] * 100, [0.1] * 70 + [0.2] * 30, "drift"),
        ([None] * 100, [None] * 100, "not compared"),
        ([-1e308, 1e308] * 50, [-1e308, 1e308] * 50, "no drift"),
        ([-1e308, 1e308] * 50, [0.0] * 100, "drift"),
        ([np.inf, 1.0] * 100, [1.0] * 200, "drift"),
        ([1.5, "2", None, "x"] * 3 + [1.0] * 97, [1.0] * 109, "no drift"),
        ([True, False] * 50, [True] * 90 + [False] * 10, "drift"),
        (["2024-01-02"] * 100, ["2026-01-02"] * 100, "not compared"),
    ],
)
def test_odd_columns_have_a_verdict(values, current, verdict):
    tables = [of_frame(pd.DataFrame({"x": side})) for side in (values, current)]
    assert column_verdicts(*tables) == {"x": verdict}
    found = compare_columns(*tables, LIMITS)["x"].as_json()
    json.dumps(rounding.rounded(found), allow_nan=False)


def test_ten_thousand_categories_are_no_drift_by_themselves_and_one_that_takes_over_is():
    rng = np.random.default_rng(0)
    one, other = (
        pd.DataFrame({"id": rng.integers(0, 10_000, 20_000).astype(str)}, dtype="str")
        for _ in range(2)
    )
    assert column_verdicts(one, other) == {"id": "no drift"}
    assert column_verdicts(one, other.mask(rng.random((20_000, 1)) < 0.3, "same")) == {
        "id": "drift"
    }


@pytest.mark.parametrize(
    "importance, expected",
    [
        ({"a": 0.5, "b": 0.004}, {"b", "c", "d"}),
        ({"a": 0.5, "b": None}, {"b", "c", "d"}),
        ({"a": 0.5, "b": 0.4}, {"c", "d"}),
        ({"a": 0.5, "b": -0.01}, {"b", "c", "d"}),
        ({f"column {k}": 0.5 for k in range(20)} | {"a": 0.1}, set()),
        ({f"column {k}": 0.5 / 4**k for k in range(20)}, set("abcd")),
    ],
)
def test_column_is_ignored_where_the_model_loses_little_without_it(importance, expected):
    weighted = LIMITS.model_copy(update={"weighting": "importance"})
    assert ignored_columns(importance, list("abcd"), weighted, "tiny") == expected
    assert ignored_columns(importance, list("abcd"), LIMITS, "tiny") == set()


def test_weighting_without_importances_is_refused():
    with pytest.raises(
        DataError,
        match="no importances, which drift.weighting needs; run `python train.py --dataset tiny`",
    ):
        ignored_columns(None, ["a"], LIMITS.model_copy(update={"weighting": "importance"}), "tiny")


def test_it_knows_how_many_importances_a_model_lists():
    assert LISTED_IMPORTANCES == MOST_COLUMNS


def test_exit_status_is_that_of_the_worst_verdict_that_counts():
    few, drifted, both = (
        ["no drift", "not enough data"],
        ["drift"],
        ["not enough data", "drift", "no drift"],
    )
    assert [exit_status(found, "not-enough-data") for found in (few, drifted, both)] == [
        4,
        3,
        3,
    ]
    assert [exit_status(found, "drift") for found in (few, drifted, both)] == [0, 3, 3]
    assert [exit_status(found, "never") for found in (few, drifted, both)] == [0, 0, 0]
