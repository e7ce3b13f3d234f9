"""Trials of a search: the plan that they follow, those that come first, and the best of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pipeline.models import catalogue, estimators
from pipeline.models.families import boosters, monotone
from pipeline.models.fitted import Model
from pipeline.project import paths
from pipeline.project.errors import UsageError
from pipeline.project.params import Params
from pipeline.project.settings.own_code import Hyperparameters
from pipeline.project.settings.tune import SearchSpace, Tune
from pipeline.scoring import metrics
from pipeline.training.problem import Problem

# chosen as a hyperparameter is, and handed to the model's spec
TARGET_TRANSFORM = "target_transform"
# hyperparameters that weigh classes, each with the value by which all rows count alike
CLASS_WEIGHTS = {
    "class_weight": None,
    "scale_pos_weight": 1.0,
    "auto_class_weights": None,
    "is_unbalance": False,
}
BASELINE, PORTFOLIO, SEARCH = "baseline", "portfolio", "search"  # where a trial comes from
RUNNING, FINISHED, PRUNED, FAILED = "running", "finished", "pruned", "failed"
MOST_KEPT = 25  # trials that a blend is chosen from, the best ones


@dataclass(frozen=True)
class FoldFit:
    """What a trial gave on one fold: its output on the rows that the fold predicts.

    `rounds` are those that early stopping found, `cost` bytes or seconds where they are an
    objective, and `predicting` the part of the `seconds` that the output took. `model` is None
    where it was not kept, or not kept by an earlier process.
    """

    output: np.ndarray
    rounds: int | None
    cost: float
    seconds: float
    predicting: float
    model: Model | None = None


@dataclass(frozen=True)
class FailedFit:
    """Why a trial gave nothing on a fold, in one line that is the same everywhere."""

    reason: str


@dataclass(frozen=True)
class LateFit:
    """A fit that was not begun, as the time was over."""


FoldResult = FoldFit | FailedFit | LateFit


@dataclass
class Trial:
    """One choice of a model and its hyperparameters, and what became of it.

    `early_stopping` says whether its rounds are to be found; otherwise it is fitted as it is.
    `folds` holds the primary metric on each fold and `value` their mean, `cost` the mean over the
    folds, `reason` that of a failure, and `fits` the results by fold.
    """

    number: int
    origin: str
    model: str
    hyperparameters: dict[str, Any]
    early_stopping: bool
    state: str = RUNNING
    value: float | None = None
    folds: list[float] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    cost: float | None = None
    reason: str | None = None
    seconds: float = 0.0
    fits: dict[int, FoldResult] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return what the trial is called among the members of a blend."""
        return f"trial_{self.number}"

    @property
    def score(self) -> float:
        """Return the value of a finished trial, which has one."""
        assert self.value is not None
        return self.value

    def settled(self) -> dict[str, Any]:
        """Return the hyperparameters for a fit on all rows.

        A booster's rounds are the median over the folds.
        """
        if not self.rounds:
            return self.hyperparameters
        return {
            **self.hyperparameters,
            boosters.rounds_setting(self.model): int(np.median(self.rounds)),
        }

    @property
    def seconds_a_row(self) -> float:
        """Return the seconds that a model of its folds takes to predict a row."""
        fits = self.finished_fits()
        rows = sum(len(fit.output) for fit in fits)
        return sum(fit.predicting for fit in fits) / max(1, rows)

    @property
    def has_models(self) -> bool:
        """Return whether the models of all its fits are there."""
        return all(fit.model is not None for fit in self.finished_fits())

    def forget_models(self) -> None:
        """Drop the models of its folds, which take memory; what they put out stays."""
        for fold, fit in self.fits.items():
            if isinstance(fit, FoldFit):
                self.fits[fold] = replace(fit, model=None)

    def results(self) -> list[FoldResult]:
        """Return its results in the folds' order."""
        return [self.fits[fold] for fold in sorted(self.fits)]

    def finished_fits(self) -> list[FoldFit]:
        """Return those of its results that have an output, in the folds' order."""
        return [result for result in self.results() if isinstance(result, FoldFit)]

    def out_of_fold(self, problem: Problem) -> np.ndarray:
        """Return its output of shape (rows,) or (rows, classes); nan where no fold predicts."""
        fits = self.finished_fits()
        output = np.full((len(problem.X), *fits[0].output.shape[1:]), np.nan)
        for fold, fit in zip(problem.folds, fits):
            output[fold.predict] = fit.output
        return output


@dataclass(frozen=True)
class Limits:
    """When a search ends: after so many trials, or in time for what follows it.

    `until` is the moment, as time.time() counts it, at which that is to be done as well, and
    `what_follows` the seconds that it takes after some trials. `workers` are the fits that are done
    at a time.
    """

    trials: int
    until: float = math.inf
    workers: int = 1
    what_follows: Callable[[list["Trial"]], float] = lambda trials: 0.0

    def search_until(self, trials: list["Trial"]) -> float:
        """Return the moment at which a search with some trials ends."""
        return self.until - self.what_follows(trials) if self.is_by_time else math.inf

    @property
    def is_by_time(self) -> bool:
        """Return whether the search may end at a moment."""
        return self.until < math.inf


@dataclass(frozen=True)
class Plan:
    """What params.yaml says of a dataset's search; all but `tune` by the model that is tuned."""

    tune: Tune
    hyperparameters: dict[str, Hyperparameters]
    search_spaces: dict[str, dict[str, SearchSpace]]
    portfolio: dict[str, list[Hyperparameters]]

    @property
    def cost(self) -> str | None:
        """Return the second objective, `size` or `latency`; None where there is none."""
        return self.tune.objectives[1] if len(self.tune.objectives) > 1 else None

    @property
    def blends(self) -> bool:
        """Return whether a blend is made; not with two objectives: it is neither small nor fast."""
        return self.tune.blend and self.cost is None


def plan_of(dataset: str, settings: Params) -> Plan:
    """Return the plan of a dataset's search."""
    tune = settings.dataset(dataset).tune
    models = [model for model in tune.searched if model in settings.search_spaces]
    tune = tune.model_copy(update={"models": models})
    return Plan(
        tune=tune,
        hyperparameters={model: settings.hyperparameters(dataset, model) for model in tune.models},
        search_spaces={model: settings.search_spaces[model] for model in tune.models},
        portfolio={model: settings.portfolio.get(model, []) for model in tune.models},
    )


def check_plan(problem: Problem, plan: Plan) -> None:
    """Raise UsageError where a search space or the portfolio names what the model does not have."""
    if "log1p" in plan.tune.target_transforms and problem.y.min() <= -1:
        raise UsageError(
            f"{paths.PARAMS}: datasets.{problem.dataset}.tune.target_transforms: log1p is not "
            f"defined for {problem.y.min():g}; remove it"
        )
    if problem.monotone:
        monotone.check_models(plan.tune.models, f"datasets.{problem.dataset}.tune.models")
    for model in plan.tune.models:
        space = plan.search_spaces[model]
        place = f"{paths.PARAMS}: search_spaces.{model}"
        estimators.check_model(model, problem.task, space, place, problem.own_estimators)
        for entry in plan.portfolio[model]:
            place = f"{paths.PARAMS}: portfolio.{model}"
            estimators.check_model(model, problem.task, entry, place, problem.own_estimators)


def given_trials(plan: Plan) -> list[Trial]:
    """Return the trials that come before the search.

    Each model as params.yaml has it, then the entries of the portfolio, the models in turn. By
    seconds the first entry of each model comes before all others: it does better. Of a model that
    weighs classes every second entry does not, so that the score decides.
    """
    baselines = [
        Trial(0, BASELINE, model, hyperparameters, early_stopping=False)
        for model, hyperparameters in plan.hyperparameters.items()
    ]
    trials = []
    longest = max(len(entries) for entries in plan.portfolio.values())
    for place in range(longest):
        for model, entries in plan.portfolio.items():
            if place < len(entries):
                chosen = {**plan.hyperparameters[model], **entries[place]}
                if place % 2:
                    chosen |= unweighted(chosen)
                chosen = with_most_rounds(model, chosen, plan)
                trials.append(Trial(0, PORTFOLIO, model, chosen, early_stopping=True))
    first = len([model for model, entries in plan.portfolio.items() if entries])
    place = first if plan.tune.seconds else 0
    trials[place:place] = baselines
    for number, trial in enumerate(trials):
        trial.number = number
    return trials


def unweighted(hyperparameters: dict[str, Any]) -> dict[str, Any]:
    """Return, for each of some hyperparameters that weighs classes, the value that does not."""
    return {
        name: neutral
        for name, neutral in CLASS_WEIGHTS.items()
        if hyperparameters.get(name, neutral) != neutral
    }


def with_most_rounds(model: str, hyperparameters: dict[str, Any], plan: Plan) -> dict[str, Any]:
    """Return a booster's hyperparameters with the most rounds of its search space.

    Early stopping may take fewer. Those of other models are returned as they are.
    """
    if not boosters.can_stop(model, hyperparameters):
        return hyperparameters
    rounds = boosters.rounds_setting(model)
    space = plan.search_spaces[model].get(rounds)
    if space is None:
        most = hyperparameters.get(rounds, _default_rounds(model, rounds))
    elif space.choices:
        most = max(space.choices)
    else:
        most = space.high
    return {**hyperparameters, rounds: int(most)}


def _default_rounds(model: str, rounds: str) -> Any:
    return estimators.default_value(catalogue.FAMILIES[model], "regression", rounds)


def search_space(plan: Plan, model: str) -> dict[str, SearchSpace]:
    """Return the search space of a model, without the rounds that early stopping finds.

    Where there are several transforms of the target, they are chosen from as well; where
    params.yaml weighs the classes of a model, so is whether to do it.
    """
    space = dict(plan.search_spaces[model])
    if boosters.can_stop(model, plan.hyperparameters[model]):
        space.pop(boosters.rounds_setting(model), None)
    for name, neutral in unweighted(plan.hyperparameters[model]).items():
        weighted = plan.hyperparameters[model][name]
        space.setdefault(name, SearchSpace(choices=[weighted, neutral], step=None))
    if len(plan.tune.target_transforms) > 1:
        choices: list[Any] = list(plan.tune.target_transforms)
        space[TARGET_TRANSFORM] = SearchSpace(choices=choices, step=None)
    return space


def finished(trials: list[Trial]) -> list[Trial]:
    """Return the trials that came to their end."""
    return [trial for trial in trials if trial.state == FINISHED]


def best_first(trials: list[Trial], metric: str) -> list[Trial]:
    """Return the finished trials from the best to the worst, the first of equals first."""
    sign = -metrics.sign(metric)
    return sorted(finished(trials), key=lambda trial: (sign * trial.score, trial.number))


def best_trial(trials: list[Trial], metric: str) -> Trial | None:
    """Return the best of the finished trials, the first of equals; None where there is none."""
    return next(iter(best_first(trials, metric)), None)


def cheapest_near_best(trials: list[Trial], metric: str, tolerance: float) -> Trial | None:
    """Return the cheapest of the finished trials near the best one, the better of equals.

    Near is a metric that is worse by at most the tolerance, a share of the best one's. Where costs
    are no objective, it is the best one.
    """
    ranked = best_first(trials, metric)
    if not ranked or ranked[0].cost is None:
        return ranked[0] if ranked else None
    best = ranked[0].score
    near = [
        trial
        for trial in ranked
        if metrics.gain(metric, best, trial.score) <= tolerance * abs(best)
    ]
    return min(near, key=lambda trial: trial.cost or 0.0)
