"""Converted files: JSON lines and sheets of Excel workbooks, written as the CSV files they become.

The table of a dataset is a CSV file in the end; so they are typed as one from the start.
"""

import csv
import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import orjson
import pandas as pd

from pipeline.data.formats import packed
from pipeline.project import errors
from pipeline.project.errors import DataError, UsageError

JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
ENDINGS = (*JSON_ENDINGS, ".xlsx", ".xlsm", ".xls")
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
Row = dict[str, Any]


def is_json(path: Path, origin: Path) -> bool:
    """Return whether a file holds JSON, by its name or by the brace that it begins with."""
    start = packed.first_bytes(path).lstrip(b"\xef\xbb\xbf \t\r\n")
    return origin.suffix.lower() in JSON_ENDINGS or start.startswith((b'{"', b'[{"'))


def is_workbook(path: Path) -> bool:
    """Return whether a file is an Excel workbook, by its first bytes."""
    start = packed.first_bytes(path)
    return start.startswith(OLD_WORKBOOK) or (
        start.startswith(packed.ZIP) and packed.is_workbook(path)
    )


# JSON lines


def json_to_csv(path: Path, origin: Path, target: Path) -> None:
    """Write the objects of a file, one a line, as rows of a CSV file.

    Raises DataError where a line is not an object of plain values.
    """
    names: dict[str, None] = {}
    for row in _rows(path, origin):
        names.update(dict.fromkeys(row))
    with open(target, "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(names), lineterminator="\n")
        writer.writeheader()
        for row in _rows(path, origin):
            writer.writerow(row)


def _rows(path: Path, origin: Path) -> Iterator[Row]:
    with open(path, "rb") as stream:
        for number, line in enumerate(stream, start=1):
            line = line.removeprefix(b"\xef\xbb\xbf").strip()
            if line:
                yield _row(line, f"{origin}: line {number}")


def _row(line: bytes, place: str) -> Row:
    """Return the object of a line."""
    try:
        row = _loaded(line)
    except ValueError as error:
        if line.startswith(b"["):
            raise DataError(f"{place}: a JSON list; write one object a line (JSON lines)") from None
        raise DataError(
            f"{place}: not a JSON object ({error}); write one object a line (JSON lines)"
        ) from None
    if not isinstance(row, dict):
        raise DataError(
            f"{place}: a JSON {type(row).__name__}; write one object a line (JSON lines)"
        )
    nested = [name for name, value in row.items() if isinstance(value, dict | list)]
    if nested:
        raise DataError(
            f"{place}: {errors.listed(nested)} holds a list or an object; write its parts to "
            f"fields of their own, or leave it out"
        )
    return row


def _loaded(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except ValueError:
        # NaN and Infinity, which pandas and others write
        return json.loads(line)


# Excel


def sheet_to_csv(path: Path, origin: Path, sheet: str | None, target: Path) -> None:
    """Write a sheet of a workbook as a CSV file: the one that is named, or the only one.

    Raises UsageError where a workbook has several and none is named, DataError where it is broken
    or of a form that openpyxl does not read.
    """
    if packed.first_bytes(path).startswith(OLD_WORKBOOK):
        raise DataError(
            f"{origin}: a workbook of Excel 97-2003 (.xls), which is not read; save it as .xlsx or "
            f"CSV"
        )
    packed.check_workbook(path)
    try:
        with pd.ExcelFile(path, engine="openpyxl") as workbook:
            name = _sheet([str(name) for name in workbook.sheet_names], sheet, origin)
            cells = workbook.parse(name, header=None, dtype=object, na_filter=False)
    except (*packed.FAULTS, ParseError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{origin}: not a whole Excel workbook ({error}); save it again, or as CSV"
        ) from None
    cells.map(_cell).to_csv(target, index=False, header=False, lineterminator="\n")


def _sheet(there: list[str], wanted: str | None, origin: Path) -> str:
    if wanted is None and len(there) == 1:
        return there[0]
    if wanted in there:
        return wanted
    which = "no sheet is named" if wanted is None else f"no sheet {wanted!r}"
    raise UsageError(
        f"{origin}: {which}; set data.sheet (with --new: --sheet) to one of: "
        f"{errors.listed(there, most=30)}"
    )


def _cell(value: object) -> object:
    """Return what a cell holds, as a CSV file spells it: a day has no time."""
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return value
