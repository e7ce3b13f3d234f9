"""The compiled form of a model: it answers rows without a table, within a millisecond.

A fitted ColumnTransformer takes 2 to 18 ms for one row, a forest or scikit-learn's boosting 1 to
5 ms more, a booster 0.02 to 0.3 ms: overhead, not arithmetic. Here rows are encoded without a table
(inputs/encoded.py) and estimators asked without their classes (quick/). The form is taken only
where it repeats the model's own output on rows that it is shown.
"""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.models.fitted import Blend, Fitted, Model, table_of
from pipeline.scoring import thresholds
from pipeline.serving.inputs.encoded import NotCompiled, Row, RowEncoder
from pipeline.serving.quick.estimators import RowOutput, quick_estimator, row_output

# sums of many terms differ in their last digits with the number of rows, in the model, too
RELATIVE, ABSOLUTE = 1e-9, 1e-12
# of the checked rows, the first are asked for singly as well
ONE_BY_ONE = 100


class Form(Protocol):
    """A model that takes rows: {input: value}, None where one is missing."""

    def output(self, rows: list[Row]) -> np.ndarray:
        """Return what the model's own `output` does."""


def compile_model(model: Fitted, X: pd.DataFrame, expected: np.ndarray) -> Form:
    """Return the compiled form of a model or blend, whose output on the typed rows X is `expected`.

    Raises NotCompiled with the reason where the model cannot be compiled, or where the form's
    output on these rows, at once or one by one, is another one.
    """
    rows = as_rows(X)
    if model.spec.own.makes_columns:
        columns = model.transformed(model.features(X.head(ONE_BY_ONE)))
        form: Form = _OwnColumnsForm(model, _form(model, as_rows(columns)))
    else:
        form = _form(model, rows[:ONE_BY_ONE])
    _compare(model, form.output(rows), expected, "at once")
    few = rows[:ONE_BY_ONE]
    singly = np.concatenate([form.output([row]) for row in few])
    _compare(model, singly, expected[: len(few)], "one by one")
    return form


def as_rows(X: pd.DataFrame) -> list[Row]:
    """Return typed columns as rows of plain values, None where one is missing."""
    names = list(X.columns)
    columns = [_plain(X[name]) for name in names]
    return [dict(zip(names, row)) for row in zip(*columns)]


def typed_frame(rows: list[Row], inputs: dict[str, str]) -> pd.DataFrame:
    """Return rows of plain values as typed columns, {input: kind}; the way back from `as_rows`.

    Made column by column: to type the columns of a frame takes several times as long for one row.
    """
    columns = {}
    for name, pandas_type in kinds.pandas_types(inputs).items():
        columns[name] = pd.array([row[name] for row in rows], dtype=pandas_type)
    return pd.DataFrame(columns)


def _plain(values: pd.Series) -> list[Any]:
    """Return a typed column as plain values."""
    plain = values.tolist()
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        # pandas has a type of moments of its own, which JSON does not know
        plain = [moment.to_pydatetime() for moment in plain]
    return [None if _is_missing(value) else value for value in plain]


def _is_missing(value: Any) -> bool:
    """Say whether a value is pandas' NA, NaN or NaT; the last two differ from themselves."""
    return value is pd.NA or value != value


def _compare(model: Fitted, actual: np.ndarray, expected: np.ndarray, how: str) -> None:
    """Raise NotCompiled where two outputs, or the classes decided by them, differ."""
    close = np.isclose(actual, expected, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
    same = close.reshape(len(expected), -1).all(axis=1)
    if same.all() and model.spec.task == "classification":
        rule = model.spec.rule
        same = thresholds.decide(actual, rule) == thresholds.decide(expected, rule)
    if not same.all():
        different = int((~same).sum())
        raise NotCompiled(
            f"the compiled form differs from the model in {different} of {len(same)} rows {how}"
        )


def _form(model: Fitted, rows: list[Row]) -> Form:
    """Return the form of a model; the typed rows try what is quick for one of them."""
    if isinstance(model, Blend):
        tables = {name: RowEncoder(part) for name, part in model.preprocessings.items()}
        tried_tables = {name: _single_tables(part, rows) for name, part in tables.items()}
        members = []
        for member, part in zip(model.spec.members, model.models):
            table = table_of(member)
            quick = replace(part, estimator=quick_estimator(part))
            members.append(
                _MemberForm(member.weight, table, quick, row_output(quick, tried_tables[table]))
            )
        return _BlendForm(tables, members)
    assert isinstance(model, Model)
    preprocessing = RowEncoder(model.preprocessing)
    quick = replace(model, estimator=quick_estimator(model))
    return _ModelForm(preprocessing, quick, row_output(quick, _single_tables(preprocessing, rows)))


def _single_tables(preprocessing: RowEncoder, rows: list[Row]) -> list[Any]:
    """Return the table of each row by itself."""
    return [preprocessing.transform([row]) for row in rows]


@dataclass(frozen=True)
class _ModelForm:
    """The form of one model, whose estimator is quick; `row_output` is quicker for one row."""

    preprocessing: RowEncoder
    model: Model
    row_output: RowOutput

    def output(self, rows: list[Row]) -> np.ndarray:
        table = self.preprocessing.transform(rows)
        if len(rows) > 1:
            return self.model.estimator_output(table)
        return _as_output(self.row_output(table), self.model)


@dataclass(frozen=True)
class _MemberForm:
    """A member of a blend: its weight, the preprocessing whose table it takes, and its model."""

    weight: float
    table: str
    model: Model
    row_output: RowOutput


@dataclass(frozen=True)
class _BlendForm:
    """The weighted mean of members, each preprocessing done once for all that take its table."""

    preprocessings: dict[str, RowEncoder]
    members: list[_MemberForm]

    def output(self, rows: list[Row]) -> np.ndarray:
        tables = {name: part.transform(rows) for name, part in self.preprocessings.items()}
        if len(rows) == 1:
            return self._of_one_row(tables)
        total: Any = 0
        for member in self.members:
            total = total + member.weight * member.model.estimator_output(tables[member.table])
        return total

    def _of_one_row(self, tables: dict[str, Any]) -> np.ndarray:
        """Return the same in plain numbers, as arrays of two take longer to make than to add."""
        total: list[float] = []
        for member in self.members:
            output = member.row_output(tables[member.table])
            total = total or [0.0] * len(output)
            total = [sum_ + member.weight * value for sum_, value in zip(total, output)]
        return _as_output(total, self.members[0].model)


def _as_output(values: list[float], model: Model) -> np.ndarray:
    """Return one row's output in the shape of `output`."""
    return np.array(values if model.spec.task == "regression" else [values])


@dataclass(frozen=True)
class _OwnColumnsForm:
    """The form of a model whose columns the user's own code makes, which takes a table."""

    model: Fitted
    form: Form

    def output(self, rows: list[Row]) -> np.ndarray:
        inputs = typed_frame(rows, self.model.spec.inputs)
        return self.form.output(as_rows(self.model.transformed(self.model.features(inputs))))
