"""A stage's candidates: fitted on all rows and on each fold, scored, and on disk with their figures and predictions."""

import time

import numpy as np

from pipeline.models import fitting
from pipeline.models.spec import ModelSpec
from pipeline.project import paths
from pipeline.project.errors import PipelineError, UsageError
from pipeline.training.problem import Problem

Recipe = tuple[dict, dict]  # the spec of a model and its hyperparameters
ALL_ROWS = None  # in the place of a fold


def fit(
    problem: Problem,
    recipes: dict[str, Recipe],
    wanted: list[tuple],
    resampling: str,
    seed: int,
    run,
    step,
) -> tuple:
    """Fit candidates, for each (name, fold) that is wanted, on what the fold fits or on ALL_ROWS.

    Return {(name, fold): (model, output)}, the output on the rows that the fold predicts or on the test split, and {(name, fold):
    seconds}. `run` is that of workers.pool; `step` is called after each fit.
    """
    jobs = [(name, *recipes[name], fold, resampling, seed) for name, fold in wanted]
    done = run(_fit, problem, jobs, lambda place, result: step())
    return {key: result[:2] for key, result in zip(wanted, done)}, {
        key: result[2] for key, result in zip(wanted, done)
    }


def _fit(
    problem: Problem,
    name: str,
    spec: ModelSpec,
    hyperparameters: dict,
    fold: int | None,
    resampling: str,
    seed: int,
) -> tuple:
    started = time.perf_counter()
    X, y, X_new = problem.X, problem.y, problem.X_test
    if fold is not ALL_ROWS:
        rows, new = problem.folds[fold]
        X, y, X_new = X.iloc[rows], y[rows], X.iloc[new]
    try:
        model = fitting.fit(spec, hyperparameters, X, y, seed, resampling)
    except PipelineError:
        raise
    except (
        Exception
    ) as error:  # each library raises errors of its own for a setting that it refuses
        raise UsageError(
            f"{paths.PARAMS}: {name} cannot be fitted with {hyperparameters}: {error}"
        ) from error
    return model, model.output(X_new), time.perf_counter() - started


def out_of_fold(problem: Problem, name: str, fitted: dict) -> np.ndarray:
    """Return what the folds' fits of a candidate predict, each for its own rows; nan where no fold predicts."""
    output = np.full((len(problem.X), *fitted[name, 0][1].shape[1:]), np.nan)
    for fold, (_, predict) in enumerate(problem.folds):
        output[predict] = fitted[name, fold][1]
    return output
