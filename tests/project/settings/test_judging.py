"""Gates that nothing passes and names no registry takes are refused; one of a class is not."""

import pytest

from pipeline.scoring import metrics
from support.settings import IRIS, TINY, edited, loaded, refusal

METRICS_OF_CLASSES = ", ".join(metric.name for metric in metrics.of_task("classification"))
REFUSED = {
    (
        "{r2: {min: 0.5}}",
        "{f1: {min: 0.5}}",
    ): f"{TINY}.gates.f1: 'f1' is not a metric of regression; allowed: rmse, mae, r2",
    (
        "{accuracy: {min: 0.80}}",
        "{accuracy__virginica: {min: 0.80}}",
    ): (
        f"{IRIS}.gates.accuracy__virginica: "
        "'accuracy__virginica' is not a metric of classification; "
        f"allowed: {METRICS_OF_CLASSES}"
    ),
    (
        "drift: {}\n    gates: {r2",
        "drift: {windows: 2, alarm_windows: 3}\n    gates: {r2",
    ): f"{TINY}.drift.alarm_windows: 3 is more than windows, 2, so that nothing alarms",
    (
        "{accuracy: {min: 0.80}}",
        "{accuracy: {min: 85}}",
    ): f"{IRIS}.gates.accuracy.min: 85 is above 1, the best accuracy there is; write 85 % as 0.85",
    (
        "{accuracy: {min: 0.80}}",
        "{f1__virginica: {max: 1.5}}",
    ): f"{IRIS}.gates.f1__virginica.max: 1.5 is above 1, the best f1 there is; write 85 % as 0.85",
    (
        "{r2: {min: 0.5}}",
        "{rmse: {max: -1}}",
    ): f"{TINY}.gates.rmse.max: -1 is below 0, the best rmse there is",
    ("{r2: {min: 0.5}}", "{r2: {}}"): f"{TINY}.gates.r2: a gate needs min or max",
    ("{r2: {min: 0.5}}", "{r2: {min: 0.5, on: oof, by: low}}"): f"{TINY}.gates.r2: by: low is for "
    f"on: test; out of fold there is no interval",
    ("{r2: {min: 0.5}}", "{r2: {max: 0.5, by: low}}"): f"{TINY}.gates.r2: by: low goes with min "
    f"alone, else it asks for less",
    (
        "{accuracy: {min: 0.80}}",
        "{f1__virginica: {min: 0.8, by: low}}",
    ): f"{IRIS}.gates.f1__virginica: by: low needs an interval, which the metrics of a single "
    f"class do not have; remove it",
    (
        "{r2: {min: 0.5}}",
        "{r2: 0.5}",
    ): f"{TINY}.gates.r2: must be a block of keys; an empty one is {{}} (found 0.5)",
    (
        "{r2: {min: 0.5}}",
        "{r2: {min: high}}",
    ): f"{TINY}.gates.r2.min: Input should be a valid number (found 'high')",
    (
        "{r2: {min: 0.5}}",
        "{r2: {min: .nan}}",
    ): f"{TINY}.gates.r2.min: Input should be a finite number (found nan)",
    (
        "{r2: {min: 0.5}}",
        "{r2: {min: 0.5, max: 0.4}}",
    ): f"{TINY}.gates.r2: min 0.5 is above max 0.4, so that nothing passes",
    (
        "{r2: {min: 0.5}}",
        "{r2: {min: 0.5, on: train}}",
    ): f"{TINY}.gates.r2.on: Input should be 'test' or 'oof' (found 'train')",
    (
        "{name: TinyPredictor}",
        "{name: Tiny/Predictor}",
    ): f"{TINY}.register.name: must match ^[A-Za-z][A-Za-z0-9_.-]*$ (found 'Tiny/Predictor')",
    (
        "{name: TinyPredictor}",
        "{name: TinyPredictor, promote: never}",
    ): (
        f"{TINY}.register.promote: "
        "Input should be 'better', 'not_worse' or 'always' (found 'never')"
    ),
    (
        "{name: TinyPredictor}",
        "{name: TinyPredictor, margin: 1.0}",
    ): f"{TINY}.register.margin: Input should be less than 1 (found 1.0)",
}


@pytest.mark.parametrize("edit", REFUSED, ids=lambda edit: edit[1])
def test_fault_is_told_with_its_key_its_value_and_what_is_allowed(edit, tmp_path, monkeypatch):
    assert refusal(tmp_path, monkeypatch, edited(*edit)) == f"params.yaml: {REFUSED[edit]}"


def test_metric_of_one_class_may_be_a_gate(tmp_path, monkeypatch):
    gates = (
        loaded(
            tmp_path, monkeypatch, edited("{accuracy: {min: 0.80}}", "{f1__virginica: {min: 0.8}}")
        )
        .dataset("iris")
        .gates
    )
    assert gates["f1__virginica"].min == 0.8 and gates["f1__virginica"].on == "test"
