"""A clean column is as typing would return it; any other is typed."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data import kinds
from pipeline.data.kinds import CATEGORY, DATE, KINDS, NUMBER, TEXT
from pipeline.data.spelling.clean import FEW_VALUES, is_clean

MOMENTS = pd.to_datetime(pd.Series(["2024-01-31", None]), utc=True)


@pytest.mark.parametrize(
    "kind, values",
    [
        (NUMBER, pd.Series([1.5, np.nan])),
        (CATEGORY, pd.Series(["a b", None], dtype="str")),
        (TEXT, pd.Series(["some words", None], dtype="string")),
        (DATE, MOMENTS.astype(KINDS[DATE].pandas_type)),
    ],
)
def test_clean_values_are_what_typing_returns(kind, values):
    assert is_clean(values, KINDS[kind].pandas_type)
    typed = kinds.typed_as(kinds.blank_to_missing(values), kind).values
    pd.testing.assert_series_equal(values, typed)
    pd.testing.assert_series_equal(
        kinds.conform(values.to_frame("x"), {"x": kind})["x"], typed, check_names=False
    )


@pytest.mark.parametrize(
    "kind, values",
    [
        (NUMBER, pd.Series([1.5, np.inf])),
        (NUMBER, pd.Series([1, 2])),
        (CATEGORY, pd.Series([" a"], dtype="str")),
        (CATEGORY, pd.Series(["  "], dtype="str")),
        (CATEGORY, pd.Series(["a"], dtype=object)),
        (TEXT, pd.Series(["a"], dtype="str")),
        (DATE, pd.Series(pd.to_datetime(["2024-01-31"]))),
        (NUMBER, pd.Series(np.zeros(FEW_VALUES + 1))),
    ],
)
def test_other_values_are_typed(kind, values):
    assert not is_clean(values, KINDS[kind].pandas_type)
