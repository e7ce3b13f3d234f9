"""Opened files: a table's file of any form, unpacked and as one of the two that are parsed."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.data.formats import columnar, converted, packed, text
from pipeline.data.formats.form import Format
from pipeline.project.errors import DataError


@dataclass(frozen=True)
class Opened:
    """A file of separated values, or one of columns, that errors call `origin`.

    `path` is the file itself, or a temporary one with its content. `form` says how it is written
    once it was looked at. One that `is_text` holds separated values as its owner wrote them.
    """

    path: Path
    origin: Path
    form: Format
    is_columnar: bool = False
    is_text: bool = False


@contextmanager
def opened(path: Path, form: Format) -> Iterator[Opened]:
    """Yield a file as it can be parsed.

    Raises DataError where it is missing, cannot be unpacked or is beyond the limits.
    """
    with tempfile.TemporaryDirectory() as folder:
        yield opened_in(Path(folder), path, form)


def opened_in(folder: Path, path: Path, form: Format) -> Opened:
    """Return a file as it can be parsed, see `opened`; `folder` keeps what is unpacked of it."""
    if not path.is_file():
        raise DataError(f"{path}: no such file; check the path")
    content, name = path, path
    if packed.is_packed(path):
        content = folder / "unpacked"
        name = packed.unpack(path, content)
    if packed.is_packed(content):
        raise DataError(f"{path}: packed twice; unpack it and give that file")
    if columnar.is_columnar(content, name):
        return Opened(content, path, form, is_columnar=True)
    as_csv = folder / "table.csv"
    if converted.is_workbook(content):
        converted.sheet_to_csv(content, path, form.sheet, as_csv)
        return Opened(as_csv, path, _of_own_csv(form))
    if converted.is_json(content, name):
        converted.json_to_csv(content, path, as_csv)
        return Opened(as_csv, path, _of_own_csv(form))
    if text.is_html(content):
        raise DataError(f"{path}: an HTML page, not a table; save the table in it as CSV")
    written = replace(
        form,
        separator=form.separator_in(name),
        encoding=text.encoding_of(content, form.encoding),
    )
    return Opened(content, path, written, is_text=True)


def _of_own_csv(form: Format) -> Format:
    return replace(form, separator=",", encoding="utf-8")
