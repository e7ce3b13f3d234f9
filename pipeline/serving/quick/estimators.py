"""The quick forms of an estimator: for any number of rows, and for a single one.

Most of a library's time for one row goes into its Python class: checks, conversions, threads. A
form for one row is taken only where it gives the class's own output to the last bit.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline.models.fitted import Model
from pipeline.serving.quick.forests import Forest
from pipeline.serving.quick.lightgbm_row import OUTPUT, RowBooster
from pipeline.serving.quick.linear_row import linear
from pipeline.serving.quick.xgboost_row import RowXGBoost

# the output for a table of one row: a number, or the probability of each class
RowOutput = Callable[[Any], list[float]]


class NoQuickForm(Exception):
    """A model's family has no form that is quicker for one row than its own."""


def quick_estimator(model: Model) -> Any:
    """Return an estimator that gives the same for the tables of RowEncoder."""
    trees = model.spec.family.trees
    return model.estimator if trees is None else Forest(model.estimator, trees)


def row_output(model: Model, tables: list[Any]) -> RowOutput:
    """Return a model's output for a table of one row, as quick as is possible for its family.

    `tables` of one row each are tried: where the quick form does not give what the model does, the
    model itself is taken.
    """

    def own(table: Any) -> list[float]:
        return np.atleast_1d(model.estimator_output(table)[0]).tolist()

    try:
        estimator_output = _estimator_output(model)
        quick = (
            _with_exp(estimator_output)
            if model.spec.target_transform == "log1p"
            else estimator_output
        )
        is_exact = all(quick(table) == own(table) for table in tables)
    except NoQuickForm:
        return own
    # a library of another version may answer otherwise: whatever it is, serving goes on
    except Exception as error:
        cause = f"{type(error).__name__}: {error}"
        print(
            f"serve: {model.spec.name}: no quick form for one row ({cause}); the model itself "
            f"answers, more slowly",
            file=sys.stderr,
        )
        return own
    return quick if is_exact else own


def _with_exp(output: RowOutput) -> RowOutput:
    """Return the output of a model of the target's logarithm."""
    return lambda table: np.expm1(output(table)).tolist()


def _estimator_output(model: Model) -> RowOutput:
    """Return an estimator's output for a table of one row; raise NoQuickForm if none is."""
    estimator = model.estimator
    library = model.spec.family.library
    if library == "lightgbm" and type(estimator).__name__ == "Booster":
        return _lightgbm(estimator, model.spec.classes)
    if library == "xgboost":
        booster = RowXGBoost(estimator)
        return lambda table: booster.of(table[0])
    if library == "catboost":
        return _catboost(estimator, model.spec.task)
    if library == "sklearn" and hasattr(estimator, "coef_"):
        return linear(estimator)
    raise NoQuickForm


def _lightgbm(estimator: Any, classes: list[str] | None) -> RowOutput:
    booster = RowBooster(estimator, OUTPUT, estimator.num_model_per_iteration())

    def two_classes(table: np.ndarray) -> list[float]:
        positive = float(booster.of(table[0])[0])
        return [1 - positive, positive]

    if classes is not None and len(classes) == 2:
        return two_classes
    return lambda table: booster.of(table[0]).tolist()


def _catboost(estimator: Any, task: str) -> RowOutput:
    """Return CatBoost's own output, by one thread: it would hand a single row to several."""
    from catboost import Pool

    categories = estimator.get_cat_feature_indices()
    predict = estimator.predict if task == "regression" else estimator.predict_proba

    def output(table: Any) -> list[float]:
        pool = Pool(table, cat_features=categories, thread_count=1)
        return np.atleast_1d(predict(pool, thread_count=1)[0]).tolist()

    return output
