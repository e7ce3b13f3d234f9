"""The signature of a model: the rule of its rows, as fields of a request and for a table.

A number is finite and within what 32-bit tables hold; a category is a text, or a number or truth
value that reads as one; a date is a text in ISO 8601, or in a format that params.yaml names; a text
is what reads as a category. null is allowed where the training rows had missing values. Every input
has to be there, nothing else may.
"""

from collections.abc import Iterable
from typing import Annotated, Any

import pandas as pd
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from pipeline.data import reading
from pipeline.data.kinds import conform
from pipeline.models.fitted import Blend, Fitted, Model
from pipeline.models.preprocessing import known_categories
from pipeline.project.errors import DataError
from pipeline.serving.inputs.column import Checked, Column
from pipeline.serving.inputs.rules import RULES

# that an answer names
MOST_FAULTS = 20


class BadRequest(Exception):
    """A request that breaks the rule; `faults` says where and why, as FastAPI's own answers do."""

    def __init__(self, faults: list[dict[str, Any]]) -> None:
        super().__init__(faults)
        self.faults = faults


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
        formats = {name: column.formats for name, column in self.columns.items()}
        typed = conform(frame, kinds, origin, formats)
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
        formats = tuple(model.spec.date_formats.get(name, ()))
        columns[name] = Column(kind, nullable, known.get(name, ()), closed, formats)
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
    faults = error.errors(include_url=False, include_context=False)
    return [_fault(dict(fault)) for fault in faults[:MOST_FAULTS]]


def _fault(fault: dict[str, Any]) -> dict[str, Any]:
    """Return one fault without the value, which may be a secret, but with what is wrong about it.

    A row of a CSV file that became JSON has texts in place of numbers.
    """
    value = fault.pop("input")
    if fault["type"] == "float_type" and isinstance(value, str):
        fault["msg"] += ": without quotes, or null where the value is missing"
    elif fault["type"] == "float_type" and value is None:
        fault["msg"] += ": no training row lacks this value"
    return {**fault, "loc": ["body", *fault["loc"]]}


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
