"""What a model may be asked: each field's rule, and the same rule for a table."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.data import kinds
from pipeline.data.kinds import DATE, LARGEST, TEXT
from pipeline.project.errors import DataError
from pipeline.serving.inputs import rules
from pipeline.serving.inputs.column import Column
from pipeline.serving.signature import BadRequest, Signature

COLUMNS = {
    "1st size": Column("number", True),
    "age": Column("number", False),
    "town": Column("category", True, ("Aville", "Bford", "20")),
    "code": Column("category", False, ("1", "x y")),
}
OPEN = Signature(COLUMNS)
CLOSED = Signature(
    {**COLUMNS, "town": Column("category", True, ("Aville", "Bford", "20"), closed=True)}
)
GOOD = {"1st size": 1.5, "age": 3, "town": "Aville", "code": "1"}


def body(**changes) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def test_a_row_comes_in_the_models_order_and_types():
    [row] = OPEN.rows(json.dumps(dict(reversed(GOOD.items()))).encode())
    assert list(row.items()) == [("1st size", 1.5), ("age", 3.0), ("town", "Aville"), ("code", "1")]
    assert type(row["age"]) is float


def test_many_rows_come_as_a_list():
    assert len(OPEN.rows(b" [" + body() + b"," + body(age=4) + b"]")) == 2


@pytest.mark.parametrize(
    "given, read",
    [
        (20, "20"),
        (20.0, "20"),
        ("20.0", "20"),
        ("020", "20"),
        (" Aville ", "Aville"),
        ("", None),
        (None, None),
        (True, "True"),
        ("elsewhere", "elsewhere"),
        ("nan", "nan"),
        (1.5, "1.5"),
    ],
)
def test_a_category_is_read_as_the_pipeline_reads_it(given, read):
    assert OPEN.rows(body(town=given))[0]["town"] == read


@pytest.mark.parametrize(
    "field, value, reason",
    [
        ("age", "3", "float_type"),
        ("age", True, "float_type"),
        ("age", None, "float_type"),
        ("age", [1], "float_type"),
        ("age", 10**400, "finite_number"),
        ("age", float("nan"), "finite_number"),
        ("age", float("inf"), "finite_number"),
        ("age", 1e39, "less_than_equal"),
        ("age", -1e39, "greater_than_equal"),
        ("town", [], "category_type"),
        ("town", {}, "category_type"),
        ("town", float("inf"), "category_type"),
        ("code", None, "category_missing"),
        ("code", " ", "category_missing"),
    ],
)
def test_a_wrong_value_is_refused_with_its_field_and_reason(field, value, reason):
    with pytest.raises(BadRequest) as refused:
        OPEN.rows(b"[" + body() + b"," + body(**{field: value}) + b"]")
    [fault] = refused.value.faults
    assert (fault["loc"], fault["type"]) == (["body", 1, field], reason)
    assert fault["msg"] and "input" not in fault


def test_texts_of_a_csv_row_and_values_that_may_not_be_missing_are_told_apart():
    with pytest.raises(BadRequest) as refused:
        OPEN.rows(json.dumps({**GOOD, "1st size": " ", "age": "29.85"}).encode())
    for fault in refused.value.faults:
        assert fault["msg"].endswith("without quotes, or null where the value is missing")
    with pytest.raises(BadRequest) as refused:
        OPEN.rows(body(age=None))
    assert refused.value.faults[0]["msg"].endswith("no training row lacks this value")


def test_missing_and_unknown_fields_are_refused():
    with pytest.raises(BadRequest) as refused:
        OPEN.rows(json.dumps({"1st size": None, "age": 1, "town": None, "cod": "1"}).encode())
    found = {fault["loc"][1]: fault["type"] for fault in refused.value.faults}
    assert found == {"code": "missing", "cod": "extra_forbidden"}


@pytest.mark.parametrize(
    "broken",
    [b"", b"[]", b"1", b'"a"', b"null", b"{", b"\xff", b'{"age": "\\ud800"}', b"[" * 5000, b"[1]"],
)
def test_a_body_that_is_no_row_is_refused(broken):
    with pytest.raises(BadRequest):
        OPEN.rows(broken)


def test_unseen_categories_are_refused_where_that_is_set():
    assert CLOSED.rows(body(town=20))[0]["town"] == "20"
    assert CLOSED.rows(body(town=None))[0]["town"] is None
    with pytest.raises(BadRequest) as refused:
        CLOSED.rows(body(town="elsewhere"))
    assert refused.value.faults[0]["type"] == "category_unseen"
    assert {"enum": ["Aville", "Bford", "20", 20]} in CLOSED.schema()["properties"]["town"]["anyOf"]


def test_faults_of_a_long_request_are_cut():
    with pytest.raises(BadRequest) as refused:
        OPEN.rows(json.dumps([{}] * 1000).encode())
    assert len(refused.value.faults) == 20


FRAME = pd.DataFrame(
    {
        "code": ["1", "x y"],
        "town": [20.0, np.nan],
        "age": ["3", "4"],
        "1st size": [np.nan, 2.0],
        "other": [0, 0],
    }
)


def test_a_table_follows_the_same_rule():
    typed = OPEN.table(FRAME, "new.csv")
    assert typed.to_dict("list") == {
        "1st size": [pytest.approx(np.nan, nan_ok=True), 2.0],
        "age": [3.0, 4.0],
        "town": ["20", pytest.approx(np.nan, nan_ok=True)],
        "code": ["1", "x y"],
    }


@pytest.mark.parametrize(
    "signature, column, values, message",
    [
        (
            OPEN,
            "age",
            [1, None],
            "new.csv: age: a missing value, where training had none, in line 3; fix the values",
        ),
        (
            OPEN,
            "age",
            [1, 1e39],
            "new.csv: age: a number beyond 3.4e+38 ('1e+39' in line 3); fix the values",
        ),
        (
            OPEN,
            "code",
            ["", "1"],
            "new.csv: code: a missing value, where training had none, in line 2; fix the values",
        ),
        (
            CLOSED,
            "town",
            ["z", None],
            "new.csv: town: an unseen category ('z' in line 2); fix the values",
        ),
        (
            OPEN,
            "age",
            ["x", 1],
            "new.csv: text in a column of numbers: age ('x' in line 2); fix the values",
        ),
    ],
)
def test_a_table_that_breaks_it_is_refused_with_column_and_line(signature, column, values, message):
    with pytest.raises(DataError) as refused:
        signature.table(FRAME.assign(**{column: values}), "new.csv")
    assert str(refused.value) == message


def test_largest_number_is_taken():
    assert OPEN.rows(body(age=LARGEST))[0]["age"] == LARGEST


def test_every_kind_that_models_take_has_its_rule_for_requests():
    assert set(rules.RULES) == set(kinds.KINDS)


MOMENTS = Signature(
    {
        "day": Column(DATE, True),
        "due": Column(DATE, False, formats=("%d.%m.%Y", "unix")),
        "note": Column(TEXT, False),
    }
)


def asked(**values) -> bytes:
    return json.dumps({"day": "2024-12-31", "due": "31.12.2024", "note": "a b", **values}).encode()


@pytest.mark.parametrize(
    "column, value, moment",
    [
        ("day", "2024-12-31", "2024-12-31T00:00:00+00:00"),
        ("day", "2024-12-31T10:00:00+02:00", "2024-12-31T08:00:00+00:00"),
        ("day", " 2024-12-31 10:00:00.25Z ", "2024-12-31T10:00:00.250000+00:00"),
        ("day", None, None),
        ("day", " ", None),
        ("due", "01.02.2024", "2024-02-01T00:00:00+00:00"),
        ("due", "2024-02-01", "2024-02-01T00:00:00+00:00"),
        ("due", 1706745600, "2024-02-01T00:00:00+00:00"),
    ],
)
def test_a_date_is_a_moment_in_utc_in_a_request_as_in_a_table(column, value, moment):
    [row] = MOMENTS.rows(asked(**{column: value}))
    assert (row[column] and row[column].isoformat()) == moment
    frame = pd.DataFrame([json.loads(asked(**{column: value}))])
    stored = MOMENTS.table(frame, "new.csv")[column]
    assert kinds.as_json(stored.to_frame())[column].tolist() == [moment]


@pytest.mark.parametrize(
    "column, value, kind",
    [
        ("day", "31.12.2024", "date_format"),
        ("day", "2024-02-30", "date_format"),
        ("day", "32nd of January", "date_format"),
        ("day", 1706745600, "date_format"),
        ("day", True, "date_format"),
        ("due", None, "date_missing"),
        ("note", "", "text_missing"),
        ("note", [], "category_type"),
    ],
)
def test_what_is_no_date_or_text_is_refused(column, value, kind):
    with pytest.raises(BadRequest) as refused:
        MOMENTS.rows(asked(**{column: value}))
    [fault] = refused.value.faults
    assert (fault["type"], fault["loc"]) == (kind, ["body", column])


def test_a_refused_date_says_what_it_should_be():
    with pytest.raises(BadRequest) as refused:
        MOMENTS.rows(asked(due="x"))
    message = "Input should be a date in %d.%m.%Y or unix or ISO 8601, such as 2024-12-31T10:00:00Z"
    assert refused.value.faults[0]["msg"] == message
