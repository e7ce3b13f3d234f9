"""The compiled form of a model: it answers rows without a table, within a millisecond.

A fitted ColumnTransformer takes 2 to 18 ms for one row, a forest or scikit-learn's boosting 1 to
5 ms more: overhead, not arithmetic. Here rows are encoded without a table (inputs/encoded.py) and
trees walked by treelite. The form is taken only where it repeats the model's own output on rows
that it is shown.
"""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import DATE
from pipeline.models.catalogue import Trees
from pipeline.models.fitted import Blend, Fitted, Model, table_of
from pipeline.scoring import thresholds
from pipeline.serving.inputs.encoded import NotCompiled, Row, RowEncoder

# sums of many terms differ in their last digits with the number of rows, in the model, too
RELATIVE, ABSOLUTE = 1e-9, 1e-12
# of the checked rows, the first are asked for singly as well
ONE_BY_ONE = 20


class Form(Protocol):
    """A model that takes rows: {input: value}, None where one is missing."""

    def output(self, rows: list[Row]) -> np.ndarray:
        """Return what the model's own `output` does."""


def compile_model(model: Fitted, X: pd.DataFrame) -> Form:
    """Return the compiled form of a model or blend.

    Raises NotCompiled with the reason where the model cannot be compiled, or where the form's
    output on the typed rows X, at once or one by one, is not the model's.
    """
    form = _form(model)
    if model.spec.own.makes_columns:
        form = _OwnColumnsForm(model, form)
    rows = as_rows(X)
    expected = model.output(X)
    _compare(model, form.output(rows), expected, "at once")
    few = rows[:ONE_BY_ONE]
    singly = np.concatenate([form.output([row]) for row in few])
    _compare(model, singly, expected[: len(few)], "one by one")
    return form


def as_rows(X: pd.DataFrame) -> list[Row]:
    """Return typed columns as rows of plain values, None where one is missing."""
    values = X.astype(object)
    for name in kinds.of_kind(kinds.kinds_of(X), DATE):
        moments = [moment.to_pydatetime() for moment in X[name]]
        # else pandas makes its own type of them again, which JSON does not know
        values[name] = pd.Series(moments, index=X.index, dtype=object)
    plain = values.where(X.notna(), None).to_numpy().tolist()
    return [dict(zip(X.columns, row)) for row in plain]


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


def _form(model: Fitted) -> Form:
    if isinstance(model, Blend):
        tables = {name: RowEncoder(part) for name, part in model.preprocessings.items()}
        members = []
        for member, part in zip(model.spec.members, model.models):
            quick = replace(part, estimator=_quick_estimator(part))
            members.append(_MemberForm(member.weight, table_of(member), quick))
        return _BlendForm(tables, members)
    assert isinstance(model, Model)
    return _ModelForm(
        RowEncoder(model.preprocessing), replace(model, estimator=_quick_estimator(model))
    )


@dataclass(frozen=True)
class _ModelForm:
    """The form of one model, whose estimator is quick for a single row."""

    preprocessing: RowEncoder
    model: Model

    def output(self, rows: list[Row]) -> np.ndarray:
        return self.model.estimator_output(self.preprocessing.transform(rows))


@dataclass(frozen=True)
class _MemberForm:
    """A member of a blend: its weight, the preprocessing whose table it takes, and its model."""

    weight: float
    table: str
    model: Model


@dataclass(frozen=True)
class _BlendForm:
    """The weighted mean of members, each preprocessing done once for all that take its table."""

    preprocessings: dict[str, RowEncoder]
    members: list[_MemberForm]

    def output(self, rows: list[Row]) -> np.ndarray:
        tables = {name: part.transform(rows) for name, part in self.preprocessings.items()}
        total: Any = 0
        for member in self.members:
            total = total + member.weight * member.model.estimator_output(tables[member.table])
        return total


@dataclass(frozen=True)
class _OwnColumnsForm:
    """The form of a model whose columns the user's own code makes, which takes a table."""

    model: Fitted
    form: Form

    def output(self, rows: list[Row]) -> np.ndarray:
        types = kinds.pandas_types(self.model.spec.inputs)
        inputs = pd.DataFrame(rows, columns=list(types)).astype(types)
        return self.form.output(as_rows(self.model.transformed(self.model.features(inputs))))


def _quick_estimator(model: Model) -> Any:
    """Return an estimator that gives the same for what RowEncoder puts out."""
    trees = model.spec.family.trees
    return model.estimator if trees is None else _Trees(model.estimator, trees)


class _Trees:
    """An ensemble of scikit-learn's trees, walked by treelite."""

    def __init__(self, estimator: Any, trees: Trees) -> None:
        import treelite
        from treelite import gtil

        self.trees = treelite.sklearn.import_model(estimator)
        self.walk = gtil.predict
        self.dtype = np.dtype(trees.dtype)
        self.link = estimator._loss if trees.link else None
        if hasattr(estimator, "predict_proba"):
            # by which a model knows a classifier
            self.predict_proba = self._output

    def predict(self, Z: np.ndarray) -> np.ndarray:
        """Return numbers of shape (rows,)."""
        return self._output(Z)[:, 0]

    def _output(self, Z: np.ndarray) -> np.ndarray:
        """Return numbers of shape (rows, 1) or probabilities of shape (rows, classes)."""
        table = Z.astype(self.dtype)
        sums = self.walk(self.trees, table, nthread=1, pred_margin=self.link is not None)
        sums = sums.reshape(len(Z), -1)
        if self.link is None:
            return sums
        if hasattr(self.link, "predict_proba"):
            return self.link.predict_proba(sums if sums.shape[1] > 1 else sums[:, 0])
        return self.link.link.inverse(sums)
