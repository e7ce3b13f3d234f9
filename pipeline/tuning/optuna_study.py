"""Optuna's study of a search: which trial comes next, and what the study holds.

The sampler is seeded anew for each trial by its number, so that a search that was killed asks its
last batch again and gets the same trials.
"""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.models import estimators
from pipeline.project.settings.tune import SearchSpace
from pipeline.scoring import metrics
from pipeline.training.problem import Problem
from pipeline.tuning.journal import Journal
from pipeline.tuning.trials import (
    FAILED,
    FINISHED,
    PRUNED,
    SEARCH,
    TARGET_TRANSFORM,
    Plan,
    Trial,
    search_space,
    with_most_rounds,
)

STARTUP_TRIALS = 10  # that are drawn at random, the baseline and the portfolio counted in
STATES = {"COMPLETE": FINISHED, "PRUNED": PRUNED, "FAIL": FAILED}  # Optuna's word -> ours

Study = Any  # optuna.Study
Handle = Any  # optuna.Trial, by which Optuna is told of a trial


@dataclass(frozen=True)
class Asked:
    """A trial that is to be done, and Optuna's handle of it."""

    trial: Trial
    handle: Handle


@dataclass(frozen=True)
class Held:
    """A trial that a journal holds, without its fits, and its point of the search space."""

    trial: Trial
    point: dict[str, Any]


@contextmanager
def without_warnings_of_experiments() -> Iterator[None]:
    """Leave out Optuna's warnings that a class or an option is experimental, in all threads.

    The filters of warnings are those of the process, so that one thread opens this for all.
    """
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


def open_study(problem: Problem, plan: Plan, journal: Journal) -> Study:
    """Return the study that a journal holds, or a new one."""
    import optuna
    from optuna.storages import JournalStorage

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    direction = "maximize" if metrics.sign(problem.primary_metric) > 0 else "minimize"
    directions: Any = [direction] if plan.cost is None else [direction, "minimize"]
    backend: Any = journal  # has the methods of BaseJournalBackend
    return optuna.create_study(
        study_name=problem.dataset,
        storage=JournalStorage(backend),
        directions=directions,
        pruner=optuna.pruners.NopPruner(),
        load_if_exists=True,
    )


def ask(
    study: Study, problem: Problem, plan: Plan, number: int, known: Trial | Held | None
) -> Asked:
    """Return the next trial: one that is given or held, or one that the sampler draws."""
    study.sampler = _sampler(problem.seed, number)
    given = known.trial if isinstance(known, Held) else known
    point = None
    if isinstance(known, Held):
        point = known.point
    elif known:
        point = _point(known, problem, plan)
    if point is not None:
        study.enqueue_trial(point)
    handle = study.ask()
    model = handle.suggest_categorical("model", plan.tune.models)
    drawn = {}
    if point is None or len(point) > 1:
        for name, space in search_space(plan, model).items():
            drawn[name] = _suggest(handle, f"{model}.{name}", space)
    if given:
        return Asked(given, handle)
    chosen = with_most_rounds(model, {**plan.hyperparameters[model], **drawn}, plan)
    return Asked(Trial(number, SEARCH, model, chosen, early_stopping=True), handle)


def _sampler(seed: int, number: int) -> Any:
    import optuna

    return optuna.samplers.TPESampler(
        seed=int(np.random.SeedSequence([seed, number]).generate_state(1)[0]),
        multivariate=True,
        group=True,
        n_startup_trials=STARTUP_TRIALS,
    )


def _point(trial: Trial, problem: Problem, plan: Plan) -> dict[str, Any]:
    """Return the point of the search space that is nearest to a given trial.

    From it the sampler learns. Of a trial that has no place there it learns the model only.
    """
    point: dict[str, Any] = {"model": trial.model}
    for name, space in search_space(plan, trial.model).items():
        value = trial.hyperparameters.get(name)
        if name not in trial.hyperparameters:
            value = _default(trial.model, problem, name)
        if space.choices is not None:
            if value not in space.choices:
                return {"model": trial.model}
        elif isinstance(value, int | float) and not isinstance(value, bool):
            value = _clamped(value, space)
        else:
            return {"model": trial.model}
        point[f"{trial.model}.{name}"] = value
    return point


def _clamped(value: float, space: SearchSpace) -> float:
    """Return the value of a range that is nearest to a number."""
    assert space.low is not None and space.high is not None
    return min(max(value, space.low), space.high)


def _default(model: str, problem: Problem, name: str) -> Any:
    """Return the value of a hyperparameter that params.yaml does not give."""
    if name == TARGET_TRANSFORM:
        return problem.target_transform
    return estimators.default_value(problem.model_spec(model).family, problem.task, name)


def _suggest(handle: Handle, name: str, space: SearchSpace) -> Any:
    if space.choices is not None:
        return handle.suggest_categorical(name, space.choices)
    if isinstance(space.low, int) and isinstance(space.high, int):
        step = int(space.step or 1)
        return handle.suggest_int(name, space.low, space.high, log=space.log, step=step)
    return handle.suggest_float(name, space.low, space.high, log=space.log, step=space.step)


def tell(study: Study, asked: Asked) -> None:
    """Let the study know what became of a trial."""
    import optuna

    trial = asked.trial
    asked.handle.set_user_attr("trial", _record(trial))
    if trial.state == FINISHED:
        values = [trial.value] if trial.cost is None else [trial.value, trial.cost]
        study.tell(asked.handle, values)
        return
    states = optuna.trial.TrialState
    if trial.state == PRUNED and trial.value is not None:
        asked.handle.report(trial.value, len(trial.folds))
    study.tell(asked.handle, state=states.PRUNED if trial.state == PRUNED else states.FAIL)


def _record(trial: Trial) -> dict[str, Any]:
    """Return what the journal keeps of a trial beside Optuna's own."""
    return {
        "origin": trial.origin,
        "model": trial.model,
        "hyperparameters": trial.hyperparameters,
        "early_stopping": trial.early_stopping,
        "folds": trial.folds,
        "rounds": trial.rounds,
        "cost": trial.cost,
        "reason": trial.reason,
        "seconds": trial.seconds,
    }


def held_trials(problem: Problem, plan: Plan, journal: Journal) -> list[Held]:
    """Return the first trials that a journal holds, up to one that came to no end."""
    held = []
    for frozen in open_study(problem, plan, journal).get_trials(deepcopy=False):
        if frozen.state.name not in STATES:
            break
        held.append(Held(_held_trial(frozen), dict(frozen.params)))
    return held


def _held_trial(frozen: Any) -> Trial:
    record = frozen.user_attrs["trial"]
    state = STATES[frozen.state.name]
    value = None
    if state != FAILED:
        value = mean_of_folds(record["folds"])
    return Trial(number=frozen.number, state=state, value=value, **record)


def mean_of_folds(values: list[float]) -> float | None:
    """Return the mean of a metric over some folds; None where one of them does not define it."""
    if not values or not all(math.isfinite(value) for value in values):
        return None
    return float(np.mean(values))


def pareto_front(study: Study) -> list[int]:
    """Return the numbers of the trials that no other one beats in both objectives."""
    return [frozen.number for frozen in study.best_trials]
