"""Text that a spreadsheet would run as a formula."""

import pandas as pd
import pytest

from pipeline.data.formats import spreadsheets

FORMULAS = [
    '=HYPERLINK("http://evil.example","x")',
    "+1+cmd|' /C calc'!A0",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\r\n=1",
    " =1",
    "＝1",
    "-1-2",
    "-inf",
    "+1 2",
    "-1\n=2",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_begins_like_a_formula_gets_an_apostrophe(text):
    safe = spreadsheets.safe(pd.DataFrame({text: [text, "a"]}))
    assert list(safe) == [f"'{text}"]
    assert safe.iloc[:, 0].tolist() == [f"'{text}", "a"]


def test_numbers_missing_values_and_other_text_stay():
    frame = pd.DataFrame(
        {"number": [-1.5, None], "whole": [-1, 2], "text": ["a=b", None], "mixed": [-1, "a-b"]}
    )
    frame["numbers as text"] = ["-1.5", "+2e-3"]
    pd.testing.assert_frame_equal(spreadsheets.safe(frame), frame)
