"""Costs that no decision can follow from are refused with their key."""

import pytest

from support.settings import IRIS, edited, refusal

REFUSED = {
    (
        "cv_folds: 3,\n            models: [dummy, log",
        "cv_folds: 3, costs: {false_alarm: 1},\n            models: [dummy, log",
    ): (
        f"{IRIS}.train.costs.false_alarm: unknown; allowed: true_negative, false_positive, "
        "false_negative, true_positive, or a table {ACTUAL: {DECIDED: COST}}"
    ),
    (
        "cv_folds: 3,\n            models: [dummy, log",
        "cv_folds: 3, costs: {false_positive: 0},\n            models: [dummy, log",
    ): (
        f"{IRIS}.train.costs.false_positive: an error must cost more than the right decision "
        "(found true_negative 0, false_positive 0)"
    ),
    (
        "cv_folds: 3,\n            models: [dummy, log",
        "cv_folds: 3, costs: {setosa: {virginica: -1}},\n            models: [dummy, log",
    ): (
        f"{IRIS}.train.costs.setosa: an error must cost more than the right decision "
        "(found setosa 0, virginica -1)"
    ),
    (
        "cv_folds: 3,\n            models: [dummy, log",
        "cv_folds: 3, costs: {setosa: {virginica: true}},\n            models: [dummy, log",
    ): (
        f"{IRIS}.train.costs.setosa.virginica: must be a number or the name of a column "
        "(found True)"
    ),
}


@pytest.mark.parametrize("edit", REFUSED, ids=lambda edit: edit[1])
def test_fault_is_told_with_its_key_its_value_and_what_is_allowed(edit, tmp_path, monkeypatch):
    assert refusal(tmp_path, monkeypatch, edited(*edit)) == f"params.yaml: {REFUSED[edit]}"
