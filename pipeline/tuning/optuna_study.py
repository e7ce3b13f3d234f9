"""The search for hyperparameters: an Optuna study of one dataset that gives the same trials whatever the workers, kept on disk.

Trials are asked and told in batches, so that what the sampler and the pruner know does not depend on who was done first. The
journal holds whole batches; what each fold of a trial predicted lies beside it. A search that was killed asks its last batch
again, gets the same trials, since the sampler is seeded anew for each, and finds their folds done.
"""

import math
import warnings

import numpy as np

from pipeline.models import catalogue
from pipeline.project.params import Params, SearchSpace
from pipeline.scoring import metrics
from pipeline.training.problem import Problem
from pipeline.tuning import search, trials
from pipeline.tuning.journal import Journal
from pipeline.tuning.trials import Trial

STARTUP_TRIALS = 10  # that are drawn at random, the baseline and the portfolio counted in


def open_study(problem: Problem, settings: Params, journal: Journal):
    import optuna
    from optuna.storages import JournalStorage

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    spec, n_folds = settings.dataset(problem.dataset), len(problem.folds)
    pruner = _experimental(
        {
            "median": lambda: optuna.pruners.MedianPruner(n_startup_trials=search.UNPRUNED_TRIALS),
            "wilcoxon": lambda: optuna.pruners.WilcoxonPruner(p_threshold=0.1, n_startup_steps=1),
            "hyperband": lambda: optuna.pruners.HyperbandPruner(
                min_resource=1, max_resource=n_folds
            ),
            "none": optuna.pruners.NopPruner,
        }[spec.tune.pruner]
    )
    directions = [
        "maximize" if metrics.lookup(spec.train.primary_metric).greater_is_better else "minimize"
    ]
    directions += ["minimize"] * (len(spec.tune.objectives) - 1)
    return optuna.create_study(
        study_name=problem.dataset,
        storage=JournalStorage(journal),
        directions=directions,
        pruner=pruner,
        load_if_exists=True,
    )


def _experimental(make, **options):
    """Return what Optuna makes, without its warning that the class or an option is experimental."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return make(**options)


def ask(study, problem: Problem, settings: Params, number: int, first: list[Trial]):
    """Return the next trial and Optuna's handle of it; the sampler is seeded by its number, so that a rerun draws the same."""
    import optuna

    chosen = settings.dataset(problem.dataset).tune.models
    seed = int(np.random.SeedSequence([settings.seed, number]).generate_state(1)[0])
    study.sampler = _experimental(
        optuna.samplers.TPESampler,
        seed=seed,
        multivariate=True,
        group=True,
        n_startup_trials=STARTUP_TRIALS,
    )
    trial = first[number] if number < len(first) else None
    point = _point(trial, problem, settings) if trial else None
    if point is not None:
        study.enqueue_trial(point)
    handle = study.ask()
    model = handle.suggest_categorical("model", chosen)
    if point is None or len(point) > 1:
        drawn = {
            name: _suggest(handle, f"{model}.{name}", space)
            for name, space in trials.search_space(problem, settings, model).items()
        }
    if trial is None:
        base = {**settings.hyperparameters(problem.dataset, model), **drawn}
        trial = Trial(number, "search", model, trials.with_most_rounds(model, base, settings), True)
    return trial, handle


def _point(trial: Trial, problem: Problem, settings: Params) -> dict:
    """Return where a given trial lies in the search space, so that the sampler learns from it: at the nearest point.

    Of a trial that has no place there, the sampler learns the model only.
    """
    point = {"model": trial.model}
    for name, space in trials.search_space(problem, settings, trial.model).items():
        value = trial.hyperparameters.get(
            name, catalogue.default_value(trial.model, problem.task, name)
        )
        if name == trials.TARGET_TRANSFORM:
            value = trial.hyperparameters.get(name, problem.target_transform)
        if space.choices is None and isinstance(value, int | float) and not isinstance(value, bool):
            value = min(max(value, space.low), space.high)
        elif space.choices is None or value not in space.choices:
            return {"model": trial.model}
        point[f"{trial.model}.{name}"] = value
    return point


def _suggest(handle, name: str, space: SearchSpace):
    if space.choices is not None:
        return handle.suggest_categorical(name, space.choices)
    if isinstance(space.low, int) and isinstance(space.high, int):
        return handle.suggest_int(
            name, space.low, space.high, log=space.log, step=int(space.step or 1)
        )
    return handle.suggest_float(name, space.low, space.high, log=space.log, step=space.step)


def tell(study, trial: Trial, handle) -> None:
    import optuna

    states = optuna.trial.TrialState
    record = {
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
    handle.set_user_attr("trial", record)
    if trial.state == "finished":
        study.tell(handle, [trial.value] if trial.cost is None else [trial.value, trial.cost])
    else:
        study.tell(handle, state=states.PRUNED if trial.state == "pruned" else states.FAIL)


def told_trial(frozen) -> Trial:
    """Return the trial that a journal holds."""
    state = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}[frozen.state.name]
    record = frozen.user_attrs["trial"]
    value = (
        float(np.mean([score for score in record["folds"] if math.isfinite(score)]))
        if state != "failed"
        else None
    )
    return Trial(number=frozen.number, state=state, value=value, **record)
