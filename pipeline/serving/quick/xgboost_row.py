"""One row through XGBoost: the leaves that it falls in, added and turned into an output.

XGBoost does that in 32 bits, one tree after another, and so it is done here: to the last bit. Its
functions: src/objective/regression_loss.h and src/common/math.h in https://github.com/dmlc/xgboost
"""

import ctypes
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline.serving.quick.lightgbm_row import LEAVES, RowBooster
from pipeline.serving.quick.xgboost_trees import as_lightgbm

Numbers = np.ndarray
# beyond it XGBoost takes the exponential of no number, which would not be finite in 32 bits
LARGEST_EXPONENT = np.float32(88.7)


class RowXGBoost:
    """A model of XGBoost that takes one row at a time.

    Raises ValueError where it is of a kind that is not known here.
    """

    def __init__(self, model: Any) -> None:
        from lightgbm import Booster

        booster = model.get_booster()
        stored = json.loads(booster.save_raw("json"))["learner"]
        if stored["gradient_booster"]["name"] != "gbtree":
            raise ValueError("only XGBoost's gbtree is known")
        trees = stored["gradient_booster"]["model"]
        # the trees of a class come one after another here, round by round in XGBoost's file
        groups = np.array(trees["tree_info"])
        order = np.argsort(groups, kind="stable")
        converted = as_lightgbm([trees["trees"][place] for place in order], booster.num_features())
        self._leaves = RowBooster(Booster(model_str=converted.text), LEAVES, len(order))
        self._values = np.concatenate(converted.leaf_values)
        sizes = [len(values) for values in converted.leaf_values]
        self._first = np.cumsum([0, *sizes[:-1]])
        base, self._output = _output_function(stored)
        self._starts = np.searchsorted(groups[order], np.arange(groups.max() + 1))
        self._base = np.resize(np.array(base, dtype=np.float32), len(self._starts))

    def of(self, row: Numbers) -> list[float]:
        """Return a number, or the probability of each class."""
        leaves = self._leaves.of(row.astype(np.float32))
        values = self._values[self._first + leaves.astype(np.intp)]
        values[self._starts] += self._base
        # `cumsum` adds one after another, `sum` pairs of pairs
        classes = np.split(values, self._starts[1:]) if len(self._starts) > 1 else [values]
        return self._output([class_values.cumsum()[-1] for class_values in classes])


def _output_function(stored: dict[str, Any]) -> tuple[list[np.float32], Callable]:
    """Return what each sum begins with, and the function that makes the output of the sums."""
    base = [
        np.float32(text)
        for text in stored["learner_model_param"]["base_score"].strip("[]").split(",")
    ]
    objective = stored["objective"]["name"]
    if objective in ("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror"):
        return base, lambda sums: [float(sums[0])]
    exponential, logarithm = _c_function("expf"), _c_function("logf")
    if objective == "binary:logistic":
        one = np.float32(1)
        margins = [-logarithm(one / score - one) for score in base]

        def probabilities(sums: list[np.float32]) -> list[float]:
            exponent = min(-sums[0], LARGEST_EXPONENT)
            positive = one / (exponential(exponent) + one)
            # XGBoost's Python class takes the other one from this, in 32 bits
            return [float(one - positive), float(positive)]

        return margins, probabilities
    if objective == "multi:softprob":

        def softmax(sums: list[np.float32]) -> list[float]:
            largest = max(sums)
            powers = [exponential(value - largest) for value in sums]
            total = np.float32(sum(map(float, powers)))
            return [float(power / total) for power in powers]

        return base, softmax
    raise ValueError(f"the objective {objective} is not known here")


def _c_function(name: str) -> Callable[[np.float32], np.float32]:
    """Return a function of C's library, to whose last bit numpy's own may differ."""
    try:
        function = getattr(ctypes.PyDLL(None), name)
    except (AttributeError, TypeError, OSError):
        raise ValueError(f"{name} of C's library is not found") from None
    function.restype = ctypes.c_float
    function.argtypes = [ctypes.c_float]
    return lambda value: np.float32(function(value))
