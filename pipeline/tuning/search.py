"""The search for hyperparameters: an Optuna study of one dataset that gives the same trials whatever the workers, kept on disk.

Trials are asked and told in batches, so that what the sampler and the pruner know does not depend on who was done first. The
journal holds whole batches; what each fold of a trial predicted lies beside it. A search that was killed asks its last batch
again, gets the same trials, since the sampler is seeded anew for each, and finds their folds done.
"""

import math
import time
from pathlib import Path

import numpy as np

from pipeline.models import catalogue
from pipeline.project.params import Params
from pipeline.scoring import scores
from pipeline.scoring.rows import OutOfFold
from pipeline.training.problem import Problem
from pipeline.tuning import optuna_study
from pipeline.tuning.folds import Folds, fit_fold
from pipeline.tuning.journal import Journal, fit_file, read_fit, write_fit
from pipeline.tuning.trials import Trial, best_trial, given_trials

UNPRUNED_TRIALS = 5  # that are finished before the first one is pruned
PRUNING_POINTS = 3  # a trial may be pruned after each of its first so many folds


# the search


def search(
    problem: Problem,
    settings: Params,
    n_trials: int,
    run,
    folder: Path,
    step,
    timeout: float | None = None,
) -> tuple:
    """Return n_trials trials of the study in `folder`, those that it holds and those still to be done, and Optuna's study.

    `run` is that of workers.pool, `step(count, note)` is called as trials are done. With a timeout in seconds there may be fewer.
    """
    spec = settings.dataset(problem.dataset)
    journal = Journal(folder / "journal.log")
    held = min(journal.trials(), n_trials) // spec.tune.batch * spec.tune.batch
    journal.cut(held)
    study = optuna_study.open_study(problem, settings, journal)
    folds, first = Folds(problem, settings), given_trials(problem, settings)
    until = time.time() + timeout if timeout else math.inf
    trials = [optuna_study.told_trial(frozen) for frozen in study.get_trials(deepcopy=False)]
    if held:
        step(held, _note(trials, spec.train.primary_metric))
    while len(trials) < n_trials and time.time() < until:
        numbers = range(len(trials), min(n_trials, len(trials) + spec.tune.batch))
        asked = [optuna_study.ask(study, problem, settings, number, first) for number in numbers]
        for part in _rounds(study, problem, settings):
            alive = [trial for trial, _ in asked if trial.state == "running"]
            _evaluate(alive, part, folds, run, folder, until)
            for trial, handle in asked:
                if trial.state == "running":
                    _judge(
                        trial, handle, problem, settings, prune=part[-1] < len(problem.folds) - 1
                    )
            if time.time() > until:
                break
        done = [(trial, handle) for trial, handle in asked if trial.state != "running"]
        for trial, handle in done:
            optuna_study.tell(study, trial, handle)
            trials.append(trial)
        step(len(done), _note(trials, spec.train.primary_metric))
        if len(done) < len(asked):  # the time is over
            break
        journal.commit()
    finished = [trial for trial in trials if trial.state == "finished"]
    _evaluate(
        [trial for trial in finished if not trial.fits],
        range(len(problem.folds)),
        folds,
        run,
        folder,
    )
    return trials, study


def _rounds(study, problem: Problem, settings: Params) -> list[list[int]]:
    """Return the folds in the parts that are done before the next look at what to prune."""
    import optuna

    every, pruner = list(range(len(problem.folds))), settings.dataset(problem.dataset).tune.pruner
    finished = len(study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,)))
    if (
        pruner == "none"
        or pruner == "median"
        and finished < UNPRUNED_TRIALS
        or len(study.directions) > 1
    ):
        return [every]
    return [[fold] for fold in every[:PRUNING_POINTS]] + [every[PRUNING_POINTS:]] * (
        len(every) > PRUNING_POINTS
    )


def _evaluate(
    trials: list[Trial], part, folds: Folds, run, folder: Path, until: float = math.inf
) -> None:
    """Fit the trials on some folds, or read what an earlier process left of that.

    The costliest models start first, so that all workers end together; last where the time is limited, so that others get done.
    """
    jobs = []
    for trial in trials:
        for fold in part:
            known = read_fit(fit_file(folder, trial.number, fold), _known_by(trial))
            trial.fits.append(known)
            if known is None:
                jobs.append((trial, fold))
    simplicity = list(catalogue.FAMILIES)
    jobs.sort(key=lambda job: simplicity.index(job[0].model), reverse=until == math.inf)

    def keep(place, fit):
        trial, fold = jobs[place]
        trial.fits[fold] = fit
        if "output" in fit:
            write_fit(fit_file(folder, trial.number, fold), fit, _known_by(trial))

    run(
        fit_fold,
        folds,
        [
            (fold, trial.model, trial.hyperparameters, trial.early_stopping, until)
            for trial, fold in jobs
        ],
        keep,
    )


def _known_by(trial: Trial) -> list:
    return [trial.model, trial.hyperparameters, trial.early_stopping]


def _judge(trial: Trial, handle, problem: Problem, settings: Params, prune: bool) -> None:
    """Score the folds that a trial has; say whether it failed, is pruned, or is finished, but not if some came too late."""
    if any("late" in fit for fit in trial.fits):
        return
    failed = [fit["failed"] for fit in trial.fits if "failed" in fit]
    if failed:
        trial.state, trial.reason, trial.fits = "failed", failed[0], []
        return
    train = settings.dataset(problem.dataset).train
    seen = np.where(problem.fold < len(trial.fits), problem.fold, -1)
    reported = len(trial.folds)
    trial.folds = scores.fold_scores(
        OutOfFold(problem.y, trial.oof(problem), seen),
        train.primary_metric,
        train.threshold_metric,
    )
    trial.rounds = [fit["rounds"] for fit in trial.fits if fit["rounds"]]
    trial.seconds = sum(fit["seconds"] for fit in trial.fits)
    several = len(settings.dataset(problem.dataset).tune.objectives) > 1
    trial.cost = float(np.mean([fit["cost"] for fit in trial.fits])) if several else None
    defined = [value for value in trial.folds if math.isfinite(value)]
    trial.value = float(np.mean(defined)) if defined else None
    paired = (
        settings.dataset(problem.dataset).tune.pruner == "wilcoxon"
    )  # compares fold by fold, others the mean so far
    if not several:  # Optuna prunes by one objective only
        for place in range(reported, len(trial.folds)):
            handle.report(
                trial.folds[place] if paired else float(np.mean(trial.folds[: place + 1])), place
            )
    if not prune and defined:
        trial.state = "finished"
    elif not prune:
        trial.state, trial.reason = "failed", f"{train.primary_metric} is not defined on any fold"
    elif not several and handle.should_prune():
        trial.state = "pruned"


def _note(trials: list[Trial], metric: str) -> str:
    winner = best_trial(trials, metric)
    return f"best {metric} {winner.value:.5g} ({winner.model})" if winner else ""
