"""A stored model in a form for rows: the same preprocessing and estimator without a table, for answers within a millisecond.

A fitted ColumnTransformer takes 2 to 18 ms for one row, a forest or scikit-learn's boosting 1 to 5 ms more: overhead, not
arithmetic. Here numbers go through numpy, each category through a dictionary of what the fitted encoder makes of it, and trees
through treelite. The form is taken only where it repeats the model's own output on rows that it is shown.
"""

import warnings

import numpy as np
import pandas as pd

from pipeline.models.fitted import Blend, Model
from pipeline.models.preprocessing import encoder_columns
from pipeline.scoring import thresholds

RELATIVE, ABSOLUTE = (
    1e-9,
    1e-12,
)  # sums of many terms differ in their last digits with the number of rows, in the model, too
ONE_BY_ONE = 20  # of the checked rows, the first are asked for singly as well
UNSEEN = "\0unseen"  # a category that no table holds


class NotCompiled(Exception):
    """The model has a part that is not known here, or its compiled form gives another answer."""


def compile(model, X: pd.DataFrame):
    """Return the form of a model or blend whose `output` takes rows: lists of values in the order of the model's features, None
    where one is missing.

    Raises NotCompiled with the reason where the model cannot be compiled or where the form's output on X is not the model's.
    """
    form, rows, expected = _form(model), as_rows(X), model.output(X)
    _compare(model, form.output(rows), expected, "at once")
    few = rows[:ONE_BY_ONE]
    _compare(
        model,
        np.concatenate([form.output([row]) for row in few]),
        expected[: len(few)],
        "one by one",
    )
    return form


def _form(model):
    if isinstance(model, Blend):
        return _Blend(model.spec.members, [_form(member) for member in model.models])
    return Model(
        _Rows(model.preprocessing, model.spec.inputs), _estimator(model.estimator), model.spec
    )


def as_rows(X: pd.DataFrame) -> list[list]:
    """Return a table of typed features as lists of plain values, None where one is missing."""
    values = X.astype(object)
    return values.where(values.notna(), None).to_numpy().tolist()


def _compare(model, found: np.ndarray, expected: np.ndarray, how: str) -> None:
    same = (
        np.isclose(found, expected, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
        .reshape(len(expected), -1)
        .all(axis=1)
    )
    if same.all() and model.spec.task == "classification":
        same = thresholds.decide(found, model.spec.threshold) == thresholds.decide(
            expected, model.spec.threshold
        )
    if not same.all():
        raise NotCompiled(
            f"the compiled form differs from the model in {int((~same).sum())} of {len(same)} rows {how}"
        )


class _Blend:
    """The weighted mean of members' forms."""

    def __init__(self, members: list[dict], forms: list[Model]):
        self.weighted = [(member.weight, form) for member, form in zip(members, forms)]

    def output(self, rows: list[list]) -> np.ndarray:
        return sum(weight * form.output(rows) for weight, form in self.weighted)


class _Rows:
    """A fitted preprocessing that takes rows in place of a table."""

    def __init__(self, preprocessing, kinds: dict[str, str]):
        place = {column: number for number, column in enumerate(kinds)}
        self.numbers, self.steps, self.categories, self.integer = [], [], [], False
        for _, transformer, taken in preprocessing.transformers_:
            if isinstance(transformer, str) and transformer == "drop" or not len(taken):
                continue
            if hasattr(transformer, "categories_"):
                tables, self.integer = _category_tables(transformer, list(taken))
                self.categories += [
                    (place[column], table, table[UNSEEN]) for column, table in zip(taken, tables)
                ]
            elif self.categories:
                raise NotCompiled("the preprocessing puts numbers after categories")
            else:
                self.numbers += [place[column] for column in taken]
                self.steps += [
                    _arithmetic(step)
                    for step in getattr(transformer, "named_steps", {"": transformer}).values()
                ]

    def transform(self, rows: list[list]):
        """Return what the preprocessing makes of the rows: an array, or for CatBoost, whose categories are integers, lists."""
        numbers = np.array(
            [[row[place] for place in self.numbers] for row in rows], dtype=np.float64
        )
        for step in self.steps:
            numbers = step(numbers)
        if not self.categories:
            return numbers
        codes = [
            [
                code
                for place, table, unseen in self.categories
                for code in table.get(row[place], unseen)
            ]
            for row in rows
        ]
        if self.integer:
            return [[*left, *right] for left, right in zip(numbers.tolist(), codes)]
        return np.hstack([numbers, np.array(codes, dtype=np.float64)])


def _arithmetic(step):
    """Return a function of an array of numbers that does what a fitted step does."""
    kind = "passthrough" if isinstance(step, str) else type(step).__name__
    if kind == "SimpleImputer":
        fill = np.nan_to_num(step.statistics_)  # a column without any value is filled with 0
        return lambda numbers: np.where(np.isnan(numbers), fill, numbers)
    if kind == "StandardScaler":
        return lambda numbers: (numbers - step.mean_) / step.scale_
    if kind == "passthrough" or kind == "FunctionTransformer" and step.func is None:
        return lambda numbers: numbers
    raise NotCompiled(f"the preprocessing holds a {kind}")


def _category_tables(encoder, columns: list[str]) -> tuple[list[dict], bool]:
    """Return, for each column, {category: its output columns' values}, and whether these are integers: asked of the encoder."""
    known = [
        [category for category in categories if isinstance(category, str)]
        for categories in encoder.categories_
    ]
    asked = [[*categories, UNSEEN, None] for categories in known]
    longest = max(map(len, asked))
    frame = pd.DataFrame(
        {
            column: pd.Series([*values, *[None] * (longest - len(values))], dtype="str")
            for column, values in zip(columns, asked)
        }
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Found unknown categories")  # they are what is asked for
        output = np.asarray(encoder.transform(frame))
    source = np.array(encoder_columns(encoder, columns))
    tables = [
        dict(zip(values, output[:, source == column].tolist()))
        for column, values in zip(columns, asked)
    ]
    return tables, output.dtype.kind == "i"


def _estimator(estimator):
    """Return an estimator that gives the same for what _Rows puts out; its own one where that is quick for a single row."""
    kind = type(estimator).__name__
    if kind.startswith("RandomForest"):
        return _Trees(estimator, np.float32)  # as scikit-learn casts, though it compares in 64 bits
    if kind.startswith("HistGradientBoosting"):
        return _Trees(estimator, np.float64, link=estimator._loss)
    return estimator


class _Trees:
    """An ensemble of scikit-learn's trees, walked by treelite."""

    def __init__(self, estimator, dtype, link=None):
        import treelite
        from treelite import gtil

        self.trees, self.walk, self.dtype, self.link = (
            treelite.sklearn.import_model(estimator),
            gtil.predict,
            dtype,
            link,
        )
        if hasattr(estimator, "predict_proba"):
            self.predict_proba = self._output  # by which a model tells a classifier

    def predict(self, Z: np.ndarray) -> np.ndarray:
        return self._output(Z)[:, 0]

    def _output(self, Z: np.ndarray) -> np.ndarray:
        raw = self.walk(
            self.trees, Z.astype(self.dtype), nthread=1, pred_margin=self.link is not None
        ).reshape(len(Z), -1)
        if self.link is None:
            return raw
        if hasattr(self.link, "predict_proba"):
            return self.link.predict_proba(raw if raw.shape[1] > 1 else raw[:, 0])
        return self.link.link.inverse(raw)
