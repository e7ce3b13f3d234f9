"""What cannot be compared is reported by name, and the rest is compared."""

import numpy as np
import pandas as pd

from benchmarks import drift_alarms
from pipeline.data.typed_tables import of_frame
from pipeline.drift.comparison import compare_columns, schema_changes
from pipeline.drift.results import change_lines
from support.drift_tables import LIMITS, column_verdicts, compare


def test_order_of_the_columns_changes_nothing():
    rng = np.random.default_rng(0)
    one, other = drift_alarms.table(rng, 300), drift_alarms.table(rng, 300)
    assert compare_columns(one, other, LIMITS) == compare_columns(
        one, other[other.columns[::-1]], LIMITS
    )
    assert schema_changes(one, other[other.columns[::-1]]) == []


def test_changes_of_the_schema_are_told_by_name_and_the_rest_is_compared():
    rng = np.random.default_rng(0)
    one = pd.DataFrame(
        {"same": rng.normal(size=80), "gone": 1.0, "void": 1.0, "text": rng.normal(size=80)}
    )
    other = one.drop(columns="gone").assign(void=np.nan, text="a", added=1.0)
    found = [(change.column, change.change) for change in schema_changes(one, other)]
    assert found == [("gone", "missing"), ("added", "new"), ("void", "empty"), ("text", "type")]
    assert column_verdicts(one, other) == {
        "same": "no drift",
        "void": "drift",
        "text": "not compared",
    }
    few = schema_changes(one.head(5), other.head(5), min_rows=50)
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
    assert "  b: Kolmogorov-Smirnov" in change_lines(found)[0]
    alarmed = compare(one, other, ignored=frozenset("a"))
    assert (alarmed.verdict, alarmed.features.drifted) == ("drift", ["b"])
