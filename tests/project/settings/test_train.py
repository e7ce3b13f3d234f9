"""Faults in how models are fitted and compared are refused with what is allowed."""

import pytest

from pipeline.scoring import metrics
from support.settings import IRIS, TINY, edited, refusal

METRICS_OF_CLASSES = ", ".join(metric.name for metric in metrics.of_task("classification"))
REFUSED = {
    (
        "cv_folds: 3,\n            models: [dummy, log",
        "cv_folds: 3, threshold_metric: f1, costs: {setosa: {virginica: 1}},"
        "\n            models: [dummy, log",
    ): (
        f"{IRIS}.train.threshold_metric: train.costs decide, so that it has no effect; remove "
        "one of the two"
    ),
    (
        "primary_metric: rmse",
        "primary_metric: accuracy",
    ): (
        f"{TINY}.train.primary_metric: 'accuracy' is not a metric of regression; "
        "allowed: rmse, mae, r2"
    ),
    (
        "primary_metric: log_loss",
        "primary_metric: f1__virginica",
    ): f"{IRIS}.train.primary_metric: 'f1__virginica' is not a metric of classification; "
    f"allowed: {METRICS_OF_CLASSES}",
    (
        "primary_metric: rmse",
        "metrics: {my__gain: {function: 'features/a.py:gain', greater_is_better: true}}, "
        "primary_metric: rmse",
    ): f"{TINY}.train.metrics.my__gain: must have no __, which metrics of a class have",
    (
        "tune: {models: [lightgbm, ridge]",
        "tune: {models: [ridge, ridge]",
    ): f"{TINY}.tune.models: names a model twice (found ['ridge', 'ridge'])",
    (
        "primary_metric: rmse, cv_folds: 3",
        "primary_metric: rmse, cv_folds: 1",
    ): f"{TINY}.train.cv_folds: Input should be greater than or equal to 2 (found 1)",
    (
        "primary_metric: rmse, cv_folds: 3",
        "primary_metric: rmse, cv_folds: 51",
    ): f"{TINY}.train.cv_folds: Input should be less than or equal to 50 (found 51)",
    (
        "models: [dummy, ridge, decision_tree]",
        "models: ridge",
    ): f"{TINY}.train.models: must be a block of keys; an empty one is {{}} (found 'ridge')",
    (
        "models: [dummy, ridge, decision_tree]",
        "models: []",
    ): f"{TINY}.train.models: Dictionary should have at least 1 item after validation, not 0",
    (
        "primary_metric: rmse",
        "primary_metric: rmse, target_transform: sqrt",
    ): f"{TINY}.train.target_transform: Input should be 'none' or 'log1p' (found 'sqrt')",
    (
        "primary_metric: log_loss",
        "primary_metric: log_loss, resampling: ros",
    ): f"{IRIS}.train.resampling: Input should be 'none', 'smote' or 'undersample' (found 'ros')",
}


@pytest.mark.parametrize("edit", REFUSED, ids=lambda edit: edit[1])
def test_fault_is_told_with_its_key_its_value_and_what_is_allowed(edit, tmp_path, monkeypatch):
    assert refusal(tmp_path, monkeypatch, edited(*edit)) == f"params.yaml: {REFUSED[edit]}"
