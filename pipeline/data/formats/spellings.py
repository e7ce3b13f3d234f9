"""Spellings: numbers with other marks or signs, words for missing and for true and false.

Each value is respelled by itself, so that a row reads alike in a table, in a part of it and alone.
Only which columns carry a sign, or hold true and false words alone, is read off a whole table: that
is found when the table is made, and kept.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data.formats.form import Format
from pipeline.project import errors, paths
from pipeline.project.errors import DataError

CURRENCY = r"[$€£¥₹]|USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD"
MINUS = "[-+−]?"
# the blanks that stand between groups of three digits
BLANKS = " \u00a0\u202f"
# what a mark for thousands is where a sign shows that numbers are meant, by the decimal mark
IMPLIED = {".": ",", ",": "."}
TRUE, FALSE = "True", "False"


def number_pattern(decimal: str, thousands: str | None, signed: bool = True) -> str:
    """Return the pattern of a number; with a mark for thousands, of groups of three digits."""
    whole = r"\d+"
    if thousands is not None:
        marks = BLANKS if thousands == " " else re.escape(thousands)
        whole = rf"(?:[1-9]\d{{0,2}}(?:[{marks}]\d{{3}})+|\d+)"
    mark = re.escape(decimal)
    minus = MINUS if signed else ""
    return rf"{minus}(?:{whole}(?:{mark}\d*)?|{mark}\d+)(?:[eE][-+]?\d+)?"


# what is read off a whole table


def with_columns_of(frame: pd.DataFrame, form: Format) -> Format:
    """Return a form with the columns of a whole table that carry signs, or true and false words."""
    return replace(form, signs=signs_in(frame, form), truths=truths_in(frame, form))


def signs_in(frame: pd.DataFrame, form: Format) -> dict[str, str]:
    """Return the columns of text of which every value carries the same sign, and that sign."""
    pattern = _sign_pattern(form)
    return _found_in(frame, form, lambda texts: _common_sign(texts, pattern))


def truths_in(frame: pd.DataFrame, form: Format) -> tuple[str, ...]:
    """Return the columns of text that hold words for true and false alone."""
    if not form.true_words and not form.false_words:
        return ()
    words = {*form.true_words, *form.false_words}
    return tuple(_found_in(frame, form, lambda texts: {text.strip() for text in texts} <= words))


def _found_in(
    frame: pd.DataFrame, form: Format, look: Callable[[np.ndarray], Any]
) -> dict[str, Any]:
    """Return what a look at the different values of each column of text finds, by column."""
    found = {}
    for column in frame.columns.difference(form.codes, sort=False):
        texts = _texts(frame[column], form.missing)
        if texts is not None and (result := look(texts)):
            found[str(column)] = result
    return found


def _texts(values: pd.Series, missing: tuple[str, ...]) -> np.ndarray | None:
    """Return the different values of a column of text, None of another and of an empty one."""
    if not is_text(values):
        return None
    texts = values[~values.isin(missing)].dropna().unique()
    is_all_text = len(texts) and all(isinstance(text, str) for text in texts)
    return texts if is_all_text else None


def is_text(values: pd.Series) -> bool:
    """Return whether a column may hold text, by its type."""
    return isinstance(values.dtype, pd.StringDtype) or values.dtype == object


def _sign_pattern(form: Format) -> re.Pattern[str]:
    thousands = form.thousands or IMPLIED[form.decimal]
    number = number_pattern(form.decimal, thousands, signed=False)
    return re.compile(
        rf"\s*(?P<open>\()?{MINUS}\s*(?P<before>{CURRENCY})?\s*{MINUS}{number}"
        rf"\s*(?P<after>{CURRENCY}|[%‰])?(?(open)\))\s*"
    )


def _common_sign(texts: np.ndarray, pattern: re.Pattern[str]) -> str | None:
    common = None
    for text in texts:
        found = pattern.fullmatch(text)
        sign = found and (found["before"] or found["after"])
        if not sign or common not in (None, sign):
            return None
        common = sign
    return common


# one column


def respelled(frame: pd.DataFrame, form: Format) -> pd.DataFrame:
    """Return a table with plain numbers, blanks for words that mean missing, True and False.

    Raises DataError where a column has numbers that may be of either spelling.
    """
    if not form.respells:
        return frame
    return pd.DataFrame({name: _column(frame[name], form) for name in frame}, index=frame.index)


def _column(values: pd.Series, form: Format) -> pd.Series:
    values = _without_missing_words(values, form)
    if not is_text(values) or values.name in form.codes:
        return values
    texts = values.astype("str").str.strip()
    if values.name in form.truths:
        truths = texts.isin(form.true_words).map({True: TRUE, False: FALSE})
        return truths.where(texts.isin([*form.true_words, *form.false_words]), texts)
    sign = form.signs.get(str(values.name))
    if sign is not None:
        return _plain_numbers(_without_sign(texts, sign), form.decimal, IMPLIED[form.decimal], form)
    if form.decimal == "." and form.thousands is None:
        return values
    _check_spelling(texts, form)
    return _plain_numbers(texts, form.decimal, form.thousands, form)


def _without_missing_words(values: pd.Series, form: Format) -> pd.Series:
    """Return a column in which the words that mean missing are missing, also numbers as -999."""
    if not form.missing:
        return values
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        numbers = pd.to_numeric(pd.Series(form.missing), errors="coerce").dropna()
        return values.mask(values.isin(numbers))
    if not is_text(values):
        return values
    texts = values.map(lambda value: value.strip() if isinstance(value, str) else value)
    return values.mask(texts.isin(form.missing))


def _without_sign(texts: pd.Series, sign: str) -> pd.Series:
    """Return texts without a sign; what stands in brackets is negative, as accounts have it."""
    bare = texts.str.replace(sign, "", regex=False).str.replace(r"\s+$|^\s+", "", regex=True)
    is_negative = bare.str.fullmatch(r"\(.*\)").fillna(False)
    inner = bare.str.replace(r"[()]", "", regex=True).str.strip()
    bare = bare.mask(is_negative, "-" + inner)
    return bare.str.replace(r"^([-+−])\s+", r"\1", regex=True)


def _plain_numbers(
    texts: pd.Series, decimal: str, thousands: str | None, form: Format
) -> pd.Series:
    """Return texts in which numbers of a spelling are spelled as 1234.5; other text stays."""
    thousands = form.thousands or thousands
    is_number = texts.str.fullmatch(number_pattern(decimal, thousands)).fillna(False)
    numbers = texts
    if thousands is not None:
        for mark in BLANKS if thousands == " " else thousands:
            numbers = numbers.str.replace(mark, "", regex=False)
    numbers = numbers.str.replace(decimal, ".", regex=False).str.replace("−", "-", regex=False)
    return texts.mask(is_number.astype(bool), numbers)


def _check_spelling(texts: pd.Series, form: Format) -> None:
    """Raise DataError where 1.5 stands among numbers with decimal commas: it may be either."""
    if form.decimal == "." or form.thousands == ".":
        return
    present = texts.dropna()
    is_dotted = present.str.fullmatch(r"[-+]?\d+\.\d+")
    is_number = present.str.fullmatch(number_pattern(form.decimal, form.thousands)) | is_dotted
    if not is_dotted.any() or is_number.mean() < 0.5:
        return
    raise DataError(
        f"column {errors.listed([texts.name])}: {present[is_dotted].iloc[0]!r} has a dot, and "
        f"data.decimal is a comma; set data.thousands: '.' in {paths.PARAMS} where the dot marks "
        f"thousands, or name the column in data.categorical"
    )
