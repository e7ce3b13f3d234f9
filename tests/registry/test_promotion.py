"""The evidence on two models, and the rule that it is held against."""

import pandas as pd
import pytest

from benchmarks import promotion as benchmark
from pipeline.project import params
from pipeline.registry import promotion
from pipeline.registry.promotion import Decision, Difference, Evidence
from support.registered import resolve


def test_champion_of_another_task_or_other_classes_is_no_decision(first):
    data, frame = (
        params.load().dataset("tiny").data,
        pd.read_parquet("data/processed/tiny/test.parquet"),
    )
    rule = params.load().dataset("tiny").registration
    folder = resolve().folder

    def fault(**changes):
        return promotion.gather_evidence(
            folder, folder, frame, "rows", data.model_copy(update=changes), rule, "rmse", 0
        ).fault

    assert (
        fault(target="size")
        == "the champion is for regression of 'price', params.yaml asks for regression of 'size'"
    )
    assert fault(task="classification").startswith(
        "the champion is for regression of 'price', params.yaml asks for class"
    )


@pytest.mark.parametrize(
    "rule, low, high, outcome",
    [
        ("better", 0.1, 2.0, "promoted"),
        ("better", 0.0, 2.0, "no decision"),
        ("better", 0.0, 0.0, "no decision"),
        ("better", -1.0, 2.0, "no decision"),
        ("better", -2.0, -0.1, "refused"),
        ("not_worse", 0.1, 2.0, "promoted"),
        ("not_worse", -0.2, 1.0, "promoted"),
        ("not_worse", -0.19, -0.1, "promoted"),
        ("not_worse", -0.21, 1.0, "no decision"),
        ("not_worse", -2.0, -0.21, "refused"),
        ("always", -2.0, -1.0, "promoted"),
    ],
)
def test_rule_asks_for_the_whole_interval(rule, low, high, outcome):
    difference = Difference(10.0, 9.0, difference=1.0, low=low, high=high, margin=0.2)
    evidence = Evidence(rows=100, metric="rmse", difference=difference)
    assert promotion.decide_promotion(rule, evidence).outcome == outcome


@pytest.mark.slow
def test_rule_better_promotes_few_that_are_alike_and_most_that_are_better():
    seen = [one for seed in range(200) for one in benchmark.promoted("regression", 100, seed)]
    assert seen.count(("rmse", "alike, better")) < 10  # of 200
    assert seen.count(("rmse", "30 % better, better")) > 180
    assert seen.count(("rmse", "30 % worse, not_worse")) == 0


def test_no_figures_are_no_decision_and_their_reason():
    evidence = Evidence(fault="no rows")
    assert promotion.decide_promotion("better", evidence) == Decision("no decision", "no rows")
    assert promotion.decide_promotion("always", evidence).outcome == "promoted"
