"""The search for hyperparameters: an Optuna study of one dataset that gives the same trials whatever the workers, kept on disk.

Trials are asked and told in batches, so that what the sampler and the pruner know does not depend on who was done first. The
journal holds whole batches; what each fold of a trial predicted lies beside it. A search that was killed asks its last batch
again, gets the same trials, since the sampler is seeded anew for each, and finds their folds done.
"""

from dataclasses import dataclass, field

import numpy as np

from pipeline.models import boosters, catalogue
from pipeline.project import paths
from pipeline.project.errors import UsageError
from pipeline.project.params import Params, SearchSpace
from pipeline.scoring import metrics
from pipeline.training.problem import Problem

TARGET_TRANSFORM = (
    "target_transform"  # is chosen as a hyperparameter is, and handed to the model's spec
)


@dataclass
class Trial:
    """One choice of a model and its hyperparameters, and what became of it."""

    number: int
    origin: str  # baseline | portfolio | search
    model: str
    hyperparameters: dict
    early_stopping: bool  # whether its rounds are to be found; otherwise it is fitted as it stands
    state: str = "running"  # finished | pruned | failed
    value: float | None = None  # mean of the primary metric over the folds
    folds: list[float] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    cost: float | None = None  # bytes or seconds, where they are an objective; mean over the folds
    reason: str | None = None  # of a failure
    seconds: float = 0.0
    fits: list[dict] = field(default_factory=list)

    def settled(self) -> dict:
        """Return the hyperparameters for a fit on all rows, a booster's rounds being the median over the folds."""
        if not self.rounds:
            return self.hyperparameters
        return {
            **self.hyperparameters,
            boosters.rounds_setting(self.model): int(np.median(self.rounds)),
        }

    def oof(self, problem: Problem) -> np.ndarray:
        """Return its out-of-fold output; nan where no fold predicts."""
        output = np.full((len(problem.X), *self.fits[0]["output"].shape[1:]), np.nan)
        for (_, predict), fit in zip(problem.folds, self.fits):
            output[predict] = fit["output"]
        return output


# what is tried


def given_trials(problem: Problem, settings: Params) -> list[Trial]:
    """Return the trials that come before the search: each model as params.yaml has it, then the portfolio, models in turn."""
    chosen = settings.dataset(problem.dataset).tune.models
    trials = [
        Trial(0, "baseline", model, settings.hyperparameters(problem.dataset, model), False)
        for model in chosen
    ]
    shelves = [settings.portfolio.get(model, []) for model in chosen]
    for place in range(max(map(len, shelves))):
        for model, shelf in zip(chosen, shelves):
            if place < len(shelf):
                base = {**settings.hyperparameters(problem.dataset, model), **shelf[place]}
                trials.append(
                    Trial(0, "portfolio", model, with_most_rounds(model, base, settings), True)
                )
    for number, trial in enumerate(trials):
        trial.number = number
    return trials


def with_most_rounds(model: str, hyperparameters: dict, settings: Params) -> dict:
    """Return a booster's hyperparameters with the most rounds of its search space; early stopping may take fewer."""
    if not boosters.can_stop(model, hyperparameters):
        return hyperparameters
    rounds = boosters.rounds_setting(model)
    space = settings.search_spaces[model].get(rounds)
    if space:
        most = max(space.choices) if space.choices else space.high
    else:
        most = hyperparameters.get(rounds, catalogue.default_value(model, "regression", rounds))
    return {**hyperparameters, rounds: int(most)}


def search_space(problem: Problem, settings: Params, model: str) -> dict[str, SearchSpace]:
    """Return the search space of one model, without what early stopping finds, with the target's transforms to choose from."""
    spec = settings.dataset(problem.dataset)
    space = dict(settings.search_spaces[model])
    if boosters.can_stop(model, settings.hyperparameters(problem.dataset, model)):
        space.pop(boosters.rounds_setting(model), None)
    if len(spec.tune.target_transforms) > 1:
        space[TARGET_TRANSFORM] = SearchSpace(choices=list(spec.tune.target_transforms))
    return space


def check_search(problem: Problem, settings: Params) -> None:
    """Raise UsageError where a search space or the portfolio names what the model does not have."""
    transforms = settings.dataset(problem.dataset).tune.target_transforms
    if "log1p" in transforms and problem.y.min() <= -1:
        raise UsageError(
            f"{paths.PARAMS}: datasets.{problem.dataset}.tune.target_transforms: log1p is not defined for "
            f"{problem.y.min():g}; remove it"
        )
    for model in settings.dataset(problem.dataset).tune.models:
        catalogue.check_model(
            model,
            problem.task,
            settings.search_spaces[model],
            f"{paths.PARAMS}: search_spaces.{model}",
        )
        for shelf in settings.portfolio.get(model, []):
            catalogue.check_model(model, problem.task, shelf, f"{paths.PARAMS}: portfolio.{model}")


def best_trial(trials: list[Trial], metric: str) -> Trial | None:
    """Return the best of the finished trials, the first of equals."""
    finished = [trial for trial in trials if trial.state == "finished"]
    sign = -metrics.sign(metric)
    return min(finished, key=lambda trial: (sign * trial.value, trial.number), default=None)


def cheapest_near_best(trials: list[Trial], metric: str, tolerance: float) -> Trial | None:
    """Return the cheapest of the finished trials whose metric is within the tolerance of the best one's, the better of equals."""
    winner = best_trial(trials, metric)
    if winner is None or winner.cost is None:
        return winner
    sign = -metrics.sign(metric)
    near = [
        trial
        for trial in trials
        if trial.state == "finished"
        and sign * (trial.value - winner.value) <= tolerance * abs(winner.value)
    ]
    return min(near, key=lambda trial: (trial.cost, sign * trial.value, trial.number))
