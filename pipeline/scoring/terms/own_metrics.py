"""The user's own metrics: functions of params.yaml's train.metrics, run when a score is asked for.

A function takes `actual` and `predicted` as arrays and returns a number; one that has a parameter
`frame` gets the prepared columns of the same rows as well. `actual` are the class labels as text,
or numbers. `predicted` are labels for `of: decisions`; for `of: probabilities` that of the positive
class, or with several classes all of them, in the order of the sorted labels; numbers for
regression.
"""

import inspect
import math
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from pipeline.own import loading
from pipeline.own.loading import OwnObject
from pipeline.project import paths
from pipeline.project.errors import UsageError
from pipeline.project.params import Params
from pipeline.project.settings.own_code import OwnMetric
from pipeline.scoring import metrics
from pipeline.scoring.definitions.metric import Metric
from pipeline.scoring.rows import Rows, WeightedRows

MOST_DRAWS = 200  # of a bootstrap: each is a call of the function
SECONDS_BETWEEN_LINES = 10


@dataclass(frozen=True)
class OwnFunction:
    """A metric's function; the file of `place` runs when it is first asked for."""

    place: str
    where: str

    @cached_property
    def found(self) -> OwnObject:
        return loading.named(self.place, self.where)

    @cached_property
    def takes_frame(self) -> bool:
        return "frame" in inspect.signature(self.found.value).parameters

    def __call__(self, rows: Rows, of: str) -> float:
        """Return what it makes of the rows; raises UsageError where that is not a number."""
        options: dict[str, Any] = {}
        if self.takes_frame:
            options["frame"] = rows.terms.frame
        try:
            result = self.found.value(_actual(rows), _predicted(rows, of), **options)
        except Exception as error:
            fault = loading.fault(error, self.found.code.path)
            raise UsageError(f"{paths.PARAMS}: {self.where}: {fault}; fix the file") from error
        is_number = isinstance(result, int | float | np.number) and not isinstance(result, bool)
        if not is_number:
            raise self.fault(f"returns {type(result).__name__}, and must return one number")
        return float(result)

    def fault(self, what: str) -> UsageError:
        return UsageError(f"{paths.PARAMS}: {self.where}: {self.place} {what}; fix the function")


def _actual(rows: Rows) -> np.ndarray:
    classes = rows.terms.classes
    return rows.y if classes is None else np.array(classes)[rows.y]


def _predicted(rows: Rows, of: str) -> np.ndarray:
    if of == "labels":
        return np.array(rows.terms.classes)[rows.decisions]
    is_binary = rows.task == "classification" and rows.n_classes == 2
    return rows.output[:, 1] if is_binary else rows.output


_functions: dict[str, OwnFunction] = {}  # by the name of the metric


def declare(settings: Params) -> None:
    """Put the metrics of all datasets into the table of metrics, in place of earlier ones.

    Raises UsageError where a name is that of a built-in metric, or means two things.
    """
    metrics.OWN.clear()
    _functions.clear()
    declared: dict[str, tuple[OwnMetric, str]] = {}
    for dataset, block in settings.datasets.items():
        for name, setting in block.train.metrics.items():
            where = f"datasets.{dataset}.train.metrics.{name}"
            meaning = (setting, block.data.task)
            if name in metrics.METRICS:
                raise UsageError(f"{paths.PARAMS}: {where}: is a built-in metric; rename it")
            if declared.setdefault(name, meaning) != meaning:
                raise UsageError(
                    f"{paths.PARAMS}: {where}: another dataset has a metric of this name that is "
                    f"declared otherwise; rename one of them"
                )
            _functions[name] = OwnFunction(setting.function, where)
            metrics.OWN[name] = _metric(name, setting, block.data.task, _functions[name])


def _metric(name: str, setting: OwnMetric, task: str, function: OwnFunction) -> Metric:
    of: Any = "numbers"
    if task == "classification":
        of = "labels" if setting.of == "decisions" else "probabilities"
    built_in = metrics.METRICS["rmse" if task == "regression" else "log_loss"]
    return replace(
        built_in,
        name=name,
        greater_is_better=setting.greater_is_better,
        perfect=math.inf if setting.greater_is_better else -math.inf,
        of=of,
        value=partial(_value, function, of),
        weighted=partial(_of_draws, name, function, of),
        always=False,
        most_draws=MOST_DRAWS,
    )


def _value(function: OwnFunction, of: str, rows: Rows) -> float:
    result = function(rows, of)
    if not math.isfinite(result):
        raise function.fault(f"returns {result:g} for {len(rows)} rows, and must be finite")
    return result


def _of_draws(name: str, function: OwnFunction, of: str, draws: WeightedRows) -> np.ndarray:
    """Return the metric of each draw, whose rows the function gets as often as they were drawn."""
    shown, values = time.monotonic(), []
    for times in draws.times:
        places = np.repeat(np.arange(len(times)), times.astype(int))
        values.append(function(draws.rows[places], of) if len(places) else math.nan)
        if time.monotonic() - shown > SECONDS_BETWEEN_LINES:
            shown = time.monotonic()
            line = f"{name}: {len(values)} of {len(draws.times)} draws for its interval"
            print(line, file=sys.stderr, flush=True)
    return np.array(values)


def code_of(names: Iterable[str]) -> dict[str, str]:
    """Return the sha256 of each file that some metrics come from; the built-in ones have none."""
    found = {}
    for name in names:
        if name in _functions:
            code = _functions[name].found.code
            found[code.path] = code.sha256
    return found
