"""The source of a new dataset: its table as generate_data.py will write it, and how it is read."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ops.proposal import spelling
from ops.proposal.wish import Wish
from pipeline.data import kinds, reading, sources
from pipeline.data.formats import text
from pipeline.data.formats.form import Format
from pipeline.data.formats.opened import Opened, opened
from pipeline.data.formats.spellings import with_columns_of
from pipeline.data.sources import Wanted
from pipeline.project.errors import DataError


@dataclass(frozen=True)
class Found:
    """A table to describe, blanks missing, and what params.yaml is to say of its source.

    `settings` are keys of the `data` block, `codes` columns whose digits begin with a zero, and
    `remarks` say why.
    """

    frame: pd.DataFrame
    settings: dict[str, Any]
    codes: list[str]
    remarks: list[str]


def found(wish: Wish) -> Found:
    """Return the table of a source, as the options or its own values say that it is written.

    Raises DataError or UsageError where there is no such table.
    """
    wanted, place = Wanted(wish.name, wish.source), sources.source_of(wish.source)
    sources.check(wanted)
    watched = place.watched(wanted)
    if not place.is_file:
        frame = place.read(wanted).apply(kinds.blank_to_missing)
        return Found(frame, {"source": wish.source, "depends_on": watched}, [], [])
    form = Format(wish.separator, wish.encoding or "utf-8", sheet=wish.sheet)
    with opened(Path(watched), form) as file:
        return _of_file(file, watched, wish)


def _of_file(file: Opened, watched: str, wish: Wish) -> Found:
    form, named_separator = file.form, wish.separator
    if file.is_text and named_separator is None:
        delimiter = spelling.separator(file.path, form.encoding)
        if delimiter != form.separator:
            named_separator = delimiter
        form = replace(form, separator=delimiter)
    raw, texts = _both(replace(file, form=form))
    spelt = spelling.spelling(texts, form.separator or ",")
    form = replace(
        form, decimal=spelt.decimal, thousands=spelt.thousands, missing=tuple(spelt.missing)
    )
    if form.decimal != ".":
        raw = reading.raw_table(replace(file, form=form))
    form = with_columns_of(raw, form)
    frame = reading.respelled(raw, form, file.origin)
    settings = {
        "source": watched,
        "depends_on": watched,
        "separator": named_separator,
        "encoding": wish.encoding,
        "sheet": wish.sheet,
        "decimal": form.decimal if form.decimal != "." else None,
        "thousands": form.thousands,
        "missing": spelt.missing or None,
    }
    remarks = [*spelt.remarks]
    if form.signs:
        named = ", ".join(f"{column!r} ({sign})" for column, sign in form.signs.items())
        remarks.append(f"read as numbers, without the sign that every value has: {named}")
    codes = _codes(frame, texts)
    frame = frame.assign(**{name: _as_spelt(frame[name], texts[name]) for name in codes})
    return Found(frame.apply(kinds.blank_to_missing), settings, codes, remarks)


def _both(file: Opened) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table of a file, and the same with each value as the text that the file has."""
    raw = reading.raw_table(file)
    if file.is_columnar:
        names = [name for name in raw if pd.api.types.is_string_dtype(raw[name].dtype)]
        return raw, raw[names]
    chunks = list(text.in_parts(file.path, file.form, file.origin, len(raw)))
    texts = pd.concat(chunks)
    if len(texts) != len(raw):
        raise DataError(f"{file.origin}: rows of different lengths; fix the file")
    return raw, texts


def _codes(frame: pd.DataFrame, texts: pd.DataFrame) -> list[str]:
    """Return the columns of digits of which some begin with a zero: 00501 is not 501."""
    codes = []
    for name in texts:
        if pd.api.types.is_numeric_dtype(frame[name]) and texts[name].str.match(r"-?0\d").any():
            codes.append(str(name))
    return codes


def _as_spelt(values: pd.Series, texts: pd.Series) -> pd.Series:
    return texts.set_axis(values.index).where(values.notna())
