"""The signature of a model: the rule of its rows, as fields of a request and for a table.

A number is finite and within what 32-bit tables hold; a category is a text, or a number or truth
value that reads as one; null is allowed where the training rows had missing values. Every input has
to be there, nothing else may.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

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
from pipeline.data.kinds import CATEGORY, LARGEST, NUMBER, category_text, conform
from pipeline.models.fitted import Blend, Fitted, Model
from pipeline.models.preprocessing import known_categories
from pipeline.project.errors import DataError

# that an answer names
MOST_FAULTS = 20
# known categories that a field's schema shows
MOST_EXAMPLES = 5


class BadRequest(Exception):
    """A request that breaks the rule; `faults` says where and why, as FastAPI's own answers do."""

    def __init__(self, faults: list[dict[str, Any]]) -> None:
        super().__init__(faults)
        self.faults = faults


@dataclass(frozen=True)
class Column:
    """What an input may hold; `categories` are the known ones, `closed` refuses others."""

    kind: str
    nullable: bool
    categories: tuple[str, ...] = ()
    closed: bool = False


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


class Signature:
    """The inputs of a model, each with its rule."""

    def __init__(self, columns: dict[str, Column]) -> None:
        self.columns = columns
        fields = {name: RULES[column.kind].field(column) for name, column in columns.items()}
        row = _row_type(fields)
        rows: Any = Annotated[list[row], Field(min_length=1)]  # type: ignore[valid-type]
        self._one: TypeAdapter[dict[str, Any]] = TypeAdapter(row)
        self._many: TypeAdapter[list[dict[str, Any]]] = TypeAdapter(rows)

    def rows(self, body: bytes) -> list[dict[str, Any]]:
        """Return the rows of a request's JSON body, an object or a list of them.

        Each has the inputs in the model's order. Raises BadRequest.
        """
        try:
            if body.lstrip()[:1] == b"[":
                return self._many.validate_json(body)
            return [self._one.validate_json(body)]
        except ValidationError as error:
            raise BadRequest(_faults(error)) from None

    def table(self, frame: pd.DataFrame, origin: str) -> pd.DataFrame:
        """Return a table's inputs in the model's order and types; other columns are left out.

        Raises DataError that names every column that breaks the rule.
        """
        kinds = {name: column.kind for name, column in self.columns.items()}
        typed = conform(frame, kinds, origin)
        faults = []
        for name, column in self.columns.items():
            checked = RULES[column.kind].check(typed[name], column)
            typed[name] = checked.values
            fault = _table_fault(checked, column)
            if fault:
                faults.append(f"{name}: {fault}")
        if faults:
            raise DataError(f"{origin}: {'; '.join(faults)}; fix the values")
        return typed

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of a row."""
        return self._one.json_schema()


def _row_type(fields: dict[str, Any]) -> Any:
    """Return the type of a row as pydantic checks it: a dict of just these fields."""
    make_type: Any = TypedDict
    row = make_type("Row", fields)
    row.__pydantic_config__ = ConfigDict(extra="forbid", strict=True)
    return row


def signature(model: Fitted, statistics: dict[str, Any], closed: bool) -> Signature:
    """Return the signature of a model by its preprocessing and its training rows' statistics.

    `statistics` are those of train_stats.json, by input; `closed` refuses unseen categories.
    """
    known = _known_categories(model, statistics)
    columns = {}
    for name, kind in model.spec.inputs.items():
        nullable = statistics[name]["missing_share"] > 0
        columns[name] = Column(kind, nullable, known.get(name, ()), closed)
    return Signature(columns)


def _known_categories(model: Fitted, statistics: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the categories that each input had in training.

    The preprocessing knows those of the features: of inputs that the user's own code turns into
    them, the statistics list all.
    """
    known: dict[str, tuple[str, ...]] = {}
    if not model.spec.own.makes_columns:
        for preprocessing in _preprocessings(model):
            known |= known_categories(preprocessing)
        return known
    for name in model.spec.inputs:
        known[name] = tuple(sorted(statistics[name].get("categories", ())))
    return known


def _preprocessings(model: Fitted) -> Iterable[Any]:
    if isinstance(model, Blend):
        return model.preprocessings.values()
    assert isinstance(model, Model)
    return [model.preprocessing]


def _faults(error: ValidationError) -> list[dict[str, Any]]:
    """Return what pydantic finds wrong, as FastAPI's own answers say it."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return [{**fault, "loc": ["body", *fault["loc"]]} for fault in faults[:MOST_FAULTS]]


def _table_fault(checked: Checked, column: Column) -> str | None:
    """Return what breaks the rule in a column of a table, and in which lines; None if nothing."""
    values = checked.values
    missing = values.isna()
    if missing.any() and not column.nullable:
        lines = reading.rows_in_file(values.index[missing])
        return f"a missing value, where training had none, in {lines}"
    if checked.wrong.any():
        first = str(values[checked.wrong].iloc[0])
        lines = reading.rows_in_file(values.index[checked.wrong])
        return f"{checked.what} ({first!r} in {lines})"
    return None


# numbers


def _number_field(column: Column) -> Any:
    number = Annotated[float, Field(ge=-LARGEST, le=LARGEST), AllowInfNan(False)]
    return number | None if column.nullable else number


def _checked_numbers(values: pd.Series, column: Column) -> Checked:
    return Checked(values, values.abs() > LARGEST, f"a number beyond {LARGEST:.3g}")


# categories


def _category_field(column: Column) -> Any:
    validator = PlainValidator(_category_reader(column))
    return Annotated[str | None, validator, WithJsonSchema(_category_schema(column))]


def _category_reader(column: Column) -> Callable[[Any], str | None]:
    """Return a function that gives the text of a category, or None for a missing one.

    It refuses what is not a category.
    """
    known = frozenset(column.categories)

    def read(value: Any) -> str | None:
        text = _text(value)
        if text is None:
            if not column.nullable:
                reason = "Input should not be empty: training had no missing value here"
                raise PydanticCustomError("category_missing", reason)
            return None
        text = _spelled(text, known)
        if column.closed and text not in known:
            reason = "Input should be one of the categories of the training rows"
            raise PydanticCustomError("category_unseen", reason)
        return text

    return read


def _text(value: Any) -> str | None:
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
    schemas: list[dict[str, Any]] = []
    if column.closed:
        schemas.append({"enum": [*column.categories, *_whole_numbers(column.categories)]})
        if column.nullable:
            schemas.append({"type": "string", "pattern": r"^\s*$"})
    else:
        text: dict[str, Any] = {"type": "string"}
        if not column.nullable:
            text["pattern"] = r"\S"
        schemas += [text, {"type": "number"}, {"type": "boolean"}]
    if column.nullable:
        schemas.append({"type": "null"})
    return {"anyOf": schemas, "examples": list(column.categories[:MOST_EXAMPLES])}


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


def _checked_categories(values: pd.Series, column: Column) -> Checked:
    known = frozenset(column.categories)
    spelled = {text: _spelled(text, known) for text in values.dropna().unique()}
    values = values.map(spelled, na_action="ignore").astype("str")
    wrong = values.notna() & ~values.isin(known) & column.closed
    return Checked(values, wrong, "an unseen category")


RULES = {
    NUMBER: Rule(_number_field, _checked_numbers),
    CATEGORY: Rule(_category_field, _checked_categories),
}
