"""Doubts: columns whose kind or values may not be what the table's owner meant, and what to set."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import cleaning, kinds
from pipeline.data.kinds import CATEGORY, NUMBER
from pipeline.data.spelling.dates import ISO, FormatCount, found_formats, in_words
from pipeline.project import errors
from pipeline.project.settings.data import Data

# of a column's values, drawn at random, that are looked at for how they are written
LOOKED_AT = kinds.LOOKED_AT
# of these, from which on a column of text is taken to be meant as numbers or dates
SHARE = 0.5
# different numbers of a column of text; a few of them may well be names of categories
FEWEST_NUMBERS = 5
# share of the rows of the different values of a column that is no category
LEVELS_SHARE = 0.5
# rows below which all values may differ by chance
FEWEST_ROWS = 50
# columns that a line names; quality.json has all
MOST_TOLD = 30
# words of a text that nobody takes for a category
MANY_WORDS = 6

# 1,234.5 or 1.234,5 or 1 234 or 0,5, with a sign, a currency, a percent sign or a unit
_DIGITS = r"(\d{1,3}([,.' \u00a0\u202f]\d{3})+|\d+)([.,]\d+)?|[.,]\d+"
_CURRENCY = r"[$€£¥₹]|[A-Z]{3}\s"
SPELT_NUMBER = re.compile(
    rf"\(?[-+−]?\s*({_CURRENCY})?\s*[-+−]?({_DIGITS})"
    r"\s*([%‰$€£¥₹]|\s[A-Za-zµ°²³/]{1,6})?\)?"
)
PLAIN_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
SPELT_DATE = re.compile(
    r"(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}[- ][A-Za-z]{3,9}\.?[- ]\d{2,4}"
    r"|[A-Za-z]{3,9}\.? \d{1,2},? \d{4})([T ,]+\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(:\d{2}.*)?"
)


@dataclass(frozen=True)
class Doubt:
    """What may be wrong with a column, and what to set or to change."""

    column: str
    what: str
    do: str

    def as_json(self) -> dict[str, Any]:
        """Return it as quality.json holds it."""
        return asdict(self)


@dataclass(frozen=True)
class Column:
    """A column as it was read, blanks missing, and in its final type."""

    raw: pd.Series
    kind: str
    levels: pd.Index


def find(
    raw: pd.DataFrame, cleaned: pd.DataFrame, data: Data, split_column: str | None = None
) -> list[Doubt]:
    """Return what is doubtful in the columns of a cleaned table, in its order.

    The columns of the split and of the weights are no features. A column whose kind params.yaml
    names is of that kind for certain; labels that differ in case only are looked for in all
    categories, the target's too.
    """
    doubts = []
    no_features = [column for column in (split_column, data.weight) if column]
    for name in cleaned.columns.drop(no_features):
        is_settled = name == data.target or cleaning.declared_kind(str(name), data) is not None
        checks = SPELLING_CHECKS if is_settled else CHECKS
        doubt = of_column(raw[name], cleaned[name], checks)
        if doubt is not None:
            doubts.append(doubt)
    return doubts


def of_column(
    raw: pd.Series, typed: pd.Series, checks: "tuple[Check, ...] | None" = None
) -> Doubt | None:
    """Return the first doubt about a column, None where there is none."""
    values = kinds.blank_to_missing(raw).dropna()
    if values.empty:
        return None
    kind = kinds.kind_of(typed)
    levels = pd.Index(typed.dropna().unique()) if kind == CATEGORY else pd.Index([])
    column = Column(values, kind, levels)
    for check in checks or CHECKS:
        doubt = check(column)
        if doubt is not None:
            return doubt
    return None


def in_figures(figures: Mapping[str, Any]) -> list[Doubt]:
    """Return the doubts that quality.json holds."""
    return [Doubt(**doubt) for doubt in figures.get("doubts", [])]


def lines(doubts: list[Doubt]) -> list[str]:
    """Return the doubts in words: the columns that share a remedy in one line."""
    columns: dict[str, list[str]] = {}
    for doubt in doubts:
        columns.setdefault(doubt.do, []).append(f"{doubt.column} ({doubt.what})")
    return [f"{_and_more(named)}: {do}" for do, named in columns.items()]


def _and_more(named: list[str]) -> str:
    further = len(named) - MOST_TOLD
    return ", ".join(named[:MOST_TOLD]) + (f" and {further:,} more" if further > 0 else "")


def _some(values: pd.Series) -> pd.Series:
    """Return the texts of some values, drawn at random."""
    if len(values) > LOOKED_AT:
        values = values.iloc[np.random.default_rng(0).integers(len(values), size=LOOKED_AT)]
    return values.map(kinds.category_text)


def _name(column: Column) -> str:
    return str(column.raw.name)


def is_meant_as_numbers(values: pd.Series) -> bool:
    """Say whether half of a column of text, blanks missing, reads as numbers in any spelling."""
    texts = _some(values.dropna())
    return bool(_spelt_numbers(texts).mean() >= SHARE) if len(texts) else False


def _spelt_numbers(texts: pd.Series) -> pd.Series:
    """Say of each text whether it reads as a number in any spelling."""

    def is_number(text: str) -> bool:
        return bool(PLAIN_NUMBER.fullmatch(text) or SPELT_NUMBER.fullmatch(text))

    return texts.map(is_number)


def _is_plain(text: str) -> bool:
    return PLAIN_NUMBER.fullmatch(text) is not None


def _numbers_in_text(column: Column) -> Doubt | None:
    if column.kind != CATEGORY or len(column.levels) < FEWEST_NUMBERS:
        return None
    texts = _some(column.raw)
    is_number = _spelt_numbers(texts)
    numbers, rest = texts[is_number], texts[~is_number]
    if is_number.mean() < SHARE or numbers.nunique() < FEWEST_NUMBERS:
        return None
    others = numbers[~numbers.map(_is_plain)]
    if len(others):
        return Doubt(
            _name(column),
            f"numbers in another spelling, such as {others.iloc[0]!r}, taken as categories",
            "set data.decimal and data.thousands as the source spells them, give every value the "
            "same sign, or name the column in data.categorical",
        )
    if rest.empty:
        return None
    return Doubt(
        _name(column),
        f"{len(numbers) / len(texts):.0%} numbers, the rest such as {rest.iloc[0]!r}, taken as "
        f"categories",
        "name the words that mean a missing value in data.missing, or the column in "
        "data.categorical",
    )


TIME_REMEDY = "set prepare.split: time:<column> where it says when a row became known"


def dates(column: Column) -> Doubt | None:
    """Return a doubt about dates, also those written as the numbers 20241231."""
    if column.kind == NUMBER:
        return _dates_as_numbers(column)
    if column.kind != CATEGORY:
        return None
    texts = _some(column.raw)
    spelt = texts[texts.map(lambda text: SPELT_DATE.fullmatch(text) is not None)]
    if len(spelt) < SHARE * len(texts):
        return None
    formats = found_formats(column.raw.map(kinds.category_text))
    if not formats:
        what = f"times, such as {spelt.iloc[0]!r}, taken as categories"
        return Doubt(_name(column), what, "put numbers in its place or name it in data.drop")
    what = f"dates, taken as categories: {in_words(formats)}"
    return Doubt(_name(column), what, _date_remedy(column, formats))


def _date_remedy(column: Column, formats: list[FormatCount]) -> str:
    """Return what to set so that a column is read as dates."""
    names = [one.format for one in formats if one.format != ISO]
    listed = ", ".join(f'"{name}"' for name in names)
    value = f"[{listed}]" if len(names) > 1 else listed or "[]"
    remedy = f"set data.dates: {{{_name(column)}: {value}}}"
    if any(one.others for one in formats):
        remedy += ", the formats that are meant"
    return f"{remedy}; {TIME_REMEDY}"


def _dates_as_numbers(column: Column) -> Doubt | None:
    numbers = pd.to_numeric(column.raw, errors="coerce").dropna()
    if numbers.empty or numbers.min() < 19000101 or numbers.max() > 21001231:
        return None
    if numbers.nunique() < FEWEST_NUMBERS or (numbers % 1 != 0).any():
        return None
    texts = numbers.astype("int64").astype(str)
    if pd.to_datetime(texts, format="%Y%m%d", errors="coerce").isna().any():
        return None
    what = f"dates, such as {texts.iloc[0]}, taken as numbers"
    remedy = f'set data.dates: {{{_name(column)}: "%Y%m%d"}}'
    return Doubt(_name(column), what, f"{remedy}; {TIME_REMEDY}")


def _key(column: Column) -> Doubt | None:
    """Return a doubt about whole numbers that differ in every row."""
    if column.kind != NUMBER or len(column.raw) < FEWEST_ROWS:
        return None
    numbers = pd.to_numeric(column.raw, errors="coerce")
    if not numbers.is_unique or (numbers % 1 != 0).any():
        return None
    return Doubt(
        _name(column),
        "a whole number that differs in every row, as a key does, taken as a number",
        "name it in data.drop where it names rows, in data.numeric where it measures something",
    )


TEXT_REMEDY = (
    "name it in data.drop, in data.text where its words say something, or in data.categorical "
    "where the same values come back in new rows"
)


def _text(column: Column) -> Doubt | None:
    """Return a doubt about text with more values than a category has."""
    if column.kind != CATEGORY:
        return None
    n_levels, n_rows = len(column.levels), len(column.raw)
    if n_rows >= FEWEST_ROWS and n_levels == n_rows:
        return Doubt(_name(column), "a text that differs in every row", TEXT_REMEDY)
    words = _some(column.raw).str.split().str.len().median()
    if words >= MANY_WORDS and n_levels > FEWEST_NUMBERS:
        what = f"long text, {n_levels:,} different ones, taken as categories"
        return Doubt(_name(column), what, TEXT_REMEDY)
    if n_rows >= FEWEST_ROWS and n_levels >= LEVELS_SHARE * n_rows:
        what = f"{n_levels:,} categories in {n_rows:,} rows"
        return Doubt(_name(column), what, TEXT_REMEDY)
    return None


def _labels_alike(column: Column) -> Doubt | None:
    """Return a doubt about labels that are alike but for case, blanks or Unicode form."""
    first: dict[str, str] = {}
    for label in column.levels:
        alike = first.setdefault(_folded(str(label)), str(label))
        if alike != label:
            return Doubt(
                _name(column),
                f"{errors.listed([alike, label])} differ in case or blanks only",
                "write labels alike in the file where they mean the same",
            )
    return None


def _folded(label: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", label).casefold().split())


Check = Callable[[Column], Doubt | None]
SPELLING_CHECKS: tuple[Check, ...] = (_labels_alike,)
# the first that finds something is told
CHECKS: tuple[Check, ...] = (dates, _numbers_in_text, _text, _key, _labels_alike)
