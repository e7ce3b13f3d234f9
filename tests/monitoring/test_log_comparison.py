"""What a model served is compared with the rows it was trained on: windows, predictions, scores."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.models import storage
from pipeline.monitoring.log_comparison import compare_with_training, read_served_log
from pipeline.project import params, paths
from support.processes import script
from support.projects import tiny_table


def best_model(folder, dataset):
    best = json.loads((folder / paths.best(dataset)).read_text())
    return storage.load(folder / paths.models(dataset, best["stage"]) / best["candidate"])


def serve(folder, dataset, frame, name, version=1, broken=0):
    """Write to the log what the best model answers to the rows, two in each request, and broken
    lines at its end.
    """
    model = best_model(folder, dataset)
    features, lines = frame[list(model.spec.inputs)], []
    output, answers = model.predict_proba(frame), model.predict(frame)
    rows = features.astype(object).where(features.notna(), None).to_dict("records")
    for number, (row, answer) in enumerate(zip(rows, answers)):
        line = {
            "time": f"2026-01-31T12:{number // 60:02}:{number % 60:02}.000000Z",
            "request_id": f"{number // 2:032x}",
            "row": number % 2,
            "model": name,
            "model_version": version,
            "features": row,
        }
        line |= (
            {"prediction": float(answer)}
            if model.spec.task == "regression"
            else {
                "prediction": str(answer),
                "probabilities": dict(zip(model.spec.classes, map(float, output[number]))),
            }
        )
        lines.append(json.dumps(line))
    path = folder / paths.inference_log(dataset)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines + ["{broken"] * broken) + "\n")


def thresholds(folder, text):
    """Set the drift block of the tiny dataset, the last of params.yaml."""
    path = folder / "params.yaml"
    head, _, rest = path.read_text().rpartition("drift: {}")
    path.write_text(f"{head}drift: {{{text}}}{rest}")


def from_log(folder, dataset, *options):
    done = script("detect_drift", "--dataset", dataset, "--from-log", *options, cwd=folder)
    path = folder / f"reports/{dataset}/served/drift.json"
    return done, json.loads(path.read_text()) if path.is_file() else None


def judged(folder, dataset, monkeypatch):
    """Return the same results without the pages."""
    monkeypatch.chdir(folder)
    settings = params.load()
    spec = settings.dataset(dataset)
    log = read_served_log(dataset, settings, spec.drift)
    found = compare_with_training(
        log, spec.drift, unlogged=spec.serve.log_redact, seed=settings.seed
    )
    return found.as_json()


def answers(folder, labels, rows=None):
    frame = pd.DataFrame(
        {
            "request_id": [f"{number // 2:032x}" for number in range(len(labels))],
            "row": [number % 2 for number in range(len(labels))],
            "label": list(labels),
        }
    )
    frame.head(rows or len(frame)).to_csv(folder / "answers.csv", index=False)


def test_served_rows_that_drift_alarm_and_those_that_do_not_are_silent(pipeline_run):
    thresholds(pipeline_run, "window_rows: 100, windows: 2")
    serve(pipeline_run, "tiny", tiny_table(260, seed=1), "TinyModel", broken=3)
    done, found = from_log(pipeline_run, "tiny")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (found["verdict"], found["model_version"], found["log"]["broken_lines"]) == (
        "no drift",
        1,
        3,
    )
    assert (
        found["rows"] == {"reference": 200, "current": 200}
        and "skipped: 3 broken lines" in done.stdout
    )
    assert found["prediction"]["verdict"] == "no drift" and found["target"] is None
    serve(
        pipeline_run,
        "tiny",
        tiny_table(260, seed=1).assign(size=lambda frame: frame["size"] + 40),
        "TinyModel",
    )
    done, found = from_log(pipeline_run, "tiny")
    assert done.returncode == 3, done.stdout + done.stderr
    assert [window["drifted"] for window in found["windows"]] == [["size", "model output"]] * 2
    assert found["prediction"]["verdict"] == "drift" and found["quick_look"]["size"]["z"] > 10
    assert (
        "quick look: the mean of 1 of 3 features is off by more than 2 standard errors: size z +"
        in done.stdout
    )
    pages = {path.stem for path in (pipeline_run / "reports/tiny/served").glob("*.html")}
    assert pages == {"drift_report", "quality_report", "target_drift_report"}


def test_labels_that_came_later_are_joined_by_request_and_row(pipeline_run):
    thresholds(pipeline_run, "window_rows: 100, windows: 2, alarm_windows: 1")
    table = tiny_table(200, seed=1)
    serve(pipeline_run, "tiny", table, "TinyModel")
    answers(pipeline_run, table["price"] + 200, rows=120)
    done, found = from_log(pipeline_run, "tiny", "--labels", "answers.csv")
    predicted = best_model(pipeline_run, "tiny").predict(table.head(120))
    assert found["log"]["labelled_rows"] == 120
    assert found["performance"]["current"]["rmse"] == pytest.approx(
        float(np.sqrt(np.mean((table["price"].head(120) + 200 - predicted) ** 2))), rel=1e-5
    )
    assert found["target"]["drift_in"] == ["values"] and found["performance"]["worse"]
    assert "retrain: the model does worse" in done.stdout and "measured" in done.stdout
    assert (pipeline_run / "reports/tiny/served/performance_report.html").is_file()


def test_classifier_is_estimated_without_labels_and_measured_with_them(pipeline_run, monkeypatch):
    table = pd.read_csv(pipeline_run / "data/iris_data.csv")
    table = table.sample(500, replace=True, random_state=0, ignore_index=True)
    serve(pipeline_run, "iris", table, "IrisModel")
    found = judged(pipeline_run, "iris", monkeypatch)
    estimated = found["performance"]["estimated"]
    assert found["performance"]["current"] == {} and found["verdict"] == "not enough data"
    answers(pipeline_run, table["species"])
    done, found = from_log(pipeline_run, "iris", "--labels", "answers.csv")
    measured, right = (
        found["performance"]["current"],
        best_model(pipeline_run, "iris").predict(table) == table["species"],
    )
    assert found["performance"]["estimated"] == estimated
    assert measured["accuracy"] == pytest.approx(right.mean(), rel=1e-5)
    assert abs(estimated["accuracy"]["value"] - measured["accuracy"]) < 0.05
    assert f"estimated without labels {estimated['accuracy']['value']:.4g}" in done.stdout
    assert "] if only the rows changed, not their meaning, measured" in done.stdout


def test_version_of_other_training_rows_is_refused_after_the_quick_look(pipeline_run):
    serve(pipeline_run, "tiny", tiny_table(120, seed=1), "TinyModel")
    path = pipeline_run / "metrics/datasets/tiny/quality.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"split_hash": "other"}))
    done, found = from_log(pipeline_run, "tiny")
    assert (done.returncode, found) == (1, None) and "quick look: the mean of" in done.stdout
    assert (
        "TinyModel version 1 was trained on other rows than these" in done.stderr
        and done.stderr.count("\n") == 1
    )


def test_version_whose_training_was_replaced_is_compared_by_its_features_alone(
    pipeline_run, monkeypatch
):
    serve(pipeline_run, "tiny", tiny_table(600, seed=1), "TinyModel")
    path = pipeline_run / "metrics/datasets/tiny/train.json"
    trained = json.loads(path.read_text())
    for candidate in trained["candidates"].values():
        candidate["model_sha256"] = "other"
    path.write_text(json.dumps(trained))
    found = judged(pipeline_run, "tiny", monkeypatch)
    assert (
        found["prediction"] is None
        and found["performance"] is None
        and list(found["columns"]) == ["size", "town", "age"]
    )


def test_features_that_are_left_out_of_the_log_on_purpose_are_not_missed(pipeline_run, monkeypatch):
    table = tiny_table(1100, seed=1)
    serve(pipeline_run, "tiny", table, "TinyModel")
    path = pipeline_run / paths.inference_log("tiny")
    rows = [json.loads(text) for text in path.read_text().splitlines()]
    path.write_text(
        "\n".join(json.dumps(row | {"features": {"size": row["features"]["size"]}}) for row in rows)
    )
    assert [
        change["column"] for change in judged(pipeline_run, "tiny", monkeypatch)["schema_drift"]
    ] == ["town", "age"]
    settings = pipeline_run / "params.yaml"
    settings.write_text(
        settings.read_text().replace(
            "{name: TinyPredictor}", "{name: TinyPredictor}\n    serve: {log_redact: [town, age]}"
        )
    )
    found = judged(pipeline_run, "tiny", monkeypatch)
    assert (found["verdict"], found["schema_drift"], list(found["columns"])) == (
        "no drift",
        [],
        ["size"],
    )


@pytest.mark.parametrize(
    "label, message",
    [
        ("nothing", "label: found 'nothing'; the model knows: numbers"),
        (None, "none of its 0 labels belongs to one of the 120 newest rows"),
    ],
)
def test_labels_that_are_none_are_one_line(pipeline_run, label, message):
    serve(pipeline_run, "tiny", tiny_table(120, seed=1), "TinyModel")
    answers(pipeline_run, [label] * 120)
    done, _ = from_log(pipeline_run, "tiny", "--labels", "answers.csv")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and message in done.stderr


def test_log_that_is_not_there_and_options_that_do_not_fit_are_refused(pipeline_run):
    done, _ = from_log(pipeline_run, "tiny")
    assert (
        done.returncode == 1
        and "logs/inference/tiny.jsonl: no such file; serve the model first" in done.stderr
    )
    for options in (
        "--from-log",
        "--dataset tiny --labels x.csv",
        "--dataset tiny --from-log --windows 0",
        "--dataset tiny --output here",
    ):
        assert script("detect_drift", *options.split(), cwd=pipeline_run).returncode == 2, options
