"""The search for hyperparameters: trials in batches, which give the same whatever the workers.

Trials are asked and told in batches, so that what the sampler and the pruner know does not depend
on which fit ended first. The journal holds whole batches, and what each fold of a trial gave lies
beside it: a search that was killed finds its last batch's folds done.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.models import catalogue
from pipeline.scoring import scores
from pipeline.scoring.rows import OutOfFold
from pipeline.training.problem import Problem
from pipeline.tuning import journal, optuna_study
from pipeline.tuning.folds import Folds, fit_fold
from pipeline.tuning.journal import Journal
from pipeline.tuning.optuna_study import Asked, Study
from pipeline.tuning.trials import (
    FAILED,
    FINISHED,
    PRUNED,
    RUNNING,
    FailedFit,
    FoldFit,
    FoldResult,
    LateFit,
    Plan,
    Trial,
    best_trial,
    finished,
    given_trials,
)

PRUNING_POINTS = 3  # a trial may be pruned after each of its first so many folds


@dataclass(frozen=True)
class FoldJob:
    """A fold of a trial that is to be fitted."""

    trial: Trial
    fold: int


@dataclass(frozen=True)
class Searched:
    """The trials of a search, and Optuna's study that holds them."""

    trials: list[Trial]
    study: Study


@dataclass(frozen=True)
class Search:
    """One search: what is searched and how, where it is kept, and who fits.

    `run` is that of workers.pool; nothing is begun after the moment `until`.
    """

    problem: Problem
    plan: Plan
    folds: Folds
    folder: Path
    run: Callable[..., Any]
    until: float

    def evaluate(self, trials: list[Trial], part: list[int]) -> None:
        """Fit trials on some folds, or read what an earlier process left of that.

        The costliest models start first, so that all workers end together; last where the time is
        limited, so that others get done.
        """
        jobs = []
        for trial in trials:
            for fold in part:
                known = journal.read_fit(self.folder, trial, fold)
                if known is None:
                    jobs.append(FoldJob(trial, fold))
                else:
                    trial.fits[fold] = known
        # a model of the user's own may cost anything
        cost = {name: place for place, name in enumerate(catalogue.SIMPLEST_FIRST)}
        is_unlimited = self.until == math.inf
        jobs.sort(key=lambda job: cost.get(job.trial.model, len(cost)), reverse=is_unlimited)

        def keep(place: int, result: FoldResult) -> None:
            trial, fold = jobs[place].trial, jobs[place].fold
            trial.fits[fold] = result
            if isinstance(result, FoldFit):
                journal.write_fit(self.folder, trial, fold, result)

        self.run(fit_fold, self.folds, [self._arguments(job) for job in jobs], keep)

    def _arguments(self, job: FoldJob) -> tuple:
        """Return what fit_fold takes beside the folds."""
        trial = job.trial
        return job.fold, trial.model, trial.hyperparameters, trial.early_stopping, self.until

    def settle(self, asked: Asked, is_last_part: bool) -> None:
        """Score the folds that a trial has; set its state where it is known now.

        A trial of which some fold came too late stays as it is.
        """
        trial = asked.trial
        results = trial.results()
        if any(isinstance(result, LateFit) for result in results):
            return
        failures = [result.reason for result in results if isinstance(result, FailedFit)]
        if failures:
            trial.state, trial.reason = FAILED, failures[0]
            trial.fits = {}
            return
        already_reported = len(trial.folds)
        self._score(trial)
        if self.plan.cost is None:  # Optuna prunes by one objective only
            optuna_study.report(asked, already_reported, self.plan.tune.pruner)
        if is_last_part and trial.value is not None:
            trial.state = FINISHED
        elif is_last_part:
            trial.state = FAILED
            trial.reason = f"{self.problem.primary_metric} is not defined on every fold"
        elif self.plan.cost is None and asked.handle.should_prune():
            trial.state = PRUNED

    def _score(self, trial: Trial) -> None:
        """Set the scores, rounds, seconds and cost of a trial from the folds that it has."""
        problem, fits = self.problem, trial.finished_fits()
        fold = np.where(problem.fold < len(fits), problem.fold, -1)
        trial.folds = scores.fold_scores(
            OutOfFold(problem.y, trial.out_of_fold(problem), fold, problem.terms),
            problem.primary_metric,
            problem.threshold_metric,
        )
        trial.value = optuna_study.mean_of_folds(trial.folds)
        trial.rounds = [fit.rounds for fit in fits if fit.rounds]
        trial.seconds = sum(fit.seconds for fit in fits)
        if self.plan.cost is not None:
            trial.cost = float(np.mean([fit.cost for fit in fits]))


def search(
    problem: Problem,
    plan: Plan,
    n_trials: int,
    run: Callable[..., Any],
    folder: Path,
    step: Callable[[int, str], None],
    timeout: float | None = None,
) -> Searched:
    """Return n_trials trials of the study in `folder`: those that it holds, and new ones.

    `run` is that of workers.pool; `step(count, note)` is called as trials are done. With a timeout
    in seconds there may be fewer.
    """
    log = Journal(folder / "journal.log")
    held = min(log.trials(), n_trials) // plan.tune.batch * plan.tune.batch
    log.cut(held)
    study = optuna_study.open_study(problem, plan, log)
    until = time.time() + timeout if timeout else math.inf
    this = Search(problem, plan, Folds(problem, plan.tune), folder, run, until)
    given = given_trials(plan)
    trials = optuna_study.held_trials(study)
    if held:
        step(held, _note(trials, problem.primary_metric))
    while len(trials) < n_trials and time.time() < until:
        numbers = range(len(trials), min(n_trials, len(trials) + plan.tune.batch))
        batch = [optuna_study.ask(study, problem, plan, number, given) for number in numbers]
        done = _run_batch(this, study, batch)
        trials += [asked.trial for asked in done]
        step(len(done), _note(trials, problem.primary_metric))
        if len(done) < len(batch):  # the time is over
            break
        log.commit()
    without_fits = [trial for trial in finished(trials) if not trial.fits]
    _fit_again(this, without_fits)
    return Searched(trials, study)


def _run_batch(this: Search, study: Study, batch: list[Asked]) -> list[Asked]:
    """Fit a batch, prune within it, tell the study; return those that came to an end in time."""
    parts = _parts(study, len(this.problem.folds), this.plan.tune.pruner)
    for part in parts:
        running = [asked for asked in batch if asked.trial.state == RUNNING]
        this.evaluate([asked.trial for asked in running], part)
        for asked in running:
            this.settle(asked, is_last_part=part is parts[-1])
        if time.time() > this.until:
            break
    done = [asked for asked in batch if asked.trial.state != RUNNING]
    for asked in done:
        optuna_study.tell(study, asked)
    return done


def _parts(study: Study, n_folds: int, pruner: str) -> list[list[int]]:
    """Return the folds in the parts that are done before the next look at what to prune."""
    folds = list(range(n_folds))
    if not optuna_study.prunes(study, pruner):
        return [folds]
    parts = [[fold] for fold in folds[:PRUNING_POINTS]]
    rest = folds[PRUNING_POINTS:]
    return parts + [rest] if rest else parts


def _fit_again(this: Search, trials: list[Trial]) -> None:
    """Get the outputs of trials that the journal holds, from disk or, where lost, by fitting."""
    unlimited = Search(this.problem, this.plan, this.folds, this.folder, this.run, math.inf)
    unlimited.evaluate(trials, list(range(len(this.problem.folds))))


def _note(trials: list[Trial], metric: str) -> str:
    """Return what the line of progress says of the trials."""
    best = best_trial(trials, metric)
    return f"best {metric} {best.value:.5g} ({best.model})" if best else ""
