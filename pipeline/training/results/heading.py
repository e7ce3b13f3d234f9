"""The heading of the results: what they say of the problem that they are of."""

from typing import cast

from pipeline.scoring import scores
from pipeline.scoring.terms import own_metrics
from pipeline.training.problem import Problem
from pipeline.training.results.content import Heading, Measured


def heading(problem: Problem) -> Heading:
    """Return what train.json and tune.json say of the problem, before their own results."""
    content: Heading = {
        "schema": 1,
        "dataset": problem.dataset,
        "task": problem.task,
        "primary_metric": problem.primary_metric,
        "seed": problem.seed,
        "synthetic": problem.synthetic,
        "data_hash": problem.data_hash,
        "split_hash": problem.split_hash,
        "rows": {"train": len(problem.X), "test": len(problem.X_test)},
        "cv_folds": len(problem.folds),
    }
    code = own_metrics.code_of(problem.terms.metrics)
    if code:
        content["metrics_code"] = code
    if problem.classes and problem.terms_test.costs is not None:
        costs = scores.costs_of_constant_decisions(
            problem.y_test, problem.terms_test, problem.classes, problem.seed, problem.sampling
        )
        content["constant_decisions"] = {
            label: cast(Measured, score.as_json()) for label, score in costs.items()
        }
    return content
