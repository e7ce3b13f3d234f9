"""detect_drift.py compares any two files and a dataset's splits, and repeats to the byte."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from support.drift_tables import sales
from support.processes import script


def detect(folder, one, other, *options):
    for name, frame in (("a.csv", one), ("b.csv", other)):
        frame.to_csv(folder / name, index=False) if isinstance(frame, pd.DataFrame) else (
            folder / name
        ).write_text(frame)
    done = script(
        "detect_drift", "--reference-data", "a.csv", "--current-data", "b.csv", *options, cwd=folder
    )
    path = folder / "reports/drift/drift.json"
    return done, json.loads(path.read_text()) if path.is_file() else None


def test_two_files_with_target_and_prediction_get_verdicts_and_four_reports(tmp_path):
    other = sales(seed=1).assign(
        size=lambda frame: frame["size"] + 15, price=lambda frame: frame["price"] * 1.5
    )
    done, found = detect(tmp_path, sales(), other, "--target", "price", "--prediction", "predicted")
    assert done.returncode == 3, done.stderr
    assert (found["verdict"], found["drifted"]) == ("drift", ["size"])
    assert found["target"]["verdict"] == "drift" and found["prediction"]["verdict"] == "no drift"
    assert found["target"]["mean"]["current"] == pytest.approx(other["price"].mean(), rel=1e-5)
    assert found["performance"]["current"]["rmse"] > 5 * found["performance"]["reference"]["rmse"]
    assert (
        "  size: Kolmogorov-Smirnov, adjusted p" in done.stdout
        and "retrain: 'price' moved" in done.stdout
    )
    reports = sorted(path.name for path in (tmp_path / "reports/drift").glob("*.html"))
    assert reports == [
        "drift_report.html",
        "performance_report.html",
        "quality_report.html",
        "target_drift_report.html",
    ]
    page = (tmp_path / "reports/drift/drift_report.html").read_text()
    assert "<b>drift</b>; retrain" in page and not re.search(
        r"<(script|link|img)[^>]+(src|href)=.https?:", page
    )


def test_same_table_twice_is_no_drift_and_parquet_is_read(tmp_path):
    sales().to_parquet(tmp_path / "a.parquet")
    done = script(
        "detect_drift",
        "--reference-data",
        "a.parquet",
        "--current-data",
        "a.parquet",
        "--output",
        "out",
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "no drift, 0 of 4 columns drifted; nothing to do -> out/" in done.stdout


def test_two_unrelated_tables_are_drift_with_every_column_named(tmp_path):
    done, found = detect(tmp_path, sales(), pd.DataFrame({"p": range(80), "q": "x"}))
    assert done.returncode == 3 and "tables of different things" in done.stdout
    assert [change["column"] for change in found["schema_drift"]] == [*sales().columns, "p", "q"]


def test_one_row_is_not_enough_data(tmp_path):
    done, found = detect(tmp_path, sales(), sales(1, seed=1))
    assert (done.returncode, found["verdict"]) == (4, "not enough data")
    assert "collect more rows before judging: 1 of the 50" in done.stdout
    assert "columns drifted" not in done.stdout
    page = (tmp_path / "reports/drift/drift_report.html").read_text()
    assert "<h2>Not enough rows: 1 found, 50 needed</h2>" in page


def test_target_that_one_side_lacks_leaves_the_rest(tmp_path):
    done, found = detect(
        tmp_path,
        sales(),
        sales(seed=1).drop(columns="price"),
        "--target",
        "price",
        "--prediction",
        "predicted",
    )
    assert done.returncode == 0, done.stderr
    assert found["target"] is None and list(found["performance"]) == ["reference"]
    assert found["prediction"]["verdict"] == "no drift" and found["schema_drift"] == []


def test_predicted_classes_are_scored(tmp_path):
    frame = sales().assign(
        label=lambda frame: (frame["size"] > 100).astype(int), guess=lambda frame: frame["label"]
    )
    other = frame.assign(
        guess=lambda frame: np.where(frame.index % 2, frame["guess"], 1 - frame["guess"])
    )
    done, found = detect(
        tmp_path, frame, other, "--target", "label", "--prediction", "guess", "--fail-on", "never"
    )
    assert done.returncode == 0, done.stderr
    assert (
        found["performance"]["reference"]["accuracy"] == 1
        and found["performance"]["current"]["accuracy"] == 0.5
    )
    assert (tmp_path / "reports/drift/performance_report.html").is_file()


@pytest.mark.parametrize(
    "content, options, status, message",
    [
        ("", (), 1, "b.csv: an empty file; give a CSV with a header line"),
        ("size,town\n", (), 1, "b.csv: a header and no rows; give a file with data"),
        (
            "size\n1\n",
            ("--target", "nope"),
            2,
            "--target nope: neither file has that column; they have: 'size', 'town'",
        ),
    ],
)
def test_bad_input_is_one_line(tmp_path, content, options, status, message):
    done, _ = detect(tmp_path, sales(), content, *options)
    assert done.returncode == status and done.stderr.count("\n") == 1 and message in done.stderr


def test_options_that_do_not_go_together_are_refused(tmp_path):
    for options in (("--reference-data", "a.csv"), ("--target", "price")):
        assert script("detect_drift", *options, cwd=tmp_path).returncode == 2


def test_batch_with_a_known_drift_is_found_and_one_without_is_not(pipeline_run):
    made = script(
        "generate_data",
        "--dataset",
        "tiny",
        "--current-batch",
        "--drift",
        "0.8",
        "--rows",
        "400",
        cwd=pipeline_run,
    )
    assert made.returncode == 0, made.stderr
    command = made.stdout.strip().split("compare: python detect_drift.py ")[1].split()
    done = script("detect_drift", *command, cwd=pipeline_run)
    assert (
        done.returncode == 3
        and "  size: Kolmogorov-Smirnov" in done.stdout
        and "  town:" not in done.stdout
    ), done.stdout
    assert (
        script("generate_data", "--dataset", "tiny", "--current-batch", cwd=pipeline_run).returncode
        == 0
    )
    assert script("detect_drift", *command, cwd=pipeline_run).returncode == 0


@pytest.mark.parametrize(
    "options",
    [
        ("--drift", "0.5"),
        ("--current-batch", "--drift", "-1"),
        ("--current-batch", "--drift", "inf"),
    ],
)
def test_drift_of_a_batch_is_a_number_from_0_on(project, options):
    done = script("generate_data", "--dataset", "tiny", *options)
    assert done.returncode == 2 and "give a number of standard deviations" in done.stderr


@pytest.mark.parametrize(
    "dataset, verdict, target",
    [("tiny", "no drift", "price"), ("iris", "not enough data", "species")],
)
def test_stage_compares_the_splits_with_the_predictions_of_the_best_model(
    finished, dataset, verdict, target
):
    found, comparison, best = (
        json.loads((finished / f"metrics/{name}.json").read_text())
        for name in (f"datasets/{dataset}/drift", "comparison_results", f"best/{dataset}")
    )
    compared = comparison["datasets"][dataset]
    candidate = compared["candidates"][best["candidate"]]
    assert found["verdict"] == verdict
    assert found["rows"] == {
        "reference": compared["rows"]["train"],
        "current": compared["rows"]["test"],
    }
    assert found["performance"]["candidate"] == best["candidate"]
    assert found["performance"]["current"] == {
        metric: value["value"] for metric, value in candidate["test"].items()
    }
    assert found["target"]["column"] == target and target not in found["columns"]
    gain = found["performance"]["gain_on_training_rows"]
    assert gain["low"] <= gain["high"] and found["performance"]["worse"] == (gain["low"] > 0)
    assert sorted(path.name for path in (finished / f"reports/{dataset}/drift").iterdir()) == [
        "drift_report.html",
        "performance_report.html",
        "quality_report.html",
        "target_drift_report.html",
    ]


@pytest.mark.parametrize("hash_seed", ["2", "3"])
def test_stage_gives_the_same_bytes_again_whatever_the_order_of_sets(
    pipeline_run, monkeypatch, hash_seed
):
    def written():
        return {
            path: path.read_bytes()
            for dataset in ("iris", "tiny")
            for path in [
                *(pipeline_run / f"reports/{dataset}/drift").iterdir(),
                pipeline_run / f"metrics/datasets/{dataset}/drift.json",
            ]
        }

    before = written()
    monkeypatch.setenv("PYTHONHASHSEED", hash_seed)
    done = script("detect_drift", "--fail-on", "never", cwd=pipeline_run)
    assert done.returncode == 0, done.stderr
    assert written() == before
