"""Reading: the rows of a CSV or Parquet file as they are, or an error that names the line."""

import codecs
import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.parquet

from pipeline.project import errors, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Data

DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Format:
    """How a CSV file is written, and which of its columns hold codes rather than numbers."""

    separator: str = ","
    encoding: str = "utf-8"
    codes: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether the file has commas and is in UTF-8, as the pipeline's own tables."""
        return self.separator == "," and self.encoding.lower() in ("utf-8", "utf8")


PLAIN = Format()


def form_of(data: Data) -> Format:
    """Return how params.yaml says that a dataset's source is written."""
    return Format(data.separator, data.encoding, tuple(data.categorical))


def read_table(data: Data) -> pd.DataFrame:
    """Return a dataset's own table, the CSV file that the pipeline works on, as `read` does."""
    return read(data.file, Format(codes=tuple(data.categorical)))


def read(path: str | Path, form: Format = PLAIN) -> pd.DataFrame:
    """Return a CSV or Parquet file as it is: text stays text, numbers are inferred.

    Blank fields are missing, and so are the words that pandas takes for missing (NA, NaN, None,
    null, ...), which real files hold. Of the columns named in `form.codes`, those whose digits
    begin with a zero somewhere stay text: 00501 is not 501. Raises DataError where the file is
    missing, empty, broken, of another encoding or delimiter, or names a column twice.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file; check the path")
    _check_form(path, form)
    frame = _read_parquet(path) if is_parquet(path) else _read_csv(path, form)
    if frame.empty:
        raise DataError(f"{path}: a header and no rows; give a file with data")
    return frame


# the first bytes of files that are often taken for CSV, what they are, and what to do
MAGIC = (
    (b"\x1f\x8b", "compressed by gzip", "unpack it (gunzip)"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook", "unpack it, or save the sheet as CSV"),
    (b"BZh", "compressed by bzip2", "unpack it (bunzip2)"),
    (b"\xfd7zXZ", "compressed by xz", "unpack it (unxz)"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "unpack it (unzstd)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as CSV in UTF-8"),
    (b"PAR1", "a Parquet file", "give its name the ending .parquet"),
)
WIDE_ENCODINGS = (b"\xff\xfe", b"\xfe\xff")  # UTF-16, by its byte order mark


def _check_form(path: Path, form: Format) -> None:
    """Raise DataError where a file that should be CSV begins as one of another form does."""
    if is_parquet(path):
        return
    with open(path, "rb") as stream:
        start = stream.read(8)
    for magic, what, do in MAGIC:
        if start.startswith(magic):
            raise DataError(f"{path}: {what}, not CSV; {do}")
    if start.startswith(WIDE_ENCODINGS) and not form.encoding.lower().startswith("utf-16"):
        raise DataError(
            f"{path}: in UTF-16; save the file as CSV in UTF-8, or set data.encoding: utf-16 in "
            f"{paths.PARAMS}"
        )


def is_parquet(path: str | Path) -> bool:
    """Return whether a file is one of Parquet, by its name."""
    return Path(path).suffix.lower() in (".parquet", ".pq")


def _read_parquet(path: Path) -> pd.DataFrame:
    with _parquet_errors(path):
        _check_schema(path)
        frame = pd.read_parquet(path)
    return frame.reset_index(drop=isinstance(frame.index, pd.RangeIndex))


def _check_schema(path: Path) -> None:
    """Raise DataError where a Parquet file has columns that no table of rows and values has."""
    schema = pyarrow.parquet.read_schema(path)
    check_names(path, schema.names)
    nested = [field.name for field in schema if pyarrow.types.is_nested(field.type)]
    if nested:
        raise DataError(
            f"{path}: column {errors.listed(nested)} holds a list, a struct or a map in each row; "
            f"write its parts to columns of their own, or leave it out of the file"
        )


@contextmanager
def _parquet_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a whole Parquet file ({error}); write it again") from None


def _parse_csv(path: Path, form: Format, **options: Any) -> Any:
    """Return what pandas reads of a CSV file: a table, or with `chunksize` an iterator of them."""
    return pd.read_csv(
        path,
        sep=form.separator,
        encoding=form.encoding,
        skipinitialspace=True,
        compression=None,
        **options,
    )


def _read_csv(path: Path, form: Format) -> pd.DataFrame:
    with _csv_errors(path, form):
        frame = _parse_csv(path, form, low_memory=False).rename(columns=str.strip)
    digits = []
    for column in form.codes:
        if column in frame and pd.api.types.is_numeric_dtype(frame[column]):
            digits.append(column)
    if not digits:
        return frame

    def wanted(name: str) -> bool:
        return name.strip() in digits

    spelt = _parse_csv(path, form, dtype=str, usecols=wanted).rename(columns=str.strip)
    for column in digits:
        if spelt[column].str.match(r"-?0\d").any():
            frame[column] = spelt[column]
    return frame


@contextmanager
def _csv_errors(path: Path, form: Format) -> Iterator[None]:
    """Check a CSV file's header, and say what pandas finds wrong in the block in plain words."""
    try:
        codecs.lookup(form.encoding)
    except LookupError:
        raise UsageError(
            f"{paths.PARAMS}: data.encoding: unknown encoding {form.encoding!r}; utf-8, latin-1, "
            f"cp1252 and the like are allowed"
        ) from None
    try:
        check_header(path, form)
        yield
    except UnicodeError:
        line = _undecodable_line(path, form.encoding)
        raise DataError(
            f"{path}: line {line} is not {form.encoding}; save the file as CSV in UTF-8, or set "
            f"data.encoding (latin-1, cp1252, ...) in {paths.PARAMS}"
        ) from None
    except (pd.errors.ParserError, csv.Error) as error:
        fault = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise DataError(
            f"{path}: not a table ({fault}); fix that line or set data.separator in {paths.PARAMS}"
        ) from None


def parts(path: str | Path, rows: int, form: Format = PLAIN) -> Iterator[pyarrow.Table]:
    """Yield a CSV or Parquet file of any size as Arrow tables of so many rows.

    All fields of a CSV file are text. Raises what `read` raises.
    """
    path, empty = Path(path), True
    if not path.is_file():
        raise DataError(f"{path}: no such file; check the path")
    _check_form(path, form)
    part_of = _parts_of_parquet(path, rows) if is_parquet(path) else _parts_of_csv(path, rows, form)
    for part in part_of:
        empty = False
        yield part
    if empty:
        raise DataError(f"{path}: a header and no rows; give a file with data")


def _parts_of_parquet(path: Path, rows: int) -> Iterator[pyarrow.Table]:
    with _parquet_errors(path):
        _check_schema(path)
        for batch in pyarrow.parquet.ParquetFile(path).iter_batches(rows):
            yield pyarrow.Table.from_batches([batch])


def _parts_of_csv(path: Path, rows: int, form: Format) -> Iterator[pyarrow.Table]:
    with _csv_errors(path, form):
        # text: a type that is read off the values would differ between the parts
        for chunk in _parse_csv(path, form, dtype=str, chunksize=rows):
            if chunk.empty:
                return
            chunk = chunk.rename(columns=str.strip)
            texts = pyarrow.schema([(column, pyarrow.string()) for column in chunk])
            yield pyarrow.Table.from_pandas(chunk, texts, preserve_index=False)


def check_header(path: Path, form: Format = PLAIN) -> list[str]:
    """Return the names of a CSV file's columns.

    Raises DataError where its header or first row are none of a table.
    """
    with open(path, encoding=form.encoding, newline="") as stream:
        reader = csv.reader(stream, delimiter=form.separator, skipinitialspace=True)
        lines = filter(None, reader)
        header, first = next(lines, None), next(lines, [])
    if not header:
        raise DataError(f"{path}: an empty file; give a CSV with a header line")
    if len(header) == 1:
        _check_delimiter(path, header[0], form.separator)
    # pandas would take the first column for row names and shift the others
    if len(first) > len(header):
        raise DataError(
            f"{path}: the first row has {len(first)} fields, the header names {len(header)} "
            f"columns; fix either"
        )
    names = [name.strip().removeprefix("\ufeff") for name in header]
    check_names(path, names)
    return names


def _check_delimiter(path: Path, only_name: str, separator: str) -> None:
    """Raise DataError where the one name of a header holds another delimiter."""
    for delimiter in DELIMITERS:
        if delimiter != separator and delimiter in only_name:
            raise DataError(
                f"{path}: one column only, but its header holds {delimiter!r}; "
                f"set data.separator: {delimiter!r} in {paths.PARAMS}"
            )


def check_names(path: Path, header: list[str]) -> None:
    """Raise DataError where two columns of a file have one name, or one has none."""
    twice = sorted(name for name, count in Counter(header).items() if count > 1)
    if twice:
        raise DataError(
            f"{path}: the header names {errors.listed(twice)} more than once; rename the columns"
        )
    # the first may have none: that is how pandas writes row names
    if "" in header[1:]:
        raise DataError(
            f"{path}: column {header.index('', 1) + 1} has no name; name it in the header"
        )


def _undecodable_line(path: Path, encoding: str) -> int:
    with open(path, "rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                return number
    return 1


def rows_in_file(rows: pd.Index) -> str:
    """Return the line of the CSV file in which the first of some rows stands, and how many follow.

    The header is line 1.
    """
    if not len(rows):
        return "no line"
    first = f"line {rows[0] + 2}" if pd.api.types.is_integer_dtype(rows) else f"row {rows[0]!r}"
    return f"{first} and {len(rows) - 1} more" if len(rows) > 1 else first
