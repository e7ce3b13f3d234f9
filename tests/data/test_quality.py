"""Figures of a table: where it came from, what is odd in it, its balance and its statistics."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.data import cleaning, quality
from pipeline.data.quality import Origin
from pipeline.project.errors import DataError
from support.houses import data, houses


def test_quality_counts_what_is_odd():
    raw = houses().assign(id=range(40), flat=1, size=[50] * 38 + [50_000, None])
    raw.loc[39, "town"] = None
    raw = pd.concat([raw, raw.iloc[[0]]], ignore_index=True)
    figures = quality.quality_figures(
        raw, cleaning.clean(raw, data(drop=["id"])), data(drop=["id"])
    )
    assert (
        figures["rows"] == 41
        and figures["columns"] == 5
        and figures["features"] == 3
        and figures["dropped"] == ["id"]
    )
    assert figures["missing"] == {"size": 1, "town": 1} and figures["duplicates"] == 1
    assert figures["outliers"] == {"size": 1} and figures["constant"] == ["flat"]
    assert figures["numeric"] == ["size", "flat"] and figures["categorical"] == ["town"]
    assert figures["target"]["max"] == 58.5
    json.dumps(figures, allow_nan=False)


def test_class_balance_counts_the_positive_class_last():
    settings = data(task="classification", target="town", positive="Aville")
    frame = cleaning.clean(houses(), settings)
    assert list(quality.quality_figures(houses(), frame, settings)["class_counts"].items()) == [
        ("Bford", 20),
        ("Aville", 20),
    ]


def test_statistics_describe_numbers_and_the_commonest_categories():
    X = pd.DataFrame({"n": [1.0, 2, 3, None], "c": ["x", "x", "y", None]})
    statistics = quality.statistics(X)
    assert statistics["rows"] == 4
    assert (
        statistics["features"]["n"]["mean"] == 2
        and statistics["features"]["n"]["quantiles"]["0.5"] == 2
    )
    assert statistics["features"]["c"] == {
        "missing_share": 0.25,
        "categories": {"x": 0.666667, "y": 0.333333},
    }
    empty = quality.statistics(pd.DataFrame({"n": [np.nan]}))["features"]["n"]
    assert empty["mean"] is None and json.dumps(empty, allow_nan=False)


def test_origin_comes_back_as_it_was_written(project):
    origin = Origin("x", "mine.csv", False, 3, 2, "0" * 32)
    origin.write()
    assert quality.read_origin("x") == origin
    with pytest.raises(DataError, match="run `python generate_data.py --dataset y` first"):
        quality.read_origin("y")
