"""What a model served is compared with the rows it was trained on: windows, a quick look, predictions, scores."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.data import quality
from pipeline.drift import comparison
from pipeline.models import storage
from pipeline.monitoring import log_comparison
from pipeline.monitoring import windows as monitoring_windows
from pipeline.monitoring.windows import quick_look, windows_verdict
from pipeline.project import params, paths
from pipeline.project.params import Drift
from support.processes import script
from support.projects import tiny_table

LIMITS = Drift(window_rows=100, windows=3, alarm_windows=2)


# windows


def frames(rows=(400, 330), shifts=(), seed=0):
    """Return reference and served rows of two columns and a prediction; each shift moves the next hundred served rows."""
    rng = np.random.default_rng(seed)
    one, other = (
        pd.DataFrame(
            {
                "x": rng.normal(size=n),
                "town": rng.choice(["a", "b"], n),
                "model output": rng.normal(size=n),
            }
        )
        for n in rows
    )
    for place, shift in enumerate(shifts):
        start = len(other) - 100 * (len(shifts) - place)
        other.loc[other.index[start : start + 100], "x"] += shift
    return one, other


def windows(shifts=(), limits=LIMITS, rows=(400, 330), **options):
    one, other = frames(rows, shifts)
    times = pd.Series([f"{number:04}" for number in range(len(other))])
    return monitoring_windows.windows(
        one, other, "model output", ("town",), times, limits, **options
    )


def test_windows_end_with_the_newest_row_and_leave_the_rest_out():
    assert [(window["first"], window["last"], window["rows"]) for window in windows()] == [
        ("0030", "0129", 100),
        ("0130", "0229", 100),
        ("0230", "0329", 100),
    ]
    assert [window["rows"] for window in windows(rows=(400, 170))] == [100]
    assert [window["rows"] for window in windows(rows=(400, 70))] == [70]


@pytest.mark.parametrize(
    "shifts, alarm_windows, expected",
    [
        ((0, 0, 0), 2, "no drift"),
        ((2, 0, 0), 2, "no drift"),
        ((0, 0, 2), 1, "drift"),
        ((2, 0, 2), 2, "drift"),
        ((2, 0, 2), 3, "no drift"),
        ((2, 2, 2), 3, "drift"),
    ],
)
def test_alarm_needs_so_many_of_the_windows(shifts, alarm_windows, expected):
    limits = LIMITS.model_copy(update={"alarm_windows": alarm_windows})
    found = windows(shifts, limits)
    assert [window["verdict"] for window in found] == [
        "drift" if shift else "no drift" for shift in shifts
    ]
    assert [window["drifted"] for window in found] == [["x"] if shift else [] for shift in shifts]
    assert windows_verdict(found, limits) == expected


def test_fewer_windows_than_an_alarm_needs_are_not_enough_data():
    assert windows_verdict(windows(rows=(400, 150)), LIMITS) == "not enough data"
    assert windows_verdict(windows((2,), rows=(400, 150)), LIMITS) == "not enough data"
    small = LIMITS.model_copy(update={"window_rows": 30})
    found = windows(limits=small)
    assert (
        {window["verdict"] for window in found}
        == {windows_verdict(found, small)}
        == {"not enough data"}
    )


def test_drift_of_the_prediction_alone_is_drift_of_a_window_and_that_of_an_ignored_column_is_none():
    one, other = frames()
    times = pd.Series(["t"] * len(other))
    moved = monitoring_windows.windows(
        one, other.assign(**{"model output": 5.0}), "model output", ("town",), times, LIMITS
    )
    assert [window["drifted"] for window in moved] == [["model output"]] * 3
    assert {window["verdict"] for window in windows((2, 2, 2), ignored={"x"})} == {"no drift"}


# quick look


def test_z_is_the_difference_of_the_means_in_standard_errors_of_both():
    rng = np.random.default_rng(0)
    towns = pd.Series(rng.choice(["a", "b"], 900, p=[0.8, 0.2]), dtype="str")
    trained = pd.DataFrame({"x": rng.normal(10, 2, 900), "town": towns})
    served = pd.DataFrame(
        {
            "x": rng.normal(10.5, 2, 300),
            "town": rng.choice(["a", "b"], 300, p=[0.6, 0.4]),
            "new": 1.0,
        }
    )
    found = quick_look(quality.statistics(trained), served, LIMITS)
    difference = served["x"].mean() - trained["x"].mean()
    assert found["x"]["z"] == pytest.approx(
        difference / (trained["x"].std() * (1 / 300 + 1 / 900) ** 0.5), rel=1e-4
    )
    assert found["x"]["shift"] == pytest.approx(difference / trained["x"].std(), rel=1e-4)
    assert (
        found["town"]["z"] < -LIMITS.z_threshold
        and found["town"]["exceeds"]
        and set(found) == {"x", "town"}
    )


def test_a_twentieth_of_unchanged_features_exceeds_two_standard_errors():
    rng = np.random.default_rng(1)
    exceeding = []
    for _ in range(40):
        one, other = (
            pd.DataFrame(rng.exponential(size=(rows, 10)), columns=list("abcdefghij"))
            for rows in (400, 200)
        )
        exceeding += [
            look["exceeds"] for look in quick_look(quality.statistics(one), other, LIMITS).values()
        ]
    assert 0.02 < np.mean(exceeding) < 0.08


def test_features_without_a_mean_or_a_spread_have_no_z():
    statistics = quality.statistics(
        pd.DataFrame({"constant": [1.0] * 9, "void": [np.nan] * 9, "x": np.arange(9.0)})
    )
    served = pd.DataFrame({"constant": [2.0] * 9, "void": 1.0, "x": ["text"] * 9})
    assert quick_look(statistics, served, LIMITS) == {}


# the script


def best_model(folder, dataset):
    best = json.loads((folder / paths.best(dataset)).read_text())
    return storage.load(folder / paths.models(dataset, best["stage"]) / best["candidate"])


def serve(folder, dataset, frame, name, version=1, broken=0):
    """Write to the log what the best model answers to the rows, two in each request, and broken lines at its end."""
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
    return log_comparison.compare_with_training(dataset, settings, settings.dataset(dataset).drift)[
        0
    ]


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
        found["rows"] == {"reference": 150, "current": 200}
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


def test_number_that_was_trained_as_a_category_is_compared_as_one():
    reference = pd.DataFrame({"flag": pd.Series(["0", "1"] * 100, dtype="str")})
    served = typed_tables.with_text(typed_tables.of_frame(pd.DataFrame({"flag": [0, 1] * 100})), ("flag",))
    assert comparison.compare_columns(reference, served, LIMITS)["flag"]["verdict"] == "no drift"
    assert comparison.schema_drift(reference, served) == []
