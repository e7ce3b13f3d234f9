"""How often a candidate's models are asked is known before they are."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from pipeline.models import storage
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


@pytest.fixture
def counting(trained):
    """The problem of a dataset, its ridge, and the estimator in it that counts."""
    problem = read_problem("tiny", params.load())
    model = storage.load(paths.models("tiny", "train") / "ridge")
    counter = Counting(model.estimator)
    return problem, replace(model, estimator=counter), counter


def test_importance_and_scores_ask_as_often_as_is_said(counting):
    problem, model, counter = counting
    model.output_of_features(problem.X)
    model.output_of_features(problem.X_test)
    assessment.importance(problem, model)
    not_shuffled = len(problem.X_test)  # which the shuffled rows are compared with
    assert sum(counter.rows) - not_shuffled == assessment.predictions_of(problem, 1)


def test_contributions_ask_no_more_often_than_is_said(counting):
    problem, model, counter = counting
    assessment.contributions(problem, model)
    most = assessment.predictions_of_contributions(problem, 1) + assessment.BACKGROUND_ROWS
    assert 0.3 * most < sum(counter.rows) <= most
