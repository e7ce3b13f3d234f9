"""The selection from a search: its best trials, scored and fitted again as train does it.

A trial's own fits stopped early on a part of each fold's rows, so its scores cannot be compared
with those of train's candidates.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.project.params import Params
from pipeline.project.workers import Progress
from pipeline.scoring import metrics, scores
from pipeline.scoring.rows import OutOfFold
from pipeline.training import assessment, candidates, predictions, results
from pipeline.training.assessment import Contender
from pipeline.training.candidates import ALL_ROWS, CandidateOutputs, Fit, FitJob, Recipe
from pipeline.training.problem import Problem
from pipeline.training.results import Candidate, Improvements, StageResults
from pipeline.tuning import blending
from pipeline.tuning.trials import (
    BASELINE,
    TARGET_TRANSFORM,
    Plan,
    Trial,
    best_first,
    cheapest_near_best,
    finished,
)

MOST_MEMBERS = 25  # trials that a blend is chosen from, the best ones
NOT_BLENDED = "dummy"


@dataclass(frozen=True)
class Library:
    """What can be selected, by name: finished trials, and train's candidates of other models.

    `recipes` are those of all; `out_of_fold` are outputs under train's cross-validation and
    `test_by_fold` those of its models on the test rows, of shape (rows,) or (rows, classes), as far
    as they are known.
    """

    recipes: dict[str, Recipe]
    out_of_fold: dict[str, np.ndarray]
    test_by_fold: dict[str, np.ndarray]


def winners(trials: list[Trial], metric: str, tolerance: float) -> dict[str, Trial]:
    """Return {model: its best trial}, of the models that have a finished one.

    With two objectives it is the cheapest near the best.
    """
    chosen = {}
    for model in dict.fromkeys(trial.model for trial in trials):
        of_model = [trial for trial in trials if trial.model == model]
        winner = cheapest_near_best(of_model, metric, tolerance)
        if winner:
            chosen[model] = winner
    return chosen


def baselines(trials: list[Trial]) -> dict[str, Trial]:
    """Return {model: its finished trial with the settings of params.yaml}."""
    return {trial.model: trial for trial in finished(trials) if trial.origin == BASELINE}


def recipe(problem: Problem, trial: Trial) -> Recipe:
    """Return what a trial is fitted from on all rows."""
    hyperparameters = dict(trial.settled())
    target_transform = hyperparameters.pop(TARGET_TRANSFORM, None)
    return Recipe(problem.model_spec(trial.model, target_transform), hyperparameters)


def read_others(problem: Problem, plan: Plan, trained: StageResults, settings: Params) -> Library:
    """Return train's candidates that a blend may be made of: other models than the tuned ones."""
    others = Library({}, {}, {})
    if not plan.blends:
        return others
    for name in trained["candidates"]:
        if name in plan.tune.models or name == NOT_BLENDED:
            continue
        hyperparameters = settings.hyperparameters(problem.dataset, name)
        others.recipes[name] = Recipe(problem.model_spec(name), hyperparameters)
        for part, outputs in (
            (predictions.OUT_OF_FOLD, others.out_of_fold),
            (predictions.TEST_BY_FOLD, others.test_by_fold),
        ):
            outputs[name] = predictions.read_output(
                problem.dataset, "train", name, part, problem.classes
            )
    return others


def library_of(problem: Problem, trials: list[Trial], others: Library) -> Library:
    """Return all that can be selected.

    A baseline was fitted in the search as train fits it, so its outputs are known, but not those on
    the test rows, which the search does not see.
    """
    recipes = {trial.name: recipe(problem, trial) for trial in finished(trials)}
    known = {trial.name: trial.out_of_fold(problem) for trial in baselines(trials).values()}
    return Library(recipes | others.recipes, known | others.out_of_fold, dict(others.test_by_fold))


def promising(problem: Problem, trials: list[Trial], others: Library) -> list[str]:
    """Return the names of what a blend is made of, by the search's own fits and train's outputs."""
    best = best_first(trials, problem.primary_metric)[:MOST_MEMBERS]
    outputs = {trial.name: trial.out_of_fold(problem) for trial in best}
    return list(blending.weights_by_name(problem, outputs | others.out_of_fold))


def rescore(
    problem: Problem, library: Library, names: list[str], run: Any, progress: Progress
) -> None:
    """Fit some members of the library on train's folds, and put their outputs into it."""
    unknown = [name for name in dict.fromkeys(names) if name not in library.test_by_fold]
    jobs = []
    for name in unknown:
        for fold in range(len(problem.folds)):
            jobs.append(FitJob(name, library.recipes[name], fold))
    fits = _fit(problem, jobs, run, progress)
    for name in unknown:
        library.out_of_fold[name] = candidates.out_of_fold(problem, name, fits)
        library.test_by_fold[name] = candidates.test_by_fold(problem, name, fits)


def better_than_baseline(
    problem: Problem, best: dict[str, Trial], trials: list[Trial], library: Library
) -> dict[str, Trial]:
    """Return the winners, each replaced by its model's baseline where it is no better than that."""
    kept = dict(best)
    for model, baseline in baselines(trials).items():
        if model not in best:
            continue
        cv = _cv(problem, library.out_of_fold[best[model].name])
        if not metrics.is_better(problem.primary_metric, cv, baseline.score):
            kept[model] = baseline
    return kept


def _cv(problem: Problem, out_of_fold: np.ndarray) -> float:
    """Return the mean of the primary metric over train's folds."""
    by_fold = scores.fold_scores(
        OutOfFold(problem.y, out_of_fold, problem.fold, problem.terms),
        problem.primary_metric,
        problem.threshold_metric,
    )
    return float(np.mean(by_fold))


def fit_on_all_rows(
    problem: Problem, library: Library, names: list[str], run: Any, progress: Progress
) -> list[Fit]:
    """Return the fits of some members of the library on all training rows."""
    jobs = [FitJob(name, library.recipes[name], ALL_ROWS) for name in dict.fromkeys(names)]
    return _fit(problem, jobs, run, progress)


def _fit(problem: Problem, jobs: list[FitJob], run: Any, progress: Progress) -> list[Fit]:
    with progress(len(jobs), f"tune {problem.dataset}", "fit") as step:
        return candidates.fit_all(problem, jobs, run, step)


def tuned(trial: Trial, library: Library, fits: list[Fit]) -> CandidateOutputs:
    """Return a selected trial as a candidate."""
    final = candidates.fit_on_all_rows(trial.name, fits)
    return CandidateOutputs(
        model=final.model,
        parameters=trial.settled(),
        out_of_fold=library.out_of_fold[trial.name],
        test=final.test_output,
        test_by_fold=library.test_by_fold[trial.name],
        seconds=final.seconds,
    )


def improvements(
    problem: Problem,
    fitted: dict[str, CandidateOutputs],
    scored: dict[str, Candidate],
    trained: StageResults,
) -> dict[str, Improvements]:
    """Return how much better each candidate is than its model untuned, and than train's best."""
    best_of_train = results.best_candidate(trained["candidates"], problem.primary_metric)
    improvement: dict[str, Improvements] = {}
    for name, outputs in fitted.items():
        one = Contender(name, scored[name], outputs.test)
        same_model = None
        untuned = name.removeprefix("tuned_")
        if untuned in trained["candidates"]:
            other = _contender_of_train(problem, untuned, trained)
            same_model = assessment.improvement(problem, one, other)
        best = _contender_of_train(problem, best_of_train, trained)
        improvement[name] = {
            "same_model": same_model,
            "best_of_train": assessment.improvement(problem, one, best),
        }
    return improvement


def _contender_of_train(problem: Problem, name: str, trained: StageResults) -> Contender:
    output = predictions.read_output(
        problem.dataset, "train", name, predictions.TEST, problem.classes
    )
    return Contender(name, trained["candidates"][name], output)
