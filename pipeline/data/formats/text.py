"""Text files of separated values: their header, encoding and rows, or an error that says where."""

import codecs
import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.data.formats import packed
from pipeline.data.formats.form import Format
from pipeline.project import errors, paths
from pipeline.project.errors import DataError, UsageError

DELIMITERS = ",;\t|"
# byte order marks, the longer first, and the encodings that they stand for
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LOOKED_AT = 400  # bytes
# how a page of the web begins, which some systems export as .xls
HTML_STARTS = (b"<!doctype html", b"<html", b"<table")


def is_html(path: Path) -> bool:
    """Return whether a file is a web page, by its first bytes."""
    start = packed.first_bytes(path, LOOKED_AT).removeprefix(codecs.BOM_UTF8)
    return start.lstrip().lower().startswith(HTML_STARTS)


def encoding_of(path: Path, said: str) -> str:
    """Return the encoding of a file: its byte order mark goes before what params.yaml says.

    UTF-16 without a mark is known by the zeros that it has in every other byte.
    """
    start = packed.first_bytes(path, LOOKED_AT)
    for mark, encoding in MARKS:
        if start.startswith(mark):
            return encoding
    if len(start) >= 4 and b"\0" not in start[0::2] and start[1::2].count(0) > len(start) / 4:
        return "utf-16-le"
    if len(start) >= 4 and b"\0" not in start[1::2] and start[0::2].count(0) > len(start) / 4:
        return "utf-16-be"
    return said


def parsed(path: Path, form: Format, **options: Any) -> Any:
    """Return what pandas reads of a file: a table, or with `chunksize` an iterator of them."""
    return pd.read_csv(
        path,
        sep=form.separator,
        encoding=form.encoding,
        decimal=form.decimal,
        skipinitialspace=True,
        compression=None,
        **options,
    )


def read(path: Path, form: Format, origin: Path) -> pd.DataFrame:
    """Return a file's table; columns of codes with a zero in front stay text."""
    with faults(path, form, origin):
        frame = parsed(path, form, low_memory=False).rename(columns=str.strip)
    digits = []
    for column in form.codes:
        if column in frame and pd.api.types.is_numeric_dtype(frame[column]):
            digits.append(column)
    if not digits:
        return frame

    def wanted(name: str) -> bool:
        return name.strip() in digits

    spelt = parsed(path, form, dtype=str, usecols=wanted).rename(columns=str.strip)
    for column in digits:
        if spelt[column].str.match(r"-?0\d").any():
            frame[column] = spelt[column]
    return frame


def in_parts(path: Path, form: Format, origin: Path, rows: int) -> Iterator[pd.DataFrame]:
    """Yield a file of any size as tables of so many rows, whose fields are all text."""
    with faults(path, form, origin):
        # text: a type that is read off the values would differ between the parts
        for chunk in parsed(path, form, dtype=str, chunksize=rows):
            if chunk.empty:
                return
            yield chunk.rename(columns=str.strip)


@contextmanager
def faults(path: Path, form: Format, origin: Path) -> Iterator[None]:
    """Check a file's header, and say what pandas finds wrong in the block in plain words."""
    try:
        codecs.lookup(form.encoding)
    except LookupError:
        raise UsageError(
            f"{paths.PARAMS}: data.encoding: unknown encoding {form.encoding!r}; utf-8, latin-1, "
            f"cp1252 and the like are allowed"
        ) from None
    try:
        check_header(path, form, origin)
        yield
    except UnicodeError:
        line = _undecodable_line(path, form.encoding)
        raise DataError(
            f"{origin}: line {line} is not {form.encoding}; save the file as CSV in UTF-8, or set "
            f"data.encoding (latin-1, cp1252, ...) in {paths.PARAMS}; with --new give --encoding"
        ) from None
    except (pd.errors.ParserError, csv.Error) as error:
        fault = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise DataError(
            f"{origin}: not a table ({fault}); fix that line or set data.separator in "
            f"{paths.PARAMS}"
        ) from None


def check_header(path: Path, form: Format, origin: Path) -> list[str]:
    """Return the names of a file's columns.

    Raises DataError where its header or first row are none of a table.
    """
    separator = form.separator or ","
    with open(path, encoding=form.encoding, newline="") as stream:
        lines = filter(None, csv.reader(stream, delimiter=separator, skipinitialspace=True))
        header, first = next(lines, None), next(lines, [])
    if not header:
        raise DataError(f"{origin}: an empty file; give a CSV with a header line")
    if len(header) == 1:
        _check_delimiter(origin, header[0], separator)
    # pandas would take the first column for row names and shift the others
    if len(first) > len(header):
        raise DataError(
            f"{origin}: the first row has {len(first)} fields, the header names {len(header)} "
            f"columns; fix either"
        )
    names = [name.strip().removeprefix("\ufeff") for name in header]
    check_names(origin, names)
    return names


def _check_delimiter(origin: Path, only_name: str, separator: str) -> None:
    """Raise DataError where the one name of a header holds another delimiter."""
    for delimiter in DELIMITERS:
        if delimiter != separator and delimiter in only_name:
            raise DataError(
                f"{origin}: one column only, but its header holds {delimiter!r}; "
                f"set data.separator: {delimiter!r} in {paths.PARAMS}"
            )


def check_names(origin: Path, header: list[str]) -> None:
    """Raise DataError where two columns of a file have one name, or one has none."""
    twice = sorted(name for name, count in Counter(header).items() if count > 1)
    if twice:
        raise DataError(
            f"{origin}: the header names {errors.listed(twice)} more than once; rename the columns"
        )
    # the first may have none: that is how pandas writes row names
    if "" in header[1:]:
        raise DataError(
            f"{origin}: column {header.index('', 1) + 1} has no name; name it in the header"
        )


def _undecodable_line(path: Path, encoding: str) -> int:
    with open(path, "rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                return number
    return 1
