"""A table becomes typed columns, or is refused with every faulty column at once."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from pipeline.data import cleaning, kinds, reading
from pipeline.data.kinds import CATEGORY, TEXT
from pipeline.project.errors import DataError
from pipeline.project.settings.data import Prepare
from support.houses import data, houses

BY_DAY = Prepare(test_size=0.2, split="time:day")


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
    "faulty, fault",
    [
        (None, "weight: no weight in line 5: fill it in, with 0 for a row not to count"),
        (-2, "weight: -2 in line 5 is below 0: fix the weight"),
        (
            "many",
            "weight: 'many' in line 5, in a column of numbers: fix it, or name another column",
        ),
    ],
)
def test_faulty_weight_is_refused_with_its_line(faulty, fault):
    weights = pd.Series([1.0, 0, 2, 3] * 10, dtype=object)
    weights[3] = faulty
    with pytest.raises(DataError, match=fault):
        cleaning.clean(houses().assign(weight=weights), data(weight="weight"))


def test_weights_are_numbers_and_no_feature_and_not_all_0():
    weighted = houses().assign(weight=["1", "0", "2", "3"] * 10)
    cleaned = cleaning.clean(weighted, data(weight="weight"))
    assert cleaned["weight"].tolist() == [1.0, 0.0, 2.0, 3.0] * 10
    assert cleaning.feature_columns(cleaned, data(weight="weight")) == ["size", "town"]
    with pytest.raises(DataError, match="weight: no weight above 0: name another data.weight"):
        cleaning.clean(houses().assign(weight=0), data(weight="weight"))
    with pytest.raises(DataError, match="no column 'weight', which params.yaml names"):
        cleaning.clean(houses(), data(weight="weight"))


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
        "price: no target in line 2: fill it in, or leave such rows out by data.missing_target: "
        "drop; the same target in every row",
    ):
        assert fault in str(error.value)


def test_every_missing_column_is_named_at_once():
    with pytest.raises(
        DataError,
        match=(
            r"no column 'price', 'id', 'zone', 'day', which params.yaml names; "
            r"the file has: 'size'"
        ),
    ):
        cleaning.clean(
            houses().drop(columns="price"),
            data(drop=["id"], categorical=["zone"]),
            BY_DAY,
        )


def test_missing_targets_and_group_values_are_refused_with_their_lines():
    frame = houses().assign(day=["2024-01-01"] * 39 + [" "])
    frame.loc[[3, 5, 8], "price"] = None
    with pytest.raises(DataError) as error:
        cleaning.clean(frame, data(), BY_DAY)
    assert "price: no target in line 5 and 2 more" in str(error.value)
    assert "day: no value in line 41, which prepare.split needs" in str(error.value)


def test_numbers_that_order_the_rows_are_kept_as_they_are_and_are_no_feature():
    cleaned = cleaning.clean(houses().assign(day=range(40)), data(drop=["day"]), BY_DAY)
    assert cleaned["day"].dtype == "int64"
    assert cleaning.feature_columns(cleaned, data(), BY_DAY) == ["size", "town"]


@pytest.mark.parametrize("form, formats", [("%Y-%m-%d", []), ("%d.%m.%Y", ["%d.%m.%Y"])])
def test_dates_that_order_the_rows_are_a_feature_unless_they_are_dropped(form, formats):
    days = pd.date_range("2024-01-01", periods=40)
    frame = houses().assign(day=days.strftime(form))
    spec = data(dates={"day": formats})
    cleaned = cleaning.clean(frame, spec, BY_DAY)
    assert (cleaned["day"].dt.tz_localize(None) == days).all()
    assert cleaning.feature_columns(cleaned, spec, BY_DAY) == ["size", "town", "day"]
    assert cleaning.seasonal_columns(cleaned, spec, BY_DAY) == ["day"]
    dropped = data(dates={"day": formats}, drop=["day"])
    cleaned = cleaning.clean(frame, dropped, BY_DAY)
    assert cleaning.feature_columns(cleaned, dropped, BY_DAY) == ["size", "town"]
    # a group is not a moment: new ones come, whose season says nothing
    by_group = Prepare(test_size=0.2, split="group:day")
    cleaned = cleaning.clean(frame, data(), by_group)
    assert cleaning.feature_columns(cleaned, data(), by_group) == ["size", "town"]


def test_a_value_that_is_not_a_date_among_those_that_order_the_rows_is_named():
    days = ["2024-01-05"] * 39 + ["05.01.2024"]
    with pytest.raises(DataError, match=r"day: '05.01.2024' in line 41.*prepare\.split"):
        cleaning.clean(houses().assign(day=days), data(), BY_DAY)


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


@pytest.mark.parametrize(
    "column, factor, message",
    [
        ("size", 1e307, r"size: 7.14286e\+307 in line 2 and 39 more is beyond 3.4e\+38"),
        (
            "price",
            1e200,
            r"price: 2.14286e\+199 in line 3 and 38 more is beyond 1e\+18.*: rescale it",
        ),
        ("price", 1e-200, "price: a target within 1e-18, whose squared errors are 0: rescale it"),
    ],
)
def test_numbers_that_models_cannot_take_are_refused_by_name(column, factor, message):
    frame = houses()
    frame[column] = frame[column] / 7 * factor
    with pytest.raises(DataError, match=message):
        cleaning.clean(frame, data())


def test_declared_kinds_win_over_the_look_of_the_values():
    days = pd.Series(["01.02.2024", "2024-02-01"] * 20)
    frame = houses().assign(day=days, seen=1706745600, note="x", iso="2024-02-01")
    settings = data(dates={"day": "%d.%m.%Y", "seen": "unix"}, text=["note"], categorical=["iso"])
    cleaned = cleaning.clean(frame, settings)
    assert kinds.kinds_of(cleaned)["note"] == TEXT and kinds.kinds_of(cleaned)["iso"] == CATEGORY
    assert set(cleaned["day"]) == set(cleaned["seen"]) == {pd.Timestamp("2024-02-01", tz="UTC")}


@pytest.mark.parametrize(
    "faulty, settings, fault",
    [
        (
            "32nd of January",
            {},
            r"day: '32nd of January' in line 4, which is not a date as ISO 8601",
        ),
        ("2024-02-30", {}, "'2024-02-30' in line 4, which is not a date"),
        (
            "5/31/2024",
            {"dates": {"day": "%d.%m.%Y"}},
            r"not a date as %d.%m.%Y or ISO 8601 \(2024-12-31\) \(the column's formats: "
            r"ISO 8601: 39, %m/%d/%Y: 1\): fix it, name the column's formats in data.dates",
        ),
    ],
)
def test_what_is_no_date_is_refused_with_its_line_and_the_formats_of_the_column(
    faulty, settings, fault
):
    days = [f"2024-01-{1 + n % 28:02}" for n in range(40)]
    days[2] = faulty
    with pytest.raises(DataError, match=fault):
        cleaning.clean(houses().assign(day=days), data(**settings))


@pytest.mark.parametrize(
    "settings, fault",
    [
        ({"dates": {"day": "%d.%m."}}, "has no year"),
        ({"dates": ["size"], "numeric": ["size"]}, "'size' stands in dates, too"),
        ({"text": ["price"]}, "names the target"),
    ],
)
def test_kinds_that_contradict_each_other_are_refused(settings, fault):
    with pytest.raises(ValidationError, match=fault):
        data(**settings)
