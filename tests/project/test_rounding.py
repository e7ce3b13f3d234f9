"""Numbers as they are shown."""

import pytest

from pipeline.project import rounding


@pytest.mark.parametrize(
    "value, text",
    [(None, "–"), (-0.0, "0"), (0.123456, "0.1235"), (1234.5, "1,234"), (-999.96, "-1000")],
)
def test_figures_are_shown_with_four_digits(value, text):
    assert rounding.number_text(value) == text
