"""Reading, checking, cleaning and describing tables."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.data import cleaning, quality, reading, splits
from pipeline.data.reading import Format
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Data

HOUSE = {
    "source": "x.csv",
    "depends_on": "x.csv",
    "file": "data/x.csv",
    "task": "regression",
    "target": "price",
}
REAL_MISSING = ["NA", "N/A", "None", "null", "NaN", ""]


def data(**settings) -> Data:
    return Data(**HOUSE | settings)


def houses(rows: int = 40) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "size": np.arange(rows) % 7 + 50,
            "town": ["Aville", "Bford"] * (rows // 2),
            "price": np.arange(rows) * 1.5,
        }
    )


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
        ("a,b\n1,2\n".encode("utf-16"), "line 1 is not utf-8"),
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


def test_numbers_become_float64_and_categories_text():
    frame = houses().assign(sold=[True, False] * 20, id=range(40))
    cleaned = cleaning.clean(frame, data(drop=["id"], categorical=["size"]))
    assert {column: str(values.dtype) for column, values in cleaned.items()} == {
        "size": "str",
        "town": "str",
        "price": "float64",
        "sold": "str",
    }
    assert set(cleaned["sold"]) == {"True", "False"}
    assert cleaning.clean(houses(), data())["size"].dtype == "float64"


@pytest.mark.parametrize(
    "values",
    [
        [20, 30],
        [20.0, 30.0],
        [20.0, None],
        pd.array([20, None], dtype="Int64"),
        ["20", " "],
        pd.Categorical([20, 30]),
        pd.array(["20", None], dtype="str"),
    ],
    ids=str,
)
def test_a_whole_number_as_category_reads_the_same_however_it_was_read(values):
    frame = pd.DataFrame({"class": values, "price": [1.0, 2.0]})
    assert cleaning.clean(frame, data(categorical=["class"]))["class"][0] == "20"


def test_true_and_false_are_categories_beside_missing_values_too():
    for values in (
        [True, False] * 20,
        [True, None] * 20,
        pd.array([True, None] * 20, dtype="boolean"),
    ):
        cleaned = cleaning.clean(houses().assign(sold=values), data())
        assert cleaned["sold"].dtype == "str" and cleaned["sold"][0] == "True"


def test_blank_text_is_missing_and_blanks_around_text_go():
    frame = houses().assign(town=[" Aville", "Bford ", "  ", ""] * 10, size=["51", " "] * 20)
    cleaned = cleaning.clean(frame, data())
    assert cleaned["town"].isna().sum() == 20 and set(cleaned["town"].dropna()) == {
        "Aville",
        "Bford",
    }
    assert cleaned["size"].dtype == "float64" and cleaned["size"].isna().sum() == 20


def test_text_in_a_column_of_numbers_is_named_with_its_line():
    frame = houses().assign(size=["50"] * 39 + ["n/k"])
    with pytest.raises(
        DataError,
        match=r"data/x.csv: size: 'n/k' in line 41, in a column of numbers: fix it, or name",
    ):
        cleaning.clean(frame, data())
    assert cleaning.clean(frame, data(categorical=["size"]))["size"].dtype == "str"
    assert "size" not in cleaning.clean(frame, data(drop=["size"]))


def test_text_in_a_target_of_numbers_is_to_be_mended():
    with pytest.raises(DataError, match="price: 'dear' in line 2, in a column of numbers: fix it$"):
        cleaning.clean(houses().assign(price=["dear"] + ["1"] * 20 + ["2"] * 19), data())


def test_a_column_with_fewer_numbers_is_one_of_categories_unless_params_say_numeric():
    frame = houses().assign(size=["50"] * 37 + ["n/k"] * 3)
    assert cleaning.clean(frame, data())["size"].dtype == "str"
    with pytest.raises(
        DataError, match="size: 'n/k' in line 39 and 2 more, in a column of numbers"
    ):
        cleaning.clean(frame, data(numeric=["size"]))


def test_every_offending_column_is_named_at_once():
    frame = houses().assign(
        size=["50"] * 39 + ["big"], age=[np.inf] + [1.0] * 39, note=None, price=[None] + [2.0] * 39
    )
    with pytest.raises(DataError) as error:
        cleaning.clean(frame, data(), origin="mine.csv")
    assert str(error.value).startswith("mine.csv: ")
    for fault in (
        "size: 'big' in line 41,",
        "age: 'inf' in line 2,",
        "note: no value at all: name it in data.drop",
        "price: no target in line 2: fill it in or remove the rows; the same target in every row",
    ):
        assert fault in str(error.value)


def test_every_missing_column_is_named_at_once():
    with pytest.raises(
        DataError,
        match=r"no column 'price', 'id', 'zone', 'day', which params.yaml names; the file has: 'size'",
    ):
        cleaning.clean(
            houses().drop(columns="price"),
            data(drop=["id"], categorical=["zone"]),
            split_column="day",
        )


def test_missing_targets_and_group_values_are_refused_with_their_lines():
    frame = houses().assign(day=["2024-01-01"] * 39 + [" "])
    frame.loc[[3, 5, 8], "price"] = None
    with pytest.raises(DataError) as error:
        cleaning.clean(frame, data(), split_column="day")
    assert "price: no target in line 5 and 2 more" in str(error.value)
    assert "day: no value in line 41, which prepare.split needs" in str(error.value)


def test_column_that_orders_the_rows_is_kept_as_it_is():
    cleaned = cleaning.clean(houses().assign(day=range(40)), data(drop=["day"]), split_column="day")
    assert cleaned["day"].dtype == "int64" and cleaning.feature_columns(cleaned, data(), "day") == [
        "size",
        "town",
    ]


@pytest.mark.parametrize(
    "frame, settings, message",
    [
        (houses()[["price"]], {}, "no feature column is left beside the target 'price'"),
        (
            houses(),
            {"task": "classification"},
            "the target 'price' has 40 different values in 40 rows; set task: regression",
        ),
        (
            houses(),
            {"task": "classification", "target": "town", "positive": "Ctown"},
            "no row of 'town' is 'Ctown', which data.positive names; found: 'Aville', 'Bford'",
        ),
    ],
)
def test_a_table_that_cannot_be_learnt_is_refused(frame, settings, message):
    with pytest.raises(DataError, match=message):
        cleaning.clean(frame, data(**settings))


def test_dates_of_a_parquet_file_read_as_those_of_a_csv(tmp_path):
    days = pd.to_datetime(["2024-01-02", None, "2024-01-03", "2024-01-02"])
    frame = houses(4).assign(day=days)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    both = [
        cleaning.clean(reading.read(tmp_path / name), data())["day"]
        for name in ("a.csv", "a.parquet")
    ]
    pd.testing.assert_series_equal(*both)


def test_quality_counts_what_is_odd():
    raw = houses().assign(id=range(40), flat=1, size=[50] * 38 + [50_000, None])
    raw.loc[39, "town"] = None
    raw = pd.concat([raw, raw.iloc[[0]]], ignore_index=True)
    figures = quality.quality_figures(
        raw, cleaning.clean(raw, data(drop=["id"])), data(drop=["id"])
    )
    assert (
        figures["rows"] == 41
        and figures["columns"] == 5
        and figures["features"] == 3
        and figures["dropped"] == ["id"]
    )
    assert figures["missing"] == {"size": 1, "town": 1} and figures["duplicates"] == 1
    assert figures["outliers"] == {"size": 1} and figures["constant"] == ["flat"]
    assert figures["numeric"] == ["size", "flat"] and figures["categorical"] == ["town"]
    assert figures["target"]["max"] == 58.5
    json.dumps(figures, allow_nan=False)


def test_class_balance_counts_the_positive_class_last():
    settings = data(task="classification", target="town", positive="Aville")
    frame = cleaning.clean(houses(), settings)
    assert list(quality.quality_figures(houses(), frame, settings)["class_counts"].items()) == [
        ("Bford", 20),
        ("Aville", 20),
    ]


def test_statistics_describe_numbers_and_the_commonest_categories():
    X = pd.DataFrame({"n": [1.0, 2, 3, None], "c": ["x", "x", "y", None]})
    statistics = quality.statistics(X)
    assert statistics["rows"] == 4
    assert (
        statistics["features"]["n"]["mean"] == 2
        and statistics["features"]["n"]["quantiles"]["0.5"] == 2
    )
    assert statistics["features"]["c"] == {
        "missing_share": 0.25,
        "categories": {"x": 0.666667, "y": 0.333333},
    }
    empty = quality.statistics(pd.DataFrame({"n": [np.nan]}))["features"]["n"]
    assert empty["mean"] is None and json.dumps(empty, allow_nan=False)


def test_splits_come_back_as_they_were_written_with_their_row_numbers(project):
    frame = cleaning.clean(houses().assign(row=range(40)), data())
    splits.write_splits(project / "data/processed/x", frame.iloc[5:], frame.iloc[:5])
    pd.testing.assert_frame_equal(
        splits.read_split("x", "train"), frame.iloc[5:], check_names=False
    )
    assert splits.read_split("x", "test").index.tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(DataError, match="run `python prepare_data.py --dataset y` first"):
        splits.read_split("y", "train")
