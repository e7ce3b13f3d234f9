"""One rule of typing: from a file, a request or drift, a column is recognised and typed alike."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data import kinds
from pipeline.data.kinds import CATEGORY, DATE, KINDS, NUMBER, TEXT
from pipeline.project.errors import DataError

ONES = "zero one two three four five six seven eight nine".split()
TENS = "nothing ten twenty thirty forty fifty".split()
COLUMNS = {
    NUMBER: ["1", "2.5", None, "-3e2"],
    DATE: ["2024-01-31", None, "2024-02-01T10:00:00", "2024-03-01"],
    CATEGORY: ["Aville", None, "20", "31.01.2024"],
    TEXT: [f"the customer number {n} wrote: {ONES[n % 10]} {TENS[n // 10]}" for n in range(60)],
}


def column(kind: str) -> pd.Series:
    return pd.Series(COLUMNS[kind], dtype="str", name="x")


@pytest.mark.parametrize("kind", KINDS)
def test_typed_column_is_of_the_kind_and_type_that_the_table_says(kind):
    found = kinds.typed(column(kind), KINDS)
    assert (found.kind, str(found.values.dtype)) == (kind, KINDS[kind].pandas_type)
    assert kinds.kind_of(found.values) == kind
    assert found.values.isna().tolist() == column(kind).isna().tolist()
    assert len(found.unreadable) == 0 and found.fault(column(kind)) == ""


def test_every_kind_has_a_step_of_the_preprocessing():
    assert len({kind.step for kind in KINDS.values()}) == len(KINDS) == 4


@pytest.mark.parametrize("numbers, kind", [(95, NUMBER), (94, CATEGORY)])
def test_column_is_of_numbers_from_95_percent_on(numbers, kind):
    values = pd.Series(["7"] * numbers + ["town"] * (100 - numbers))
    assert kinds.typed(values).kind == kind


def test_what_cannot_be_read_and_infinite_numbers_are_missing_and_named():
    values = pd.Series([1, "old", np.inf, None, "inf"], dtype=object)
    found = kinds.typed_as(values, NUMBER)
    assert found.unreadable.tolist() == [1, 2, 4]
    assert found.values.isna().tolist() == [False, True, True, True, True]
    assert found.fault(values) == "'old' in line 3 and 2 more"


@pytest.mark.parametrize(
    "values", [[True, False], [True, None], pd.array([True, None], dtype="boolean")]
)
def test_truth_values_are_categories(values):
    assert kinds.typed(pd.Series(values)).kind == CATEGORY
    assert kinds.kind_of(pd.Series(values)) == CATEGORY


def test_column_without_a_value_is_of_numbers():
    assert kinds.typed(pd.Series([None, None], dtype=object)).kind == NUMBER


def test_conform_gives_the_columns_in_order_and_names_what_is_wrong():
    frame = pd.DataFrame({"a": [" 20 "], "b": [20.0], "c": ["x"]})
    found = kinds.conform(frame, {"b": CATEGORY, "a": NUMBER})
    assert found.to_dict("list") == {"b": ["20"], "a": [20.0]}
    assert found.dtypes.astype(str).to_dict() == kinds.pandas_types({"b": CATEGORY, "a": NUMBER})
    with pytest.raises(DataError, match=r"text in a column of numbers: c \('x' in line 2\); fix"):
        kinds.conform(frame, {"a": NUMBER, "c": NUMBER})
    with pytest.raises(DataError, match="no column 'd', which the model needs"):
        kinds.conform(frame, {"d": NUMBER})


def labels(values: list[str]) -> pd.Series:
    return pd.Series(values, dtype="str")


@pytest.mark.parametrize(
    "values, kind",
    [
        # three words that come back are a category, and so are few rows
        ([f"{one} {two} street" for one in ONES for two in TENS] * 3, CATEGORY),
        ([f"{one} {two} street" for one in ONES for two in TENS], TEXT),
        ([f"{one} {two} street" for one in ONES for two in TENS][:49], CATEGORY),
        # names of two words, keys and numbers with a unit are no texts
        ([f"{one} {two}" for one in ONES for two in TENS], CATEGORY),
        ([f"K-{n:04} / {n % 7} / {n % 3}" for n in range(200)], CATEGORY),
    ],
)
def test_text_has_several_words_and_mostly_different_values(values, kind):
    assert kinds.typed(labels(values)).kind == kind


@pytest.mark.parametrize("values", [["2009-10", "2010-11"], ["12:30", "13:45"], ["31.01.2024"]])
def test_seasons_times_and_other_formats_are_no_dates_by_themselves(values):
    assert kinds.typed(labels(values)).kind == CATEGORY


def test_dates_are_moments_in_utc():
    values = labels(["2024-01-31T23:00:00-05:00", "2024-01-31T23:00:00.5Z", "2024-01-31"])
    found = kinds.typed(values)
    assert found.kind == DATE
    assert found.values.map(pd.Timestamp.isoformat).tolist() == [
        "2024-02-01T04:00:00+00:00",
        "2024-01-31T23:00:00.500000+00:00",
        "2024-01-31T00:00:00+00:00",
    ]
    stored = kinds.blank_to_missing(pd.Series(pd.to_datetime(["2024-01-31"])))
    assert kinds.typed(stored).values[0] == found.values[2]


def test_conform_reads_dates_in_their_formats_and_names_what_is_none():
    frame = pd.DataFrame({"day": ["31.12.2024", "2024-12-31", "32nd of January"]})
    found = kinds.conform(frame.head(2), {"day": DATE}, formats={"day": ["%d.%m.%Y"]})
    assert found["day"].nunique() == 1
    with pytest.raises(DataError, match=r"no date in a column of dates: day \('32nd of January'"):
        kinds.conform(frame, {"day": DATE}, formats={"day": ["%d.%m.%Y"]})


def test_json_holds_dates_as_text_and_what_is_missing_as_null():
    frame = pd.DataFrame({"day": kinds.as_dates(labels(["2024-12-31", None])), "n": [np.nan, 1.0]})
    assert kinds.as_json(frame).to_dict("records") == [
        {"day": "2024-12-31T00:00:00+00:00", "n": None},
        {"day": None, "n": 1.0},
    ]
