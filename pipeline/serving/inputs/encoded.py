"""Rows encoded as a fitted preprocessing does it, without a table.

Numbers go through numpy, each category through a dictionary of what the fitted encoder makes of it,
dates and texts through the encoder itself.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data.kinds import CATEGORY, DATE, KINDS, TEXT
from pipeline.models.preprocessing import LEVELS, encoder_columns, fitted_steps

# a category that no table holds
UNSEEN = "\0unseen"
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=timezone.utc), timedelta(microseconds=1)

Row = dict[str, Any]
Block = Callable[[list[Row]], np.ndarray]


class NotCompiled(Exception):
    """The model has a part that is not known here, or its compiled form gives another answer."""


@dataclass(frozen=True)
class _Category:
    """What the encoder makes of a column: the values of its output columns, by category."""

    column: str
    known: dict[str | None, list[float]]
    unseen: list[float]


class RowEncoder:
    """A fitted preprocessing that takes rows in place of a table."""

    def __init__(self, preprocessing: Any) -> None:
        self.blocks: list[Block] = []
        self.categories: list[_Category] = []
        self.integer = False
        for name, transformer, taken in preprocessing.transformers_:
            if _is_dropped(transformer) or not len(taken):
                continue
            if name == KINDS[CATEGORY].step:
                self._add_categories(transformer, list(taken))
            elif self.categories:
                raise NotCompiled("the preprocessing puts numbers after categories")
            else:
                self.blocks.append(_block(name, transformer, list(taken)))

    def _add_categories(self, encoder: Any, taken: list[str]) -> None:
        encoded = _encoded_categories(encoder, taken)
        self.integer = encoded.integer
        self.categories += encoded.categories

    def transform(self, rows: list[Row]) -> Any:
        """Return what the preprocessing makes of the rows.

        An array, or for CatBoost, whose categories are integers, lists.
        """
        parts = [block(rows) for block in self.blocks]
        if self.integer:
            numbers = np.hstack(parts).tolist() if parts else [[] for _ in rows]
            return [[*left, *_codes(row, self.categories)] for left, row in zip(numbers, rows)]
        if self.categories:
            parts.append(_looked_up(self.categories)(rows))
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _is_dropped(transformer: Any) -> bool:
    return isinstance(transformer, str) and transformer == "drop"


def _block(name: str, transformer: Any, columns: list[str]) -> Block:
    """Return a function of rows that gives what a transformer makes of some of their columns."""
    encoder, *others = fitted_steps(transformer)
    pick = _picker(columns)

    def of_dates(rows: list[Row]) -> np.ndarray:
        return encoder.encoded(_moments([pick(row) for row in rows]))

    def of_texts(rows: list[Row]) -> np.ndarray:
        return encoder.encoded(list(zip(*[pick(row) for row in rows])))

    def of_numbers(rows: list[Row]) -> np.ndarray:
        return np.array([pick(row) for row in rows], dtype=np.float64)

    known: dict[str, Block] = {KINDS[DATE].step: of_dates, KINDS[TEXT].step: of_texts}
    if name == LEVELS:
        known[LEVELS] = _looked_up(_encoded_categories(encoder, columns).categories)
    steps = [_arithmetic(step) for step in (others if name in known else [encoder, *others])]
    first = known.get(name, of_numbers)

    def encoded(rows: list[Row]) -> np.ndarray:
        numbers = first(rows)
        for step in steps:
            numbers = step(numbers)
        return numbers

    return encoded


def _looked_up(categories: list[_Category]) -> Block:
    """Return a function of rows that gives what an encoder makes of their categories."""

    def codes(rows: list[Row]) -> np.ndarray:
        return np.array([_codes(row, categories) for row in rows], dtype=np.float64)

    return codes


def _codes(row: Row, categories: list[_Category]) -> list[float]:
    codes: list[float] = []
    for category in categories:
        codes += category.known.get(row[category.column], category.unseen)
    return codes


def _moments(rows: list[tuple[datetime | None, ...]]) -> np.ndarray:
    """Return dates as the encoder takes them: microseconds since 1970, NaN where missing."""
    moments = [
        [np.nan if date is None else (date - EPOCH) / MICROSECOND for date in dates]
        for dates in rows
    ]
    return np.array(moments, dtype=np.float64)


def _picker(columns: list[str]) -> Callable[[Row], tuple[Any, ...]]:
    """Return a function that takes a row's values of some columns."""
    if not columns:
        return lambda row: ()
    if len(columns) == 1:
        only = columns[0]
        return lambda row: (row[only],)
    return itemgetter(*columns)


def _arithmetic(step: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function of an array of numbers that does what a fitted step does."""
    name = "passthrough" if isinstance(step, str) else type(step).__name__
    if name == "SimpleImputer":
        # a column without any value is filled with 0
        fill = np.nan_to_num(step.statistics_)
        return lambda numbers: np.where(np.isnan(numbers), fill, numbers)
    if name == "StandardScaler":
        return lambda numbers: (numbers - step.mean_) / step.scale_
    if name == "passthrough" or name == "FunctionTransformer" and step.func is None:
        return lambda numbers: numbers
    raise NotCompiled(f"the preprocessing holds a {name}")


@dataclass(frozen=True)
class _Encoded:
    """What an encoder makes of its columns; `integer` says that its output has integers."""

    categories: list[_Category]
    integer: bool


def _encoded_categories(encoder: Any, columns: list[str]) -> _Encoded:
    """Ask an encoder what it makes of each known category, an unseen one and a missing one."""
    asked = []
    for categories in encoder.categories_:
        texts = [category for category in categories if isinstance(category, str)]
        asked.append([*texts, UNSEEN, None])
    longest = max(map(len, asked))
    frame = pd.DataFrame(
        {
            column: pd.Series([*values, *[None] * (longest - len(values))], dtype="str")
            for column, values in zip(columns, asked)
        }
    )
    with warnings.catch_warnings():
        # they are what is asked for
        warnings.filterwarnings("ignore", "Found unknown categories")
        output = np.asarray(encoder.transform(frame))
    source = np.array(encoder_columns(encoder, columns))
    categories = []
    for column, values in zip(columns, asked):
        own = output[:, source == column].tolist()
        known = dict(zip(values, own))
        categories.append(_Category(column, known, known[UNSEEN]))
    return _Encoded(categories, output.dtype.kind == "i")
