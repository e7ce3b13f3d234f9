"""The task of a target: scales are numbers, names are classes, and models fit the size."""

import numpy as np
import pandas as pd
import pytest

from ops.proposal import task
from pipeline.project.errors import DataError, UsageError

RNG = np.random.default_rng(0)


def target(values) -> pd.Series:
    return pd.Series(values, name="y")


@pytest.mark.parametrize(
    "counts, kind",
    [
        ({3: 20, 4: 80, 5: 300, 6: 400, 7: 150, 8: 40, 9: 5}, "regression"),
        ({0: 300, 1: 200, 2: 90, 3: 30, 4: 10}, "regression"),
        # as even as the digits 0 to 9, or up and down, or with a gap, or few
        ({0: 100, 1: 101, 2: 102, 3: 101, 4: 100}, "classification"),
        ({1: 70, 2: 76, 3: 17, 4: 13, 5: 29}, "classification"),
        ({1: 20, 2: 80, 3: 300, 4: 40, 9: 10}, "classification"),
        ({1: 20, 2: 80, 3: 20}, "classification"),
    ],
)
def test_few_whole_numbers_are_an_amount_where_they_are_steps_of_a_scale(counts, kind):
    answers = target(np.repeat(list(counts), list(counts.values())))
    found = task.task(answers, None, 5)
    assert found.task == kind
    other = {"regression": "classification", "classification": "regression"}[kind]
    assert any(f"--task {other}" in remark for remark in found.remarks)
    assert task.task(answers, other, 5).task == other


def test_a_task_that_the_target_cannot_have_is_refused():
    with pytest.raises(UsageError, match="--task regression: the target 'y' holds text, such as"):
        task.task(target(["a", "b"] * 50), "regression", 5)
    with pytest.raises(DataError, match="--target y: 200 different values in 200 rows, too many"):
        task.task(target(np.arange(200) / 7), "classification", 5)


def test_a_rare_class_of_several_gets_weights_too():
    found = task.task(target(["a"] * 200 + ["b"] * 200 + ["c"] * 9), None, 5)
    assert found.train["primary_metric"] == "average_precision"
    assert found.train["models"]["random_forest"] == {"class_weight": "balanced"}
    assert found.train["models"]["xgboost"] == {}  # its weight is for two classes
    assert any("the class 'c' is rare, 9 of 409 rows" in remark for remark in found.remarks)


def test_no_class_is_rare_where_many_share_the_rows_evenly():
    found = task.task(target([f"c{k % 20}" for k in range(4001)]), None, 5)
    assert found.train["primary_metric"] == "log_loss"


@pytest.mark.parametrize(
    "n_rows, n_classes, n_columns, without",
    [
        (150, 2, 5, {"xgboost", "catboost", "gradient_boosting"}),
        (4000, 8, 5, {"catboost", "gradient_boosting"}),
        (4000, 20, 5, {"xgboost", "catboost", "gradient_boosting"}),
        (400_000, 2, 20, {"random_forest", "catboost"}),
        (4000, 2, 5, set()),
    ],
)
def test_models_fit_the_size_and_the_number_of_classes(n_rows, n_classes, n_columns, without):
    answers = target([f"c{k}" for k in RNG.integers(0, n_classes, n_rows)])
    found = task.task(answers, None, n_columns)
    assert not without & set(found.train["models"]) and "dummy" in found.train["models"]
    assert any(remark.startswith("models:") for remark in found.remarks) == bool(without)
