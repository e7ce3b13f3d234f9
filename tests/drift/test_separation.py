"""Rows that no column shows by itself are found by all columns together, and named."""

import numpy as np
import pandas as pd

from benchmarks import drift_alarms
from pipeline.drift import separation
from pipeline.drift.results import change_lines
from pipeline.drift.roles import Sides
from support.drift_tables import LIMITS, compare


def customers(rows, seed):
    return drift_alarms.customers(np.random.default_rng(seed), rows)


def test_months_turned_to_years_in_a_few_rows_are_found_with_column_and_rows():
    other = customers(400, seed=1)
    other.loc[:19, "months"] = (other.loc[:19, "months"] / 12).round()
    found = compare(customers(1500, seed=0), other)
    assert (found.verdict, found.features.drifted) == ("drift", [])
    assert found.together.columns[0] == "months" and found.moved == found.together.columns
    assert sum(row <= 20 for row in found.together.rows) >= 8
    assert "rows that stand out by 'months'" in found.recommendation
    assert "  all columns together: domain classifier, adjusted p" in change_lines(found)[0]


def test_rows_drawn_alike_do_not_stand_out_and_dates_are_not_looked_at():
    one, other = (
        customers(600, seed).assign(day=pd.Timestamp(f"202{seed}-01-01")) for seed in (0, 1)
    )
    found = compare(one, other)
    assert (found.verdict, found.together.columns) == ("no drift", [])
    assert found.together.compared_columns == len(one.columns) - 1


def test_wide_and_long_tables_are_looked_at_in_bounded_parts(monkeypatch):
    monkeypatch.setattr(separation, "MOST_ROWS", 80)
    monkeypatch.setattr(separation, "MOST_COLUMNS", 30)
    rng = np.random.default_rng(0)
    one, other = (pd.DataFrame(rng.normal(size=(300, 60))).rename(columns=str) for _ in range(2))
    found = separation.separate(
        Sides(one, other), Sides(np.arange(300), np.arange(300)), LIMITS, seed=0
    )
    assert (found.compared_columns, found.compared_rows) == (30, Sides(80, 80))


def test_what_drifted_by_itself_is_not_looked_for_again():
    one = customers(300, seed=0)
    assert compare(one, one.assign(age=one["age"] + 20)).together is None


def test_values_that_the_reference_does_not_have_are_noted_with_their_rows():
    one, other = customers(2000, seed=0), customers(400, seed=1)
    one["id"], other["id"] = [f"a{k}" for k in range(2000)], [f"b{k}" for k in range(400)]
    other.loc[:3, "payment"] = "Credit card"
    other.loc[:6, "months"] = 80.0
    found = compare(one, other)
    assert "payment: 4 rows with 'Credit card', which the reference does not have" in found.notes
    assert "months: 7 rows above 72, where the reference has no value" in found.notes
    # new identifiers are the rule
    assert not any(note.startswith("id:") for note in found.notes)
    assert found.as_json()["columns"]["payment"]["unseen"] == {
        "rows": 4,
        "values": ["'Credit card'"],
    }
    assert f"  note: {found.notes[0]}" in change_lines(found)
