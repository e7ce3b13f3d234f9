"""Candidates: each fold predicts its own rows, and a fit a library refuses names the setting."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from pipeline.data.splits import Fold
from pipeline.project.errors import UsageError
from pipeline.project.settings.data import Prepare
from pipeline.training import candidates
from pipeline.training.candidates import ALL_ROWS, FitJob, Recipe
from pipeline.training.problem import Problem


@pytest.fixture
def problem() -> Problem:
    """Six rows in two folds, of which the first row is never predicted."""
    X = pd.DataFrame({"size": np.arange(6.0)})
    folds = [
        Fold(np.array([0, 1, 2]), np.array([3, 5])),
        Fold(np.array([0, 3, 5]), np.array([1, 2, 4])),
    ]
    return Problem(
        dataset="six",
        task="regression",
        target="price",
        target_transform="none",
        classes=None,
        inputs=X,
        X=X,
        y=2.0 * np.arange(6),
        X_test=X.iloc[:2] + 10,
        y_test=np.array([20.0, 22.0]),
        folds=folds,
        synthetic=False,
        data_hash="data",
        split_hash="split",
        primary_metric="rmse",
        threshold_metric="f1",
        resampling="none",
        seed=0,
        prepare=Prepare(),
        file="data/six.csv",
    )


def jobs(problem: Problem) -> list[FitJob]:
    """Return the jobs of a linear regression and of the mean, on all rows and on each fold."""
    both = []
    for name in ("linear_regression", "dummy"):
        recipe = Recipe(problem.model_spec(name), {})
        both += [FitJob(name, recipe, fold) for fold in (ALL_ROWS, 0, 1)]
    return both


def test_out_of_fold_output_is_that_of_the_fold_that_predicts_a_row(problem):
    fits = [candidates.fit(problem, job) for job in jobs(problem)]
    means = candidates.out_of_fold(problem, "dummy", fits)
    assert np.isnan(means[0])
    assert means[[3, 5]].tolist() == [2, 2]
    assert means[[1, 2, 4]] == pytest.approx([16 / 3] * 3)
    line = candidates.out_of_fold(problem, "linear_regression", fits)
    assert line[1:] == pytest.approx(problem.y[1:])
    assert problem.fold.tolist() == [-1, 1, 1, 0, 1, 0]


def test_fit_on_all_rows_predicts_the_test_split(problem):
    fits = [candidates.fit(problem, job) for job in reversed(jobs(problem))]
    final = candidates.fit_on_all_rows("linear_regression", fits)
    assert final.fold is ALL_ROWS and final.test_output == pytest.approx(problem.y_test)


def test_setting_that_the_library_refuses_is_named(problem):
    job = jobs(problem)[0]
    refused = dataclasses.replace(job, recipe=Recipe(job.recipe.spec, {"fit_intercept": "perhaps"}))
    with pytest.raises(UsageError, match="linear_regression cannot be fitted with .*perhaps"):
        candidates.fit(problem, refused)
