"""Final models: what becomes of a choice, the mean of its folds' models or one refitted model.

The folds' models are those that the search scored, so that a bag costs no fit and its out-of-fold
score is the mean of theirs: what averaging gains is not in it (Breiman, Bagging Predictors, 1996).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.models import fitted as models_fitted
from pipeline.models.fitted import Fitted, Model
from pipeline.project.workers import Progress
from pipeline.training import candidates
from pipeline.training.candidates import ALL_ROWS, CandidateOutputs, FitJob, Recipe
from pipeline.training.problem import Problem
from pipeline.tuning.folds import Folds, fit_fold
from pipeline.tuning.search import fold_arguments
from pipeline.tuning.trials import TARGET_TRANSFORM, FoldFit, Plan, Trial

MOST_IN_A_BAG = 10  # folds; a prediction takes as many times as long as one model's


@dataclass(frozen=True)
class Choice:
    """What can be chosen: a finished trial, or a candidate of train of another model.

    Its outputs are those of the folds' models, of shape (rows,) or (rows, classes); that on the
    test rows is known for a candidate of train alone, and a trial for a trial alone.
    """

    recipe: Recipe
    out_of_fold: np.ndarray
    test_by_fold: np.ndarray | None = None
    trial: Trial | None = None


@dataclass(frozen=True)
class Final:
    """The models that become of a choice, which are averaged, and their outputs.

    `test` is that of their mean, `test_by_fold` that of the folds' models; `seconds` those of the
    models' fits.
    """

    models: list[Model]
    out_of_fold: np.ndarray
    test: np.ndarray
    test_by_fold: np.ndarray
    seconds: float


def of_trial(problem: Problem, trial: Trial) -> Choice:
    """Return a finished trial as a choice."""
    hyperparameters = dict(trial.settled())
    target_transform = hyperparameters.pop(TARGET_TRANSFORM, None)
    recipe = Recipe(problem.model_spec(trial.model, target_transform), hyperparameters)
    return Choice(recipe, trial.out_of_fold(problem), trial=trial)


def is_bagged(problem: Problem, plan: Plan, trial: Trial | None) -> bool:
    """Return whether the mean of a choice's fold models becomes the final model.

    By itself that is so where rounds were found by early stopping, the one thing that a refit has
    to guess, or the family is always averaged, and the folds were fitted on most rows. Never where
    the user's own transformers are fitted on each fold: a blend has one of each. `trial` is None
    for a candidate of train.
    """
    if trial is None or plan.cost is not None or plan.tune.final == "refit":
        return False
    spec = problem.model_spec(trial.model)
    if spec.own.transformers:
        return False
    if plan.tune.final == "bag":
        return True
    covers = problem.prepare.split_kind != "time" and len(problem.folds) <= MOST_IN_A_BAG
    return covers and (bool(trial.rounds) or spec.family.is_averaged)


def make_finals(
    problem: Problem,
    plan: Plan,
    choices: dict[str, Choice],
    run: Callable[..., Any],
    progress: Progress,
) -> dict[str, Final]:
    """Return the final models of some choices, whose folds' models are there."""
    refitted = [name for name, one in choices.items() if not is_bagged(problem, plan, one.trial)]
    with progress(len(refitted), f"tune {problem.dataset}", "fit") as step:
        jobs = [FitJob(name, choices[name].recipe, ALL_ROWS) for name in refitted]
        fits = candidates.fit_all(problem, jobs, run, step)
    finals = {}
    for name, choice in choices.items():
        if name in refitted:
            finals[name] = _refitted(problem, choice, candidates.fit_on_all_rows(name, fits))
        else:
            finals[name] = bag(problem, choice)
    return finals


def fit_lost_models(
    folds: Folds, choices: Iterable[Choice], run: Callable[..., Any], progress: Progress
) -> None:
    """Fit the folds' models of some choices again that were not kept; they are what they were."""
    lost = []
    for choice in choices:
        if choice.trial is None:
            continue
        for fold, fit in choice.trial.fits.items():
            if isinstance(fit, FoldFit) and fit.model is None:
                lost.append((choice.trial, fold))

    with progress(len(lost), f"tune {folds.problem.dataset}", "fit") as step:

        def keep(place: int, result: Any) -> None:
            trial, fold = lost[place]
            trial.fits[fold] = result
            step()

        jobs = [fold_arguments(trial, fold) for trial, fold in lost]
        run(fit_fold, folds, jobs, keep, keep=False)


def fold_models(trial: Trial) -> list[Model]:
    """Return the models of a trial's folds, which are known."""
    models = []
    for fit in trial.finished_fits():
        assert fit.model is not None
        models.append(fit.model)
    return models


def test_by_fold(problem: Problem, choice: Choice) -> np.ndarray:
    """Return what a choice's fold models put out for the test rows, each for its own."""
    if choice.test_by_fold is not None:
        return choice.test_by_fold
    assert choice.trial is not None
    output = np.empty((len(problem.X_test), *choice.out_of_fold.shape[1:]))
    for fold, model in enumerate(fold_models(choice.trial)):
        rows = problem.test_fold == fold
        if rows.any():
            output[rows] = model.output_of_features(problem.X_test[rows])
    return output


def bag(problem: Problem, choice: Choice) -> Final:
    """Return the mean of the folds' models of a choice, which is a trial's."""
    assert choice.trial is not None
    models = fold_models(choice.trial)
    outputs = np.stack([model.output_of_features(problem.X_test) for model in models])
    by_fold = np.empty(outputs.shape[1:])
    for fold, output in enumerate(outputs):
        rows = problem.test_fold == fold
        by_fold[rows] = output[rows]
    return Final(
        models, choice.out_of_fold, outputs.mean(axis=0), by_fold, seconds=choice.trial.seconds
    )


def _refitted(problem: Problem, choice: Choice, fit: candidates.Fit) -> Final:
    by_fold = test_by_fold(problem, choice)
    return Final([fit.model], choice.out_of_fold, fit.test_output, by_fold, fit.seconds)


def mean_model(problem: Problem, finals: dict[str, Final], weights: dict[str, float]) -> Fitted:
    """Return the weighted mean of final models as one model."""
    models: list[Model] = []
    values: list[float] = []
    for name, weight in weights.items():
        of_one = finals[name].models
        models += of_one
        values += [weight / len(of_one)] * len(of_one)
    if len(models) == 1:
        return models[0]
    return models_fitted.blend(models, values, problem.model_spec("blend"))


def as_candidate(problem: Problem, name: str, choice: Choice, final: Final) -> CandidateOutputs:
    """Return a trial's final model as a candidate."""
    assert choice.trial is not None
    parameters = choice.trial.settled()
    if len(final.models) > 1:
        parameters = {
            "model_type": choice.trial.model,
            **parameters,
            "fold_models": len(final.models),
        }
    return CandidateOutputs(
        model=mean_model(problem, {name: final}, {name: 1.0}),
        parameters=parameters,
        out_of_fold=final.out_of_fold,
        test=final.test,
        test_by_fold=final.test_by_fold,
        seconds=final.seconds,
    )
