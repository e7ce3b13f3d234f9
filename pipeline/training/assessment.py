"""The assessment of a candidate: its scores, what it relies on, its gain over another one."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.models.fitted import Fitted
from pipeline.project import rounding
from pipeline.scoring import bootstrap, metrics, thresholds
from pipeline.scoring.bootstrap import Resampled
from pipeline.scoring.rows import OutOfFold, Rows
from pipeline.scoring.scores import CandidateScores, candidate_scores
from pipeline.scoring.thresholds import Rule
from pipeline.training import explanations
from pipeline.training.candidates import CandidateOutputs
from pipeline.training.problem import Problem
from pipeline.training.results.content import Candidate, Contributions, Gain, Improvement

IMPORTANCE_ROWS = 1000  # of the test split that are shuffled for the importances
FEWEST_ROWS = 150  # of these for a blend of many models
REPEATS = 3  # times that a column is shuffled
BACKGROUND_ROWS = 200  # of the training split that Shapley values start from
MOST_COLUMNS = 20  # whose importance is written


@dataclass(frozen=True)
class Contender:
    """A candidate that is compared with another: its figures and its output on the test rows."""

    name: str
    candidate: Candidate
    test_output: np.ndarray


def scores(
    problem: Problem, outputs: CandidateOutputs, train_output: np.ndarray
) -> CandidateScores:
    """Return the candidate's scores, and the rule that its out-of-fold output gives."""
    return candidate_scores(
        OutOfFold(problem.y, outputs.out_of_fold, problem.fold, problem.terms),
        train=Rows(problem.y, train_output, terms=problem.terms),
        test=Rows(problem.y_test, outputs.test, terms=problem.terms_test),
        classes=problem.classes,
        threshold_metric=problem.threshold_metric,
        seed=problem.seed,
        sampling=problem.sampling,
    )


def with_rule(model: Fitted, rule: Rule) -> Fitted:
    """Return the model with the rule of decisions that its out-of-fold output gave."""
    known: Any = model  # a Model or a Blend, which are dataclasses
    return replace(known, spec=replace(model.spec, **thresholds.rule_as_json(rule)))


def importance(problem: Problem, model: Fitted) -> dict[str, float]:
    """Return how much worse the primary metric gets on test rows when a column is shuffled.

    For a blend these are fewer, and shuffled once, so that it takes not much longer than a model.
    """
    models = _models_in(model)
    rows = _rows_of_every_class(problem, _rows_for_importance(models))
    return explanations.permutation_importance(
        model.estimator_output,
        model.transform(problem.X_test.iloc[rows]),
        model.columns(),
        problem.y_test[rows],
        problem.primary_metric,
        problem.seed,
        repeats=_repeats(models),
        rule=model.spec.rule,
        terms=problem.terms_test[rows],
        seconds=model.second_columns(),
    )


def _models_in(model: Fitted) -> int:
    """Return how many models a prediction asks."""
    return max(1, len(model.spec.members))


def _rows_for_importance(models: int) -> int:
    return max(FEWEST_ROWS, IMPORTANCE_ROWS // models)


def _repeats(models: int) -> int:
    return REPEATS if models == 1 else 1


def predictions_of(problem: Problem, models: int) -> int:
    """Return how often the models of a candidate predict a row, of so many that it averages.

    They do so for its scores on all rows, and for the importance of each column.
    """
    rows = min(_rows_for_importance(models), len(problem.X_test))
    shuffled = _columns_looked_at(problem) * _repeats(models) * rows
    return models * (len(problem.X) + len(problem.X_test) + shuffled)


def predictions_of_contributions(problem: Problem, models: int) -> int:
    """Return the same for the contributions of the columns."""
    columns = _columns_looked_at(problem)
    rows = explanations.rows_to_explain(columns, len(problem.X_test), models)
    return models * rows * explanations.DRAWS * (columns + 1)


def _columns_looked_at(problem: Problem) -> int:
    return min(problem.X.shape[1], explanations.MOST_OWNERS)


def most_important(importances: dict[str, float]) -> dict[str, float | None]:
    """Return the most important columns, the first first, with rounded importances."""

    def rank(column: str) -> tuple[float, str]:
        return -np.nan_to_num(importances[column]), column

    weightiest = sorted(importances, key=rank)[:MOST_COLUMNS]
    return {column: rounding.significant(importances[column]) for column in weightiest}


def _rows_of_every_class(problem: Problem, most: int) -> np.ndarray:
    """Return the places of test rows, drawn from each class in turn.

    Without rows of it, a rare class has no score to lose.
    """
    order = np.random.default_rng(problem.seed).permutation(len(problem.X_test))
    if problem.classes:
        drawn = problem.y_test[order]
        turn = pd.Series(drawn).groupby(drawn).cumcount()
        order = order[np.argsort(turn, kind="stable")]
    return np.sort(order[:most])


def contributions(problem: Problem, model: Fitted) -> Contributions:
    """Return what each column adds to the model's output on test rows.

    The output is a probability, that of the positive class where there are two, or a number in the
    target's own unit. Of a wide table only the `owners_looked_at` are columns of their own; the
    others move together and are left out of the result.
    """
    rng = np.random.default_rng(problem.seed)
    order = rng.permutation(len(problem.X_test))
    background = np.sort(rng.permutation(len(problem.X))[:BACKGROUND_ROWS])
    start = model.transform(problem.X.iloc[background])

    def output(Z: Any) -> np.ndarray:
        values = model.estimator_output(Z)
        is_binary = values.ndim == 2 and values.shape[1] == 2
        return values[:, 1] if is_binary else values

    columns = explanations.owners_looked_at(start, model.columns(), output(start))
    owners = _owners_among(columns, model.columns())
    others = model.second_columns()
    seconds = dict(zip(others, _owners_among(columns, list(others.values()))))
    n_rows = explanations.rows_to_explain(len(columns), len(problem.X_test), _models_in(model))
    rows = np.sort(order[:n_rows])
    X = model.transformed(problem.X_test.iloc[rows])
    values = explanations.shapley(
        output, model.encode(X), owners, start, problem.seed, seconds=seconds
    )
    places = {name: place for place, name in enumerate(dict.fromkeys(owners))}
    values = values[:, [places[column] for column in columns]]
    return {
        "rows": len(rows),
        "unit": _unit(problem),
        "columns": explanations.summary(values, X, columns, MOST_COLUMNS),
    }


def _owners_among(columns: list[str], owners: list[str]) -> list[str]:
    """Return the owners with one in place of all that are not among some columns."""
    named = set(columns)
    return [owner if owner in named else explanations.OTHERS for owner in owners]


def _unit(problem: Problem) -> str:
    """Return the unit of a model's output, in words."""
    if not problem.classes:
        return problem.target
    if len(problem.classes) == 2:
        return f"probability of {problem.classes[1]}"
    return "probability"


def improvement(problem: Problem, one: Contender, other: Contender) -> Improvement:
    """Return how much better one candidate is than another, on the folds and on the test rows.

    The folds' scores were what the choice was made by, so they flatter it. The test rows took no
    part in it; their difference has an interval of paired draws.
    """
    metric = problem.primary_metric
    difference = bootstrap.difference(_resampled(problem, one), _resampled(problem, other))
    on_test = difference.score.as_json()
    return {
        "over": other.name,
        "cv_selected_on": _gain(
            metric,
            one.candidate["cv"][metric]["mean"],
            other.candidate["cv"][metric]["mean"],
        ),
        "test": {
            "absolute": on_test["value"],
            "percent": _percent(on_test["value"], other.candidate["test"][metric]["value"]),
            "low": on_test["low"],
            "high": on_test["high"],
        },
    }


def _resampled(problem: Problem, one: Contender) -> Resampled:
    """Return the primary metric of a candidate on draws of the test rows, decided as it decides."""
    rows = Rows(problem.y_test, one.test_output, terms=problem.terms_test)
    decided = thresholds.decided(rows, thresholds.rule_of_json(one.candidate))
    return bootstrap.resampled(
        problem.primary_metric, decided, problem.seed, sampling=problem.sampling
    )


def _gain(metric: str, one: float | None, other: float | None) -> Gain:
    """Return how much better one value of a metric is than another."""
    if one is None or other is None:
        return {"absolute": None, "percent": None}
    absolute = metrics.gain(metric, one, other)
    return {"absolute": rounding.significant(absolute), "percent": _percent(absolute, other)}


def _percent(difference: float | None, base: float | None) -> float | None:
    """Return a difference in per cent of the value it starts from; None where that is 0."""
    if difference is None or not base:
        return None
    return rounding.significant(100 * difference / abs(base))
