"""What cannot be compared is reported by name, and the rest is compared."""

import numpy as np
import pandas as pd

from benchmarks import drift_alarms
from pipeline.data import kinds
from pipeline.data.typed_tables import of_frame
from pipeline.drift.comparison import Plan, compare_tables
from pipeline.drift.results import change_lines
from pipeline.drift.roles import Roles
from pipeline.drift.two_sample import adjusted_p_values
from support.drift_tables import LIMITS, column_verdicts, compare


def test_order_of_the_columns_changes_nothing():
    rng = np.random.default_rng(0)
    one, other = drift_alarms.table(rng, 300), drift_alarms.table(rng, 300)
    found, reordered = compare(one, other), compare(one, other[other.columns[::-1]])
    assert found.columns == reordered.columns
    assert found.schema_changes == reordered.schema_changes == []


def test_changes_of_the_schema_are_told_by_name_and_the_rest_is_compared():
    rng = np.random.default_rng(0)
    one = pd.DataFrame(
        {"same": rng.normal(size=80), "gone": 1.0, "void": 1.0, "text": rng.normal(size=80)}
    )
    other = one.drop(columns="gone").assign(void=np.nan, text="a", added=1.0)
    found = [(change.column, change.change) for change in compare(one, other).schema_changes]
    assert found == [("gone", "missing"), ("added", "new"), ("void", "empty"), ("text", "type")]
    assert column_verdicts(one, other) == {
        "same": "no drift",
        "void": "drift",
        "text": "not compared",
    }
    few = compare(one.head(5), other.head(5)).schema_changes
    assert [change.column for change in few] == ["gone", "added"]


def test_drift_in_an_ignored_column_is_told_and_is_no_alarm():
    one, other = (
        of_frame(
            pd.DataFrame(
                {"a": np.random.default_rng(0).normal(size=300), "b": shift + np.arange(300.0)}
            )
        )
        for shift in (0, 200)
    )
    found = compare(one, other, ignored=frozenset("b"))
    assert found.verdict == "no drift"
    assert (found.features.drifted, found.features.drifted_ignored) == ([], ["b"])
    assert found.recommendation == "nothing to do: the model ignores 'b', which moved"
    line = change_lines(found)[0]
    assert line.startswith("  b: Kolmogorov-Smirnov") and line.endswith("the model ignores it")
    alarmed = compare(one, other, ignored=frozenset("a"))
    assert (alarmed.verdict, alarmed.features.drifted) == ("drift", ["b"])


def test_column_that_a_random_window_finds_empty_is_no_drift_and_one_that_lost_its_values_is():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"size": rng.normal(size=1460), "pool": None, "garage": rng.choice(["a", "b", None], 1460)}
    )
    table.loc[rng.permutation(1460)[:7], "pool"] = "good"
    window = table[table["pool"].isna()].sample(200, random_state=0)
    found = compare(of_frame(table), of_frame(window))
    assert (found.verdict, found.schema_changes) == ("no drift", [])
    found = compare(of_frame(table), of_frame(window.assign(garage=None)))
    assert [(change.column, change.change) for change in found.schema_changes] == [
        ("garage", "empty")
    ]
    assert found.recommendation == "fix the columns first: 'garage'"


def test_column_near_the_line_between_two_types_does_not_change_its_type_by_chance():
    rng = np.random.default_rng(0)
    one, other = (
        pd.DataFrame({"code": ["x"] * letters + list(rng.integers(0, 9, 1000).astype(str))})
        for letters in (50, 60)
    )
    kinds_seen = {kinds.kind_of(of_frame(half)["code"]) for half in (one, other)}
    assert kinds_seen == {"number", "category"}
    for first, second in ((one, other), (other, one)):
        found = compare(of_frame(first), of_frame(second))
        assert (found.verdict, found.schema_changes) == ("no drift", [])
    changed = compare(of_frame(one), of_frame(pd.DataFrame({"code": ["x", "y"] * 100})))
    assert [change.change for change in changed.schema_changes] == ["type"]


def test_answer_that_moved_for_sure_does_not_loosen_the_bar_of_the_features():
    rng = np.random.default_rng(0)
    one = pd.DataFrame(rng.normal(size=(400, 10))).rename(columns=str)
    other = pd.DataFrame(rng.normal(size=(200, 10))).rename(columns=str)
    answered = [frame.assign(output=frame["1"] + shift) for frame, shift in ((one, 0), (other, 9))]
    found = compare_tables(*answered, Plan(Roles(prediction="output"), LIMITS))
    alone = compare_tables(one, other, Plan(Roles(), LIMITS))
    assert found.prediction.has_drifted and found.columns == alone.columns
    # three fifths of alpha are the features'
    p_values = [column.values.result.p_value for column in alone.columns.values()]
    expected = adjusted_p_values(p_values) / 0.6
    adjusted = [column.values.p_adjusted for column in alone.columns.values()]
    assert adjusted == list(np.minimum(expected, 1))
