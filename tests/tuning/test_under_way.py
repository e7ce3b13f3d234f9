"""Trials under way: one is given up by paired evidence, and not by a fold that is hard for all."""

import dataclasses

import numpy as np
import pytest

from pipeline.project import params
from pipeline.training.problem import read_problem
from pipeline.tuning import under_way
from pipeline.tuning.trials import FoldFit, Limits, Trial, plan_of


@pytest.fixture
def problem(trained):
    return read_problem("tiny", params.load())


def trial(problem, error, folds):
    """Return a trial whose outputs are off by some errors, one for each training row."""
    fits = {}
    for fold in range(folds):
        rows = problem.folds[fold].predict
        fits[fold] = FoldFit(problem.y[rows] + error[rows], None, 0.0, 0.0, 0.0)
    return Trial(0, "search", "ridge", {}, False, fits=fits)


def test_trial_is_beaten_by_what_differs_on_the_same_rows(problem):
    rng = np.random.default_rng(0)
    hard = rng.normal(0, 1000, len(problem.y))  # what no model predicts
    rival = trial(problem, hard, 3)
    assert under_way.is_beaten(problem, trial(problem, hard * 1.2, 1), rival)
    assert not under_way.is_beaten(problem, trial(problem, hard * 0.8, 1), rival)
    assert not under_way.is_beaten(problem, rival, rival)
    other = rng.normal(0, 1010, len(problem.y))  # as good, on other rows
    assert not under_way.is_beaten(problem, trial(problem, other, 1), rival)


def test_rows_of_folds_that_are_not_fitted_yet_do_not_count(problem):
    error = np.full(len(problem.y), 100.0)
    spoilt = dataclasses.replace(problem, y=np.where(problem.fold == 2, problem.y + 1e6, problem.y))
    one, rival = trial(problem, error, 2), trial(problem, -0.5 * error, 3)
    assert under_way.is_beaten(problem, one, rival) and under_way.is_beaten(spoilt, one, rival)


@pytest.mark.parametrize(
    "n_folds, parts", [(2, [[0], [1]]), (3, [[0], [1], [2]]), (5, [[0], [1], [2, 3, 4]])]
)
def test_trial_with_a_rival_is_looked_at_after_each_of_its_first_folds(problem, n_folds, parts):
    plan, rival = plan_of("tiny", params.load()), trial(problem, np.zeros(len(problem.y)), 1)
    assert under_way.parts(plan, Limits(9), rival, n_folds) == parts
    assert under_way.parts(plan, Limits(9), None, n_folds) == [list(range(n_folds))]
