"""Numbers in files have six significant digits, and what is not finite is null."""

import math

import pytest

from pipeline.project import rounding


@pytest.mark.parametrize(
    "value, digits, rounded",
    [
        (1234567.0, 6, 1234570.0),
        (0.000123456789, 6, 0.000123457),
        (2 / 3, 4, 0.6667),
        (-0.5, 6, -0.5),
        (None, 6, None),
        (math.nan, 6, None),
        (math.inf, 4, None),
    ],
)
def test_number_keeps_its_significant_digits(value, digits, rounded):
    assert rounding.significant(value, digits) == rounded


def test_what_is_nested_is_rounded_and_the_rest_stays():
    content = {"a": [1 / 3, {"b": math.nan}], "c": "1/3", "d": 1234567, "e": None}
    assert rounding.rounded(content) == {
        "a": [0.333333, {"b": None}],
        "c": "1/3",
        "d": 1234567,
        "e": None,
    }
