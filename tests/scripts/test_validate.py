"""validate_metrics.py: each gate is held against the chosen model, and its verdict can be read."""

import json
from dataclasses import replace

import pytest

import validate_metrics
from pipeline.project.errors import UsageError
from pipeline.project.settings.judging import Gate
from pipeline.report.advice import STOP, WATCH
from pipeline.report.comparison import Advice
from pipeline.scoring import gates
from support.results import dataset_result

RIDGE = {
    "cv_oof": {"r2": 0.4, "rmse": None},
    "test": {"r2": {"value": 0.6}, "rmse": {"value": 12345.6}},
}


def validated(wanted, synthetic=False):
    result = dataset_result(
        {"candidates": {"ridge": RIDGE}, "best": {"name": "ridge"}, "synthetic": synthetic}
    )
    return validate_metrics.validate("tiny", wanted, result)


def test_all_gates_are_looked_at_and_one_that_fails_fails_the_model():
    validation = validated({"r2": Gate(min=0.7), "rmse": Gate(max=20000.0)})
    assert validation.passed is False
    assert validate_metrics.lines(validation) == [
        "FAIL tiny ridge: test r2 0.6000 (must be >= 0.7)",
        "PASS tiny ridge: test rmse 12345.6000 (must be <= 20000)",
    ]
    assert validated({"r2": Gate(min=0.5, max=0.9)}).passed is True


def test_undefined_value_fails_and_synthetic_data_are_named():
    validation = validated({"rmse": Gate(max=1.0, on="oof")}, synthetic=True)
    assert validate_metrics.lines(validation) == [
        "FAIL tiny ridge: oof rmse is not defined on synthetic data (must be <= 1)"
    ]


def test_gate_by_the_low_end_of_the_interval_says_so():
    scores = {**RIDGE, "test": {"r2": {"value": 0.6, "low": 0.45, "high": 0.7}}}
    result = dataset_result({"candidates": {"ridge": scores}, "best": {"name": "ridge"}})
    validation = validate_metrics.validate("tiny", {"r2": Gate(min=0.5, by="low")}, result)
    assert validate_metrics.lines(validation) == [
        "FAIL tiny ridge: test r2, low end of the interval, 0.4500 (must be >= 0.5)"
    ]


def test_what_makes_a_model_not_ready_is_noted_and_kept_for_register():
    result = dataset_result({"candidates": {"ridge": RIDGE}, "best": {"name": "ridge"}})
    grave = [Advice(STOP, "Guessing does it as well.", "Look for columns.")]
    others = [Advice(WATCH, "No gate.", "Add one.")]
    validation = validate_metrics.validate("tiny", {}, replace(result, advice=grave + others))
    assert validation.not_ready == ["Guessing does it as well."] and validation.passed
    assert validate_metrics.lines(validation) == [
        "NOTE tiny ridge: not ready: Guessing does it as well.",
        "PASS tiny ridge: no gate in params.yaml",
    ]


def test_dataset_without_gates_passes_and_says_so():
    validation = validated({})
    assert validation.passed is True
    assert validate_metrics.lines(validation) == ["PASS tiny ridge: no gate in params.yaml"]


def test_metric_of_a_class_that_is_not_there_is_refused_with_those_that_are():
    message = r"params.yaml: datasets.tiny.gates.f1__x: no such metric; there are: r2, rmse"
    with pytest.raises(UsageError, match=message):
        validated({"r2": Gate(min=0.5), "f1__x": Gate(min=0.5)})


def test_verdict_is_read_as_it_was_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    validation = validated({"r2": Gate(min=0.7)})
    validate_metrics.write([validation], whole=True)
    assert gates.read_validation("tiny") == validation
    content = json.loads((tmp_path / "metrics/validation/tiny.json").read_text())
    gate = {"metric": "r2", "on": "test", "value": 0.6, "min": 0.7, "max": None}
    assert content["gates"] == [{**gate, "passed": False, "by": "value"}]


def test_verdict_on_a_dataset_that_is_gone_goes_unless_one_dataset_is_asked_for(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    gone = tmp_path / "metrics/validation/gone.json"
    gone.parent.mkdir(parents=True)
    gone.write_text("{}")
    validate_metrics.write([validated({})], whole=False)
    assert gone.exists()
    validate_metrics.write([validated({})], whole=True)
    assert sorted(path.name for path in gone.parent.iterdir()) == ["tiny.json"]
