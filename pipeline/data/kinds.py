"""Tables: read them from files, check and clean them, describe their quality, and write and read the splits."""

import numpy as np
import pandas as pd

from pipeline.data import reading
from pipeline.project import errors
from pipeline.project.errors import DataError

NUMBER, CATEGORY, DATE = "number", "category", "date"
NUMERIC_SHARE = 0.95  # a text column in which this share of the values are numbers is meant to be a column of numbers


def is_numeric(values: pd.Series) -> bool:
    """Tell whether a column is one of numbers by its content: at least 95 % of the values that are there can be read as one."""
    if pd.api.types.is_bool_dtype(values):
        return False
    if pd.api.types.is_numeric_dtype(values):
        return True
    present = values.dropna()
    if pd.api.types.infer_dtype(present) == "boolean":  # True and False beside missing values
        return False
    return present.empty or pd.to_numeric(present, errors="coerce").notna().mean() >= NUMERIC_SHARE


def blank_to_missing(values: pd.Series) -> pd.Series:
    """Return a column in which blank text is missing and other text has no blanks around it."""
    if pd.api.types.is_numeric_dtype(values):
        return values
    if (
        values.dtype.kind in "mM"
    ):  # dates and durations of a Parquet file, spelt as a CSV file spells them
        return values.astype(str).where(values.notna())
    if isinstance(values.dtype, pd.StringDtype):
        stripped = values.str.strip()
    else:
        stripped = values.astype(object).map(
            lambda value: value.strip() if isinstance(value, str) else value
        )
    return stripped.mask(stripped == "")


def as_numbers(values: pd.Series) -> tuple[pd.Series, str]:
    """Return the column as float64 and, where something in it is no finite number, what and in which line of the file."""
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    wrong = np.flatnonzero((numbers.isna() & values.notna()) | np.isinf(numbers))
    return (
        numbers,
        f"{str(values.iloc[wrong[0]])!r} in {reading.rows_in_file(values.index[wrong])}"
        if len(wrong)
        else "",
    )


def as_text(values: pd.Series) -> pd.Series:
    """Return categories as text, a whole number alike whether its column was read as integers or as floats: 20.0 reads "20"."""
    if isinstance(values.dtype, pd.StringDtype):
        return values.astype("str")
    return values.astype(object).map(category_text, na_action="ignore").astype("str")


def category_text(value) -> str:
    """Return the text that stands for a category."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def kinds_of(frame: pd.DataFrame) -> dict[str, str]:
    """Return {column: kind} of a prepared table, as its types say: NUMBER or CATEGORY."""
    return {
        column: NUMBER if pd.api.types.is_numeric_dtype(frame[column]) else CATEGORY
        for column in frame.columns
    }


def conform(frame: pd.DataFrame, kinds: dict[str, str], origin: str = "the input") -> pd.DataFrame:
    """Return the columns that `kinds` names, in its order and types; other columns of the frame are left out.

    Raises DataError that names every missing column, or every column of numbers that holds text.
    """
    missing = [column for column in kinds if column not in frame.columns]
    if missing:
        raise DataError(f"{origin}: no column {errors.listed(missing)}, which the model needs")
    columns, faults = {}, []
    for column, kind in kinds.items():
        values = blank_to_missing(frame[column])
        if kind == NUMBER:
            columns[column], fault = as_numbers(values)
            faults += [f"{column} ({fault})"] if fault else []
        else:
            columns[column] = as_text(values)
    if faults:
        raise DataError(
            f"{origin}: text in a column of numbers: {'; '.join(faults)}; mend the values"
        )
    return pd.DataFrame(columns, index=frame.index)


def kind_of(values: pd.Series) -> str:
    """Tell what a typed column holds: number, date or category."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return DATE
    return NUMBER if pd.api.types.is_float_dtype(values) else CATEGORY
