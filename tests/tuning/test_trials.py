"""Trials: the best of them, and what is fitted on all rows."""

import dataclasses

from pipeline.tuning.trials import Trial, best_trial, cheapest_near_best


def test_first_of_equal_trials_wins_and_of_those_near_the_best_the_cheapest():
    def trials(*outcomes):
        return [
            Trial(number, "search", "ridge", {}, False, "finished", value, cost=cost)
            for number, (value, cost) in enumerate(outcomes)
        ]

    assert best_trial(trials((2.0, None), (1.0, None), (1.0, None)), "rmse").number == 1
    assert best_trial(trials((2.0, None), (3.0, None), (3.0, None)), "r2").number == 1
    assert (
        cheapest_near_best(
            trials((100.0, 9), (109.0, 2), (110.0, 2), (111.0, 1)), "rmse", 0.1
        ).number
        == 1
    )
    assert (
        cheapest_near_best(
            trials((0.9, 9), (0.81, 2), (0.85, 2), (0.85, 2), (0.8, 1)), "r2", 0.1
        ).number
        == 2
    )


def test_stored_model_has_the_median_round(trained):
    trial = Trial(3, "search", "lightgbm", {"n_estimators": 300}, True, rounds=[10, 40, 12])
    assert trial.settled() == {"n_estimators": 12}
    assert dataclasses.replace(trial, rounds=[]).settled() == {"n_estimators": 300}
