"""Rows as they come are brought into the columns and types that a model takes."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data.kinds import conform, kinds_of
from pipeline.project.errors import DataError

KINDS = {"town": "category", "size": "number", "age": "number"}


def test_kinds_are_those_of_the_prepared_tables_types():
    table = pd.DataFrame({"age": [10.0], "size": [np.nan], "town": pd.Series(["a"], dtype="str")})
    assert kinds_of(table) == {"age": "number", "size": "number", "town": "category"}


def test_rows_are_brought_into_the_models_columns_order_and_types():
    frame = pd.DataFrame(
        {"extra": [1, 2], "age": [3, 4], "size": [" 1.5 ", ""], "town": ["  a", " "]}, index=[7, 3]
    )
    conformed = conform(frame, KINDS)
    assert list(conformed.columns) == ["town", "size", "age"] and list(conformed.index) == [7, 3]
    assert conformed.dtypes.astype(str).to_dict() == {
        "town": "str",
        "size": "float64",
        "age": "float64",
    }
    assert conformed.loc[7].tolist() == ["a", 1.5, 3.0]
    assert conformed.loc[3].isna().tolist() == [True, True, False]


@pytest.mark.parametrize(
    "values, expected",
    [
        ([0, 1, 1], ["0", "1", "1"]),
        ([0.0, 1.0, None], ["0", "1", None]),
        (pd.array([0, 1, None], dtype="Int64"), ["0", "1", None]),
        (pd.Series([0, 1.0, None], dtype=object), ["0", "1", None]),
        (pd.Categorical(["0", "1", None]), ["0", "1", None]),
        ([True, False, True], ["True", "False", "True"]),
        ([0.5, 1.0, 2.0], ["0.5", "1", "2"]),
    ],
)
def test_whole_number_for_a_category_reads_alike_in_every_column(values, expected):
    found = conform(pd.DataFrame({"senior": values}), {"senior": "category"})["senior"]
    assert [None if pd.isna(value) else value for value in found] == expected
    for place, value in enumerate(expected):  # a row alone reads as it does among others
        alone = conform(pd.DataFrame({"senior": values}).iloc[[place]], {"senior": "category"})[
            "senior"
        ].iloc[0]
        assert pd.isna(alone) if value is None else alone == value


def test_every_missing_column_is_named():
    with pytest.raises(
        DataError, match=r"new.csv: no column 'town', 'size', which the model needs"
    ):
        conform(pd.DataFrame({"age": [1]}), KINDS, "new.csv")


def test_every_column_of_numbers_that_holds_text_is_named():
    frame = pd.DataFrame({"town": ["a", "b"], "size": ["1", "big"], "age": [1.0, np.inf]})
    with pytest.raises(
        DataError,
        match=(
            r"the input: text in a column of numbers: "
            r"size \('big' in .*\); age \('?inf'? in .*\)"
        ),
    ):
        conform(frame, KINDS)
