"""Columns of any table in their final types, one at a time, so that a file may be larger than memory.

A typed column holds numbers as float64, dates as datetime64 or categories as text; what could not be read is missing, and
counted in its `attrs["unreadable"]`. A Table gives them by name, is as long as its rows and iterates over its names; so does a
DataFrame of typed columns, which can stand in its place.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from pipeline.data import kinds, reading
from pipeline.project.errors import DataError

BLOCK = 2**24  # bytes of a large CSV file that are parsed at a time
LARGE = 2**28  # bytes of a CSV file from which on it is not read as a whole
MISSING = [
    "",
    "#N/A",
    "#N/A N/A",
    "#NA",
    "-1.#IND",
    "-1.#QNAN",
    "-NaN",
    "-nan",
    "1.#IND",
    "1.#QNAN",
    "<NA>",
    "N/A",
    "NA",
    "NULL",
    "NaN",
    "None",
    "n/a",
    "nan",
    "null",
]  # what pandas takes for missing in a CSV file


class Table:
    """A table whose columns are read and typed when they are asked for; those of `texts` hold categories in any case."""

    def __init__(
        self,
        names: list[str],
        rows: int,
        raw: Callable[[str], pd.Series],
        texts: tuple[str, ...] = (),
    ):
        self.names, self.rows, self.raw, self.texts = names, rows, raw, texts

    def __iter__(self):
        return iter(self.names)

    def __contains__(self, name):
        return name in self.names

    def __len__(self):
        return self.rows

    def __getitem__(self, name: str) -> pd.Series:
        column = typed(self.raw(name)).rename(name)
        return kinds.as_text(column) if name in self.texts else column


AnyTable = Table | pd.DataFrame


def of_frame(frame: pd.DataFrame) -> Table:
    """Return a table in memory, of any origin."""
    places = {str(column): place for place, column in enumerate(frame.columns)}
    return Table(list(places), len(frame), lambda name: frame.iloc[:, places[name]])


def with_text(table: Table, names: tuple[str, ...]) -> Table:
    """Return a table in which these columns hold categories."""
    return Table(table.names, table.rows, table.raw, names)


def open_file(path: str | Path) -> Table:
    """Return the table of a CSV or Parquet file, of which one column at a time is in memory unless it is a small CSV file.

    Raises DataError as tables.read does.
    """
    path = Path(path)
    if reading.is_parquet(path) and path.is_file():
        return _of_parquet(path)
    if path.is_file() and path.stat().st_size >= LARGE:
        return _of_large_csv(path)
    return of_frame(reading.read(path))


def _of_parquet(path: Path, origin: Path | None = None, folder=None) -> Table:
    """Return the table of a Parquet file; `folder` is a temporary one that has to live as long as the table."""
    import pyarrow
    from pyarrow.parquet import ParquetFile

    origin = origin or path
    try:
        with ParquetFile(path) as file:
            rows = file.metadata.num_rows
            names = [
                name for name in file.schema_arrow.names if not name.startswith("__index_level_")
            ]
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{origin}: not a whole Parquet file ({error}); write it again") from None
    reading.check_names(origin, names)
    if not rows or not names:
        raise DataError(f"{origin}: a header and no rows; give a file with data")

    def raw(name, _folder=folder):
        try:
            with ParquetFile(path) as file:
                values = file.read([name], use_threads=False).column(0)
        except (pyarrow.ArrowException, OSError) as error:
            raise DataError(
                f"{origin}: column {name!r} cannot be read ({error}); write the file again"
            ) from None
        if pyarrow.types.is_string(values.type):
            try:  # much faster than pandas, where all of it are numbers
                values.slice(0, kinds.LOOKED_AT).cast(pyarrow.float64())
                return pd.Series(values.cast(pyarrow.float64()).to_numpy(zero_copy_only=False))
            except pyarrow.ArrowInvalid:
                return pd.Series(values.to_pandas(), dtype="str")
        return values.to_pandas()

    return Table(names, rows, raw)


def _of_large_csv(path: Path) -> Table:
    """Return the table of a CSV file that is written, block by block, to a temporary Parquet file of texts."""
    import pyarrow
    from pyarrow import csv, parquet

    names = reading.check_header(path, ",", "utf-8")
    folder = tempfile.TemporaryDirectory()
    copy = Path(folder.name) / "columns.parquet"
    convert = csv.ConvertOptions(
        column_types=dict.fromkeys(names, pyarrow.string()),
        strings_can_be_null=True,
        null_values=MISSING,
    )
    try:
        with csv.open_csv(
            path,
            csv.ReadOptions(column_names=names, skip_rows=1, block_size=BLOCK),
            csv.ParseOptions(newlines_in_values=True),
            convert,
        ) as blocks:
            with parquet.ParquetWriter(copy, blocks.schema, compression="lz4") as writer:
                for block in blocks:
                    writer.write_batch(block)
    except pyarrow.ArrowInvalid as error:
        raise DataError(
            f"{path}: not a table in UTF-8 ({' '.join(str(error).split())}); mend the file"
        ) from None
    return _of_parquet(copy, path, folder)


def typed(values: pd.Series) -> pd.Series:
    """Return a column of any origin in its final type.

    It is one of numbers or dates where at least 95 % of the values are; the rest of it and what is infinite counts as missing.
    """
    found = kinds.typed(kinds.blank_to_missing(values), kinds.KINDS)
    column = found.values
    column.attrs["unreadable"] = len(found.unreadable)
    return column


def shared_columns(reference, current) -> list[str]:
    """Return the columns that both tables have, in the reference's order."""
    return [column for column in reference if column in current]
