"""Tables: read them from files, check and clean them, describe their quality, and write and read the splits."""

import codecs
import csv
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from pipeline.project import errors, paths
from pipeline.project.errors import DataError, UsageError

DELIMITERS = ",;\t|"


def read(
    path: str | Path, separator: str = ",", encoding: str = "utf-8", codes: Iterable[str] = ()
) -> pd.DataFrame:
    """Return a CSV or Parquet file as it is: text stays text, numbers are inferred, blank fields are missing.

    So are the words that pandas takes for missing (NA, NaN, None, null, ...), which real files hold. Of the columns named in
    `codes`, those whose digits begin with a zero somewhere stay text: 00501 is not 501. Raises DataError where the file is
    missing, empty, broken, of another encoding or delimiter, or names a column twice.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file; check the path")
    frame = _read_parquet(path) if is_parquet(path) else _read_csv(path, separator, encoding, codes)
    if frame.empty:
        raise DataError(f"{path}: a header and no rows; give a file with data")
    return frame


def is_parquet(path: str | Path) -> bool:
    """Tell whether a file is one of Parquet, by its name."""
    return Path(path).suffix.lower() in (".parquet", ".pq")


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow
    import pyarrow.parquet

    try:
        check_names(path, pyarrow.parquet.read_schema(path).names)
        frame = pd.read_parquet(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a whole Parquet file ({error}); write it again") from None
    return frame.reset_index(drop=isinstance(frame.index, pd.RangeIndex))


def _read_csv(path: Path, separator: str, encoding: str, codes: Iterable[str]) -> pd.DataFrame:
    def parsed(**options) -> pd.DataFrame:
        return pd.read_csv(
            path,
            sep=separator,
            encoding=encoding,
            skipinitialspace=True,
            compression=None,
            **options,
        ).rename(columns=str.strip)

    with _told_as_data_errors(path, separator, encoding):
        frame = parsed(low_memory=False)
    digits = [
        column
        for column in codes
        if column in frame and pd.api.types.is_numeric_dtype(frame[column])
    ]
    if digits:
        spelt = parsed(dtype=str, usecols=lambda name: name.strip() in digits)
        frame = frame.assign(
            **{
                column: spelt[column]
                for column in digits
                if spelt[column].str.match(r"-?0\d").any()
            }
        )
    return frame


@contextmanager
def _told_as_data_errors(path: Path, separator: str, encoding: str):
    """Check a CSV file's header, and tell what pandas finds wrong in the block in the user's terms."""
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise UsageError(
            f"{paths.PARAMS}: data.encoding: unknown encoding {encoding!r}; utf-8, latin-1, cp1252 and the like "
            f"are allowed"
        ) from None
    try:
        check_header(path, separator, encoding)
        yield
    except UnicodeDecodeError:
        raise DataError(
            f"{path}: line {_undecodable_line(path, encoding)} is not {encoding}; save the file as CSV in UTF-8, "
            f"or set data.encoding (latin-1, cp1252, ...) in {paths.PARAMS}"
        ) from None
    except (pd.errors.ParserError, csv.Error) as error:
        fault = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise DataError(
            f"{path}: not a table ({fault}); mend that line or set data.separator in {paths.PARAMS}"
        ) from None


def parts(path: str | Path, rows: int, separator: str = ",", encoding: str = "utf-8"):
    """Yield a CSV or Parquet file of any size as Arrow tables of so many rows; all fields of a CSV file are text.

    Raises what `read` raises.
    """
    import pyarrow
    import pyarrow.parquet

    path, empty = Path(path), True
    if not path.is_file():
        raise DataError(f"{path}: no such file; check the path")
    if is_parquet(path):
        try:
            check_names(path, pyarrow.parquet.read_schema(path).names)
            for batch in pyarrow.parquet.ParquetFile(path).iter_batches(rows):
                empty = False
                yield pyarrow.Table.from_batches([batch])
        except (pyarrow.ArrowException, OSError) as error:
            raise DataError(f"{path}: not a whole Parquet file ({error}); write it again") from None
    else:
        with _told_as_data_errors(path, separator, encoding):
            # text: a type that is read off the values would differ between the parts
            for chunk in pd.read_csv(
                path,
                sep=separator,
                encoding=encoding,
                skipinitialspace=True,
                compression=None,
                dtype=str,
                chunksize=rows,
            ):
                if chunk.empty:
                    break
                empty = False
                chunk = chunk.rename(columns=str.strip)
                yield pyarrow.Table.from_pandas(
                    chunk,
                    pyarrow.schema([(column, pyarrow.string()) for column in chunk]),
                    preserve_index=False,
                )
    if empty:
        raise DataError(f"{path}: a header and no rows; give a file with data")


def check_header(path: Path, separator: str, encoding: str) -> list[str]:
    """Return the names of a CSV file's columns; raise DataError where its header or first row are none of a table."""
    with open(path, encoding=encoding, newline="") as stream:
        lines = filter(None, csv.reader(stream, delimiter=separator, skipinitialspace=True))
        header, first = next(lines, None), next(lines, [])
    if not header:
        raise DataError(f"{path}: an empty file; give a CSV with a header line")
    if len(header) == 1:
        for delimiter in DELIMITERS:
            if delimiter != separator and delimiter in header[0]:
                raise DataError(
                    f"{path}: one column only, but its header holds {delimiter!r}; "
                    f"set data.separator: {delimiter!r} in {paths.PARAMS}"
                )
    if len(first) > len(
        header
    ):  # pandas would take the first column for row names and shift the others
        raise DataError(
            f"{path}: the first row has {len(first)} fields, the header names {len(header)} columns; mend either"
        )
    names = [name.strip().removeprefix("\ufeff") for name in header]
    check_names(path, names)
    return names


def check_names(path: Path, header: list[str]) -> None:
    """Raise DataError where two columns of a file have one name, or one has none."""
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(
            f"{path}: the header names {errors.listed(twice)} more than once; rename the columns"
        )
    if "" in header[1:]:  # the first may have none: that is how pandas writes row names
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
    """Return the line of the CSV file in which the first of some rows stands, the header being line 1, and how many follow."""
    if not len(rows):
        return "no line"
    first = f"line {rows[0] + 2}" if pd.api.types.is_integer_dtype(rows) else f"row {rows[0]!r}"
    return f"{first} and {len(rows) - 1} more" if len(rows) > 1 else first
