"""Candidates: how each is to be fitted, on all rows and on each fold, and what it then puts out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.models import fitting
from pipeline.models.fitted import Fitted, Model
from pipeline.models.spec import ModelSpec
from pipeline.own import loading
from pipeline.project import paths
from pipeline.project.errors import PipelineError, UsageError
from pipeline.training.predictions import OUT_OF_FOLD, TEST, TEST_BY_FOLD
from pipeline.training.problem import Problem

ALL_ROWS = None  # in place of a fold


@dataclass(frozen=True)
class Recipe:
    """What a model is fitted from beside its rows."""

    spec: ModelSpec
    hyperparameters: dict[str, Any]


@dataclass(frozen=True)
class FitJob:
    """One fit to be done: of a candidate, on the rows that a fold fits or on ALL_ROWS."""

    candidate: str
    recipe: Recipe
    fold: int | None


@dataclass(frozen=True)
class Fit:
    """One fit that is done, and the model's output on the rows that it is to predict.

    `output` is on the training rows that the fold predicts, None for ALL_ROWS; `test_output` on the
    test rows that are the fold's, or on all. Both have shape (rows,) or (rows, classes).
    """

    candidate: str
    fold: int | None
    model: Model
    output: np.ndarray | None
    test_output: np.ndarray
    seconds: float


@dataclass(frozen=True)
class CandidateOutputs:
    """A candidate fitted on all rows, and its output on the training and the test rows.

    That on training rows is out of fold, nan where no fold predicts; `test_by_fold` is that of the
    folds' models on the test rows, see Problem.test_fold. Outputs have shape (rows,) or (rows,
    classes).
    `parameters` are those to be recorded, `seconds` those of the fit on all rows.
    """

    model: Fitted
    parameters: dict[str, Any]
    out_of_fold: np.ndarray
    test: np.ndarray
    test_by_fold: np.ndarray
    seconds: float

    def of_part(self, part: str) -> np.ndarray:
        """Return the output that a stage's file of predictions holds, one of predictions.PARTS."""
        parts = {OUT_OF_FOLD: self.out_of_fold, TEST: self.test, TEST_BY_FOLD: self.test_by_fold}
        return parts[part]


def fit(problem: Problem, job: FitJob) -> Fit:
    """Fit a candidate and predict the rows that it has not seen.

    Raises UsageError where the library refuses the hyperparameters.
    """
    started = time.perf_counter()
    X, y, X_test, weight = problem.X, problem.y, problem.X_test, problem.terms.weight
    if job.fold is not ALL_ROWS:
        rows = problem.folds[job.fold].fit
        X, y, weight = X.iloc[rows], y[rows], problem.weight_of(rows)
        X_test = X_test[problem.test_fold == job.fold]
    recipe = job.recipe
    try:
        model = fitting.fit(
            recipe.spec, recipe.hyperparameters, X, y, problem.seed, problem.resampling, weight
        )
        if job.fold is ALL_ROWS:
            output, test_output = None, model.output_of_features(X_test)
        else:
            output = model.output_of_features(problem.X.iloc[problem.folds[job.fold].predict])
            # of few test rows some folds have none, which some libraries refuse to predict
            test_output = model.output_of_features(X_test) if len(X_test) else output[:0]
    except PipelineError:
        raise
    # each library raises errors of its own for a setting that it refuses
    except Exception as error:
        raise UsageError(_failure(job, error)) from error
    seconds = time.perf_counter() - started
    return Fit(job.candidate, job.fold, model, output, test_output, seconds)


def _failure(job: FitJob, error: Exception) -> str:
    """Return in one line why a candidate fails, with the line of the user's own code if it does."""
    settings, own = job.recipe.hyperparameters, job.recipe.spec.estimator
    given = f" with {settings}" if settings else ""
    reason = loading.fault(error, own.file) if own and own.file else error
    return f"{paths.PARAMS}: {job.candidate} cannot be fitted{given}: {reason}"


def fit_all(
    problem: Problem, jobs: list[FitJob], run: Callable[..., list[Fit]], step: Callable[[], None]
) -> list[Fit]:
    """Do some fits, many at a time, and return them in their jobs' order.

    `run` is that of workers.pool; `step` is called after each fit.
    """
    return run(fit, problem, [(job,) for job in jobs], lambda place, result: step())


def out_of_fold(problem: Problem, candidate: str, fits: list[Fit]) -> np.ndarray:
    """Return what the folds' fits of a candidate predict, each for its own rows.

    The shape is (rows,) or (rows, classes), nan for rows that no fold predicts.
    """
    by_fold = {
        one.fold: one.output
        for one in fits
        if one.candidate == candidate and one.output is not None
    }
    output = np.full((len(problem.X), *by_fold[0].shape[1:]), np.nan)
    for number, fold in enumerate(problem.folds):
        output[fold.predict] = by_fold[number]
    return output


def test_by_fold(problem: Problem, candidate: str, fits: list[Fit]) -> np.ndarray:
    """Return what the folds' fits of a candidate predict for the test rows, each for its own.

    The shape is (rows,) or (rows, classes).
    """
    of_folds = [one for one in fits if one.candidate == candidate and one.fold is not ALL_ROWS]
    output = np.empty((len(problem.X_test), *of_folds[0].test_output.shape[1:]))
    for one in of_folds:
        output[problem.test_fold == one.fold] = one.test_output
    return output


def fit_on_all_rows(candidate: str, fits: list[Fit]) -> Fit:
    """Return a candidate's fit on all rows."""
    return next(one for one in fits if one.candidate == candidate and one.fold is ALL_ROWS)
