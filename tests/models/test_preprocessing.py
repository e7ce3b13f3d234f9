"""The preprocessing: what each encoding puts out, and which column it comes from."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data.kinds import kinds_of
from pipeline.models.preprocessing import (
    MOST_CODES,
    MOST_INDICATORS,
    output_columns,
    unfitted_preprocessing,
)

ENCODINGS = ("scaled", "filled", "native", "integer")
KINDS = {"town": "category", "size": "number", "age": "number"}


def table():
    return pd.DataFrame(
        {
            "age": [10.0, 20.0, 30.0, 40.0],
            "size": [1.0, np.nan, 3.0, 4.0],
            "town": pd.Series(["a", "b", None, "b"], dtype="str"),
        }
    )


def new_rows():
    return pd.DataFrame(
        {
            "age": [np.nan, 25.0],
            "size": [3.0, np.nan],
            "town": pd.Series(["zzz", None], dtype="str"),
        }
    )


def fitted(encoding, frame=None, kinds=KINDS):
    preprocessing = unfitted_preprocessing(kinds, encoding)
    return preprocessing, np.asarray(
        preprocessing.fit_transform(table() if frame is None else frame), dtype=float
    )


# numbers first, then categories, each in the order of KINDS; the median of size is 3, of age 25
@pytest.mark.parametrize(
    "encoding, size, town, unseen, none",
    [
        ("filled", 3, [0, 1, -1, 1], -1, -1),
        ("native", np.nan, [0, 1, np.nan, 1], np.nan, np.nan),
        ("integer", np.nan, [0, 1, -1, 1], -1, -1),
    ],
)
def test_categories_become_codes_and_unseen_or_missing_ones_a_code_of_their_own(
    encoding, size, town, unseen, none
):
    preprocessing, Z = fitted(encoding)
    np.testing.assert_array_equal(Z, np.column_stack([[1, size, 3, 4], [10, 20, 30, 40], town]))
    age = 25 if encoding == "filled" else np.nan
    new = np.asarray(preprocessing.transform(new_rows()), dtype=float)
    np.testing.assert_array_equal(new, [[3, age, unseen], [size, 25, none]])


def test_scaled_numbers_have_no_mean_and_unit_deviation_and_categories_a_column_each():
    preprocessing, Z = fitted("scaled")
    np.testing.assert_allclose(Z[:, :2].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(Z[:, :2].std(axis=0), 1)
    assert Z[1, 0] == Z[2, 0]  # the missing size is the median, as in the next row
    np.testing.assert_array_equal(Z[:, 2:], [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]])
    np.testing.assert_array_equal(
        preprocessing.transform(new_rows())[:, 2:], [[0, 0, 0], [0, 0, 1]]
    )


def test_integer_encoding_is_a_data_frame_whose_codes_are_integers():
    Z = unfitted_preprocessing(KINDS, "integer").fit_transform(table())
    assert list(Z.columns) == ["size", "age", "town"]
    assert Z.dtypes.to_dict() == {"size": np.float64, "age": np.float64, "town": np.int64}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("categories", [1, 3, 50, 51, 250, 251, 400])
def test_output_columns_name_the_owner_of_every_column_that_comes_out(encoding, categories):
    rng = np.random.default_rng(0)
    labels = np.r_[np.arange(categories), rng.integers(0, categories, 200)]
    frame = pd.DataFrame(
        {
            "age": rng.normal(size=len(labels)),
            "code": pd.Series([f"c{label}" for label in labels], dtype="str"),
            "empty": np.nan,
            "town": pd.Series(rng.choice(["a", "b"], len(labels)), dtype="str"),
        }
    )
    preprocessing, Z = fitted(encoding, frame, kinds_of(frame))
    indicators = min(categories, MOST_INDICATORS) if encoding == "scaled" else 1
    towns = 2 if encoding == "scaled" else 1
    assert (
        output_columns(preprocessing) == ["age", "empty"] + ["code"] * indicators + ["town"] * towns
    )
    assert Z.shape == (len(labels), 2 + indicators + towns)
    codes = Z[:, 2 : 2 + indicators] @ np.arange(indicators) if encoding == "scaled" else Z[:, 2]
    most = MOST_INDICATORS if encoding == "scaled" else MOST_CODES
    assert len(set(codes)) == min(categories, most)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("column", ["age", "town"])
def test_table_of_one_kind_of_column_is_encoded(encoding, column):
    frame = table()[[column]]
    preprocessing, Z = fitted(encoding, frame, kinds_of(frame))
    assert output_columns(preprocessing) == [column] * Z.shape[1]
    assert len(Z) == 4


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_column_that_is_not_named_is_dropped(encoding):
    _, whole = fitted(encoding)
    _, with_more = fitted(encoding, table().assign(extra=1.0))
    np.testing.assert_array_equal(with_more, whole)
