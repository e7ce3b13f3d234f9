"""Categories and texts: what reads as either, and how a known category is spelled."""

import math
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import pandas as pd
from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from pipeline.data.kinds import category_text
from pipeline.serving.inputs.column import Checked, Column, check_may_be_missing

# known categories that a field's schema shows
MOST_EXAMPLES = 5


def category_field(column: Column) -> Any:
    validator = PlainValidator(_category_reader(column))
    return Annotated[str | None, validator, WithJsonSchema(_category_schema(column))]


def _category_reader(column: Column) -> Callable[[Any], str | None]:
    """Return a function that gives the text of a category, or None for a missing one.

    It refuses what is not a category.
    """
    known = frozenset(column.categories)

    def read(value: Any) -> str | None:
        if isinstance(value, str) and value in known:
            return value
        text = text_of(value)
        if text is None:
            check_may_be_missing(column)
            return None
        text = _spelled(text, known)
        if column.closed and text not in known:
            reason = "Input should be one of the categories of the training rows"
            raise PydanticCustomError("category_unseen", reason)
        return text

    return read


def text_of(value: Any) -> str | None:
    """Return the text that a JSON value stands for; None for null and blank text."""
    if value is None:
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool | int):
        return category_text(value)
    if isinstance(value, float) and math.isfinite(value):
        return category_text(value)
    raise PydanticCustomError("category_type", "Input should be a text, a number, true or false")


def _spelled(text: str, known: frozenset[str]) -> str:
    """Return a category as training spelled it.

    20.0 and 020 are "20" where that is a known category and they are not.
    """
    if text in known:
        return text
    try:
        number = category_text(float(text))
    except ValueError:
        return text
    return number if number in known else text


def _category_schema(column: Column) -> dict[str, Any]:
    """Return the JSON schema of a category: texts, and the numbers that stand for some."""
    if column.closed:
        schemas: list[dict[str, Any]] = [
            {"enum": [*column.categories, *_whole_numbers(column.categories)]}
        ]
        if column.nullable:
            schemas += [{"type": "string", "pattern": r"^\s*$"}, {"type": "null"}]
    else:
        schemas = _schemas_of_text(column)
    return {"anyOf": schemas, "examples": list(column.categories[:MOST_EXAMPLES])}


def _schemas_of_text(column: Column) -> list[dict[str, Any]]:
    """Return the JSON schemas of what reads as text."""
    text: dict[str, Any] = {"type": "string"}
    if not column.nullable:
        text["pattern"] = r"\S"
    schemas = [text, {"type": "number"}, {"type": "boolean"}]
    return [*schemas, {"type": "null"}] if column.nullable else schemas


def _whole_numbers(categories: Iterable[str]) -> list[int]:
    """Return the numbers that some categories are the text of."""
    numbers = []
    for text in categories:
        try:
            number = int(text)
        except ValueError:
            continue
        if str(number) == text:
            numbers.append(number)
    return numbers


def checked_categories(values: pd.Series, column: Column) -> Checked:
    known = frozenset(column.categories)
    spelled = {text: _spelled(text, known) for text in values.dropna().unique()}
    values = values.map(spelled, na_action="ignore").astype("str")
    wrong = values.notna() & ~values.isin(known) & column.closed
    return Checked(values, wrong, "an unseen category")


def text_field(column: Column) -> Any:
    def read(value: Any) -> str | None:
        text = text_of(value)
        if text is None:
            check_may_be_missing(column)
        return text

    return Annotated[
        str | None, PlainValidator(read), WithJsonSchema({"anyOf": _schemas_of_text(column)})
    ]


def checked_texts(values: pd.Series, column: Column) -> Checked:
    return Checked(values, pd.Series(False, index=values.index), "")
