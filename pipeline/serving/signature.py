"""What a model may be asked: its features as the typed fields of a request, and the same rule for a table.

A number is finite and within what 32-bit tables hold; a category is a text, or a number or truth value that reads as one; null is
allowed where the training rows had missing values. Every feature has to be there, nothing else may.
"""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import (
    AllowInfNan,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from pipeline.data import reading
from pipeline.data.kinds import CATEGORY, NUMBER, category_text, conform
from pipeline.models.fitted import Blend
from pipeline.project.errors import DataError

LARGEST = float(np.finfo(np.float32).max)  # trees and boosters read numbers into 32 bits
MOST_FAULTS = 20  # that an answer names


class BadRequest(Exception):
    """A request that breaks the rule; `faults` says where and why, as FastAPI's own answers do."""

    def __init__(self, faults: list[dict]):
        super().__init__(faults)
        self.faults = faults


@dataclass(frozen=True)
class Column:
    """What a feature may hold; `categories` are the known ones, `closed` refuses others."""

    kind: str
    nullable: bool
    categories: tuple[str, ...] = ()
    closed: bool = False


class Signature:
    """The features of a model, each with its rule."""

    def __init__(self, columns: dict[str, Column]):
        self.columns = columns
        self.row = TypedDict("Row", {name: _field(column) for name, column in columns.items()})
        self.row.__pydantic_config__ = ConfigDict(extra="forbid", strict=True)
        self._one, self._many = (
            TypeAdapter(self.row),
            TypeAdapter(Annotated[list[self.row], Field(min_length=1)]),
        )

    def rows(self, body: bytes) -> list[dict]:
        """Return the rows of a request's JSON body, an object or a list of them; each has the features in the model's order.

        Raises BadRequest.
        """
        try:
            if body.lstrip()[:1] == b"[":
                return self._many.validate_json(body)
            return [self._one.validate_json(body)]
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False, include_input=False)[
                :MOST_FAULTS
            ]
            raise BadRequest(
                [{**fault, "loc": ["body", *fault["loc"]]} for fault in faults]
            ) from None

    def table(self, frame: pd.DataFrame, origin: str) -> pd.DataFrame:
        """Return a table's features in the model's order and types; other columns are left out.

        Raises DataError that names every column that breaks the rule.
        """
        typed = conform(frame, {name: column.kind for name, column in self.columns.items()}, origin)
        faults = []
        for name, column in self.columns.items():
            values = typed[name]
            if column.kind == CATEGORY:
                known = frozenset(column.categories)
                values = values.map(
                    {text: _spelt(text, known) for text in values.dropna().unique()},
                    na_action="ignore",
                )
                typed[name] = values = values.astype("str")
                wrong, what = (
                    values.notna() & ~values.isin(known) & column.closed,
                    "a category that training had not",
                )
            else:
                wrong, what = values.abs() > LARGEST, f"a number beyond {LARGEST:.3g}"
            if not column.nullable and values.isna().any():
                faults.append(
                    f"{name}: a missing value, where training had none, in {reading.rows_in_file(values.index[values.isna()])}"
                )
            elif wrong.any():
                faults.append(
                    f"{name}: {what} ({str(values[wrong].iloc[0])!r} in {reading.rows_in_file(values.index[wrong])})"
                )
        if faults:
            raise DataError(f"{origin}: {'; '.join(faults)}; mend the values")
        return typed

    def schema(self) -> dict:
        """Return the JSON schema of a row."""
        return self._one.json_schema()


def signature(model, statistics: dict, closed: bool) -> Signature:
    """Return the signature of a model or blend by its fitted preprocessing and the statistics of its training rows."""
    known = {}
    for preprocessing in (
        model.preprocessings.values() if isinstance(model, Blend) else [model.preprocessing]
    ):
        for _, transformer, taken in preprocessing.transformers_:
            if hasattr(transformer, "categories_"):
                known |= {
                    column: tuple(category for category in categories if isinstance(category, str))
                    for column, categories in zip(taken, transformer.categories_)
                }
    return Signature(
        {
            name: Column(kind, statistics[name]["missing_share"] > 0, known.get(name, ()), closed)
            for name, kind in model.spec.inputs.items()
        }
    )


def _field(column: Column):
    if column.kind == NUMBER:
        number = Annotated[float, Field(ge=-LARGEST, le=LARGEST), AllowInfNan(False)]
        return number | None if column.nullable else number
    return Annotated[
        str | None, PlainValidator(_category(column)), WithJsonSchema(_category_schema(column))
    ]


def _category(column: Column):
    """Return a function that gives the text of a category, or None for a missing one, and refuses what is no category."""
    known = frozenset(column.categories)

    def read(value):
        if isinstance(value, str):
            value = value.strip() or None
        elif isinstance(value, bool | int) or isinstance(value, float) and math.isfinite(value):
            value = category_text(value)
        elif value is not None:
            raise PydanticCustomError(
                "category_type", "Input should be a text, a number, true or false"
            )
        if value is None:
            if not column.nullable:
                raise PydanticCustomError(
                    "category_missing",
                    "Input should not be empty: training had no missing value here",
                )
            return None
        value = _spelt(value, known)
        if column.closed and value not in known:
            raise PydanticCustomError(
                "category_unseen", "Input should be one of the categories that training had"
            )
        return value

    return read


def _spelt(text: str, known: frozenset[str]) -> str:
    """Return a category as training spelt it: 20.0 and 020 are "20" where that is one and they are none."""
    if text in known:
        return text
    try:
        number = category_text(float(text))
    except ValueError:
        return text
    return number if number in known else text


def _category_schema(column: Column) -> dict:
    if column.closed:
        kinds = [
            {
                "enum": [
                    *column.categories,
                    *(int(text) for text in column.categories if text == str(_integer(text))),
                ]
            }
        ]
        kinds += [{"type": "string", "pattern": r"^\s*$"}] * column.nullable
    else:
        text = {"type": "string"} if column.nullable else {"type": "string", "pattern": r"\S"}
        kinds = [text, {"type": "number"}, {"type": "boolean"}]
    return {
        "anyOf": kinds + [{"type": "null"}] * column.nullable,
        "examples": list(column.categories[:5]),
    }


def _integer(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
