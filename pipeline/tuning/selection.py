"""The selection from a search: each model's best trial, and the members of the blend.

What follows the search takes time, which a search by seconds has to leave: see WhatFollows.

The search's own fits are what is scored: they stop early on a part of the rows that each fold is
fitted on, never on those that it predicts, as train's fits see none of these.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pipeline.project.params import Params
from pipeline.project.workers import Progress
from pipeline.training import assessment, predictions, stage_output
from pipeline.training.assessment import Contender
from pipeline.training.candidates import CandidateOutputs, Recipe
from pipeline.training.problem import Problem
from pipeline.training.results.content import Candidate, Improvements, StageResults
from pipeline.training.results.ranking import best_candidate
from pipeline.tuning import blending, final_models
from pipeline.tuning.blending import MOST_MEMBERS
from pipeline.tuning.final_models import Choice
from pipeline.tuning.search import Searched
from pipeline.tuning.trials import (
    MOST_KEPT,
    Plan,
    Trial,
    best_first,
    cheapest_near_best,
    finished,
)

NOT_BLENDED = "dummy"
# of the seconds that are expected: the load of a machine changes
MARGIN = 1.15
# in candidates stored, what is done once: the figures of the study, the comparison with the best
# candidate of train
BESIDE = 2


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


def read_others(
    problem: Problem, plan: Plan, trained: StageResults, settings: Params
) -> dict[str, Choice]:
    """Return train's candidates that a blend may be made of: other models than the tuned ones."""
    others: dict[str, Choice] = {}
    if not plan.blends:
        return others
    for name in trained["candidates"]:
        if name in plan.tune.models or name == NOT_BLENDED:
            continue
        hyperparameters = settings.hyperparameters(problem.dataset, name)
        others[name] = Choice(
            Recipe(problem.model_spec(name), hyperparameters),
            _output_of_train(problem, name, predictions.OUT_OF_FOLD),
            _output_of_train(problem, name, predictions.TEST_BY_FOLD),
        )
    return others


def _output_of_train(problem: Problem, name: str, part: str) -> np.ndarray:
    return predictions.read_output(problem.dataset, "train", name, part, problem.classes)


def fit_candidates(
    problem: Problem,
    plan: Plan,
    searched: Searched,
    others: dict[str, Choice],
    run: Callable[..., Any],
    progress: Progress,
) -> dict[str, CandidateOutputs]:
    """Return what the search chose as candidates: each model's best trial, and the blend.

    `others` are train's candidates that the blend may be made of beside the best trials.
    """
    metric = problem.primary_metric
    best = winners(searched.trials, metric, plan.tune.tolerance)
    ranked = best_first(searched.trials, metric)[:MOST_KEPT]
    library = {}
    for trial in [*best.values(), *(ranked if plan.blends else [])]:
        library[trial.name] = final_models.of_trial(problem, trial)
    library |= others
    blend = None
    if plan.blends:
        blend = blending.choose(problem, {name: one.out_of_fold for name, one in library.items()})
    chosen = {trial.name: library[trial.name] for trial in best.values()}
    used = dict(chosen)
    if blend:
        chosen |= {name: library[name] for name in blend.weights}
        used |= {name: library[name] for name in blend.names_used}
    final_models.fit_lost_models(searched.folds, used.values(), run, progress)
    finals = final_models.make_finals(problem, plan, chosen, run, progress)
    fitted = {}
    for model, trial in best.items():
        fitted[f"tuned_{model}"] = final_models.as_candidate(
            problem, trial.name, chosen[trial.name], finals[trial.name]
        )
    if blend:
        fitted["blend"] = blending.candidate(problem, blend, library, finals)
    return fitted


def improvements(
    problem: Problem,
    fitted: dict[str, CandidateOutputs],
    scored: dict[str, Candidate],
    trained: StageResults,
) -> dict[str, Improvements]:
    """Return how much better each candidate is than its model untuned, and than train's best."""
    best_of_train = best_candidate(trained["candidates"], problem.primary_metric)
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
    output = _output_of_train(problem, name, predictions.TEST)
    return Contender(name, trained["candidates"][name], output)


def rehearse_as_chosen(problem: Problem, trial: Trial) -> float:
    """Score, store and draw a finished trial as if it were chosen, and leave nothing.

    Return the seconds that it takes beside what asks its models.
    """
    choice = final_models.of_trial(problem, trial)
    final = final_models.bag(problem, choice)
    if choice.recipe.spec.own.transformers:
        # those of the folds differ, and a blend has one of each
        final = replace(final, models=final.models[:1])
    candidate = final_models.as_candidate(problem, trial.name, choice, final)
    return stage_output.rehearse("tune", problem, candidate)


@dataclass
class WhatFollows:
    """The seconds that final models, blend, scores, figures and files take after a search.

    `rehearse` is called once, for the first trial that comes to its end here. `threads` are the
    fits that this process does at a time, 0 where others do them.
    """

    problem: Problem
    plan: Plan
    threads: int
    rehearse: Callable[[Problem, Trial], float] = rehearse_as_chosen
    storing: float | None = None  # the seconds that a candidate takes beside what asks its models
    began: float = field(default_factory=time.perf_counter)
    began_on_processor: float = field(default_factory=time.process_time)

    def seconds(self, trials: list[Trial]) -> float:
        """Return what follows a search that ends with some trials; 0 before one is finished."""
        first = next((trial for trial in finished(trials) if trial.has_models), None)
        if first is None:
            return 0.0
        if self.storing is None:
            self.storing = self.rehearse(self.problem, first)
        candidates = [[trial] for trial in self._winners(trials)]
        if self.plan.blends:
            candidates.append(best_first(trials, self.problem.primary_metric)[:MOST_MEMBERS])
        stored = (len(candidates) + BESIDE) * self.storing
        asked = sum(self._asked(members, assessment.predictions_of) for members in candidates)
        asked += self._asked(candidates[-1], assessment.predictions_of_contributions)
        return MARGIN * (self._slowdown() * stored + asked + self._fits(trials))

    def _asked(self, members: list[Trial], predictions_of: Callable[[Problem, int], int]) -> float:
        """Return the seconds in which the models of a candidate predict."""
        models = sum(self._models(trial) for trial in members)
        seconds_a_row = sum(trial.seconds_a_row for trial in members) / len(members)
        return seconds_a_row * predictions_of(self.problem, models)

    def _models(self, trial: Trial) -> int:
        """Return of how many models a trial's candidate is the mean."""
        is_bagged = final_models.is_bagged(self.problem, self.plan, trial)
        return len(self.problem.folds) if is_bagged else 1

    def _slowdown(self) -> float:
        """Return how many seconds went by for each that a thread has had of the processor."""
        passed = time.perf_counter() - self.began
        on_processor = time.process_time() - self.began_on_processor
        return max(1.0, self.threads * passed / on_processor)

    def _winners(self, trials: list[Trial]) -> list[Trial]:
        best = winners(trials, self.problem.primary_metric, self.plan.tune.tolerance)
        return list(best.values())

    def _fits(self, trials: list[Trial]) -> float:
        """Return the seconds of the fits of final models, if the best trials are chosen."""
        chosen = self._winners(trials)
        if self.plan.blends:
            chosen += best_first(trials, self.problem.primary_metric)[:MOST_MEMBERS]
        seconds = 0.0
        for trial in {trial.number: trial for trial in chosen}.values():
            if not trial.has_models:
                seconds += trial.seconds
            if not final_models.is_bagged(self.problem, self.plan, trial):
                seconds += trial.seconds / (len(self.problem.folds) - 1)
        return seconds / max(1, self.threads)
