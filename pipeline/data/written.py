"""The written table: the CSV file that the later stages read, whatever the source and its form."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.data import reading, sources
from pipeline.data.formats.form import Format
from pipeline.data.formats.opened import opened
from pipeline.data.formats.spellings import with_columns_of
from pipeline.data.sources import Wanted
from pipeline.project import files


@dataclass(frozen=True)
class Written:
    """The table that a CSV file holds, and what was read off it of how the source spells values."""

    frame: pd.DataFrame
    form: Format


def write_csv(wanted: Wanted, path: str) -> Written:
    """Write the table of a source to a CSV file and return it; what stood there stays on an error.

    A CSV file in UTF-8 with commas and plain numbers is copied byte for byte. Raises DataError or
    UsageError where the source cannot be had or is not a table.
    """
    sources.check(wanted)
    source = sources.source_of(wanted.source)
    if not source.is_file:
        frame = source.read(wanted)
        _write(frame, path)
        return Written(frame, wanted.form)
    with opened(Path(source.watched(wanted)), wanted.form) as file:
        raw = reading.raw_table(file)
        form = with_columns_of(raw, file.form)
        if form.is_plain and not file.is_columnar:
            _copy(file.path, path)
            return Written(raw, form)
        frame = reading.respelled(raw, form, wanted.source)
        _write(frame, path)
        return Written(frame, form)


def _write(frame: pd.DataFrame, path: str) -> None:
    with files.replacing(path) as partial:
        frame.to_csv(partial, index=False, lineterminator="\n")


def _copy(original: Path, path: str) -> None:
    with (
        files.replacing(path) as partial,
        open(original, "rb") as source,
        open(partial, "wb") as copy,
    ):
        shutil.copyfileobj(source, copy)
