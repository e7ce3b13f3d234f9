"""Both tables' quality is counted, and what got worse is named."""

import numpy as np
import pandas as pd

from pipeline.data.typed_tables import of_frame
from pipeline.drift import data_quality
from pipeline.drift.data_quality import correlation_changes
from support.drift_tables import LIMITS, categories, compare


def test_values_that_cannot_be_read_are_counted():
    table = of_frame(pd.DataFrame({"x": [1.0, np.inf] + ["7"] * 97 + ["?"], "y": "a"}))
    assert (
        table["x"].attrs["unreadable"] == table["x"].isna().sum() == 2
        and table["y"].attrs["unreadable"] == 0
    )
    quality = compare(table, table).quality
    assert quality.tables.current.unreadable == {"x": 2}
    assert quality.reasons == ["x: 2 values cannot be read"]


def test_quality_counts_both_sides_and_tells_what_got_worse():
    rng = np.random.default_rng(0)
    one = pd.DataFrame(
        {
            "x": rng.normal(size=400),
            "y": rng.normal(size=400),
            "town": categories(rng, 400, {"a": 0.5, "b": 0.5}),
        }
    )
    other = pd.concat([one.head(150)] * 2, ignore_index=True).assign(town="a")
    other.loc[other.index % 5 == 0, "x"] = 50.0
    other.loc[other.index % 4 == 0, "y"] = np.nan
    found = compare(one, other).quality
    assert (
        found.verdict == "check"
        and found.tables.current.constant == ["town"]
        and found.tables.reference.constant == []
    )
    assert (
        found.tables.current.duplicates == other.duplicated().sum()
        and found.tables.current.outliers["x"] >= 60
    )
    assert [reason.split()[0] for reason in found.reasons] == ["y:", "town:", "x:", "duplicate"]
    same = compare(one, one.head(300)).quality
    assert (same.verdict, same.reasons) == ("good", [])


def test_table_of_few_categories_is_not_blamed_for_its_duplicates():
    rng = np.random.default_rng(0)
    one, other = (
        pd.DataFrame({name: categories(rng, rows, {"a": 0.5, "b": 0.5}) for name in "pqrstuv"})
        for rows in (200, 5000)
    )
    assert compare(one, other).quality.verdict == "good"


def test_changed_correlation_is_listed():
    rng = np.random.default_rng(0)
    one = pd.DataFrame(rng.normal(size=(400, 3)), columns=list("abc"))
    other = one.assign(b=one["a"] + rng.normal(0, 0.5, 400))
    assert [change.columns for change in correlation_changes(one, other, LIMITS)] == [("a", "b")]
    assert correlation_changes(one, one.sample(frac=0.5, random_state=0), LIMITS) == []
    by_chance = [pd.DataFrame(rng.normal(size=(60, 8))) for _ in range(2)]
    assert np.abs(by_chance[0].corr() - by_chance[1].corr()).max(axis=None) > LIMITS.correlation
    assert correlation_changes(*by_chance, LIMITS) == []
    trifling = pd.DataFrame(rng.normal(size=(20_000, 2)), columns=["a", "b"])
    assert (
        correlation_changes(
            trifling, trifling.assign(b=0.1 * trifling["a"] + trifling["b"]), LIMITS
        )
        == []
    )


def test_the_correlations_of_a_wide_table_are_those_of_its_first_columns(monkeypatch):
    rng = np.random.default_rng(0)
    one = pd.DataFrame(rng.normal(size=(400, 4)), columns=list("abcd"))
    other = one.assign(b=one["a"], d=one["a"])
    monkeypatch.setattr(data_quality, "MOST_CORRELATED", 2)
    assert [change.columns for change in correlation_changes(one, other, LIMITS)] == [("a", "b")]


def test_duplicate_rows_are_counted_over_all_columns():
    rng = np.random.default_rng(0)
    one = pd.DataFrame(
        {
            "a": rng.integers(0, 4, 500).astype(float),
            "b": rng.integers(0, 4, 500).astype(float),
            "c": rng.choice(["x", None, "y"], 500),
        }
    )
    one.loc[::9, "a"] = np.nan
    shared = compare(of_frame(one), of_frame(one[["a", "b"]])).quality
    assert shared.tables.reference.duplicates == one[["a", "b"]].duplicated().sum()
    whole = compare(of_frame(one), of_frame(one)).quality
    assert whole.tables.reference.duplicates == one.duplicated().sum()


def test_what_is_kept_of_a_column_does_not_keep_the_column_in_memory(monkeypatch):
    kept, compared = [], data_quality.correlation_changes
    monkeypatch.setattr(
        data_quality,
        "correlation_changes",
        lambda *parts: kept.extend(parts[:2]) or compared(*parts),
    )
    large = pd.DataFrame({"x": np.arange(100_000.0), "y": np.arange(100_000.0)})
    samples = compare(large, large).samples
    assert len(kept[0]) == 20_000 and data_quality.thinned(large["x"]).base is None
    for sample in (samples.reference, samples.current):
        values = sample["x"].to_numpy()
        assert values.base is None or values.base.size < 50_000
