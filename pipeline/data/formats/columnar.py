"""Columnar files: Parquet and Feather, which hold the types of their columns, read within limits.

A small file can hold a column that repeats one long value a billion times, so the size of what is
read is watched part by part.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.parquet

from pipeline.data.formats import packed, text
from pipeline.project import errors
from pipeline.project.errors import DataError

PARQUET, FEATHER, OLD_FEATHER = b"PAR1", b"ARROW1", b"FEA1"
PARQUET_ENDINGS, FEATHER_ENDINGS = (".parquet", ".pq"), (".feather", ".arrow")
ENDINGS = (*PARQUET_ENDINGS, *FEATHER_ENDINGS)
ROWS = 16_384  # that are unpacked at a time
CELL = 8  # bytes of a number, the smallest that a cell takes once it is read


def is_parquet(path: str | Path) -> bool:
    """Return whether a file is one of Parquet, by its name."""
    return Path(path).suffix.lower() in PARQUET_ENDINGS


def is_columnar(path: Path, origin: str | Path) -> bool:
    """Return whether a file is one of Parquet or Feather, by its first bytes or its name."""
    start = packed.first_bytes(path)
    return start.startswith((PARQUET, FEATHER, OLD_FEATHER)) or is_parquet(origin)


def is_feather(path: Path) -> bool:
    """Return whether a file is one of Feather, by its first bytes."""
    return packed.first_bytes(path).startswith((FEATHER, OLD_FEATHER))


def read(path: Path, origin: Path) -> pd.DataFrame:
    """Return the table of a file, which errors call `origin`; named rows become columns.

    Raises DataError where it is broken, too large, or has columns that a table has not.
    """
    size, parts = 0, []
    with faults(origin):
        if not is_feather(path):
            with pyarrow.parquet.ParquetFile(path) as file:
                check_size(origin, file)
        for part in in_parts(path, origin):
            size += part.nbytes
            check_bytes(size, origin)
            parts.append(part)
        frame = pyarrow.concat_tables(parts).to_pandas() if parts else pd.DataFrame()
    return frame.reset_index(drop=isinstance(frame.index, pd.RangeIndex))


def in_parts(path: Path, origin: Path, rows: int = ROWS) -> Iterator[pyarrow.Table]:
    """Yield the table of a file of any size as Arrow tables of at most so many rows.

    Raises DataError as `read` does, but for the size.
    """
    with faults(origin):
        if not is_feather(path):
            yield from _of_parquet(path, origin, rows)
            return
        for part in _of_feather(path, origin):
            for first in range(0, part.num_rows, rows):
                yield part.slice(first, rows)


def _of_parquet(path: Path, origin: Path, rows: int) -> Iterator[pyarrow.Table]:
    with pyarrow.parquet.ParquetFile(path) as file:
        check_schema(origin, file.schema_arrow)
        for batch in file.iter_batches(rows):
            yield pyarrow.Table.from_batches([batch])


def _of_feather(path: Path, origin: Path) -> Iterator[pyarrow.Table]:
    if packed.first_bytes(path).startswith(OLD_FEATHER):
        raise DataError(f"{origin}: a Feather file of version 1; write it again in version 2")
    with pyarrow.OSFile(str(path)) as stream, pyarrow.ipc.open_file(stream) as file:
        check_schema(origin, file.schema)
        for place in range(file.num_record_batches):
            yield pyarrow.Table.from_batches([file.get_batch(place)])


def check_size(origin: Path, file: pyarrow.parquet.ParquetFile) -> None:
    """Raise DataError where a Parquet file says itself that it grows beyond the limit."""
    held = file.metadata
    groups = [held.row_group(place) for place in range(held.num_row_groups)]
    encoded = sum(group.total_byte_size for group in groups)
    check_bytes(max(encoded, held.num_rows * held.num_columns * CELL), origin)


def check_bytes(size: int, origin: Path) -> None:
    """Raise DataError where what is read of a file is larger than memory should have to hold."""
    if size > packed.MOST_BYTES:
        raise DataError(
            f"{origin}: larger than {packed.MOST_BYTES:,} bytes once unpacked; give fewer rows or "
            f"columns"
        )


def check_schema(origin: Path, schema: pyarrow.Schema) -> None:
    """Raise DataError where a file has columns that no table of rows and values has."""
    text.check_names(origin, schema.names)
    nested = [field.name for field in schema if pyarrow.types.is_nested(field.type)]
    if nested:
        raise DataError(
            f"{origin}: column {errors.listed(nested)} holds a list, a struct or a map in each "
            f"row; write its parts to columns of their own, or leave it out of the file"
        )


@contextmanager
def faults(origin: Path) -> Iterator[None]:
    """Raise DataError in the place of what pyarrow says of a broken file."""
    try:
        yield
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(
            f"{origin}: not a whole {_name(origin)} file ({error}); write it again"
        ) from None


def _name(origin: Path) -> str:
    return "Feather" if origin.suffix.lower() in FEATHER_ENDINGS else "Parquet"
