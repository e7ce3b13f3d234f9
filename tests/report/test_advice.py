"""Advice follows from the figures by rule: each speaks when its figures are there, else not."""

import copy
from dataclasses import replace

import pytest

from pipeline.report import advice
from pipeline.report.stage_figures import DriftFigures, QualityFigures
from support.results import dataset_result


def candidate(model_type, cv, std=0.02, test=None, low=None, high=None, oof=None):
    test = cv if test is None else test
    return {
        "params": {"model_type": model_type},
        "cv": {"roc_auc": {"mean": cv, "std": std}},
        "cv_oof": {"roc_auc": cv if oof is None else oof},
        "test": {
            "roc_auc": {
                "value": test,
                "low": test - 0.03 if low is None else low,
                "high": test + 0.03 if high is None else high,
            }
        },
        "confusion_matrix": {"labels": ["no", "yes"], "counts": [[50, 5], [6, 44]]},
    }


CLEAN = {
    "primary_metric": "roc_auc",
    "synthetic": False,
    "cv_folds": 4,
    "best": {"name": "xgboost"},
    "slices": [],
    "gates": [
        {"metric": "f1", "on": "test", "value": 0.7, "min": 0.6, "max": None, "passed": True}
    ],
    "candidates": {
        "xgboost": candidate("xgboost", 0.9),
        "dummy": candidate("dummy", 0.5),
        "logistic_regression": candidate("logistic_regression", 0.8),
    },
}


def changed(**parts):
    result = copy.deepcopy(CLEAN)
    for key, value in parts.items():
        if key in result["candidates"]:
            result["candidates"][key] = value
        else:
            result[key] = value
    return result


def advise(result, drift=None):
    return advice.advise("churn", dataset_result(result), drift)


def told(result, drift=None):
    return [(piece.level, piece.what) for piece in advise(result, drift)]


def slice_(origin, worse):
    return {
        "where": "town = <b>",
        "origin": origin,
        "test": {"value": 0.6, "low": 0.5, "high": 0.7, "worse": worse},
    }


def test_clean_figures_call_for_nothing():
    assert told(CLEAN) == [] and advice.verdict([]) == "info"


def tuned(low):
    test = {"absolute": 0.01, "percent": 1.0, "low": low, "high": 0.02}
    cv = {"absolute": 0.01, "percent": 1.0}
    gain = {"over": "catboost", "cv_selected_on": cv, "test": test}
    return {"improvement": {"xgboost": {"same_model": None, "best_of_train": gain}}}


def failed(value=0.55):
    return [{"metric": "f1", "on": "oof", "value": value, "min": 0.6, "max": 0.9, "passed": False}]


DRIFT = DriftFigures(
    verdict="drift",
    drifted=["age", "town"],
    recommendation="train again",
    quality=QualityFigures("good"),
)
CHECK = replace(DRIFT, verdict="no drift", quality=QualityFigures("check", ["age: constant"]))
TOO_FEW = replace(DRIFT, verdict="not enough data")
HEAVIEST = {"rows": 5, "of": 1460, "share": 0.27}
RARE = {"labels": ["no", "yes"], "counts": [[90, 1], [1, 3]]}


@pytest.mark.parametrize(
    "result, drift, level, words",
    [
        (
            changed(gates=failed()),
            None,
            "stop",
            "oof f1 is 0.55; the gate asks for ≥ 0.6 and ≤ 0.9.",
        ),
        (
            changed(gates=failed(None)),
            None,
            "stop",
            "oof f1 is not defined; the gate asks for ≥ 0.6 and ≤ 0.9.",
        ),
        (changed(gates=[]), None, "watch", "No gate says how good is good enough."),
        (
            changed(xgboost=candidate("xgboost", 0.51, 0.03)),
            None,
            "stop",
            "No model is clearly better than guessing: cv roc_auc 0.51 against 0.5.",
        ),
        (
            changed(best={"name": "dummy"}),
            None,
            "stop",
            "No model is clearly better than guessing: cv roc_auc 0.5 against 0.5.",
        ),
        (
            changed(xgboost={**candidate("xgboost", 0.9), "confusion_matrix": RARE}),
            None,
            "watch",
            "The test split holds 4 rows of class yes, too few to judge by: below 50 the interval "
            "is too narrow.",
        ),
        (
            changed(xgboost={**candidate("xgboost", 0.9), "heaviest_rows": HEAVIEST}),
            None,
            "info",
            "5 of 1,460 rows make 27 % of the squared error on the test split: the interval of "
            "roc_auc can be too narrow, as other rows may hold errors as large or none.",
        ),
        (
            changed(xgboost=candidate("xgboost", 0.9, test=0.8, high=0.85)),
            None,
            "watch",
            "The test roc_auc of 0.8 is worse than cross-validation promised: 0.9.",
        ),
        (CLEAN, DRIFT, "watch", "The test rows differ from the training rows: age, town."),
        (CLEAN, CHECK, "watch", "The data need a check: age: constant."),
        (
            CLEAN,
            TOO_FEW,
            "info",
            "There are too few test rows to test for drift.",
        ),
        (
            changed(slices=[slice_("params.yaml", True)]),
            None,
            "watch",
            "It does worse where town = <b>: roc_auc 0.6 (0.5 to 0.7).",
        ),
        (
            changed(slices=[slice_("search", True)] * 2),
            None,
            "info",
            "It does worse where town = <b>: roc_auc 0.6 (0.5 to 0.7), "
            "and on 1 more of the slices.",
        ),
        (
            changed(synthetic=True),
            None,
            "info",
            "The data are synthetic: the scores say that the pipeline works, not how well the "
            "problem can be solved.",
        ),
        (
            changed(logistic_regression=candidate("logistic_regression", 0.895)),
            None,
            "info",
            "logistic_regression is simpler and as good within the error of the folds' mean: "
            "cv roc_auc 0.895 against 0.9.",
        ),
        (
            changed(tuning=tuned(-0.001)),
            None,
            "info",
            "On the test rows the gain of xgboost over catboost may be chance: "
            "roc_auc 0.01 (-0.001 to 0.02).",
        ),
    ],
)
def test_each_rule_speaks_when_its_figures_are_there(result, drift, level, words):
    assert told(result, drift) == [(level, words)]
    assert advice.verdict(advise(result, drift)) == level


@pytest.mark.parametrize(
    "result",
    [
        changed(
            xgboost=candidate("xgboost", 0.9, test=0.88, high=0.91)
        ),  # the test score lies within its interval
        changed(slices=[slice_("params.yaml", False)]),
        changed(
            logistic_regression=candidate("logistic_regression", 0.88)
        ),  # 0.02 away; the error of the mean is 0.01
        changed(tuning=tuned(0.001)),
    ],
)
def test_rules_are_silent_on_the_near_side_of_their_bounds(result):
    assert told(result) == []


@pytest.mark.parametrize("on, asks", [("test", True), ("oof", False)])
def test_gates_that_look_out_of_fold_are_not_asked_to(on, asks):
    result = changed(
        xgboost={**candidate("xgboost", 0.9), "confusion_matrix": RARE},
        gates=[{**CLEAN["gates"][0], "on": on}],
    )
    assert ("on: oof" in advise(result)[0].do) == asks


def test_an_error_metric_is_better_when_lower():
    names = {"xgboost": (10.0, 10.5), "dummy": (30.0, 30.0)}
    result = changed(
        primary_metric="rmse",
        candidates={
            name: {
                "params": {"model_type": name},
                "cv": {"rmse": {"mean": cv, "std": 1.0}},
                "cv_oof": {"rmse": cv},
                "test": {"rmse": {"value": test, "low": test - 1, "high": test + 1}},
            }
            for name, (cv, test) in names.items()
        },
    )
    assert told(result) == []
    result["candidates"]["xgboost"]["test"]["rmse"] = {"value": 14.0, "low": 12.0, "high": 16.0}
    assert told(result) == [
        ("watch", "The test rmse of 14 is worse than cross-validation promised: 10.")
    ]


def test_the_gravest_comes_first_and_each_says_what_to_do():
    result = changed(gates=failed(), synthetic=True, slices=[slice_("params.yaml", True)])
    pieces = advise(result, DRIFT)
    assert [piece.level for piece in pieces] == ["stop", "watch", "watch", "info"]
    assert all(piece.do.endswith(".") and piece.what.endswith(".") for piece in pieces)
    assert pieces[1].do == "Train again."


@pytest.mark.parametrize(
    "result, subject",
    [
        (changed(slices=[slice_("params.yaml", True)]), "where town = <b>"),
        (changed(xgboost={**candidate("xgboost", 0.9), "confusion_matrix": RARE}), "of class yes"),
        (changed(xgboost={**candidate("xgboost", 0.9), "heaviest_rows": HEAVIEST}), "the 5 rows"),
        (changed(gates=failed()), "until oof f1 is ≥ 0.6"),
        (changed(best={"name": "dummy"}, target="churned"), "more about churned"),
        (changed(xgboost=candidate("xgboost", 0.9, test=0.8, high=0.85)), "the test roc_auc"),
        (changed(logistic_regression=candidate("logistic_regression", 0.895)), "list logistic_"),
    ],
)
def test_what_to_do_names_its_slice_class_rows_or_metric_as_the_overview_shows_it_alone(
    result, subject
):
    assert subject in advise(result)[0].do


def test_simpler_model_is_named_as_the_settings_name_it_and_everywhere_it_has_to_stand_alone():
    result = changed(logistic_regression=candidate("logistic_regression", 0.895))
    result["candidates"]["tuned_logistic_regression"] = result["candidates"].pop(
        "logistic_regression"
    )
    assert advise(result)[0].do.endswith(
        "list logistic_regression alone in datasets.churn.train.models and "
        "datasets.churn.tune.models, with datasets.churn.tune.blend: false."
    )


def test_what_to_do_about_data_to_check_names_the_column():
    assert "age: constant" in advise(CLEAN, CHECK)[0].do


def test_test_score_of_too_few_rows_of_a_class_is_not_held_against_what_was_promised():
    few = {**candidate("xgboost", 0.9, test=0.7, high=0.75), "confusion_matrix": RARE}
    assert len(told(changed(xgboost=few))) == 1


def test_test_score_is_held_against_what_to_expect_and_not_against_what_flatters():
    result = changed(xgboost=candidate("xgboost", 0.9, test=0.8, high=0.85))
    result["expected"] = {"roc_auc": 0.84}
    assert told(result) == []
