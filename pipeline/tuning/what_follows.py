"""What follows a search: how long it takes, by what was seen of the search and of one rehearsal."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.training.problem import Problem
from pipeline.training.stage_output import Rehearsed
from pipeline.tuning import final_models
from pipeline.tuning.blending import MOST_MEMBERS
from pipeline.tuning.trials import Plan, Trial, best_first, best_trial, finished

# of the seconds that are expected: the load of a machine changes
MARGIN = 1.15
# for the study's figures, the comparison with train's best candidate and the record in MLflow, in
# rehearsals
BESIDE = 2


@dataclass
class WhatFollows:
    """The seconds that final models, blend, scores, figures and files take after a search.

    `rehearse` scores and draws a trial as if it had been chosen, and leaves nothing. It is called
    once, for the first trial that comes to its end here. `threads` are the fits that this process
    does at a time, 0 where others do them.
    """

    problem: Problem
    plan: Plan
    threads: int
    rehearse: Callable[[Trial], Rehearsed]
    rehearsed: Rehearsed | None = None
    began: float = field(default_factory=time.perf_counter)
    began_on_processor: float = field(default_factory=time.process_time)

    def seconds(self, trials: list[Trial]) -> float:
        """Return what follows a search that ends with some trials; 0 before one is finished."""
        first = next((trial for trial in finished(trials) if trial.has_models), None)
        if first is None:
            return 0.0
        if self.rehearsed is None:
            self.rehearsed = self.rehearse(first)
        candidates = self._winners(trials) + ([first] if self.plan.blends else [])
        models = len(candidates) + (MOST_MEMBERS - 1 if self.plan.blends else 0)
        scored = (len(candidates) + BESIDE) * self.rehearsed.seconds
        predicted = models * self.rehearsed.predicting
        return MARGIN * (self._slowdown() * (scored + predicted) + self._fits(trials))

    def _slowdown(self) -> float:
        """Return how many seconds went by for each that a thread has had of the processor."""
        passed = time.perf_counter() - self.began
        on_processor = time.process_time() - self.began_on_processor
        return max(1.0, self.threads * passed / on_processor)

    def _winners(self, trials: list[Trial]) -> list[Trial]:
        """Return the best trial of each model."""
        winners = []
        for model in self.plan.tune.models:
            of_model = [trial for trial in trials if trial.model == model]
            winner = best_trial(of_model, self.problem.primary_metric)
            if winner:
                winners.append(winner)
        return winners

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
