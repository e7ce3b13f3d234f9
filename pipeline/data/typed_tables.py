"""Tables of any origin that give their columns one at a time in their final types.

A file may thus be larger than memory. A typed column holds numbers as float64, dates as datetime64
or categories as text; what could not be read is missing, and counted in its `attrs["unreadable"]`.
A DataFrame of typed columns can stand in the place of a Table.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import pyarrow
from pyarrow import csv, parquet

from pipeline.data import kinds, reading
from pipeline.data.formats import columnar, text
from pipeline.data.formats.form import PLAIN, Format
from pipeline.data.formats.opened import Opened, opened_in
from pipeline.project.errors import DataError

BLOCK = 2**24  # bytes of a large CSV file that are parsed at a time
LARGE = 2**28  # bytes of a CSV file from which on it is not read as a whole
ROWS = 2**16  # of a column of a Parquet file that are read at a time
SMALL = 2**26  # bytes of a Parquet file's columns up to which they are read as a whole
# what pandas takes for missing in a CSV file
MISSING = [
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
]


class Table:
    """A table whose columns are read and typed when they are asked for.

    It is as long as its rows and iterates over its names. Columns of `texts` hold categories
    whatever their values look like.
    """

    def __init__(
        self,
        names: list[str],
        rows: int,
        raw: Callable[[str], pd.Series],
        texts: tuple[str, ...] = (),
    ) -> None:
        self.names, self.rows, self.raw, self.texts = names, rows, raw, texts

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, name: str) -> pd.Series:
        if name in self.texts:
            return self.as_text(name)
        return typed(self.raw(name)).rename(name)

    def as_text(self, name: str) -> pd.Series:
        """Return a column as categories; a number reads alike however it is spelled."""
        raw = kinds.blank_to_missing(self.raw(name))
        text = kinds.as_text(typed(raw))
        # what could not be read beside numbers is a category as well
        return text.where(text.notna() | raw.isna(), kinds.as_text(raw)).rename(name)


AnyTable: TypeAlias = Table | pd.DataFrame


def of_frame(frame: pd.DataFrame) -> Table:
    """Return a table in memory, of any origin."""
    places = {str(column): place for place, column in enumerate(frame.columns)}
    return Table(list(places), len(frame), lambda name: frame.iloc[:, places[name]])


def with_text(table: Table, names: tuple[str, ...]) -> Table:
    """Return a table in which these columns hold categories."""
    return Table(table.names, table.rows, table.raw, names)


def shared_columns(reference: AnyTable, current: AnyTable) -> list[str]:
    """Return the columns that both tables have, in the reference's order."""
    there = set(current)
    return [column for column in reference if column in there]


def read_as(table: AnyTable, name: str, kind: str) -> pd.Series:
    """Return a column as one of another kind than its own; what cannot be read is missing."""
    if kind == kinds.CATEGORY:
        return table.as_text(name) if isinstance(table, Table) else kinds.as_text(table[name])
    if kind == kinds.TEXT:
        return read_as(table, name, kinds.CATEGORY).astype("string")
    values = table[name]
    column = kinds.KINDS[kind].read(values)
    column.attrs["unreadable"] = int(values.notna().sum() - column.notna().sum())
    return column


def typed(values: pd.Series) -> pd.Series:
    """Return a column of any origin in its final type.

    It is one of numbers or dates where at least 95 % of the values are; the rest of it and what is
    infinite counts as missing.
    """
    found = kinds.typed(kinds.blank_to_missing(values), kinds.KINDS)
    column = found.values
    column.attrs["unreadable"] = len(found.unreadable)
    return column


# files


def open_file(path: str | Path, form: Format = PLAIN) -> Table:
    """Return the table of a file of any form.

    One column at a time is in memory unless it is a small file without types. Raises DataError as
    `reading.read` does.
    """
    # lives as long as the table, where the file had to be unpacked
    folder = tempfile.TemporaryDirectory()
    file = opened_in(Path(folder.name), Path(path), form)
    if file.is_columnar and not columnar.is_feather(file.path):
        return _of_parquet(file, folder)
    if not file.is_columnar and file.path.stat().st_size >= LARGE:
        return _of_large_csv(file, folder)
    with folder:
        return of_frame(reading.table_of(file))


def _of_parquet(file: Opened, folder: Any) -> Table:
    """Return the table of a Parquet file; `folder` has to live as long as the table."""
    path, origin = file.path, file.origin
    try:
        with parquet.ParquetFile(path) as stored:
            rows = stored.metadata.num_rows
            whole = _small(stored)
            names = stored.schema_arrow.names
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{origin}: not a whole Parquet file ({error}); write it again") from None
    names = [name for name in names if not name.startswith("__index_level_")]
    text.check_names(origin, names)
    if not rows or not names:
        raise DataError(f"{origin}: a header and no rows; give a file with data")

    def raw(name: str, _folder: Any = folder) -> pd.Series:
        values = whole.column(name) if whole is not None else _stored(path, name, origin)
        column = _as_series(values, file.form).rename(name)
        return reading.respelled(column.to_frame(), file.form, origin)[name]

    return Table(names, rows, raw)


def _stored(path: Path, name: str, origin: Path) -> pyarrow.ChunkedArray:
    """Return one column of a Parquet file, within the limit of what a file may grow to."""
    size, parts = 0, []
    try:
        with parquet.ParquetFile(path) as stored:
            kind = stored.schema_arrow.field(name).type
            if pyarrow.types.is_primitive(kind):
                columnar.check_bytes(stored.metadata.num_rows * columnar.CELL, origin)
                return stored.read([name], use_threads=False).column(0)
            for batch in stored.iter_batches(ROWS, columns=[name], use_threads=False):
                size += batch.nbytes
                columnar.check_bytes(size, origin)
                parts.append(batch.column(0))
            return pyarrow.chunked_array(parts, kind)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(
            f"{origin}: column {name!r} cannot be read ({error}); write the file again"
        ) from None


def _small(file: parquet.ParquetFile) -> pyarrow.Table | None:
    """Return the content of a small Parquet file, None of another and of one with a faulty column.

    To read one column costs the description of all of them: that is quadratic in the columns.
    """
    groups = [file.metadata.row_group(n) for n in range(file.metadata.num_row_groups)]
    if sum(group.total_byte_size for group in groups) > SMALL:
        return None
    try:
        return file.read(use_threads=False)
    except (pyarrow.ArrowException, OSError):
        return None  # then the column that cannot be read is named


def _as_series(values: pyarrow.ChunkedArray, form: Format) -> pd.Series:
    """Return a column of a Parquet file; a text column of numbers only as numbers."""
    if not pyarrow.types.is_string(values.type):
        return values.to_pandas()
    if form.respells:
        # 1.234 is no number yet where the dot marks thousands
        return pd.Series(values.to_pandas(), dtype="str")
    try:
        # much faster than pandas, where all of it are numbers
        values.slice(0, kinds.LOOKED_AT).cast(pyarrow.float64())
        return pd.Series(values.cast(pyarrow.float64()).to_numpy(zero_copy_only=False))
    except pyarrow.ArrowInvalid:
        return pd.Series(values.to_pandas(), dtype="str")


def _of_large_csv(file: Opened, folder: Any) -> Table:
    """Return the table of a CSV file, through a temporary Parquet file of texts."""
    with text.faults(file.path, file.form, file.origin):
        names = text.check_header(file.path, file.form, file.origin)
    copy = Path(folder.name) / "columns.parquet"
    try:
        _copy_as_text(file, copy, names)
    except pyarrow.ArrowInvalid as error:
        encoding = file.form.encoding.removesuffix("-sig")
        cause = " ".join(str(error).split())
        raise DataError(
            f"{file.origin}: not a table in {encoding.upper()} ({cause}); fix the file"
        ) from None
    return _of_parquet(replace(file, path=copy), folder)


def _copy_as_text(file: Opened, copy: Path, names: list[str]) -> None:
    """Write a CSV file's columns to a Parquet file as text, block by block."""
    encoding = file.form.encoding.removesuffix("-sig")
    reads = csv.ReadOptions(column_names=names, skip_rows=1, block_size=BLOCK, encoding=encoding)
    parses = csv.ParseOptions(delimiter=file.form.separator, newlines_in_values=True)
    converts = csv.ConvertOptions(
        column_types=dict.fromkeys(names, pyarrow.string()),
        strings_can_be_null=True,
        null_values=MISSING,
    )
    with csv.open_csv(file.path, reads, parses, converts) as blocks:
        with parquet.ParquetWriter(copy, blocks.schema, compression="lz4") as writer:
            for block in blocks:
                writer.write_batch(block)
