"""How often a candidate's models are asked is known before they are."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from pipeline.models import storage
from pipeline.models.fitted import Blend, Fitted
from pipeline.project import params, paths
from pipeline.training import assessment
from pipeline.training.problem import read_problem


@dataclass
class Counting:
    """An estimator that counts the rows which it is asked for."""

    estimator: Any
    rows: list[int] = field(default_factory=list)

    def predict(self, Z):
        self.rows.append(len(Z))
        return self.estimator.predict(Z)


def counted(model: Fitted) -> tuple[Fitted, list[int]]:
    """Return a model or blend and the rows that its estimators are asked for, which it counts."""
    rows: list[int] = []
    if isinstance(model, Blend):
        parts = [replace(part, estimator=Counting(part.estimator, rows)) for part in model.models]
        return replace(model, models=tuple(parts)), rows
    return replace(model, estimator=Counting(model.estimator, rows)), rows


@pytest.fixture(params=["train/ridge", "tune/tuned_lightgbm"])
def counting(trained, request):
    """The problem of a dataset, a model or bag that counts, of how many, and what it counts."""
    problem = read_problem("tiny", params.load())
    stage, name = request.param.split("/")
    model, rows = counted(storage.load(paths.models("tiny", stage) / name))
    return problem, model, max(1, len(model.spec.members)), rows


def test_importance_and_scores_ask_as_often_as_is_said(counting):
    problem, model, models, rows = counting
    model.output_of_features(problem.X)
    model.output_of_features(problem.X_test)
    assessment.importance(problem, model)
    not_shuffled = models * len(problem.X_test)  # which the shuffled rows are compared with
    assert sum(rows) - not_shuffled == assessment.predictions_of(problem, models)


def test_contributions_ask_no_more_often_than_is_said(counting):
    problem, model, models, rows = counting
    assessment.contributions(problem, model)
    most = assessment.predictions_of_contributions(problem, models)
    most += models * assessment.BACKGROUND_ROWS
    assert 0.3 * most < sum(rows) <= most
