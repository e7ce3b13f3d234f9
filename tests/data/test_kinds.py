"""One rule of typing: from a file, a request or drift, a column is recognised and typed alike."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data import kinds
from pipeline.data.kinds import CATEGORY, DATE, KINDS, MODELLED, NUMBER
from pipeline.project.errors import DataError

COLUMNS = {
    NUMBER: ["1", "2.5", None, "-3e2"],
    DATE: ["2024-01-31", None, "2024-02-01T10:00:00", "2024-03-01"],
    CATEGORY: ["Aville", None, "20", "31.01.2024"],
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


def test_models_take_numbers_and_categories_and_a_date_as_text():
    assert MODELLED == (NUMBER, CATEGORY)
    assert kinds.typed(column(DATE)).kind == CATEGORY


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
