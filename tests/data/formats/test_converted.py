"""JSON lines and Excel sheets are read as the CSV files that they become."""

import datetime
import zipfile

import pandas as pd
import pytest

from pipeline.data import reading
from pipeline.data.formats import converted, packed
from pipeline.data.formats.form import Format
from pipeline.project.errors import DataError, UsageError

LINES = """\
{"size": 50, "town": "Aville", "old": true}

{"size": 60.5, "town": null, "old": false, "note": "a, b"}
"""


def test_json_lines_are_read_whole_and_in_parts(tmp_path):
    path = tmp_path / "table.jsonl"
    path.write_text(LINES)
    frame = reading.read(path)
    assert frame["size"].tolist() == [50, 60.5] and frame["old"].tolist() == [True, False]
    assert frame["town"].fillna("").tolist() == ["Aville", ""]
    assert frame["note"].fillna("").tolist() == ["", "a, b"]
    parts = list(reading.parts(path, 1))
    assert [part.column_names for part in parts] == [["size", "town", "old", "note"]] * 2


def test_json_lines_are_known_by_what_they_begin_with(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(LINES)
    assert list(reading.read(path)) == ["size", "town", "old", "note"]


@pytest.mark.parametrize(
    "text, message",
    [
        ('{"a": 1}\n{"a": 2\n', "line 2: not a JSON object .*; write one object a line"),
        ('[{"a": 1}, {"a": 2}]\n', "line 1: a JSON list; write one object a line"),
        ('[\n{"a": 1}\n]\n', "line 1: a JSON list; write one object a line"),
        ("3\n", "line 1: a JSON int; write one object a line"),
        ('{"a": 1}\n{"a": [1]}\n', "line 2: 'a' holds a list or an object; write its parts"),
        ('{"a": {"b": 1}}\n', "line 1: 'a' holds a list or an object"),
        ('{"a": 1, "": 2}\n', "column 2 has no name"),
        ("", "an empty file"),
        ("{}\n", "an empty file"),
    ],
)
def test_what_is_no_table_in_json_is_refused_with_its_line(tmp_path, text, message):
    path = tmp_path / "table.jsonl"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        reading.read(path)


# Excel


def workbook(path, sheets: dict[str, pd.DataFrame]) -> None:
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        for name, frame in sheets.items():
            frame.to_excel(writer, sheet_name=name, index=False)


SHEET = pd.DataFrame(
    {
        "size": [50, 60.5, None],
        "town": ["Aville", None, "NA"],
        "day": [datetime.datetime(2024, 1, 31), datetime.datetime(2024, 2, 1, 12), None],
        "old": [True, False, True],
    }
)


def test_the_only_sheet_of_a_workbook_is_its_table(tmp_path):
    path = tmp_path / "mine.xlsx"
    workbook(path, {"Sheet1": SHEET})
    frame = reading.read(path)
    assert frame["size"].tolist()[:2] == [50, 60.5] and frame["old"].tolist() == [True, False, True]
    assert frame["day"].tolist()[:2] == ["2024-01-31", "2024-02-01 12:00:00"]
    assert frame["town"].isna().tolist() == [False, True, True]


def test_one_of_several_sheets_has_to_be_named(tmp_path):
    path = tmp_path / "mine.xlsx"
    workbook(path, {"Notes": SHEET[:1], "Data": SHEET})
    with pytest.raises(UsageError, match="no sheet is named; set data.sheet .*: 'Notes', 'Data'"):
        reading.read(path)
    with pytest.raises(UsageError, match="no sheet 'Dat'; set data.sheet"):
        reading.read(path, Format(sheet="Dat"))
    assert len(reading.read(path, Format(sheet="Data"))) == 3


def test_a_broken_workbook_is_refused(tmp_path):
    path = tmp_path / "mine.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
    with pytest.raises(DataError, match="mine.xlsx: not a whole Excel workbook"):
        reading.read(path)
    workbook(path, {"Sheet1": SHEET})
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(DataError, match="mine.xlsx: .*again"):
        reading.read(path)


def test_a_workbook_of_before_2007_is_refused(tmp_path):
    path = tmp_path / "mine.xls"
    path.write_bytes(converted.OLD_WORKBOOK + bytes(100))
    with pytest.raises(DataError, match="Excel 97-2003 .*; save it as .xlsx or CSV"):
        reading.read(path)


def test_a_workbook_that_grows_beyond_the_limit_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "mine.xlsx"
    workbook(path, {"Sheet1": SHEET})
    monkeypatch.setattr(packed, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match="larger than 1,000 bytes once unpacked"):
        reading.read(path)
