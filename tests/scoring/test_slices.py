"""Slices: the planted bad part of a table is found, its words are what is counted, and the test rows judge it."""

import numpy as np
import pandas as pd
import pytest

from pipeline.project.params import Slices
from pipeline.scoring import slices


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
    (origin, worst), *_ = slices.find(X, error, Slices())
    assert origin == "search"
    found = slices.mask(worst, X)
    assert (found & bad).sum() / (found | bad).sum() > 0.9
    assert {column for column, _, _ in worst} == {"age", "town"} and ["town", "=", "Bford"] in worst


def test_even_errors_have_no_worst_part_and_depth_0_does_not_look():
    X = table()
    assert slices.find(X, np.ones(len(X)), Slices()) == []
    assert slices.find(X, X["noise"].abs().to_numpy(), Slices(depth=0)) == []


@pytest.mark.parametrize("seed", range(5))
def test_slices_hold_the_least_number_of_rows_and_their_conditions_are_not_double(seed):
    X = table(seed=seed)
    for _, rule in slices.find(
        X, np.random.default_rng(seed).random(len(X)), Slices(min_rows=40, columns=["age", "town"])
    ):
        assert slices.mask(rule, X).sum() >= 39  # the printed threshold is rounded
        assert len({(column, operator) for column, operator, _ in rule if operator != "≠"}) == len(
            [1 for _, operator, _ in rule if operator != "≠"]
        )


def test_named_columns_give_a_slice_per_category_or_quarter_that_share_out_the_rows():
    X = table()
    rules = [
        rule
        for origin, rule in slices.find(
            X, np.ones(len(X)), Slices(columns=["age", "town"], min_rows=10, depth=0)
        )
    ]
    assert [slices.words(rule) for rule in rules[4:]] == [
        "town = (missing)",
        "town = Aville",
        "town = Bford",
        "town = Cham",
    ]
    for group in (rules[:4], rules[4:]):
        assert sum(slices.mask(rule, X) for rule in group).tolist() == [1] * len(X)
    assert slices.words(rules[1]).startswith("age > ") and " and age ≤ " in slices.words(rules[1])


def test_a_missing_number_counts_as_low_and_a_missing_category_by_its_name():
    X = pd.DataFrame({"age": [10.0, 50.0, np.nan], "town": ["a", None, "b"]})
    assert slices.mask([["age", "≤", 20.0]], X).tolist() == [True, False, True]
    assert slices.mask([["age", ">", 20.0]], X).tolist() == [False, True, False]
    assert slices.mask([["town", "=", slices.MISSING]], X).tolist() == [False, True, False]
    assert slices.mask([["town", "≠", "a"]], X).tolist() == [False, True, True]


def test_worse_means_that_the_whole_interval_is_worse_than_overall():
    rng = np.random.default_rng(0)
    X, y = pd.DataFrame({"part": np.repeat(["good", "bad"], 100)}), np.zeros(200)
    output = np.where(X["part"] == "bad", 10.0, 1.0) * rng.normal(1, 0.1, 200)
    overall = float(np.sqrt((output**2).mean()))

    def scored(part):
        return slices.score(
            "regression", "rmse", [["part", "=", part]], X, y, output, None, overall, 0
        )

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
    assert (
        slices.score("classification", "roc_auc", [["x", "≤", 15.0]], X, y, output, 0.5, 1.0, 0)[
            "value"
        ]
        is None
    )
    both = slices.score("classification", "accuracy", [["x", ">", 10.0]], X, y, output, 0.5, 1.0, 0)
    assert both["rows"] == 29 and both["value"] == 1 and not both["worse"]


def test_errors_are_distances_or_log_losses():
    assert slices.errors("regression", np.array([1.0, 5.0]), np.array([3.0, 4.0])).tolist() == [
        2,
        1,
    ]
    losses = slices.errors("classification", np.array([0, 1]), np.array([[0.5, 0.5], [1.0, 0.0]]))
    assert losses == pytest.approx([np.log(2), -np.log(slices.LEAST_PROBABILITY)])
