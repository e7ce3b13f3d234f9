"""Tables: read them from files, check and clean them, describe their quality, and write and read the splits."""

import codecs
import csv
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import files, paths
from pipeline.errors import DataError, UsageError
from pipeline.params import Data

NUMERIC_SHARE = 0.95        # a text column in which this share of the values are numbers is meant to be a column of numbers
DELIMITERS = ",;\t|"
QUANTILES = [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1]
MOST_CATEGORIES = 100       # of a column in the statistics, the commonest first
IQR_FENCE = 1.5             # Tukey's fences: values beyond 1.5 interquartile ranges from the quartiles are outliers


def read(path: str | Path, separator: str = ",", encoding: str = "utf-8", codes: Iterable[str] = ()) -> pd.DataFrame:
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
        return pd.read_csv(path, sep=separator, encoding=encoding, skipinitialspace=True, compression=None, **options
                           ).rename(columns=str.strip)

    with _told_as_data_errors(path, separator, encoding):
        frame = parsed(low_memory=False)
    digits = [column for column in codes if column in frame and pd.api.types.is_numeric_dtype(frame[column])]
    if digits:
        spelt = parsed(dtype=str, usecols=lambda name: name.strip() in digits)
        frame = frame.assign(**{column: spelt[column] for column in digits if spelt[column].str.match(r"-?0\d").any()})
    return frame


@contextmanager
def _told_as_data_errors(path: Path, separator: str, encoding: str):
    """Check a CSV file's header, and tell what pandas finds wrong in the block in the user's terms."""
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise UsageError(f"{paths.PARAMS}: data.encoding: unknown encoding {encoding!r}; utf-8, latin-1, cp1252 and the like "
                         f"are allowed") from None
    try:
        check_header(path, separator, encoding)
        yield
    except UnicodeDecodeError:
        raise DataError(f"{path}: line {_undecodable_line(path, encoding)} is not {encoding}; save the file as CSV in UTF-8, "
                        f"or set data.encoding (latin-1, cp1252, ...) in {paths.PARAMS}") from None
    except (pd.errors.ParserError, csv.Error) as error:
        fault = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise DataError(f"{path}: not a table ({fault}); mend that line or set data.separator in {paths.PARAMS}") from None


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
            for chunk in pd.read_csv(path, sep=separator, encoding=encoding, skipinitialspace=True, compression=None, dtype=str,
                                     chunksize=rows):
                if chunk.empty:
                    break
                empty = False
                chunk = chunk.rename(columns=str.strip)
                yield pyarrow.Table.from_pandas(chunk, pyarrow.schema([(column, pyarrow.string()) for column in chunk]),
                                                preserve_index=False)
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
                raise DataError(f"{path}: one column only, but its header holds {delimiter!r}; "
                                f"set data.separator: {delimiter!r} in {paths.PARAMS}")
    if len(first) > len(header):            # pandas would take the first column for row names and shift the others
        raise DataError(f"{path}: the first row has {len(first)} fields, the header names {len(header)} columns; mend either")
    names = [name.strip().removeprefix("\ufeff") for name in header]
    check_names(path, names)
    return names


def check_names(path: Path, header: list[str]) -> None:
    """Raise DataError where two columns of a file have one name, or one has none."""
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"{path}: the header names {listed(twice)} more than once; rename the columns")
    if "" in header[1:]:                    # the first may have none: that is how pandas writes row names
        raise DataError(f"{path}: column {header.index('', 1) + 1} has no name; name it in the header")


def _undecodable_line(path: Path, encoding: str) -> int:
    with open(path, "rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                return number
    return 1


def clean(frame: pd.DataFrame, data: Data, other: str | None = None, origin: str = "") -> pd.DataFrame:
    """Return the modelled columns in their final types: numbers as float64, categories as text, dropped columns gone.

    `other` is a column that orders or groups the rows: kept as it is. A column is one of numbers where params.yaml says so
    or at least 95 % of its values are numbers; the rest of it is then an error. Raises DataError that names every faulty column.
    """
    origin = origin or data.file
    _check_columns(frame, data, other, origin)
    columns, faults = {}, {}
    for column in frame.columns:
        if column in data.drop and column != other:
            continue
        values = blank_to_missing(frame[column])
        role = _role(column, values, data, other)
        if role == "number":
            columns[column], fault = as_numbers(values)
            if fault:
                remedy = "" if column == data.target else ", or name the column in data.categorical or data.drop"
                faults[column] = f"{fault}, in a column of numbers: mend it{remedy}"
        else:
            columns[column] = as_text(values) if role == "category" else values
    cleaned = pd.DataFrame(columns, index=frame.index)
    faults |= _faulty_values(cleaned.drop(columns=list(faults)), data, other)
    if faults:
        raise DataError(f"{origin}: {'; '.join(f'{column}: {fault}' for column, fault in faults.items())}")
    if not feature_columns(cleaned, data, other):
        raise DataError(f"{origin}: no feature column is left beside the target {data.target!r}; check data.drop")
    if data.task == "classification":
        _check_classes(cleaned[data.target], data, origin)
    return cleaned


def _check_columns(frame: pd.DataFrame, data: Data, other: str | None, origin: str) -> None:
    wanted = [data.target, *data.drop, *data.numeric, *data.categorical, *([other] if other else [])]
    missing = [column for column in dict.fromkeys(wanted) if column not in frame.columns]
    if missing:
        raise DataError(f"{origin}: no column {listed(missing)}, which {paths.PARAMS} names; the file has: "
                        f"{listed(frame.columns, most=30)}")


def _role(column: str, values: pd.Series, data: Data, other: str | None) -> str:
    """Tell what a column is: number, category, or other (the column that orders or groups the rows)."""
    if column == other:
        return "other"
    if column == data.target:
        return "number" if data.task == "regression" else "category"
    if column in data.numeric:
        return "number"
    return "number" if column not in data.categorical and is_numeric(values) else "category"


def is_numeric(values: pd.Series) -> bool:
    """Tell whether a column is one of numbers by its content: at least 95 % of the values that are there can be read as one."""
    if pd.api.types.is_bool_dtype(values):
        return False
    if pd.api.types.is_numeric_dtype(values):
        return True
    present = values.dropna()
    if pd.api.types.infer_dtype(present) == "boolean":      # True and False beside missing values
        return False
    return present.empty or pd.to_numeric(present, errors="coerce").notna().mean() >= NUMERIC_SHARE


def blank_to_missing(values: pd.Series) -> pd.Series:
    """Return a column in which blank text is missing and other text has no blanks around it."""
    if pd.api.types.is_numeric_dtype(values):
        return values
    if values.dtype.kind in "mM":           # dates and durations of a Parquet file, spelt as a CSV file spells them
        return values.astype(str).where(values.notna())
    if isinstance(values.dtype, pd.StringDtype):
        stripped = values.str.strip()
    else:
        stripped = values.astype(object).map(lambda value: value.strip() if isinstance(value, str) else value)
    return stripped.mask(stripped == "")


def as_numbers(values: pd.Series) -> tuple[pd.Series, str]:
    """Return the column as float64 and, where something in it is no finite number, what and in which line of the file."""
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    wrong = np.flatnonzero((numbers.isna() & values.notna()) | np.isinf(numbers))
    return numbers, f"{str(values.iloc[wrong[0]])!r} in {lines(values.index[wrong])}" if len(wrong) else ""


def lines(rows: pd.Index) -> str:
    """Return the line of the CSV file in which the first of some rows stands, the header being line 1, and how many follow."""
    if not len(rows):
        return "no line"
    first = f"line {rows[0] + 2}" if pd.api.types.is_integer_dtype(rows) else f"row {rows[0]!r}"
    return f"{first} and {len(rows) - 1} more" if len(rows) > 1 else first


def as_text(values: pd.Series) -> pd.Series:
    """Return categories as text, a whole number alike whether its column was read as integers or as floats: 20.0 reads "20"."""
    if isinstance(values.dtype, pd.StringDtype):
        return values.astype("str")
    return values.astype(object).map(label, na_action="ignore").astype("str")


def label(value) -> str:
    """Return the text that stands for a category."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _faulty_values(frame: pd.DataFrame, data: Data, other: str | None) -> dict[str, str]:
    """Return what pandera finds wrong in a cleaned table, by column, and what to do about it."""
    import pandera.pandas as pa

    def check(holds, error: str) -> pa.Check:
        return pa.Check(holds, error=error, ignore_na=False)

    def missing(column: str) -> str:
        return lines(frame.index[frame[column].isna()])

    schema = {}
    for column in frame.columns:
        checks = [check(_some, "no value at all: name it in data.drop")]
        if column == data.target:
            checks = [check(_every, f"no target in {missing(column)}: fill it in or remove the rows"),
                      check(_several, "the same target in every row: nothing to learn, choose another target")]
        elif column == other:
            checks = [check(_every, f"no value in {missing(column)}, which prepare.split needs: fill it in")]
        schema[column] = pa.Column(nullable=True, checks=checks)
    try:
        pa.DataFrameSchema(schema).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        return errors.failure_cases.groupby("column", sort=False)["check"].agg(lambda found: "; ".join(found.unique())).to_dict()
    return {}


def _some(values: pd.Series) -> bool:
    return bool(values.notna().any())


def _every(values: pd.Series) -> bool:
    return bool(values.notna().all())


def _several(values: pd.Series) -> bool:
    return values.nunique() != 1


def _check_classes(target: pd.Series, data: Data, origin: str) -> None:
    labels = target.unique()
    if len(labels) > 20 and len(labels) > 0.2 * len(target):
        raise DataError(f"{origin}: the target {data.target!r} has {len(labels)} different values in {len(target)} rows; "
                        f"set task: regression or choose another target")
    if data.positive is not None and data.positive not in labels:
        raise DataError(f"{origin}: no row of {data.target!r} is {data.positive!r}, which data.positive names; "
                        f"found: {listed(sorted(labels))}")


def feature_columns(frame: pd.DataFrame, data: Data, other: str | None = None) -> list[str]:
    """Return the columns that a model may see."""
    return [column for column in frame.columns if column not in (data.target, other)]


def classes(target: pd.Series, positive: str | None) -> list[str]:
    """Return the class labels in the order of a model's probabilities: sorted, the positive one last."""
    labels = sorted(target.unique())
    if positive is not None:
        labels.remove(positive)
        labels.append(positive)
    return labels


def quality(raw: pd.DataFrame, cleaned: pd.DataFrame, data: Data, other: str | None = None) -> dict:
    """Return the table's quality figures: missing values, duplicates, outliers, constant columns, class balance or target."""
    features = cleaned[feature_columns(cleaned, data, other)]
    numbers = features.select_dtypes("number")
    low, high = numbers.quantile(0.25), numbers.quantile(0.75)
    fence = IQR_FENCE * (high - low)
    outliers = ((numbers < low - fence) | (numbers > high + fence)).sum()
    missing = cleaned.isna().sum()
    target = cleaned[data.target]
    figures = {
        "rows": len(cleaned), "columns": raw.shape[1], "features": features.shape[1],
        "numeric": list(numbers.columns), "categorical": [column for column in features if column not in numbers],
        "dropped": [column for column in raw.columns if column not in cleaned.columns],
        "missing": {column: int(count) for column, count in missing.items() if count},
        "missing_share": round(float(cleaned.isna().to_numpy().mean()), 6),
        "duplicates": int(cleaned.duplicated().sum()),
        "outliers": {column: int(count) for column, count in outliers.items() if count},
        "constant": [column for column in features if features[column].nunique(dropna=False) <= 1],
    }
    if data.task == "classification":
        counts = target.value_counts()
        figures["class_counts"] = {label: int(counts[label]) for label in classes(target, data.positive)}
    else:
        summary = {"mean": target.mean(), "std": target.std(), "min": target.min(), "max": target.max()}
        figures["target"] = {name: _digits(value) for name, value in summary.items()}
    return figures


def statistics(X: pd.DataFrame) -> dict:
    """Return, per feature, what monitoring compares with: mean, deviation and quantiles, or the categories' shares."""
    features = {}
    for column in X:
        values = X[column]
        figures = {"missing_share": _digits(values.isna().mean())}
        if pd.api.types.is_numeric_dtype(values):
            figures |= {"mean": _digits(values.mean()), "std": _digits(values.std()),
                        "quantiles": {f"{share:g}": _digits(value) for share, value in values.quantile(QUANTILES).items()}}
        else:
            shares = values.value_counts(normalize=True)
            common = sorted(shares.items(), key=lambda item: (-item[1], item[0]))[:MOST_CATEGORIES]
            figures["categories"] = {label: _digits(share) for label, share in common}
        features[column] = figures
    return {"schema": 1, "rows": len(X), "features": features}


def _digits(value: float) -> float | None:
    """Return a figure with six significant digits; None for one that is not defined."""
    return float(f"{value:.6g}") if np.isfinite(value) else None


def write_splits(folder: Path, train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Write both splits as Parquet, each row with the number it had in the CSV."""
    with files.replacing(folder) as partial:
        partial.mkdir(parents=True)
        for name, frame in (("train", train), ("test", test)):
            frame.rename_axis("row").to_parquet(partial / f"{name}.parquet", compression="zstd")


def read_split(dataset: str, split: str) -> pd.DataFrame:
    """Return the train or test split of a prepared dataset, indexed by the row's number in the CSV."""
    path = paths.processed(dataset) / f"{split}.parquet"
    if not path.is_file():
        raise DataError(f"{path} is not there; run `python prepare_data.py --dataset {dataset}` first")
    return pd.read_parquet(path)


def listed(names, most: int = 8) -> str:
    """Return names quoted in one line, the first `most` of them."""
    names = [repr(str(name)) for name in names]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
