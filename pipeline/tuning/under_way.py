"""Trials under way: which of their folds are fitted next, and what becomes of them.

They race: a trial ends as soon as its first folds show that it cannot win. The evidence is paired:
the losses of two trials on the same rows, as in F-Race (Birattari et al., A Racing Algorithm for
Configuring Metaheuristics, GECCO 2002).
"""

import time
from dataclasses import dataclass, field

import numpy as np

from pipeline.scoring import metrics, scores
from pipeline.scoring.rows import OutOfFold
from pipeline.training.problem import Problem
from pipeline.tuning import optuna_study
from pipeline.tuning.optuna_study import Asked
from pipeline.tuning.trials import (
    FAILED,
    FINISHED,
    PRUNED,
    RUNNING,
    FailedFit,
    LateFit,
    Limits,
    Plan,
    Trial,
)

NO_TIME = "no time was left for all its folds"
STANDARD_ERRORS = 2.5  # by which a trial's mean loss is above its rival's when it is given up
LOOKS = 2  # a trial is looked at after each of its first so many folds


@dataclass
class UnderWay:
    """A trial that is being done.

    `rival` is the best trial of its model among those that were known when it was asked for,
    `waiting` are the folds that may be fitted now, `parts` those after which it is looked at next,
    and `missing` counts the folds that are being fitted or wait.
    """

    asked: Asked
    rival: Trial | None
    parts: list[list[int]]
    waiting: list[int] = field(default_factory=list)
    missing: int = 0

    @property
    def trial(self) -> Trial:
        """Return the trial itself."""
        return self.asked.trial

    @property
    def is_done(self) -> bool:
        """Return whether nothing of it is to be fitted any more."""
        return self.trial.state != RUNNING


@dataclass(frozen=True)
class FoldJob:
    """A fold of a trial that is being fitted."""

    of: UnderWay
    fold: int


def parts(plan: Plan, limits: Limits, rival: Trial | None, n_folds: int) -> list[list[int]]:
    """Return the folds of a trial, in the parts after which it is looked at.

    The first trial of a model has nothing to be compared with. Where the time is limited, its first
    fold says whether the others can be done.
    """
    folds = list(range(n_folds))
    if _races(plan) and rival is not None:
        first, rest = folds[:LOOKS], folds[LOOKS:]
        return [[fold] for fold in first] + ([rest] if rest else [])
    return [folds[:1], folds[1:]] if limits.is_by_time else [folds]


def _races(plan: Plan) -> bool:
    """Return whether trials may end early; not with two objectives, of which the race sees one."""
    return plan.tune.pruner == "race" and plan.cost is None


def settle(problem: Problem, plan: Plan, one: UnderWay, workers: int, until: float) -> None:
    """Score the folds that a trial has; set its state where it is known now.

    It is given up where its other folds would not be done at the moment `until`.
    """
    trial = one.trial
    results = trial.results()
    if any(isinstance(result, LateFit) for result in results):
        give_up(one)
        return
    failures = [result.reason for result in results if isinstance(result, FailedFit)]
    if failures:
        trial.state, trial.reason = FAILED, failures[0]
        trial.fits = {}
        return
    _score(problem, plan, trial)
    if not one.parts:
        trial.state = FINISHED
        if trial.value is None:
            trial.state = FAILED
            trial.reason = f"{problem.primary_metric} is not defined on every fold"
    elif _races(plan) and one.rival and is_beaten(problem, trial, one.rival):
        trial.state = PRUNED
    elif not is_in_time(_missing(problem, trial), expected(trial, []), workers, until):
        give_up(one)


def is_beaten(problem: Problem, trial: Trial, rival: Trial) -> bool:
    """Return whether a trial does worse than a finished one on the folds that it has.

    The loss is the one that a blend minimises, row by row.
    """
    rows = np.isin(problem.fold, range(len(trial.fits)))
    difference = _losses(problem, trial, rows) - _losses(problem, rival, rows)
    weight = problem.weight_of(rows)
    if weight is not None:
        difference = difference * weight / weight.mean()
    error = difference.std(ddof=1) / np.sqrt(len(difference)) if len(difference) > 1 else np.inf
    return bool(difference.mean() > STANDARD_ERRORS * error)


def _losses(problem: Problem, trial: Trial, rows: np.ndarray) -> np.ndarray:
    """Return the loss of a trial on each of some training rows that its folds predict."""
    y, output = problem.y[rows], trial.out_of_fold(problem)[rows]
    if output.ndim == 2:
        output = output[np.arange(len(y)), y]  # the probability of each row's own class
    return metrics.lookup(problem.primary_metric).blend_loss(output, y)


def give_up(one: UnderWay) -> None:
    """End a trial for want of time."""
    one.trial.state, one.trial.reason = PRUNED, NO_TIME
    one.waiting = []


def _missing(problem: Problem, trial: Trial) -> int:
    return len(problem.folds) - len(trial.fits)


def _score(problem: Problem, plan: Plan, trial: Trial) -> None:
    """Set the scores, rounds, seconds and cost of a trial from the folds that it has."""
    fits = trial.finished_fits()
    fold = np.where(problem.fold < len(fits), problem.fold, -1)
    trial.folds = scores.fold_scores(
        OutOfFold(problem.y, trial.out_of_fold(problem), fold, problem.terms),
        problem.primary_metric,
        problem.threshold_metric,
    )
    trial.value = optuna_study.mean_of_folds(trial.folds)
    trial.rounds = [fit.rounds for fit in fits if fit.rounds]
    trial.seconds = sum(fit.seconds for fit in fits)
    if plan.cost is not None:
        trial.cost = float(np.mean([fit.cost for fit in fits]))


def expected(trial: Trial, trials: list[Trial]) -> float:
    """Return the seconds that a fold of a trial takes, as far as trials of its model tell.

    0 where none of them was fitted.
    """
    if trial.fits:
        return trial.seconds / len(trial.fits)
    known = [one.seconds / len(one.fits) for one in trials if one.model == trial.model and one.fits]
    return sum(known) / len(known) if known else 0.0


def is_in_time(folds: int, seconds: float, workers: int, until: float) -> bool:
    """Return whether some folds that take so many seconds each are done at a moment."""
    in_turns = -(-folds // workers)
    return time.time() + in_turns * seconds <= until
