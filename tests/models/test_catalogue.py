"""The catalogue: what each family takes, what is refused, and that the documents list them all."""

import re

import pytest

from pipeline.models import catalogue, estimators
from pipeline.project.errors import UsageError
from support.model_cases import CASES, task_of
from support.processes import ROOT


@pytest.mark.parametrize(
    "name, task, hyperparameters, message",
    [
        (
            "forest",
            "regression",
            {},
            "x: unknown model 'forest'; known: dummy, linear_regression, logistic_regression, ri",
        ),
        (
            "ridge",
            "classification",
            {},
            "x: ridge is not a model for classification; use logistic_regression",
        ),
        (
            "lasso",
            "classification",
            {},
            "x: lasso is not a model for classification; use logistic_regression",
        ),
        (
            "linear_regression",
            "classification",
            {},
            "x: linear_regression is not a model for classification; use logistic_regression",
        ),
        (
            "logistic_regression",
            "regression",
            {},
            "x: logistic_regression is not a model for regression; use linear_regression",
        ),
        (
            "ridge",
            "regression",
            {"alfa": 1},
            "x: ridge has no hyperparameter 'alfa'; it has: alpha, ",
        ),
        (
            "xgboost",
            "regression",
            {"trees": 1},
            "x: xgboost has no hyperparameter 'trees'; it has: .*learning_rate.*n_estimators",
        ),
        ("catboost", "classification", {"self": 1}, "x: catboost has no hyperparameter 'self'"),
        (
            "gradient_boosting",
            "regression",
            {"early_stopping": True},
            "x: gradient_boosting's early_stopping is fixed, so that",
        ),
        (
            "lightgbm",
            "regression",
            {"deterministic": False},
            "x: lightgbm's deterministic is fixed, so that results repeat; remove",
        ),
        ("xgboost", "classification", {"n_jobs": 4}, "x: xgboost's n_jobs is fixed"),
        ("catboost", "regression", {"thread_count": 4}, "x: catboost's thread_count is fixed"),
    ],
)
def test_wrong_model_or_hyperparameter_is_refused_with_what_there_is(
    name, task, hyperparameters, message
):
    with pytest.raises(UsageError, match=message):
        estimators.check_model(name, task, hyperparameters, "x", {})


@pytest.mark.parametrize("case", CASES)
def test_every_family_takes_its_own_settings_and_the_seed(case):
    name, kind = case.split("-")
    task = task_of(kind)
    estimators.check_model(name, task, dict(catalogue.FAMILIES[name].small), "x", {})
    taken = estimators.unfitted_estimator(
        catalogue.FAMILIES[name], task, dict(catalogue.FAMILIES[name].small), seed=7
    ).get_params()
    wanted = {**dict(catalogue.FAMILIES[name].small), **catalogue.FAMILIES[name].fixed}
    assert {setting: taken[setting] for setting in wanted} == wanted
    assert taken.get("random_state", 7) == 7


def test_lightgbm_takes_the_settings_that_its_class_does_not_name():
    estimators.check_model(
        "lightgbm", "classification", {"scale_pos_weight": 3.0, "extra_trees": True}, "x", {}
    )


def test_documents_list_every_family():
    text = (ROOT / "docs/your-data.md").read_text(encoding="utf-8")
    paragraph = re.search(r"^Models: (.*?)\.\s", text, re.M | re.S)[1]
    assert re.findall(r"`(\w+)`", paragraph) == list(catalogue.FAMILIES)


@pytest.mark.parametrize("name", catalogue.FAMILIES)
def test_family_of_one_task_recommends_one_of_the_other(name):
    family = catalogue.FAMILIES[name]
    if family.regression and family.classification:
        assert family.counterpart is None
    else:
        counterpart = catalogue.FAMILIES[family.counterpart]
        assert counterpart.regression if family.classification else counterpart.classification


@pytest.mark.parametrize("name", catalogue.FAMILIES)
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_every_default_is_of_a_hyperparameter_that_the_family_takes(name, task):
    family = catalogue.FAMILIES[name]
    if family.class_path(task):
        estimators.check_model(name, task, {**family.defaults, **family.small}, "x", {})
