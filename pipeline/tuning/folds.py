"""The folds of a search, each preprocessed and binned once for all trials that fit on them."""

import math
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.data import splits
from pipeline.models import fitting, storage
from pipeline.models.families import boosters
from pipeline.models.families.boosters import Stopping, TimeIsOver
from pipeline.models.fitted import Model
from pipeline.models.spec import ModelSpec
from pipeline.project.errors import DataError
from pipeline.project.settings.tune import Tune
from pipeline.training.problem import Problem
from pipeline.tuning.trials import TARGET_TRANSFORM, FailedFit, FoldFit, FoldResult, LateFit

LATENCY_REPEATS = 21
# of a fold, up to which a booster is fitted again on all of them once its rounds are known: the
# share that says when to stop is missed there, and a second fit takes little time
FEW_ROWS = 10_000
LONGEST_REASON = 200
# times, addresses and folders
DIFFERING = (
    r"\[\d\d:\d\d:\d\d\] ",
    r" at 0x[0-9a-fA-F]+",
    r"(?<![\w.:/])([A-Za-z]:)?([\\/][^\s\\/'\":]+)+[\\/](?=\w)",
)


@dataclass(frozen=True)
class StoppingSplit:
    """The positions of a fold's rows that a booster is fitted on, and of those to stop by."""

    fit: np.ndarray
    stop: np.ndarray


@dataclass(frozen=True)
class FoldModel:
    """A model fitted on a fold's rows, its output on those that the fold predicts, and its rounds.

    The rounds are those that early stopping found; None where nothing stopped early. `predicting`
    are the seconds that the output took.
    """

    model: Model
    output: np.ndarray
    rounds: int | None
    predicting: float


class Folds:
    """The folds of a problem, with a store of the tables that several fits need."""

    def __init__(self, problem: Problem, tune: Tune):
        self.problem = problem
        self.patience = tune.patience
        self.cost = tune.objectives[1] if len(tune.objectives) > 1 else None
        self.stopping = stopping_splits(problem, tune.stopping_share)
        self._start()

    def _start(self) -> None:
        self._made: dict[tuple, Any] = {}
        self._locks: dict[tuple, threading.Lock] = {}
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process gets: the rows, from which it makes tables of its own."""
        return {key: value for key, value in self.__dict__.items() if not key.startswith("_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()

    def _once(self, key: tuple, make: Callable[[], Any]) -> Any:
        """Return what `make` gave for a key; it is called for the first fit that needs it."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]

    def fit(
        self,
        fold: int,
        model: str,
        hyperparameters: dict[str, Any],
        early_stopping: bool,
        until: float = math.inf,
    ) -> FoldModel:
        """Return a model fitted on the rows of a fold, by early stopping where that is possible.

        A booster that has not stopped at the moment `until` raises TimeIsOver.
        """
        chosen = dict(hyperparameters)
        spec = self.problem.model_spec(model, chosen.pop(TARGET_TRANSFORM, None))
        parts, rounds = None, None
        if early_stopping and boosters.can_stop(model, chosen):
            parts = self.stopping[fold]
        if parts is not None:
            fitted, rounds = self._fit_until_it_stops(fold, spec, chosen, parts, until)
            chosen[boosters.rounds_setting(model)] = rounds
        on_all_rows = parts is None or len(self.problem.folds[fold].fit) <= FEW_ROWS
        if on_all_rows:
            fitted = self._fit_as_given(fold, spec, chosen)
        encoding = spec.family.encoding
        Z = self._once(
            (fold, encoding, on_all_rows, "new"),
            lambda: fitted.transform(self.problem.X.iloc[self.problem.folds[fold].predict]),
        )
        started = time.perf_counter()
        output = fitted.estimator_output(Z)
        return FoldModel(fitted, output, rounds, time.perf_counter() - started)

    def _fit_as_given(self, fold: int, spec: ModelSpec, hyperparameters: dict[str, Any]) -> Model:
        rows = self.problem.folds[fold].fit
        encoding = spec.family.encoding
        prepared = self._once(
            (fold, encoding, spec.target_transform), lambda: self._prepared(spec, rows)
        )
        y, weight = self.problem.y[rows], self.problem.weight_of(rows)
        return fitting.fit_prepared(spec, hyperparameters, prepared, y, self.problem.seed, weight)

    def _fit_until_it_stops(
        self,
        fold: int,
        spec: ModelSpec,
        hyperparameters: dict[str, Any],
        parts: StoppingSplit,
        until: float,
    ) -> tuple[Model, int]:
        """Fit a booster on the first part of a fold's rows; the second says when to stop."""
        rows, stop = parts.fit, parts.stop
        problem, y = self.problem, self.problem.y

        def binned() -> boosters.Binned:
            prepared = self._prepared(spec, rows)
            Z_stop = prepared.transform(problem.X.iloc[stop])
            weight_stop = problem.weight_of(stop)
            return boosters.binned(spec, hyperparameters, prepared, Z_stop, y[stop], weight_stop)

        binning = boosters.binning(spec.name, hyperparameters)
        tables = self._once((fold, spec.name, spec.target_transform, binning), binned)
        return boosters.fit(
            spec,
            hyperparameters,
            tables,
            y[rows],
            problem.seed,
            Stopping(hyperparameters[boosters.rounds_setting(spec.name)], self.patience, until),
            problem.weight_of(rows),
        )

    def _prepared(self, spec: ModelSpec, rows: np.ndarray) -> fitting.Prepared:
        problem = self.problem
        return fitting.prepare(
            spec,
            problem.X.iloc[rows],
            problem.y[rows],
            problem.seed,
            problem.resampling,
            problem.weight_of(rows),
        )


def fit_fold(
    folds: Folds,
    fold: int,
    model: str,
    hyperparameters: dict[str, Any],
    early_stopping: bool,
    until: float = math.inf,
) -> FoldResult:
    """Return what a trial gives on one fold, or the reason why it gives nothing.

    Nothing is begun after the moment `until`, and a booster that fits then is ended.
    """
    if time.time() > until:
        return LateFit()
    started = time.perf_counter()
    # each library raises errors of its own for a setting that it refuses
    try:
        fitted = folds.fit(fold, model, hyperparameters, early_stopping, until)
        cost = cost_of(folds, fitted.model)
    except TimeIsOver:
        return LateFit()
    except Exception as error:
        return FailedFit(f"{type(error).__name__}: {reason(str(error))}")
    if not np.isfinite(fitted.output).all():
        return FailedFit("its predictions are not all finite")
    seconds = time.perf_counter() - started
    return FoldFit(fitted.output, fitted.rounds, cost, seconds, fitted.predicting, fitted.model)


def reason(message: str) -> str:
    """Return a library's error in one line, without times, addresses and folders.

    Those differ from run to run.
    """
    line = " ".join(message.partition("Stack trace:")[0].split())
    for pattern in DIFFERING:
        line = re.sub(pattern, "", line)
    return line[:LONGEST_REASON]


def cost_of(folds: Folds, model: Model) -> float:
    """Return the bytes or the seconds that are the second objective; 0 where there is none."""
    if folds.cost == "size":
        return storage.stored_size(model)
    if folds.cost == "latency":
        return latency(folds, model)
    return 0.0


def latency(folds: Folds, model: Model) -> float:
    """Return the seconds that a prediction of one preprocessed row takes, the median of some."""
    Z = model.transform(folds.problem.X.iloc[:1])
    taken = []
    for _ in range(LATENCY_REPEATS):
        started = time.perf_counter()
        model.estimator_output(Z)
        taken.append(time.perf_counter() - started)
    return float(np.median(taken))


def stopping_splits(problem: Problem, share: float) -> list[StoppingSplit | None]:
    """Return each fold's fitted rows in two parts: to fit a booster on, and to say when to stop.

    They are split under the rule of the test split. None where a class has too few rows to be on
    both sides: the rounds are then those of params.yaml.
    """
    frame = splits.read_split(problem.dataset, "train")
    prepare = problem.prepare.model_copy(update={"test_size": share})
    parts: list[StoppingSplit | None] = []
    for fold in problem.folds:
        rows = frame.iloc[fold.fit]
        labels = rows[problem.target] if problem.classes else None
        try:
            fit, stop = splits.train_test(rows, labels, prepare, problem.seed, problem.file)
        except DataError:
            parts.append(None)
        else:
            parts.append(StoppingSplit(fold.fit[fit], fold.fit[stop]))
    return parts
