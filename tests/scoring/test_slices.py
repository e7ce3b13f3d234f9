"""The planted bad part of a table is found, its words are what is counted, the test rows judge."""

import numpy as np
import pandas as pd
import pytest

from pipeline.project.settings.judging import Slices
from pipeline.scoring import slices, thresholds
from pipeline.scoring.rows import Rows
from pipeline.scoring.slices import Condition, Slice


def table(rows=600, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.uniform(0, 100, rows),
            "town": rng.choice(["Aville", "Bford", "Cham"], rows),
            "noise": rng.normal(size=rows),
        }
    )
    frame.loc[::29, "age"] = np.nan
    frame.loc[::31, "town"] = None
    return frame


def test_search_finds_the_planted_part():
    X = table()
    bad = ((X["age"] > 60) & (X["town"] == "Bford")).to_numpy()
    error = np.where(bad, 3.0, 1.0) + np.random.default_rng(1).normal(0, 0.1, len(X))
    worst, *_ = slices.find(X, error, Slices())
    assert worst.origin == "search"
    found = worst.mask(X)
    assert (found & bad).sum() / (found | bad).sum() > 0.9
    assert {condition.column for condition in worst.conditions} == {"age", "town"}
    assert Condition("town", "=", "Bford") in worst.conditions


def test_even_errors_have_no_worst_part_and_depth_0_does_not_look():
    X = table()
    assert slices.find(X, np.ones(len(X)), Slices()) == []
    assert slices.find(X, X["noise"].abs().to_numpy(), Slices(depth=0)) == []


@pytest.mark.parametrize("operator, rises", [("≤", False), (">", True)])
def test_two_splits_by_one_column_are_one_condition(operator, rises):
    number = np.arange(1000.0)
    error = np.select([number < 50, number < 500], [5.0, 3.0], 0.0)
    X = pd.DataFrame({"number": number})
    worst, *_ = slices.find(X, error[::-1] if rises else error, Slices())
    assert worst.conditions == (Condition("number", operator, 949.5 if rises else 49.5),)


@pytest.mark.parametrize("seed", range(5))
def test_slices_hold_the_least_number_of_rows_and_their_conditions_are_not_double(seed):
    X = table(seed=seed)
    error = np.random.default_rng(seed).random(len(X))
    for part in slices.find(X, error, Slices(min_rows=40, columns=["age", "town"])):
        # the printed threshold is rounded
        assert part.mask(X).sum() >= 39
        once = [(one.column, one.operator) for one in part.conditions if one.operator != "≠"]
        assert len(set(once)) == len(once)


def test_named_columns_give_a_slice_per_category_or_quarter_that_share_out_the_rows():
    X = table()
    settings = Slices(columns=["age", "town"], min_rows=10, depth=0)
    parts = slices.find(X, np.ones(len(X)), settings)
    quarters, towns = parts[:4], parts[4:]
    assert {part.origin for part in parts} == {"params.yaml"}
    assert [str(part) for part in towns] == [
        "town = (missing)",
        "town = Aville",
        "town = Bford",
        "town = Cham",
    ]
    for group in (quarters, towns):
        assert sum(part.mask(X) for part in group).tolist() == [1] * len(X)
    assert str(quarters[1]).startswith("age > ") and " and age ≤ " in str(quarters[1])


def test_a_missing_number_counts_as_low_and_a_missing_category_by_its_name():
    X = pd.DataFrame({"age": [10.0, 50.0, np.nan], "town": ["a", None, "b"]})
    assert Condition("age", "≤", 20.0).mask(X).tolist() == [True, False, True]
    assert Condition("age", ">", 20.0).mask(X).tolist() == [False, True, False]
    assert Condition("town", "=", slices.MISSING).mask(X).tolist() == [False, True, False]
    assert Condition("town", "≠", "a").mask(X).tolist() == [False, True, True]


def test_worse_means_that_the_whole_interval_is_worse_than_overall():
    rng = np.random.default_rng(0)
    X, y = pd.DataFrame({"part": np.repeat(["good", "bad"], 100)}), np.zeros(200)
    output = np.where(X["part"] == "bad", 10.0, 1.0) * rng.normal(1, 0.1, 200)
    overall = float(np.sqrt((output**2).mean()))

    def scored(part):
        where = Slice("search", (Condition("part", "=", part),))
        return slices.score(where, X, Rows(y, output), "rmse", overall, 0).as_json()

    assert scored("bad")["worse"] and not scored("good")["worse"]
    assert scored("bad")["low"] > overall > scored("good")["high"]
    assert scored("none there") == {
        "rows": 0,
        "value": None,
        "low": None,
        "high": None,
        "worse": False,
    }


def test_a_part_with_one_class_has_no_ranking_score():
    X, y = pd.DataFrame({"x": np.arange(40.0)}), (np.arange(40) >= 20).astype(int)
    output = np.column_stack([1 - np.linspace(0, 1, 40), np.linspace(0, 1, 40)])
    rows = thresholds.decided(Rows(y, output), 0.5)

    def scored(metric, operator, value):
        where = Slice("search", (Condition("x", operator, value),))
        return slices.score(where, X, rows, metric, 1.0, 0).as_json()

    one_class = scored("roc_auc", "≤", 15.0)
    assert (one_class["value"], one_class["low"], one_class["worse"]) == (None, None, False)
    both = scored("accuracy", ">", 10.0)
    assert both["rows"] == 29 and both["value"] == 1 and not both["worse"]


def test_errors_are_distances_or_log_losses():
    assert slices.errors(np.array([1.0, 5.0]), np.array([3.0, 4.0])).tolist() == [2, 1]
    losses = slices.errors(np.array([0, 1]), np.array([[0.5, 0.5], [1.0, 0.0]]))
    assert losses == pytest.approx([np.log(2), -np.log(slices.LEAST_PROBABILITY)])
