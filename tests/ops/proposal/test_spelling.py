"""Separator, marks in numbers and words for missing are found from the values of a file."""

import pandas as pd
import pytest

from ops.proposal import spelling


@pytest.mark.parametrize(
    "text, separator",
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2\n3,5;4\n", ";"),
        ("name, first;size;town\nx;1;y\nz;2;q\n", ";"),
        ('a\tb\n"1,2,3"\t4\n"1,2,3"\t5\n', "\t"),
        ("a|b|c\n1|2|3\n", "|"),
        ("a\n1\n", ","),
    ],
)
def test_the_separator_is_that_which_gives_rows_as_long_as_the_header(tmp_path, text, separator):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    assert spelling.separator(path, "utf-8") == separator


@pytest.mark.parametrize(
    "columns, delimiter, marks",
    [
        ([["1.5", "2"]], ",", (".", None)),
        ([["1,5", "2,25"]], ";", (",", None)),
        ([["1.234,5", "12"]], ";", (",", ".")),
        ([["1,5"], ["1.234", "2.000"]], ";", (",", ".")),
        ([["1,234.5"]], ";", (".", ",")),
        ([["1,234", "12"], ["1.5"]], ",", (".", ",")),
        ([["1,234", "12,000"]], ",", (".", ",")),
        ([["1,234", "12,000"]], ";", (",", None)),
        ([["0,123", "0,500"]], ",", (",", None)),
        ([["1 234", "12"]], ",", (".", " ")),
        ([["$1,044.23", "$5"]], ",", (".", ",")),
        ([["1.234,5 €", "5 €"]], ";", (",", ".")),
        ([["1,5"], ["1.5"]], ",", (".", None)),
        ([["01.02.2024", "x"], ["a, b"]], ",", (".", None)),
    ],
)
def test_marks_are_those_that_the_columns_agree_on(columns, delimiter, marks):
    texts = pd.DataFrame({f"c{place}": pd.Series(column) for place, column in enumerate(columns)})
    found = spelling.spelling(texts, delimiter)
    assert (found.decimal, found.thousands) == marks
    assert bool(found.remarks) == (
        marks != (".", None) or len(columns) == 2 and "1,5" in columns[0]
    )


def test_words_that_mean_missing_are_those_beside_numbers():
    texts = pd.DataFrame(
        {
            "size": ["1", "2", "unknown", "N/K", "5.5"],
            "some": ["1", "2", "many", "4", "5"],
            "town": ["unknown", "a", "b", "?", "c"],
        }
    ).replace("N/K", "n.a.")
    found = spelling.spelling(texts, ",")
    assert found.missing == ["n.a.", "unknown"]
    assert found.remarks == ["missing 'n.a.', 'unknown': stands among the numbers of 'size'"]
