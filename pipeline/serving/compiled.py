"""The compiled form of a model: it answers rows without a table, within a millisecond.

A fitted ColumnTransformer takes 2 to 18 ms for one row, a forest or scikit-learn's boosting 1 to
5 ms more: overhead, not arithmetic. Here numbers go through numpy, each category through a
dictionary of what the fitted encoder makes of it, and trees through treelite. The form is taken
only where it repeats the model's own output on rows that it is shown.
"""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, Protocol

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.models.catalogue import Trees
from pipeline.models.fitted import Blend, Fitted, Model
from pipeline.models.preprocessing import encoder_columns
from pipeline.scoring import thresholds

# sums of many terms differ in their last digits with the number of rows, in the model, too
RELATIVE, ABSOLUTE = 1e-9, 1e-12
# of the checked rows, the first are asked for singly as well
ONE_BY_ONE = 20
# a category that no table holds
UNSEEN = "\0unseen"

Row = dict[str, Any]


class NotCompiled(Exception):
    """The model has a part that is not known here, or its compiled form gives another answer."""


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
    plain = values.where(values.notna(), None).to_numpy().tolist()
    return [dict(zip(X.columns, row)) for row in plain]


def _compare(model: Fitted, actual: np.ndarray, expected: np.ndarray, how: str) -> None:
    """Raise NotCompiled where two outputs, or the classes decided by them, differ."""
    close = np.isclose(actual, expected, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
    same = close.reshape(len(expected), -1).all(axis=1)
    if same.all() and model.spec.task == "classification":
        threshold = model.spec.threshold
        same = thresholds.decide(actual, threshold) == thresholds.decide(expected, threshold)
    if not same.all():
        different = int((~same).sum())
        raise NotCompiled(
            f"the compiled form differs from the model in {different} of {len(same)} rows {how}"
        )


def _form(model: Fitted) -> Form:
    if isinstance(model, Blend):
        weights = [member.weight for member in model.spec.members]
        return _BlendForm(weights, [_form(member) for member in model.models])
    assert isinstance(model, Model)
    return _ModelForm(
        _Preprocessing(model.preprocessing), replace(model, estimator=_quick_estimator(model))
    )


@dataclass(frozen=True)
class _ModelForm:
    """The form of one model, whose estimator is quick for a single row."""

    preprocessing: "_Preprocessing"
    model: Model

    def output(self, rows: list[Row]) -> np.ndarray:
        return self.model.estimator_output(self.preprocessing.transform(rows))


@dataclass(frozen=True)
class _BlendForm:
    """The weighted mean of members' forms."""

    weights: list[float]
    forms: list[Form]

    def output(self, rows: list[Row]) -> np.ndarray:
        total: Any = 0
        for weight, form in zip(self.weights, self.forms):
            total = total + weight * form.output(rows)
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


@dataclass(frozen=True)
class _Category:
    """What the encoder makes of a column: the values of its output columns, by category."""

    column: str
    known: dict[str | None, list[float]]
    unseen: list[float]


class _Preprocessing:
    """A fitted preprocessing that takes rows in place of a table."""

    def __init__(self, preprocessing: Any) -> None:
        numbers: list[str] = []
        self.steps: list[Callable[[np.ndarray], np.ndarray]] = []
        self.categories: list[_Category] = []
        self.integer = False
        for _, transformer, taken in preprocessing.transformers_:
            if _is_dropped(transformer) or not len(taken):
                continue
            if hasattr(transformer, "categories_"):
                self._add_categories(transformer, list(taken))
            elif self.categories:
                raise NotCompiled("the preprocessing puts numbers after categories")
            else:
                numbers += taken
                self.steps += [_arithmetic(step) for step in _steps(transformer)]
        self.pick_numbers = _picker(numbers)

    def _add_categories(self, encoder: Any, taken: list[str]) -> None:
        encoded = _encoded_categories(encoder, taken)
        self.integer = encoded.integer
        self.categories += encoded.categories

    def transform(self, rows: list[Row]) -> Any:
        """Return what the preprocessing makes of the rows.

        An array, or for CatBoost, whose categories are integers, lists.
        """
        numbers = np.array([self.pick_numbers(row) for row in rows], dtype=np.float64)
        for step in self.steps:
            numbers = step(numbers)
        if not self.categories:
            return numbers
        codes = [self._codes(row) for row in rows]
        if self.integer:
            return [[*left, *right] for left, right in zip(numbers.tolist(), codes)]
        return np.hstack([numbers, np.array(codes, dtype=np.float64)])

    def _codes(self, row: Row) -> list[float]:
        codes: list[float] = []
        for category in self.categories:
            codes += category.known.get(row[category.column], category.unseen)
        return codes


def _is_dropped(transformer: Any) -> bool:
    return isinstance(transformer, str) and transformer == "drop"


def _steps(transformer: Any) -> Iterable[Any]:
    """Return the steps of a pipeline, or a transformer that stands alone."""
    return getattr(transformer, "named_steps", {"": transformer}).values()


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


def _quick_estimator(model: Model) -> Any:
    """Return an estimator that gives the same for what _Preprocessing puts out."""
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
