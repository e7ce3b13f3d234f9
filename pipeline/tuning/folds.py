"""The search for hyperparameters: an Optuna study of one dataset that gives the same trials whatever the workers, kept on disk.

Trials are asked and told in batches, so that what the sampler and the pruner know does not depend on who was done first. The
journal holds whole batches; what each fold of a trial predicted lies beside it. A search that was killed asks its last batch
again, gets the same trials, since the sampler is seeded anew for each, and finds their folds done.
"""

import math
import re
import threading
import time

import numpy as np

from pipeline.models import boosters, catalogue, fitting, storage
from pipeline.models.fitted import Model
from pipeline.project.params import Params
from pipeline.training.problem import Problem, stopping_slices
from pipeline.tuning import trials

LATENCY_REPEATS = 21
LONGEST_REASON = 200
DIFFERING = (
    r"\[\d\d:\d\d:\d\d\] ",
    r" at 0x[0-9a-fA-F]+",  # times and addresses
    r"(?<![\w.:/])([A-Za-z]:)?([\\/][^\s\\/'\":]+)+[\\/](?=\w)",
)  # folders


class Folds:
    """The folds of a problem, each preprocessed and binned once, for all trials that fit on them at a time."""

    def __init__(self, problem: Problem, settings: Params):
        spec = settings.dataset(problem.dataset)
        self.problem, self.seed = problem, settings.seed
        self.resampling, self.patience = spec.train.resampling, spec.tune.patience
        self.cost = spec.tune.objectives[1] if len(spec.tune.objectives) > 1 else None
        self.slices = stopping_slices(problem, settings, spec.tune.stopping_share)
        self._start()

    def _start(self) -> None:
        self._made, self._locks, self._lock = {}, {}, threading.Lock()

    def __getstate__(self) -> dict:  # a worker elsewhere gets the rows and makes its own tables
        return {key: value for key, value in self.__dict__.items() if not key.startswith("_")}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._start()

    def _once(self, key: tuple, make):
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]

    def fit(self, fold: int, model: str, hyperparameters: dict, early_stopping: bool) -> tuple:
        """Return a model fitted on a fold's rows, its output on those that the fold predicts, and the rounds that were found."""
        hyperparameters = dict(hyperparameters)
        spec = self.problem.model_spec(model, hyperparameters.pop(trials.TARGET_TRANSFORM, None))
        stops = (
            early_stopping
            and self.slices[fold] is not None
            and boosters.can_stop(model, hyperparameters)
        )
        rows = self.slices[fold][0] if stops else self.problem.folds[fold][0]
        X, y, transform = self.problem.X, self.problem.y, spec.target_transform

        def prepared():
            return fitting.prepare(spec, X.iloc[rows], y[rows], self.seed, self.resampling)

        encoding, rounds = catalogue.FAMILIES[model].encoding, None
        if stops:
            stop = self.slices[fold][1]

            def binned():
                part = prepared()
                return boosters.binned(
                    spec, hyperparameters, part, part.preprocessing.transform(X.iloc[stop]), y[stop]
                )

            tables = self._once(
                (fold, model, transform, boosters.binning(model, hyperparameters)), binned
            )
            fitted, rounds = boosters.fit(
                spec,
                hyperparameters,
                tables,
                y[rows],
                self.seed,
                hyperparameters[boosters.rounds_setting(model)],
                self.patience,
            )
        else:
            part = self._once((fold, encoding, transform), prepared)
            fitted = fitting.fit_prepared(spec, hyperparameters, part, y[rows], self.seed)
        Z = self._once(
            (fold, encoding, stops, "new"),
            lambda: fitted.transform(X.iloc[self.problem.folds[fold][1]]),
        )
        return fitted, fitted.estimator_output(Z), rounds


def fit_fold(
    folds: Folds,
    fold: int,
    model: str,
    hyperparameters: dict,
    early_stopping: bool,
    until: float = math.inf,
) -> dict:
    """Return what a trial gives on one fold, or the reason why it gives nothing: each library has errors of its own.

    Nothing is begun after the moment `until`.
    """
    if time.time() > until:
        return {"late": True}
    started = time.perf_counter()
    try:
        fitted, output, rounds = folds.fit(fold, model, hyperparameters, early_stopping)
        cost = (
            storage.stored_size(fitted)
            if folds.cost == "size"
            else latency(folds, fitted)
            if folds.cost == "latency"
            else 0.0
        )
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {reason(str(error))}"}
    if not np.isfinite(output).all():
        return {"failed": "its predictions are not all finite"}
    return {
        "output": output,
        "rounds": rounds,
        "cost": cost,
        "seconds": time.perf_counter() - started,
    }


def reason(message: str) -> str:
    """Return a library's error in one line, without times, addresses and folders, which differ from run to run."""
    line = " ".join(message.partition("Stack trace:")[0].split())
    for pattern in DIFFERING:
        line = re.sub(pattern, "", line)
    return line[:LONGEST_REASON]


def latency(folds: Folds, model: Model) -> float:
    """Return the seconds that a prediction of one preprocessed row takes, the median of some."""
    Z = model.transform(folds.problem.X.iloc[:1])
    taken = []
    for _ in range(LATENCY_REPEATS):
        started = time.perf_counter()
        model.estimator_output(Z)
        taken.append(time.perf_counter() - started)
    return float(np.median(taken))
