"""The first version: what it has to show before there is a champion."""

import pandas as pd
import pytest

from pipeline.project import params
from pipeline.project.errors import DataError
from pipeline.registry import decisions, evidence
from support.registered import aliases, log, resolve

ALWAYS = ("name: TinyPredictor", "name: TinyPredictor, promote: always")
MORE_ROWS = ("name: TinyPredictor", "name: TinyPredictor, min_rows: 51")


def test_first_version_is_promoted_for_being_better_than_guessing(register):
    told = register("first")
    assert "version 1, promoted: rmse" in told and "by guessing on 50 rows new to it" in told
    figures = log()[-1].entry.figures
    train = pd.read_parquet("data/processed/tiny/train.parquet")["price"]
    test = pd.read_parquet("data/processed/tiny/test.parquet")["price"]
    guess = ((test - train.mean()) ** 2).mean() ** 0.5
    assert figures["baseline"] == pytest.approx(guess, rel=1e-5)
    assert figures["low"] > 0 and figures["against"] == "guessing"
    assert aliases() == {"champion": 1, "production": 1}


@pytest.mark.parametrize("edits", [[], [ALWAYS]])
def test_model_that_the_comparison_calls_not_ready_is_refused_under_every_rule(register, edits):
    told = register("guessing", *edits)
    assert "version 1, refused: the comparison calls it not ready: No model is clearly" in told
    assert "to put it in use all the same: `python rollback.py --dataset tiny --to 1" in told
    assert aliases() == {"challenger": 1}
    card = (resolve(1).folder / "model_card.md").read_text()
    assert "- The comparison calls it not ready: No model is clearly better than guessing" in card
    assert "1 lines; no version was promoted yet" in decisions.verify("tiny", params.load())
    with pytest.raises(DataError, match="no @champion in"):
        resolve()


def test_the_next_is_held_against_guessing_until_there_is_a_champion(register):
    told = register("first", MORE_ROWS)
    assert "version 1, no decision: 50 rows of data/processed/tiny/test.parquet are new to" in told
    assert "more rows or a larger prepare.test_size would settle it" in told
    assert aliases() == {"challenger": 1}
    assert "version 2, promoted: rmse" in register("better")
    assert log()[-1].entry.figures["against"] == "guessing"
    assert aliases() == {"champion": 2, "production": 2}


def test_no_decision_for_want_of_rows_is_taken_again_and_written_once(register):
    register("first", MORE_ROWS)
    assert "decided on before, nothing changes" in register("first", MORE_ROWS)
    assert len(log()) == 1
    assert "version 1, promoted: rmse" in register("first")
    assert "decided on before, nothing changes" in register("first", MORE_ROWS)
    assert len(log()) == 2


def test_person_may_put_a_first_version_in_use_that_was_not_promoted(register):
    register("guessing")
    decisions.roll_back("tiny", params.load(), 1, "a test")
    assert aliases() == {"champion": 1, "production": 1}
    assert "@champion is version 1" in decisions.verify("tiny", params.load())


def test_models_that_a_test_split_has_judged_are_counted_and_widen_the_interval(first, register):
    register("worse")
    assert log()[-1].entry.figures["judged_before"] == 1
    assert "widened as this test split has judged 1 model before" in log()[-1].entry.reason
    register("more_rows")  # another split
    assert log()[-1].entry.figures["judged_before"] == 0


def test_errors_of_all_challengers_of_a_split_add_up_to_at_most_1_65_of_the_first():
    normal = evidence.NormalDist()
    ends = [evidence.widening(number) * normal.inv_cdf(0.975) for number in range(1000)]
    assert ends[0] == pytest.approx(1.96, abs=0.001)
    assert sum(1 - normal.cdf(end) for end in ends) < 1.65 * 0.025
