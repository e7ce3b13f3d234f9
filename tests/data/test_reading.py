"""A CSV or Parquet file is read as it is, or refused with its fault, the line and the remedy."""

import pandas as pd
import pytest

from pipeline.data import reading
from pipeline.data.formats.form import Format
from pipeline.project.errors import DataError, UsageError
from support.houses import houses

REAL_MISSING = ["NA", "N/A", "None", "null", "NaN", ""]


def written(folder, text: str | bytes):
    path = folder / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "an empty file; give a CSV with a header line"),
        ("\n\n", "an empty file"),
        ("a,b\n", "a header and no rows"),
        ("a,b,a,b,c\n1,2,3,4,5\n", "the header names 'a', 'b' more than once"),
        ("\ufeffa,b, a\n1,2,3\n", "the header names 'a' more than once"),
        ("a,,c\n1,2,3\n", "column 2 has no name"),
        ("a;b\n1;2\n", "its header holds ';'; set data.separator: ';' in params.yaml"),
        ("a\tb\n1\t2\n", "set data.separator: '\\t' in params.yaml"),
        ("a,b\n1,2,3\n4,5,6\n", "the first row has 3 fields, the header names 2 columns"),
        ("a,b\n1,2,\n3,4,\n", "the first row has 3 fields, the header names 2 columns"),
        ("a,b\n1,2\n3,4,5\n", "Expected 2 fields in line 3, saw 3"),
        ('a,b\n1,"2\n3,4\n', "EOF inside string"),
        (
            b"a,b\n1,x\n2,caf\xe9\n",
            "line 3 is not utf-8; save the file as CSV in UTF-8, or set data.encoding (latin-1",
        ),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_its_fault_and_remedy(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(DataError) as error:
        reading.read(path)
    assert str(error.value).startswith(f"{path}: ") and message in str(error.value)


def test_a_bad_byte_far_down_is_named_by_its_line(tmp_path):
    path = written(tmp_path, b"a,b\n" + b"1,x\n" * 200_000 + b"2,\xff\n")
    with pytest.raises(DataError, match="line 200002 is not utf-8"):
        reading.read(path)


def test_comma_file_read_with_another_separator_is_refused(tmp_path):
    with pytest.raises(DataError, match="header holds ','"):
        reading.read(written(tmp_path, "a,b\n1,2\n"), Format(separator=";"))


def test_unknown_encoding_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="data.encoding: unknown encoding 'utf-9'"):
        reading.read(written(tmp_path, "a,b\n1,2\n"), Format(encoding="utf-9"))


def test_other_encodings_separators_and_byte_order_marks_are_read(tmp_path):
    latin = reading.read(
        written(tmp_path, "ville;prix\ncafé;2\n".encode("latin-1")), Format(";", "latin-1")
    )
    assert latin.to_dict("list") == {"ville": ["café"], "prix": [2]}
    marked = reading.read(written(tmp_path, b"\xef\xbb\xbfa, b \n1, x\n"))
    assert marked.to_dict("list") == {"a": [1], "b": ["x"]}


def test_the_usual_words_for_missing_are_missing(tmp_path):
    frame = reading.read(
        written(tmp_path, "a,b\n" + "".join(f"1,{word}\n" for word in [*REAL_MISSING, "none left"]))
    )
    assert frame["b"].isna().tolist() == [True] * len(REAL_MISSING) + [False]


def test_codes_keep_their_zeros_and_other_numbers_are_numbers(tmp_path):
    frame = reading.read(
        written(tmp_path, "zip ,size,kind,ratio\n00501,1,20,0.5\n,02,30,-0.5\n10001,3,20,1\n"),
        Format(codes=("zip", "kind", "ratio")),
    )
    assert frame["zip"].fillna("").tolist() == ["00501", "", "10001"] and frame[
        "size"
    ].tolist() == [1, 2, 3]
    assert frame["kind"].tolist() == [20, 30, 20] and frame["ratio"].tolist() == [0.5, -0.5, 1.0]


def test_row_names_that_pandas_wrote_are_a_column(tmp_path):
    houses(4).to_csv(tmp_path / "named.csv")
    assert list(reading.read(tmp_path / "named.csv"))[1:] == ["size", "town", "price"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: b"a,b\n1,2\n",
        lambda content: content[:100] + bytes(200) + content[300:],
    ],
    ids=["empty", "half", "text", "overwritten"],
)
def test_broken_parquet_file_is_refused(tmp_path, damage):
    path = tmp_path / "table.parquet"
    houses(400).to_parquet(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match="not a whole Parquet file"):
        reading.read(path)


def test_parquet_without_rows_or_with_a_name_twice_is_refused(tmp_path):
    import pyarrow
    from pyarrow import parquet

    path = tmp_path / "table.parquet"
    houses(2)[:0].to_parquet(path)
    with pytest.raises(DataError, match="no rows"):
        reading.read(path)
    parquet.write_table(pyarrow.table([[1], [2]], names=["a", "a"]), path)
    with pytest.raises(DataError, match="names 'a' more than once"):
        reading.read(path)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="none.csv: no such file"):
        reading.read(tmp_path / "none.csv")


def test_utf_16_is_read_where_params_say_so(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_bytes("a,b\n1,é\n".encode("utf-16"))
    assert reading.read(path, Format(encoding="utf-16"))["b"].tolist() == ["é"]


def test_nested_columns_of_parquet_are_refused_by_name(tmp_path):
    path = tmp_path / "mine.parquet"
    pd.DataFrame({"a": [1, 2], "tags": [["x"], ["y", "z"]]}).to_parquet(path)
    with pytest.raises(DataError, match="column 'tags' holds a list, a struct or a map"):
        reading.read(path)
