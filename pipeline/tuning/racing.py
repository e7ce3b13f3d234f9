"""Racing: a trial ends as soon as its first folds show that it cannot win.

The evidence is paired: the losses of two trials on the same rows, as in F-Race (Birattari et al.,
A Racing Algorithm for Configuring Metaheuristics, GECCO 2002).
"""

import numpy as np

from pipeline.scoring import metrics
from pipeline.training.problem import Problem
from pipeline.tuning.trials import Trial

STANDARD_ERRORS = 2.5  # by which a trial's mean loss is above its rival's when it is given up
PARTS = 2  # a trial is looked at after each of its first so many folds


def parts(n_folds: int) -> list[list[int]]:
    """Return the folds in the parts after which a trial is looked at."""
    first = [[fold] for fold in range(min(PARTS, n_folds))]
    rest = list(range(PARTS, n_folds))
    return [*first, rest] if rest else first


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
