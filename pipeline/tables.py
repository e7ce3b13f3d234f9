"""Tables: read them from files, check and clean them, describe their quality, and write and read the splits."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import files, paths
from pipeline.errors import DataError
from pipeline.params import Data

NUMERIC_SHARE = 0.95        # a text column in which this share of the values are numbers is meant to be a column of numbers
DELIMITERS = ";\t|"
QUANTILES = [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1]
MOST_CATEGORIES = 100       # of a column in the statistics, the commonest first
IQR_FENCE = 1.5             # Tukey's fences: values beyond 1.5 interquartile ranges from the quartiles are outliers


def read(path: str | Path, separator: str = ",", encoding: str = "utf-8") -> pd.DataFrame:
    """Return a CSV or Parquet file as it is: text stays text, numbers are inferred, blank fields are missing.

    Raises DataError where the file is missing, empty, of another encoding or delimiter, or names a column twice.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file; check `source` in {paths.PARAMS} or run generate_data.py")
    if path.suffix == ".parquet":
        return _read_parquet(path)
    try:
        _check_header(path, separator, encoding)
        frame = pd.read_csv(path, sep=separator, encoding=encoding, low_memory=False, skipinitialspace=True)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is not {encoding}; save the file as UTF-8 or set data.encoding "
                        f"(latin-1, cp1252, ...)") from None
    except (pd.errors.ParserError, csv.Error) as error:
        raise DataError(f"{path}: not a table ({error}); mend that line or set data.separator") from None
    if frame.empty:
        raise DataError(f"{path}: a header and no rows; give a file with data")
    if not isinstance(frame.index, pd.RangeIndex):
        raise DataError(f"{path}: rows have more fields than the header has names; mend the header or the rows")
    return frame


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow
    try:
        frame = pd.read_parquet(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise DataError(f"{path}: not a Parquet file ({error}); write it again") from None
    if frame.empty:
        raise DataError(f"{path}: no rows; give a file with data")
    return frame.reset_index(drop=isinstance(frame.index, pd.RangeIndex))


def _check_header(path: Path, separator: str, encoding: str) -> None:
    with open(path, encoding=encoding, newline="") as stream:
        header = next(csv.reader(stream, delimiter=separator), None)
    if not header:
        raise DataError(f"{path}: an empty file; give a CSV with a header line")
    if len(header) == 1:
        for delimiter in DELIMITERS:
            if delimiter in header[0]:
                raise DataError(f"{path}: one column only, but its header holds {delimiter!r}; "
                                f"set data.separator: {delimiter!r} in {paths.PARAMS}")
    header = [name.strip().removeprefix("\ufeff") for name in header]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"{path}: the header names {listed(twice)} more than once; rename the columns")
    if "" in header[1:]:
        raise DataError(f"{path}: column {header.index('', 1) + 1} has no name; name it in the header")


def clean(frame: pd.DataFrame, data: Data, other: str | None = None, origin: str = "") -> pd.DataFrame:
    """Return the modelled columns in their final types: numbers as float64, categories as text, dropped columns gone.

    `other` is a column that orders or groups the rows: kept as it is. A column is one of numbers where params.yaml says so
    or at least 95 % of its values are numbers; the rest of it is then an error. Raises DataError that names every faulty column.
    """
    origin = origin or data.file
    _check_columns(frame, data, other, origin)
    columns = [column for column in frame.columns if column not in data.drop or column == other]
    numbers, faults = {}, []
    for column in columns:
        values = blank_to_missing(frame[column])
        role = _role(column, values, data, other)
        if role == "number":
            numbers[column], fault = as_numbers(values)
            if fault:
                faults.append(f"{column} ({fault})")
        else:
            numbers[column] = as_text(values) if role == "category" else values
    if faults:
        raise DataError(f"{origin}: text in a column of numbers: {'; '.join(faults)}; mend the values, or name the columns "
                        f"in data.categorical or data.drop")
    cleaned = pd.DataFrame(numbers, index=frame.index)
    _check_values(cleaned, data, other, origin)
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
    if column in data.categorical or pd.api.types.is_bool_dtype(values):
        return "category"
    if pd.api.types.is_numeric_dtype(values):
        return "number"
    present = values.dropna()
    if present.empty:
        return "number"
    return "number" if pd.to_numeric(present, errors="coerce").notna().mean() >= NUMERIC_SHARE else "category"


def blank_to_missing(values: pd.Series) -> pd.Series:
    """Return a column in which blank text is missing and other text has no blanks around it."""
    if pd.api.types.is_numeric_dtype(values):
        return values
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    if pd.api.types.is_datetime64_any_dtype(values):
        return values.astype(str).where(values.notna())
    stripped = values.map(lambda value: value.strip() if isinstance(value, str) else value)
    return stripped.mask(stripped == "")


def as_numbers(values: pd.Series) -> tuple[pd.Series, str]:
    """Return the column as float64 and, where something in it is no finite number, what and in which line of the file."""
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    wrong = (numbers.isna() & values.notna()) | np.isinf(numbers)
    if not wrong.any():
        return numbers, ""
    first = wrong.idxmax()
    return numbers, f"{values[first]!r} in row {frame_row(first)}, {int(wrong.sum())} such values"


def frame_row(index: int) -> int:
    """Return the line of the CSV file that holds a row of the frame, the header being line 1."""
    return int(index) + 2


def as_text(values: pd.Series) -> pd.Series:
    """Return categories as text: 20.0 that stands for the integer 20 (its column has missing values) reads "20"."""
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    return values.astype(object).map(str, na_action="ignore").astype("str")


def _check_values(frame: pd.DataFrame, data: Data, other: str | None, origin: str) -> None:
    """Check the cleaned table with pandera: all faults at once, each with its column."""
    import pandera.pandas as pa

    def present(values: pd.Series) -> bool:
        return bool(values.notna().any())

    schema = {column: pa.Column(nullable=True, checks=pa.Check(present, error="no value at all: name it in data.drop"))
              for column in frame.columns}
    schema[data.target] = pa.Column(
        "float64" if data.task == "regression" else "str", nullable=True,
        checks=[pa.Check(lambda values: bool(values.notna().all()), error=(
                    f"{int(frame[data.target].isna().sum())} rows have no target: fill them in or remove them")),
                pa.Check(lambda values: values.nunique() != 1, error="the same target in every row: nothing to learn")])
    if other:
        schema[other] = pa.Column(nullable=False, coerce=False)
    try:
        pa.DataFrameSchema(schema, strict=True).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        faults = dict.fromkeys(f"{case.column}: {case.check}" for case in cases.itertuples())
        raise DataError(f"{origin}: {'; '.join(faults)}") from None
    features = feature_columns(frame, data, other)
    if not features:
        raise DataError(f"{origin}: no feature column is left beside the target {data.target!r}; check data.drop")
    if data.task == "classification":
        _check_classes(frame[data.target], data, origin)


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
