"""A right params.yaml loads as it reads."""

import time

import pytest

from pipeline.project import params
from pipeline.project.errors import UsageError
from pipeline.project.settings.data import Prepare
from support.processes import ROOT
from support.projects import PARAMS
from support.settings import edited, loaded


def test_committed_params_yaml_loads(monkeypatch):
    monkeypatch.chdir(ROOT)
    settings = params.load()
    assert {"california_housing", "credit_fraud", "customer_churn", "house_prices", "iris"} <= set(
        settings.datasets
    )
    assert settings.dataset("customer_churn").data.positive == "Yes"


def test_values_are_read_as_yaml_1_2_means_them(tmp_path, monkeypatch):
    text = edited("target: species", "target: species, positive: Yes").replace(
        "alpha: 1.0", "alpha: 1e-3, fit_intercept: true"
    )
    settings = loaded(tmp_path, monkeypatch, text)
    assert settings.dataset("iris").data.positive == "Yes"
    assert settings.models["ridge"] == {"alpha": 0.001, "fit_intercept": True}
    assert settings.models["ridge"]["fit_intercept"] is True


def test_positive_class_may_be_written_as_a_number(tmp_path, monkeypatch):
    settings = loaded(
        tmp_path, monkeypatch, edited("target: species", "target: species, positive: 1")
    )
    assert settings.dataset("iris").data.positive == "1"


def test_metric_of_one_class_may_be_a_gate(tmp_path, monkeypatch):
    gates = (
        loaded(
            tmp_path, monkeypatch, edited("{accuracy: {min: 0.80}}", "{f1__virginica: {min: 0.8}}")
        )
        .dataset("iris")
        .gates
    )
    assert gates["f1__virginica"].min == 0.8 and gates["f1__virginica"].on == "test"


def test_settings_of_a_dataset_go_before_those_of_all(tmp_path, monkeypatch):
    text = edited(
        "models: [dummy, ridge, decision_tree]",
        "models: {dummy: {}, decision_tree: {max_depth: 2, ccp_alpha: 0.1}}",
    )
    settings = loaded(tmp_path, monkeypatch, text)
    assert settings.hyperparameters("tiny", "decision_tree") == {"max_depth": 2, "ccp_alpha": 0.1}
    assert settings.hyperparameters("iris", "decision_tree") == {"max_depth": 4}
    assert settings.hyperparameters("tiny", "dummy") == {}


def test_unknown_dataset_is_refused_with_the_known_ones(project):
    settings = params.load()
    for asked in (settings.names, settings.dataset):
        with pytest.raises(UsageError, match="unknown dataset 'nope'; params.yaml has: iris, tiny"):
            asked("nope")
    assert settings.names("all") == ["iris", "tiny"] and settings.names("tiny") == ["tiny"]


def test_split_names_its_kind_and_its_column():
    read = [
        (prepare.split_kind, prepare.split_column)
        for prepare in (Prepare(), Prepare(split="time:day"), Prepare(split="group:a:b"))
    ]
    assert read == [("random", None), ("time", "day"), ("group", "a:b")]


def test_workers_are_those_of_the_file_or_as_many_as_the_process_may_use(tmp_path, monkeypatch):
    assert loaded(tmp_path, monkeypatch, PARAMS).cores() == 2
    assert loaded(tmp_path, monkeypatch, edited("workers: 2", "workers: -1")).cores() >= 1


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 5000 + "]" * 5000,
        "a: " + "{a: " * 5000 + "1" + "}" * 5000,
        "\n".join(" " * level + "a:" for level in range(5000)),
        "- " * 5000 + "1",
    ],
    ids=["lists in a line", "blocks in a line", "blocks", "lists"],
)
def test_file_that_is_nested_deeper_than_any_setting_is_refused_at_once(text):
    began = time.process_time()
    with pytest.raises(
        UsageError, match="not valid YAML: line [0-9]+: nested deeper than 20 levels"
    ):
        params.parse(text)
    assert time.process_time() - began < 1
