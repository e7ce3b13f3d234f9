"""How often a table that was split at random is called drift after training on it.

python -m benchmarks.statistics --only drift_after_training
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.experiment import Claim, Experiment
from pipeline.data.splits import Fold
from pipeline.drift.comparison import Plan, compare_tables
from pipeline.drift.results import TableComparison
from pipeline.drift.roles import Sides, roles_of_model, with_output
from pipeline.drift.verdicts import DRIFT
from pipeline.project.settings.data import Prepare
from pipeline.project.settings.drift import Drift
from pipeline.scoring.rows import OutOfFold
from pipeline.scoring.scores import fold_scores
from pipeline.training import candidates, split_scores
from pipeline.training.candidates import ALL_ROWS, Fit, FitJob, Recipe
from pipeline.training.predictions import Predicted
from pipeline.training.problem import Problem

MODELS = {
    "dummy": {},
    "logistic_regression": {},
    "random_forest": {"n_estimators": 20, "min_samples_leaf": 5, "n_jobs": 1},
}
METRIC = "roc_auc"
TARGET, CLASSES = "answer", ["no", "yes"]
N_FOLDS = 5


def noise(rng: np.random.Generator, rows: int = 600) -> pd.DataFrame:
    """Return rows of five numbers and two categories, of which none tells the answer."""
    frame = pd.DataFrame(rng.normal(size=(rows, 5))).rename(columns=lambda k: f"number {k}")
    for name in ("town", "kind"):
        frame[name] = rng.choice(["a", "b", "c"], rows)
    return frame.assign(**{TARGET: np.where(rng.random(rows) < 0.4, "yes", "no")})


def signal(rng: np.random.Generator, rows: int = 600) -> pd.DataFrame:
    """Return the same rows with an answer that two of the numbers tell in part."""
    frame = noise(rng, rows)
    chance = 1 / (1 + np.exp(-1.5 * (frame["number 0"] + frame["number 1"])))
    return frame.assign(**{TARGET: np.where(rng.random(rows) < chance, "yes", "no")})


def problem_of(frame: pd.DataFrame, seed: int) -> Problem:
    """Return the problem of a table: four fifths at random to train on, and folds of them."""
    order = np.random.default_rng(seed).permutation(len(frame))
    cut = len(frame) * 4 // 5
    training, test = frame.iloc[order[:cut]], frame.iloc[order[cut:]]
    place = np.arange(cut) % N_FOLDS
    folds = [Fold(np.flatnonzero(place != k), np.flatnonzero(place == k)) for k in range(N_FOLDS)]
    return Problem(
        dataset="synthetic",
        task="classification",
        target=TARGET,
        target_transform="none",
        classes=CLASSES,
        inputs=training.drop(columns=TARGET),
        X=training.drop(columns=TARGET),
        y=(training[TARGET] == "yes").to_numpy().astype(int),
        X_test=test.drop(columns=TARGET),
        y_test=(test[TARGET] == "yes").to_numpy().astype(int),
        folds=folds,
        synthetic=True,
        data_hash="",
        split_hash="",
        primary_metric=METRIC,
        threshold_metric="accuracy",
        resampling="none",
        seed=seed,
        prepare=Prepare(),
        file="",
    )


def fits_of(problem: Problem) -> dict[str, list[Fit]]:
    """Return the fits of each model, on every fold and on all rows."""
    fits = {}
    for name, hyperparameters in MODELS.items():
        recipe = Recipe(problem.model_spec(name), hyperparameters)
        jobs = [FitJob(name, recipe, fold) for fold in (*range(N_FOLDS), ALL_ROWS)]
        fits[name] = [candidates.fit(problem, job) for job in jobs]
    return fits


def predicted(problem: Problem, fits: dict[str, list[Fit]]) -> Sides[Predicted]:
    """Return what the folds' models put out for the training and for the test rows."""
    outputs = {name: candidates.out_of_fold(problem, name, fits[name]) for name in fits}
    on_test = {name: candidates.test_by_fold(problem, name, fits[name]) for name in fits}
    return Sides(
        Predicted(problem.X.index, problem.y, problem.fold, outputs),
        Predicted(problem.X_test.index, problem.y_test, problem.test_fold, on_test),
    )


def mean_score(training: Predicted, name: str) -> float:
    out_of_fold = OutOfFold(training.y, training.outputs[name], training.fold)
    return float(np.mean(fold_scores(out_of_fold, METRIC, "accuracy")))


def compared(problem: Problem, output: np.ndarray, test_output: np.ndarray) -> TableComparison:
    """Return the comparison of both splits with a model's output, as the stage makes it."""
    labels = np.array(CLASSES)
    training = problem.X.assign(**{TARGET: labels[problem.y]})
    test = problem.X_test.assign(**{TARGET: labels[problem.y_test]})
    return compare_tables(
        with_output(training, output, CLASSES, 0.5),
        with_output(test, test_output, CLASSES, 0.5),
        Plan(roles_of_model("classification", TARGET, CLASSES), Drift(), problem.seed),
    )


def output_drifted(found: TableComparison) -> float:
    return float(found.prediction is not None and found.prediction.has_drifted)


def after_training(make: Callable[[np.random.Generator], pd.DataFrame]) -> Callable:
    """Return the trial that trains on a table of rows drawn alike and compares its splits."""

    def trial(seed: int) -> dict[str, float]:
        problem = problem_of(make(np.random.default_rng([3, seed])), seed)
        fits = fits_of(problem)
        both = predicted(problem, fits)
        training, test = both.reference, both.current
        best = max(fits, key=lambda name: mean_score(training, name))
        gain = split_scores.gain_of_predictions(training, test, METRIC, seed)
        alike = compared(problem, training.outputs[best], test.outputs[best])
        refitted = candidates.fit_on_all_rows(best, fits[best]).test_output
        mixed = compared(problem, training.outputs[best], refitted)
        return {
            "drift": float(alike.verdict == DRIFT),
            "output": output_drifted(alike),
            "output_of_refit": output_drifted(mixed),
            "worse": float(split_scores.is_clear(gain)),
        }

    return trial


CLAIMS = (
    Claim("drift", "a table split at random is drift after training in at most 5 %", highest=0.05),
    Claim("output", "its model output moved in at most 1 %", highest=0.01),
    Claim("worse", "the model does worse on its test rows in at most 2.5 %", highest=0.025),
    Claim("output_of_refit", "output of the folds' models against that of a refit: moved"),
)
EXPERIMENTS = (
    Experiment(
        "drift_after_training_noise",
        "synthetic noise, 600 rows, 3 models",
        100,
        after_training(noise),
        CLAIMS,
    ),
    Experiment(
        "drift_after_training_signal",
        "synthetic rows with a signal, 600 rows, 3 models",
        60,
        after_training(signal),
        CLAIMS,
    ),
)
