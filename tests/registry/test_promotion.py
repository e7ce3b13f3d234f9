"""The evidence on two models, and the rule that it is held against."""

from dataclasses import replace

import pandas as pd
import pytest

from benchmarks.promotion import SCENARIOS, promoted
from pipeline.project import params
from pipeline.registry import evidence, promotion
from pipeline.registry.evidence import GUESSING, Difference, Evidence, HeldOut
from pipeline.registry.promotion import Decision
from support.registered import resolve


def test_champion_of_another_task_or_other_classes_is_no_decision(first):
    block = params.load().dataset("tiny")
    frame = pd.read_parquet("data/processed/tiny/test.parquet")
    folder = resolve().folder

    def fault(**changes):
        other = block.model_copy(update={"data": block.data.model_copy(update=changes)})
        test = HeldOut(frame, "rows", "split", 0, other, "rmse", 0)
        return evidence.against_champion(folder, folder, test, block.registration).fault

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
    answers = [promoted(SCENARIOS[0], 100, seed) for seed in range(200)]
    assert sum(one["alike, better"] for one in answers) < 10
    assert sum(one["30 % better, better"] for one in answers) > 180
    assert sum(one["30 % worse, not_worse"] for one in answers) == 0


def test_no_figures_are_no_decision_and_their_reason():
    evidence = Evidence(fault="no rows")
    assert promotion.decide_promotion("better", evidence) == Decision("no decision", "no rows")
    assert promotion.decide_promotion("always", evidence).outcome == "promoted"


def found(low: float, high: float, rows: int = 100, judged_before: int = 0) -> Evidence:
    """Return evidence by RMSE on a challenger that is better by the middle of an interval."""
    difference = Difference(10.0, 9.0, (low + high) / 2, low=low, high=high, margin=0.2)
    return Evidence(rows=rows, metric="rmse", difference=difference, judged_before=judged_before)


def test_no_decision_says_which_line_was_not_crossed_and_how_many_rows_would_settle_it():
    reason = promotion.decide_promotion("better", found(-1.0, 3.0)).reason
    assert "rmse 9 against the champion's 10 on 100 rows new to both" in reason
    assert "better by 1 [-1, 3]; for better, the interval must be above 0, and it lies on" in reason
    # (1.96 + 0.84)² standard errors of 2 / 1.96 for a difference of 1, with 100 rows
    assert reason.endswith("about 820 rows would settle a difference of this size")
    reason = promotion.decide_promotion("not_worse", found(-1.0, 3.0)).reason
    assert "for not_worse, the interval must be from -0.2 up, register.margin below 0" in reason
    assert reason.endswith("about 570 rows would settle a difference of this size")


def test_refusal_and_promotion_say_it_too():
    refused = promotion.decide_promotion("better", found(-3.0, -1.0)).reason
    assert refused.endswith("above 0, and all of it is below")
    promoted_by = promotion.decide_promotion("better", found(1.0, 3.0)).reason
    assert promoted_by.endswith("above 0, and it is")


@pytest.mark.parametrize(
    "low, high, words",
    [
        (-1.0, 1.0, "no number of rows settles a difference that is exactly what the rule asks"),
        (-1.0, 1.0001, "not even a million rows would settle a difference of this size"),
    ],
)
def test_difference_too_small_to_settle_is_called_so(low, high, words):
    assert words in promotion.decide_promotion("better", found(low, high)).reason


def test_against_guessing_not_worse_asks_for_better():
    one = replace(found(-0.1, 3.0), against=GUESSING)
    decision = promotion.decide_promotion("not_worse", one)
    assert decision.outcome == "no decision"
    assert "rmse 9 against 10 by guessing on 100 rows new to it" in decision.reason
    assert promotion.decide_promotion("not_worse", found(-0.1, 3.0)).outcome == "promoted"


def test_rows_to_settle_do_not_count_the_widening_which_new_rows_do_not_need():
    wider = evidence.widening(3)
    narrow, wide = found(-1.0, 3.0), found(1 - 2 * wider, 1 + 2 * wider, judged_before=3)
    assert evidence.rows_to_settle(narrow, 0.0) == evidence.rows_to_settle(wide, 0.0)
