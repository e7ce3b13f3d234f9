"""Trials: the best of them, and what is fitted on all rows."""

import dataclasses

from pipeline.project import params
from pipeline.project.settings.tune import BY_SECONDS, Tune
from pipeline.tuning.trials import (
    Trial,
    best_trial,
    cheapest_near_best,
    given_trials,
    plan_of,
    search_space,
)
from support.projects import PARAMS


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


def test_search_by_seconds_has_more_models_where_none_is_named():
    counted, by_seconds = Tune(), Tune(seconds=60)
    assert counted.searched == ["lightgbm", "xgboost"]
    assert by_seconds.searched == [*Tune().models, *BY_SECONDS]
    assert Tune(seconds=60, models=["ridge"]).searched == ["ridge"]
    assert params.parse(PARAMS).tuning_only("ridge").dataset("tiny").tune.searched == ["ridge"]


def test_first_of_each_portfolio_comes_before_the_baselines_by_seconds_alone():
    portfolio = "portfolio:\n  lightgbm: [{num_leaves: 7}, {num_leaves: 9}]\n  ridge: [{alpha: 3}]"
    settings = params.parse(PARAMS.replace("portfolio:\n  lightgbm: [{num_leaves: 7}]", portfolio))

    def course(settings):
        given = given_trials(plan_of("tiny", settings))
        assert [trial.number for trial in given] == list(range(5))
        return [(trial.origin, trial.model) for trial in given]

    of_both = ["lightgbm", "ridge"]
    baselines = [("baseline", model) for model in of_both]
    first = [("portfolio", model) for model in of_both]
    rest = [("portfolio", "lightgbm")]
    assert course(settings) == [*baselines, *first, *rest]
    assert course(settings.tuning(seconds=60)) == [*first, *baselines, *rest]


def test_class_weights_are_tried_and_left_out_by_turns_and_searched():
    portfolio = "portfolio:\n  lightgbm: [{num_leaves: 7}, {num_leaves: 9}, {num_leaves: 5}]"
    settings = params.parse(PARAMS.replace("portfolio:\n  lightgbm: [{num_leaves: 7}]", portfolio))
    settings.models["lightgbm"] = {"scale_pos_weight": "balanced"}
    plan = plan_of("tiny", settings)
    weights = [
        (trial.origin, trial.hyperparameters["scale_pos_weight"])
        for trial in given_trials(plan)
        if trial.model == "lightgbm"
    ]
    tried = [("portfolio", weight) for weight in ("balanced", 1.0, "balanced")]
    assert weights == [("baseline", "balanced"), *tried]
    assert search_space(plan, "lightgbm")["scale_pos_weight"].choices == ["balanced", 1.0]
    assert "class_weight" not in search_space(plan, "lightgbm")
