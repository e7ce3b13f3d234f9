"""The column: what an input may hold, and what the rule of a kind is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, LiteralString

import pandas as pd
from pydantic_core import PydanticCustomError

from pipeline.data.kinds import CATEGORY, DATE, TEXT

# what a missing value of each kind is called in an answer; numbers are checked by pydantic itself
MISSING: dict[str, LiteralString] = {
    CATEGORY: "category_missing",
    DATE: "date_missing",
    TEXT: "text_missing",
}


@dataclass(frozen=True)
class Column:
    """What an input may hold.

    `categories` are the known ones, `closed` refuses others; `formats` are those of dates beside
    ISO 8601.
    """

    kind: str
    nullable: bool
    categories: tuple[str, ...] = ()
    closed: bool = False
    formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checked:
    """A typed column of a table, which of its values break the rule, and what such a value is."""

    values: pd.Series
    wrong: pd.Series
    what: str


@dataclass(frozen=True)
class Rule:
    """The rule of one kind of column: its field in a request, and its check in a table."""

    field: Callable[[Column], Any]
    check: Callable[[pd.Series, Column], Checked]


def check_may_be_missing(column: Column) -> None:
    """Raise PydanticCustomError where a value is missing and training had none missing."""
    if not column.nullable:
        reason = "Input should not be empty: training had no missing value here"
        raise PydanticCustomError(MISSING[column.kind], reason)
