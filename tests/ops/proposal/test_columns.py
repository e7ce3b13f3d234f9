"""What a column is taken for: numbers, categories, dates, texts, or a name of its row."""

import uuid

import numpy as np
import pandas as pd
import pytest

from ops.proposal import columns

ROWS = 120
RNG = np.random.default_rng(0)
DAYS = pd.date_range("2020-01-20", periods=ROWS)


@pytest.mark.parametrize(
    "name, values, role",
    [
        ("size", RNG.normal(size=ROWS), columns.NUMBERS),
        ("weight", RNG.permutation(ROWS) * 13, columns.NUMBERS),
        ("n", np.arange(ROWS) + 1000, columns.ROW_NUMBERS),
        ("n", RNG.permutation(ROWS), columns.ROW_NUMBERS),
        ("order_id", RNG.permutation(ROWS) * 13, columns.IDENTIFIERS),
        ("customerID", RNG.permutation(ROWS) * 13, columns.IDENTIFIERS),
        ("humid", RNG.permutation(ROWS) * 13, columns.NUMBERS),
        ("Unnamed: 0", RNG.permutation(ROWS) * 13, columns.IDENTIFIERS),
        ("a", [str(uuid.UUID(int=k << 64)) for k in range(ROWS)], columns.IDENTIFIERS),
        ("a", [f"{k:032x}" + "ab1" * 8 for k in range(ROWS)][:ROWS], columns.IDENTIFIERS),
        ("a", [f"A{k}" for k in range(ROWS)], columns.IDENTIFIERS),
        ("a", [f"A{k % 9}" for k in range(ROWS)], columns.CATEGORIES),
        ("a", [None] * ROWS, columns.EMPTY),
        ("a", ["x"] * ROWS, columns.CONSTANT),
        ("a", [f"${k},5" for k in range(ROWS)], columns.CATEGORIES),
        ("a", [f"the {k}th order came late" for k in range(ROWS)], columns.TEXTS),
        ("a", DAYS.strftime("%Y-%m-%d"), columns.DATES),
        ("a", DAYS, columns.DATES),
    ],
)
def test_a_column_is_taken_for_what_its_values_are(name, values, role):
    frame = pd.DataFrame({name: values, "y": range(ROWS)})
    (taken,) = columns.taken(frame, "y", [])
    assert (taken.column, taken.role, taken.formats) == (name, role, [])


@pytest.mark.parametrize("form", ["%d.%m.%Y", "%Y%m%d", "%b %d, %Y"])
def test_dates_in_another_format_name_it(form):
    values = DAYS.strftime(form)
    frame = pd.DataFrame({"a": values.astype(int) if form == "%Y%m%d" else values, "y": 1})
    (taken,) = columns.taken(frame, "y", [])
    assert (taken.role, taken.formats, taken.doubt) == (columns.DATES, [form], "")


def test_dates_that_may_be_in_two_formats_say_so():
    days = [f"{k % 12 + 1:02}/{k % 11 + 1:02}/2024" for k in range(ROWS)]
    (taken,) = columns.taken(pd.DataFrame({"a": days, "y": 1}), "y", [])
    assert taken.role == columns.DATES and "or is it %" in taken.doubt
    assert f"dates: {taken.doubt}" in columns.described([taken])


def test_dates_in_several_formats_name_each_with_its_count():
    mixed = DAYS.strftime("%Y-%m-%d").to_series()
    mixed.iloc[::3] = DAYS[::3].strftime("%d.%m.%Y")
    (taken,) = columns.taken(pd.DataFrame({"day": mixed, "y": 1}), "y", [])
    assert (taken.role, taken.formats) == (columns.DATES, ["%d.%m.%Y"])
    assert taken.doubt == "day in ISO 8601: 80, %d.%m.%Y: 40"


@pytest.mark.parametrize("odd", ["32.01.2020", "soon"])
def test_dates_with_an_odd_value_are_no_identifiers(odd):
    texts = DAYS.strftime("%d.%m.%Y").to_series()
    texts.iloc[57] = odd
    (taken,) = columns.taken(pd.DataFrame({"day": texts, "y": 1}), "y", [])
    assert taken.role == columns.CATEGORIES


def test_dates_whose_day_and_month_are_swapped_in_some_rows_are_left_to_a_person():
    texts = DAYS.strftime("%d/%m/%Y").to_series()
    texts.iloc[::2] = DAYS[::2].strftime("%m/%d/%Y")
    (taken,) = columns.taken(pd.DataFrame({"day": texts, "y": 1}), "y", [])
    assert taken.role == columns.CATEGORIES
