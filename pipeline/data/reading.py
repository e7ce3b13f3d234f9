"""Reading: the rows of a file of any form as they are, or an error that names the line."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow

from pipeline.data.formats import columnar, spellings, text
from pipeline.data.formats.form import PLAIN, Format
from pipeline.data.formats.opened import Opened, opened
from pipeline.project.errors import DataError
from pipeline.project.settings.data import Data


def read_table(data: Data) -> pd.DataFrame:
    """Return a dataset's own table, the CSV file that the pipeline works on, as `read` does."""
    return read(data.file, Format(codes=tuple(data.categorical)))


def read(path: str | Path, form: Format = PLAIN) -> pd.DataFrame:
    """Return the table of a file: text stays text, numbers are inferred.

    Blank fields are missing, and so are the words that pandas takes for missing (NA, NaN, None,
    null, ...), which real files hold, and those of `form.missing`. Of the columns named in
    `form.codes`, those whose digits begin with a zero somewhere stay text: 00501 is not 501. Raises
    DataError where the file is missing, empty, broken, of another encoding or delimiter, or names a
    column twice.
    """
    with opened(Path(path), form) as file:
        return table_of(file)


def table_of(file: Opened) -> pd.DataFrame:
    """Return the table of an opened file, see `read`."""
    return respelled(raw_table(file), file.form, file.origin)


def raw_table(file: Opened) -> pd.DataFrame:
    """Return the table of an opened file with its values as the file spells them."""
    if file.is_columnar:
        frame = columnar.read(file.path, file.origin)
    else:
        frame = text.read(file.path, file.form, file.origin)
    if frame.empty:
        raise DataError(f"{file.origin}: a header and no rows; give a file with data")
    return frame


def respelled(frame: pd.DataFrame, form: Format, origin: str | Path) -> pd.DataFrame:
    """Return a table with its values as `form` spells them; what are all numbers become numbers."""
    if not form.respells:
        return frame
    plain = _respelled(frame, form, origin)
    for name in plain:
        if name not in form.codes and spellings.is_text(plain[name]):
            plain[name] = _as_numbers(plain[name])
    return plain


def _respelled(frame: pd.DataFrame, form: Format, origin: str | Path) -> pd.DataFrame:
    try:
        return spellings.respelled(frame, form)
    except DataError as error:
        raise DataError(f"{origin}: {error}") from None


def _as_numbers(values: pd.Series) -> pd.Series:
    """Return a column of text as numbers where all of it are."""
    try:
        return pd.to_numeric(values)
    except (ValueError, TypeError):
        return values


def parts(path: str | Path, rows: int, form: Format = PLAIN) -> Iterator[pyarrow.Table]:
    """Yield a file of any size as Arrow tables of so many rows.

    All fields of a file without types are text. Raises what `read` raises.
    """
    empty = True
    with opened(Path(path), form) as file:
        for part in _parts(file, rows):
            empty = False
            yield part
    if empty:
        raise DataError(f"{path}: a header and no rows; give a file with data")


def _parts(file: Opened, rows: int) -> Iterator[pyarrow.Table]:
    if not file.is_columnar:
        for chunk in text.in_parts(file.path, file.form, file.origin, rows):
            chunk = _respelled(chunk, file.form, file.origin)
            texts = pyarrow.schema([(column, pyarrow.string()) for column in chunk])
            yield pyarrow.Table.from_pandas(chunk, texts, preserve_index=False)
        return
    for part in columnar.in_parts(file.path, file.origin, rows):
        if not file.form.respells:
            yield part
            continue
        frame = part.to_pandas(integer_object_nulls=True, ignore_metadata=True)
        yield pyarrow.Table.from_pandas(
            _respelled(frame, file.form, file.origin), preserve_index=False
        )


def rows_in_file(rows: pd.Index) -> str:
    """Return the line of the CSV file in which the first of some rows stands, and how many follow.

    The header is line 1.
    """
    if not len(rows):
        return "no line"
    first = f"line {rows[0] + 2}" if pd.api.types.is_integer_dtype(rows) else f"row {rows[0]!r}"
    return f"{first} and {len(rows) - 1} more" if len(rows) > 1 else first
