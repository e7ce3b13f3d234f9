"""A search on pure noise: its out-of-fold score is that of new rows, and no better than chance."""

import dataclasses

import numpy as np
import pytest

from pipeline.project import params, workers
from pipeline.training.problem import read_problem
from pipeline.tuning import search as tuning_search
from pipeline.tuning import selection
from pipeline.tuning.trials import Limits, plan_of
from support.tuning import settings_with

SEEDS = 50
NEW_ROWS = 20  # times the test rows: their own chance is not what is looked at


def chosen_on_noise(problem, plan, folder, seed):
    """Return the squared errors out of fold and on new rows of what a search chooses, and chance's.

    The target has nothing to do with the features. The new rows are predicted by the folds' models,
    as the out-of-fold rows are: the mean of these models does better.
    """
    rng = np.random.default_rng(seed)
    noise = dataclasses.replace(problem, y=rng.normal(size=len(problem.y)))
    with workers.pool(1) as run:
        searched = tuning_search.search(noise, plan, Limits(8), run, folder, lambda *_: None)
        fitted = selection.fit_candidates(noise, plan, searched, {}, run, workers.no_progress)
    chosen = fitted.get("blend") or next(iter(fitted.values()))
    new = rng.normal(size=(NEW_ROWS, len(problem.X_test)))
    seen = noise.fold >= 0
    return (
        np.mean((noise.y[seen] - chosen.out_of_fold[seen]) ** 2),
        np.mean((new - chosen.test_by_fold) ** 2),
        np.mean((noise.y[seen] - noise.y[seen].mean()) ** 2),
    )


def standard_errors(values):
    """Return how many standard errors the mean of some values is above zero."""
    return np.mean(values) / (np.std(values, ddof=1) / np.sqrt(len(values)))


@pytest.mark.slow
def test_score_out_of_fold_of_a_search_on_noise_is_that_of_new_rows_and_chance(trained, tmp_path):
    settings_with(trained, "tune: {models: [lightgbm, ridge], trials: 8, batch: 3}")
    problem, plan = read_problem("tiny", params.load()), plan_of("tiny", params.load())
    losses = np.array(
        [chosen_on_noise(problem, plan, tmp_path / str(seed), seed) for seed in range(SEEDS)]
    )
    out_of_fold, on_new, by_chance = losses.T
    assert abs(standard_errors(on_new - out_of_fold)) < 2.5
    assert standard_errors(out_of_fold - by_chance) > -2.5
