"""How often the registry promotes a model that is no better, and how often one that is.

Two models predict the same synthetic rows with errors of their own. "alike" are equally good, so
that promoting the second by the rule `better` is a mistake; else the second's errors are larger or
smaller by a share. `python -m benchmarks.statistics` runs the trials.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from benchmarks import noise
from benchmarks.experiment import Claim, Experiment
from pipeline.project.settings.judging import Register
from pipeline.registry import evidence, promotion, promotion_log
from pipeline.registry.evidence import CHAMPION, Evidence
from pipeline.scoring import bootstrap, thresholds
from pipeline.scoring.bootstrap import Resampled
from pipeline.scoring.rows import Rows

MARGIN = Register(name="Benchmark").margin
SPREAD = 0.5  # of a model's errors, where the target's is 1
CHALLENGERS = 20  # that one test split judges in turn


@dataclass(frozen=True)
class Scenario:
    """How two models err: by which metric, how heavy the tails are, how much both err alike.

    `shared` is the share of an error's variance that both models have in common.
    """

    name: str
    metric: str
    shared: float = 0.5
    heavy_tails: bool = False

    @property
    def is_regression(self) -> bool:
        return self.metric == "rmse"


SCENARIOS = (
    Scenario("rmse, normal errors", "rmse"),
    Scenario("rmse, correlated models", "rmse", shared=0.95),
    Scenario("rmse, heavy tails", "rmse", heavy_tails=True),
    Scenario("rmse, both", "rmse", shared=0.95, heavy_tails=True),
    Scenario("two classes, roc_auc", "roc_auc"),
    Scenario("two classes, log_loss", "log_loss"),
    Scenario("roc_auc, correlated", "roc_auc", shared=0.95),
)


@dataclass(frozen=True)
class Question:
    """How often a rule promotes a challenger whose errors are smaller by a share, `gain`."""

    title: str
    gain: float
    rule: str


QUESTIONS = (
    Question("alike, better", 0, "better"),
    Question("alike, not_worse", 0, "not_worse"),
    Question("10 % better, better", 0.1, "better"),
    Question("30 % better, better", 0.3, "better"),
    Question("30 % worse, not_worse", -0.3, "not_worse"),
)


def pair(scenario: Scenario, rng: np.random.Generator, rows: int, gain: float) -> tuple[Rows, Rows]:
    """Return what two models predict; the second's errors are smaller by a share, `gain`."""
    truth, shared = rng.normal(size=rows), _errors(scenario, rng, rows)
    one = truth + SPREAD * _mixed(scenario, shared, rng)
    other = truth + SPREAD * (1 - gain) * _mixed(scenario, shared, rng)
    if scenario.is_regression:
        return Rows(truth, one), Rows(truth, other)
    y = (rng.random(rows) < chance(truth)).astype(int)
    # both classes are there
    y[:2] = 0, 1
    return classified(y, chance(one)), classified(y, chance(other))


def _errors(scenario: Scenario, rng: np.random.Generator, rows: int) -> np.ndarray:
    """Return errors of variance 1, normal or of Student's t with three degrees of freedom."""
    return rng.standard_t(3, rows) / 3**0.5 if scenario.heavy_tails else rng.normal(size=rows)


def _mixed(scenario: Scenario, shared: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a model's errors: those that it shares with another, and its own."""
    own = _errors(scenario, rng, len(shared))
    return scenario.shared**0.5 * shared + (1 - scenario.shared) ** 0.5 * own


def chance(value: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-3 * value))


def classified(y: np.ndarray, positive: np.ndarray) -> Rows:
    return thresholds.decided(Rows(y, np.column_stack([1 - positive, positive])), None)


def judged(
    champion: Resampled, challenger: Resampled, rows: int, rule: str, judged_before: int = 0
) -> str:
    """Return the outcome of a rule on two models' scores."""
    difference = evidence.compare(champion, challenger, MARGIN, judged_before)
    found = Evidence(rows=rows, metric=champion.metric, difference=difference)
    return promotion.decide_promotion(rule, found).outcome


def promoted(scenario: Scenario, rows: int, seed: int) -> dict[str, float]:
    """Return for each question whether its rule promotes the challenger."""
    challengers_by_gain = {}
    for gain in {question.gain for question in QUESTIONS}:
        rng = np.random.default_rng([seed, rows])
        one, other = pair(scenario, rng, rows, gain)
        challengers_by_gain[gain] = bootstrap.resampled(scenario.metric, other, seed)
    # whose predictions are the same each time
    champion = bootstrap.resampled(scenario.metric, one, seed)
    answers = {}
    for question in QUESTIONS:
        outcome = judged(champion, challengers_by_gain[question.gain], rows, question.rule)
        answers[question.title] = float(outcome == promotion_log.PROMOTED)
    return answers


def settled(scenario: Scenario, rows: int, seed: int) -> dict[str, float]:
    """Return whether as many new rows as a "no decision" names do settle a true difference."""
    rng = np.random.default_rng([seed, rows])
    first = pair(scenario, rng, rows, gain=0.1)
    one, other = (bootstrap.resampled(scenario.metric, model, seed) for model in first)
    difference = evidence.compare(one, other, MARGIN)
    if difference is None or difference.low > 0 or difference.high < 0:
        return {}
    true = replace(difference, difference=_true_difference(scenario))
    found = Evidence(rows=rows, metric=scenario.metric, difference=true, against=CHAMPION)
    needed = evidence.rows_to_settle(found, bound=0.0)
    assert needed is not None
    second = pair(scenario, rng, needed, gain=0.1)
    one, other = (bootstrap.resampled(scenario.metric, model, seed + 1) for model in second)
    outcome = judged(one, other, needed, "better")
    return {"settled": float(outcome == promotion_log.PROMOTED)}


def _true_difference(scenario: Scenario) -> float:
    """Return how much smaller the second's rmse truly is where its errors are 10 % smaller."""
    assert scenario.is_regression
    return SPREAD * 0.1


def challengers(seed: int) -> dict[str, float]:
    """Return whether one of many challengers, all as good as the champion, is promoted."""
    rows, rng = 300, np.random.default_rng(seed)
    truth = rng.normal(size=rows)
    champion = bootstrap.resampled("rmse", Rows(truth, _guess(truth, rng)), seed)
    outcomes = []
    for number in range(CHALLENGERS):
        challenger = bootstrap.resampled("rmse", Rows(truth, _guess(truth, rng)), seed)
        outcomes.append(judged(champion, challenger, rows, "better", judged_before=number))
    return {"any": float(promotion_log.PROMOTED in outcomes)}


def _guess(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return truth + SPREAD * rng.normal(size=len(truth))


def _promoted_experiment(scenario: Scenario, rows: int, trials: int) -> Experiment:
    """Return the trials of the four questions on one kind of rows."""
    where = f"{scenario.name}, {rows:,} rows"
    return Experiment(
        name=f"promotion {scenario.name} {rows}".replace(", ", " ").replace(" ", "_"),
        data="synthetic rows",
        trials=trials,
        trial=partial(promoted, scenario, rows),
        claims=(
            Claim(
                "alike, better",
                f"`better` promotes one of two equally good models in about 2.5 % ({where})",
                lowest=0.01,
                highest=0.05,
            ),
            Claim(
                "30 % worse, not_worse",
                f"`not_worse` promotes hardly any model with 30 % larger errors ({where})",
                highest=0.02,
            ),
            Claim(
                "30 % better, better",
                f"the share of challengers with 30 % smaller errors that `better` finds ({where})",
            ),
            Claim(
                "10 % better, better",
                f"the share of challengers with 10 % smaller errors that `better` finds ({where})",
            ),
        ),
    )


def _settled_experiment(scenario: Scenario, says: str, lowest: float, highest: float) -> Experiment:
    """Return the trials of how often the rows that a "no decision" names settle the difference."""
    claim = Claim(
        "settled",
        f'as many rows as a "no decision" says settle a difference of that size in {says} of new '
        f"samples ({scenario.name})",
        lowest=lowest,
        highest=highest,
    )
    return Experiment(
        name=f"settled_{scenario.name}".replace(", ", "_").replace(" ", "_"),
        data="synthetic rows",
        trials=250,
        trial=partial(settled, scenario, 100),
        claims=(claim,),
    )


EXPERIMENTS = (
    *(_promoted_experiment(scenario, 100, trials=400) for scenario in SCENARIOS),
    *(_promoted_experiment(scenario, 1000, trials=60) for scenario in SCENARIOS),
    _settled_experiment(SCENARIOS[0], "about 80 %", lowest=0.7, highest=0.9),
    _settled_experiment(SCENARIOS[2], "40 to 80 %", lowest=0.4, highest=0.8),
    Experiment(
        name="challengers_of_one_test_split",
        data="synthetic rows",
        trials=200,
        trial=challengers,
        claims=(
            Claim(
                "any",
                f"of {CHALLENGERS} equally good challengers that one test split judges, one is "
                "promoted in at most 4.1 % of cases",
                highest=0.041,
            ),
        ),
    ),
    *noise.EXPERIMENTS,
)
