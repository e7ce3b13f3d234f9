"""The work of train, tune and drift without the pipeline around it, for pipeline_overhead.py.

It fits the same models on the same rows, the trials of the search among them, and compares the
splits as drift does. Run in a folder in which `dvc repro` has run, so that the trials are known:

    python -m benchmarks.bare_loops iris customer_churn
"""

import sys

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

import detect_drift
from pipeline.models import fitting
from pipeline.project import params, workers
from pipeline.project.params import Params
from pipeline.training.problem import Problem, read_problem
from pipeline.tuning import journal
from pipeline.tuning.folds import Folds, fit_fold
from pipeline.tuning.search import search
from pipeline.tuning.trials import Limits, plan_of


def fit(
    problem: Problem, model: str, settings: Params, rows: np.ndarray | slice, X_new: pd.DataFrame
) -> np.ndarray:
    """Fit a model on some rows, and return its output on others."""
    spec = problem.model_spec(model)
    hyperparameters = settings.hyperparameters(problem.dataset, model)
    X, y = problem.X.iloc[rows], problem.y[rows]
    fitted = fitting.fit(spec, hyperparameters, X, y, problem.seed, problem.resampling)
    return fitted.output(X_new)


def train(problem: Problem, settings: Params) -> None:
    """Do the fits of train.py."""
    jobs = []
    for model in settings.dataset(problem.dataset).train.models:
        jobs.append(delayed(fit)(problem, model, settings, slice(None), problem.X_test))
        for fold in problem.folds:
            X_new = problem.X.iloc[fold.predict]
            jobs.append(delayed(fit)(problem, model, settings, fold.fit, X_new))
    Parallel(n_jobs=settings.cores(), backend="threading")(jobs)


def tune(problem: Problem, settings: Params) -> None:
    """Do the fits of the trials that the study of `dvc repro` holds."""
    plan = plan_of(problem.dataset, settings)
    with workers.pool(settings.cores()) as run:
        with journal.opened(problem, settings) as folder:
            searched = search(
                problem, plan, Limits(plan.tune.trials), run, folder, lambda count, note: None
            )
        jobs = []
        for trial in searched.trials:
            for fold in range(len(trial.folds)):
                jobs.append((fold, trial.model, trial.hyperparameters, trial.early_stopping))
        run(fit_fold, Folds(problem, plan.tune), jobs)


def main() -> None:
    settings = params.load()
    for dataset in sys.argv[1:]:
        problem = read_problem(dataset, settings)
        train(problem, settings)
        tune(problem, settings)
        detect_drift.compare_splits(dataset, settings)


if __name__ == "__main__":
    main()
