"""The search for hyperparameters: some trials under way at a time, the same whatever the workers.

A trial is asked for when all but the last few before it are known, and the sampler and the race
look at just those. So no result depends on which fit ended first, and no worker waits for the
slowest trial of a batch. The journal holds the trials that came to their end, and what each fold of
a trial gave lies beside it: a search that was killed finds them done.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.training.problem import Problem
from pipeline.tuning import journal, optuna_study, under_way
from pipeline.tuning.folds import Folds, fit_fold
from pipeline.tuning.journal import Journal
from pipeline.tuning.optuna_study import Asked, Held, Study
from pipeline.tuning.trials import (
    MOST_KEPT,
    RUNNING,
    FoldFit,
    FoldResult,
    Limits,
    Plan,
    Trial,
    best_first,
    best_trial,
    finished,
    given_trials,
)
from pipeline.tuning.under_way import FoldJob, UnderWay


@dataclass(frozen=True)
class Searched:
    """The trials of a search, Optuna's study that holds them, and the folds that they fit on."""

    trials: list[Trial]
    study: Study
    folds: Folds


class Search:
    """One search: what is searched, the study and the folder it is kept in, and how far it is.

    `trials` are those that came to their end, in their order, and `under_way` those after them.
    """

    def __init__(
        self,
        problem: Problem,
        plan: Plan,
        limits: Limits,
        folder: Path,
        step: Callable[[int, str], None],
    ):
        path = folder / "journal.log"
        self.problem = problem
        self.plan = plan
        self.limits = limits
        self.folder = folder
        self.step = step
        self.folds = Folds(problem, plan.tune)
        self.known: list[Trial | Held] = [*given_trials(plan)]
        self.held = optuna_study.held_trials(problem, plan, Journal(path))[: limits.trials]
        self.known[: len(self.held)] = self.held
        self.log = Journal(path, empty=True)
        self.study = optuna_study.open_study(problem, plan, self.log)
        self.trials: list[Trial] = []
        self.under_way: list[UnderWay] = []
        self.untold: list[Asked] = []
        self.fitting: list[FoldJob] = []
        self.refused = 0  # trials that were not begun or not ended, as the time would not do

    def jobs(self) -> Iterator[tuple | None]:
        """Yield what fit_fold takes, for one fold after the other; None while none is known.

        A trial that was asked for earlier comes first.
        """
        while time.time() < self._until() and self.refused <= len(self.plan.tune.models):
            ready = next((one for one in self.under_way if one.waiting), None)
            if ready and not self._is_in_time(ready.trial, 1):
                self._refuse(ready)
            elif ready:
                fold = ready.waiting.pop(0)
                self.fitting.append(FoldJob(ready, fold))
                yield fold_arguments(ready.trial, fold, self._until())
            elif self._may_ask():
                self._ask()
            elif self.under_way:
                yield None
            else:
                return

    def keep(self, place: int, result: FoldResult) -> None:
        """Take what a fold of a trial gave."""
        one, fold = self.fitting[place].of, self.fitting[place].fold
        one.trial.fits[fold] = result
        if isinstance(result, FoldFit):
            journal.write_fit(self.folder, one.trial, fold, result)
        one.missing -= 1
        if not one.missing:
            self._go_on(one)
            self._end_those_done()

    def end(self) -> Searched:
        """Tell the study of all trials, and write its journal unless it holds more than these.

        What the end of the time found under way is given up.
        """
        for one in self.under_way:
            if not one.is_done:
                under_way.give_up(one)
        self._end_those_done()
        self._tell_study(len(self.trials))
        if len(self.trials) > len(self.held):
            self.log.commit()
        return Searched(self.trials, self.study, self.folds)

    def _may_ask(self) -> bool:
        is_free = len(self.under_way) < self.plan.tune.batch
        return is_free and len(self.trials) + len(self.under_way) < self.limits.trials

    def _until(self) -> float:
        """Return the moment at which the search ends; the first trial is done whatever it takes."""
        return self.limits.search_until(self.trials) if finished(self.trials) else math.inf

    def _is_in_time(self, trial: Trial, folds: int) -> bool:
        """Return whether so many folds of a trial would be done in time, as far as is known."""
        seconds = under_way.expected(trial, self.trials)
        return under_way.is_in_time(folds, seconds, self.limits.workers, self._until())

    def _refuse(self, one: UnderWay) -> None:
        under_way.give_up(one)
        self.refused += 1
        self._end_those_done()

    def _ask(self) -> None:
        """Ask for the next trial, by what is known of all but the last ones before it."""
        n_folds = len(self.problem.folds)
        number = len(self.trials) + len(self.under_way)
        n_known = max(0, number - self.plan.tune.batch + 1)
        self._tell_study(n_known)
        known = self.known[number] if number < len(self.known) else None
        asked = optuna_study.ask(self.study, self.problem, self.plan, number, known)
        self.untold.append(asked)
        of_model = [one for one in self.trials[:n_known] if one.model == asked.trial.model]
        rival = best_trial(of_model, self.problem.primary_metric)
        one = UnderWay(asked, rival, under_way.parts(self.plan, self.limits, rival, n_folds))
        self.under_way.append(one)
        if not self._is_in_time(asked.trial, n_folds):
            self._refuse(one)
        elif asked.trial.state == RUNNING:
            self._go_on(one)
        self._end_those_done()

    def _go_on(self, one: UnderWay) -> None:
        """Settle a trial whose folds are there, or have its next part fitted.

        What an earlier process left of that is read.
        """
        while not one.missing:
            if one.trial.fits:
                workers, until = self.limits.workers, self._until()
                under_way.settle(self.problem, self.plan, one, workers, until)
            if one.is_done:
                return
            for fold in one.parts.pop(0):
                known = journal.read_fit(self.folder, one.trial, fold)
                if known is None:
                    one.waiting.append(fold)
                    one.missing += 1
                else:
                    one.trial.fits[fold] = known

    def _end_those_done(self) -> None:
        """Move trials that are done to those that came to their end, in their order."""
        while self.under_way and self.under_way[0].is_done:
            one = self.under_way.pop(0)
            self.trials.append(one.trial)
            self._forget_models()
            self.step(1, self._note())
            if len(self.trials) > len(self.held) and not len(self.trials) % self.plan.tune.batch:
                self.log.commit()

    def _forget_models(self) -> None:
        """Drop the models of trials that nothing can come of any more."""
        metric = self.problem.primary_metric
        ranked = best_first(self.trials, metric)
        kept = {trial.number for trial in ranked[:MOST_KEPT]}
        for model in self.plan.tune.models:
            of_model = [trial for trial in ranked if trial.model == model]
            kept |= {trial.number for trial in of_model[:1]}
        for trial in self.trials:
            if trial.number not in kept:
                trial.forget_models()

    def _tell_study(self, count: int) -> None:
        """Tell the study of the first so many trials, as far as it does not know them."""
        while self.untold and self.untold[0].trial.number < count:
            optuna_study.tell(self.study, self.untold.pop(0))

    def _note(self) -> str:
        """Return what the line of progress says of the trials."""
        metric = self.problem.primary_metric
        best = best_trial(self.trials, metric)
        return f"best {metric} {best.value:.5g} ({best.model})" if best else ""


def search(
    problem: Problem,
    plan: Plan,
    limits: Limits,
    run: Callable[..., Any],
    folder: Path,
    step: Callable[[int, str], None],
) -> Searched:
    """Return the trials of the study in `folder`: those that it holds, and new ones.

    `run` is that of workers.pool; `step(count, note)` is called as trials are done. Where the time
    ends the search, the trials that are under way then are left out.
    """
    this = Search(problem, plan, limits, folder, step)
    held = finished([one.trial for one in this.held])
    fit_lost(problem, this.folds, folder, held, run)
    with optuna_study.without_warnings_of_experiments():
        run(fit_fold, this.folds, this.jobs(), this.keep, keep=False)
        return this.end()


def fit_lost(
    problem: Problem, folds: Folds, folder: Path, trials: list[Trial], run: Callable[..., Any]
) -> None:
    """Read the fits of trials that a journal holds; do those again that are no longer on disk."""
    lost = []
    for trial in trials:
        for fold in range(len(problem.folds)):
            known = journal.read_fit(folder, trial, fold)
            if known is None:
                lost.append((trial, fold))
            else:
                trial.fits[fold] = known

    def keep(place: int, result: FoldResult) -> None:
        trial, fold = lost[place]
        trial.fits[fold] = result
        if isinstance(result, FoldFit):
            journal.write_fit(folder, trial, fold, result)

    run(fit_fold, folds, [fold_arguments(trial, fold) for trial, fold in lost], keep, keep=False)


def fold_arguments(trial: Trial, fold: int, until: float = math.inf) -> tuple:
    """Return what fit_fold takes beside the folds."""
    return fold, trial.model, trial.hyperparameters, trial.early_stopping, until
