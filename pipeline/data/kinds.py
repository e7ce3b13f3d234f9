"""Kinds of columns: how each is recognised and typed, and what other libraries call it.

A column comes in as a file or a request spells it and leaves typed: numbers as float64, categories
as `str`, dates as datetime64 in UTC, texts as pandas's `string`, by which they are told from
categories. Training, prediction and drift type columns by this one rule.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.data import reading
from pipeline.data.spelling import dates
from pipeline.data.spelling.clean import is_clean
from pipeline.project import errors
from pipeline.project.errors import DataError

NUMBER, CATEGORY, DATE, TEXT = "number", "category", "date", "text"
# trees and boosters read numbers into 32 bits
LARGEST = float(np.finfo(np.float32).max)
# a column of text in which this share of the values can be read as a kind is meant to be of it
READABLE_SHARE = 0.95
# values, drawn at random, that show whether reading the whole column as a kind is worth the time
LOOKED_AT = 1000
# a column holds texts, not categories, where half of its values have so many words, this share of
# them are different, and there are so many different ones: labels that come back are categories
FEWEST_WORDS, DIFFERENT_SHARE, FEWEST_TEXTS = 3, 0.5, 50
WORD = re.compile(r"[^\W\d_]{2,}")
# {column: its formats}, of columns of dates that are not in ISO 8601
Formats = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Kind:
    """What the program must know of a kind of column.

    `may_be` returns whether a column can be of the kind, by the type and the look of its values,
    and `read` the column in its final type, missing where a value cannot be read. `step` is the
    step of a model's preprocessing that encodes such columns.
    """

    may_be: Callable[[pd.Series], bool]
    read: Callable[[pd.Series], pd.Series]
    pandas_type: str
    mlflow_type: str
    step: str


@dataclass(frozen=True)
class Typed:
    """A column in its final type; `unreadable` are the positions of the values that it lost."""

    kind: str
    values: pd.Series
    unreadable: np.ndarray

    def fault(self, raw: pd.Series) -> str:
        """Return the first value of `raw` that could not be read, and its line; "" without any."""
        if not len(self.unreadable):
            return ""
        first = str(raw.iloc[self.unreadable[0]])
        return f"{first!r} in {reading.rows_in_file(raw.index[self.unreadable])}"


def as_text(values: pd.Series) -> pd.Series:
    """Return categories as text.

    A whole number reads alike whether its column was read as integers or as floats: 20.0 is "20".
    """
    if isinstance(values.dtype, pd.StringDtype):
        return values.astype("str")
    return values.astype(object).map(category_text, na_action="ignore").astype("str")


def category_text(value: object) -> str:
    """Return the text that stands for a category."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _as_floats(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values, errors="coerce").astype("float64")


def _may_be_numbers(values: pd.Series) -> bool:
    """Say whether a column may hold numbers: truth values are categories."""
    if pd.api.types.is_numeric_dtype(values):
        return not pd.api.types.is_bool_dtype(values)
    if pd.api.types.is_datetime64_any_dtype(values):
        return False
    return pd.api.types.infer_dtype(values, skipna=True) != "boolean"


def as_dates(values: pd.Series, formats: Sequence[str] = ()) -> pd.Series:
    """Return moments in UTC; what neither one of the formats nor ISO 8601 reads is missing."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return pd.to_datetime(values, utc=True).astype(dates.TYPE)
    return dates.read(as_text(values), formats)


def _may_be_dates(values: pd.Series) -> bool:
    """Say whether values are dates, or half of some have year, month and day as ISO 8601 has."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return True
    if not _is_of_strings(values):
        return False
    # different ones: most columns of text have few
    some = drawn(values).drop_duplicates()
    return bool(len(some)) and bool(dates.look_like_iso(some).mean() >= 0.5)


def _as_texts(values: pd.Series) -> pd.Series:
    return as_text(values).astype("string")


def _may_be_texts(values: pd.Series) -> bool:
    """Say whether values are texts: several words each, and mostly different."""
    if not _is_of_strings(values):
        return False
    some = drawn(values)
    if some.nunique() < FEWEST_TEXTS or word_counts(some).median() < FEWEST_WORDS:
        return False
    return values.nunique() >= max(FEWEST_TEXTS, DIFFERENT_SHARE * values.count())


def word_counts(texts: pd.Series) -> pd.Series:
    """Return how many words each text has: two letters or more in a row."""
    return texts.map(lambda text: len(WORD.findall(text)))


def _is_of_strings(values: pd.Series) -> bool:
    if isinstance(values.dtype, pd.StringDtype):
        return True
    if pd.api.types.is_numeric_dtype(values):
        return False
    return pd.api.types.infer_dtype(values, skipna=True) == "string"


# in the order in which a column is tried
KINDS = {
    NUMBER: Kind(_may_be_numbers, _as_floats, "float64", "double", "numeric"),
    DATE: Kind(_may_be_dates, as_dates, dates.TYPE, "datetime", "dates"),
    TEXT: Kind(_may_be_texts, _as_texts, "string", "string", "texts"),
    CATEGORY: Kind(lambda values: True, as_text, "str", "string", "categorical"),
}


def blank_to_missing(values: pd.Series) -> pd.Series:
    """Return a column in which blank text is missing and other text has no blanks around it.

    Durations of a Parquet file become the text that a CSV file would hold.
    """
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return values
    if values.dtype.kind == "m":
        return values.astype(str).where(values.notna())
    if isinstance(values.dtype, pd.StringDtype):
        stripped = values.str.strip()
    else:
        stripped = values.astype(object).map(_stripped)
    return stripped.mask(stripped == "")


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def typed(values: pd.Series, among: Iterable[str] = tuple(KINDS)) -> Typed:
    """Return a column, blanks already missing, typed as the first of the kinds that it reads as.

    At least 95 % of the values have to read as the kind; a column without any value is one of
    numbers, and what reads as nothing else is a category.
    """
    for name in among:
        kind = KINDS[name]
        if not kind.may_be(values) or not _worth_reading(values, kind):
            continue
        column = kind.read(values)
        if column.notna().sum() >= READABLE_SHARE * values.notna().sum():
            return _checked(name, values, column)
    return typed_as(values, CATEGORY)


def typed_as(values: pd.Series, kind: str, formats: Sequence[str] = ()) -> Typed:
    """Return a column, blanks already missing, typed as the kind that it is said to be.

    `formats` are those of dates, beside ISO 8601.
    """
    if kind == DATE:
        return _checked(kind, values, as_dates(values, formats))
    return _checked(kind, values, KINDS[kind].read(values))


def _checked(kind: str, values: pd.Series, column: pd.Series) -> Typed:
    """Return the typed column with infinite numbers missing, and where values were lost."""
    if kind == NUMBER:
        infinite = np.isinf(column.to_numpy())
        column = column.mask(infinite) if infinite.any() else column
    lost = column.isna() & values.notna()
    return Typed(kind, column, np.flatnonzero(lost))


def _worth_reading(values: pd.Series, kind: Kind) -> bool:
    """Say whether half of some values read as a kind: to read a long column in vain takes long."""
    if pd.api.types.is_numeric_dtype(values):
        return True
    some = drawn(values)
    return bool(kind.read(some).notna().sum() >= len(some) / 2)


def drawn(values: pd.Series) -> pd.Series:
    """Return some of the values that are there, drawn at random where there are many."""
    some = values.dropna()
    if len(some) > LOOKED_AT:
        # evenly spaced ones would miss whatever recurs with the same period
        some = some.iloc[np.random.default_rng(0).integers(len(some), size=LOOKED_AT)]
    return some


def kind_of(values: pd.Series) -> str:
    """Return the kind of a typed column."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return DATE
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return NUMBER
    # both are strings: the type of texts has another value for missing ones
    is_text = isinstance(values.dtype, pd.StringDtype) and values.dtype.na_value is pd.NA
    return TEXT if is_text else CATEGORY


def kinds_of(frame: pd.DataFrame) -> dict[str, str]:
    """Return {column: kind} of a table of typed columns."""
    return {column: kind_of(frame[column]) for column in frame.columns}


def typed_by_type(frame: pd.DataFrame) -> pd.DataFrame:
    """Return columns that code made, each typed as the kind that its type says, not its values."""
    columns = {}
    for column in frame.columns:
        values = frame[column].infer_objects()
        if not is_clean(values, KINDS[kind_of(values)].pandas_type):
            values = typed_as(blank_to_missing(values), kind_of(values)).values
        columns[column] = values
    return pd.DataFrame(columns, index=frame.index)


def pandas_types(kinds: dict[str, str]) -> dict[str, str]:
    """Return {column: pandas type} for {column: kind}."""
    return {column: KINDS[kind].pandas_type for column, kind in kinds.items()}


def of_kind(kinds: dict[str, str], wanted: str) -> list[str]:
    """Return the columns of one kind, in their order."""
    return [column for column, kind in kinds.items() if kind == wanted]


def as_json(frame: pd.DataFrame) -> pd.DataFrame:
    """Return typed columns as JSON holds them: dates in ISO 8601, None where a value is missing."""
    plain = frame.astype(object)
    for column in of_kind(kinds_of(frame), DATE):
        plain[column] = frame[column].map(pd.Timestamp.isoformat, na_action="ignore").astype(object)
    return plain.where(frame.notna(), None)


def conform(
    frame: pd.DataFrame,
    kinds: dict[str, str],
    origin: str = "the input",
    formats: Formats | None = None,
) -> pd.DataFrame:
    """Return the columns that `kinds` names, typed and in its order; other columns are left out.

    `formats` are those of columns of dates, beside ISO 8601. Raises DataError that names every
    missing column, or every column that holds a value which does not read as its kind.
    """
    missing = [column for column in kinds if column not in frame.columns]
    if missing:
        raise DataError(f"{origin}: no column {errors.listed(missing)}, which the model needs")
    columns = {}
    faults: dict[str, list[str]] = {}
    for column, kind in kinds.items():
        if is_clean(frame[column], KINDS[kind].pandas_type):
            columns[column] = frame[column]
            continue
        raw = blank_to_missing(frame[column])
        found = typed_as(raw, kind, (formats or {}).get(column, ()))
        columns[column] = found.values
        if len(found.unreadable):
            faults.setdefault(kind, []).append(f"{column} ({found.fault(raw)})")
    if faults:
        told = [f"{UNREADABLE[kind]}: {'; '.join(named)}" for kind, named in faults.items()]
        raise DataError(f"{origin}: {'; '.join(told)}; fix the values")
    return pd.DataFrame(columns, index=frame.index)


UNREADABLE = {NUMBER: "text in a column of numbers", DATE: "no date in a column of dates"}
