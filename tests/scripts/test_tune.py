"""tune_hyperparameters.py: what it writes, whatever stops it, and what is recorded of it."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import tune_hyperparameters
from pipeline.models import storage
from pipeline.project import paths
from pipeline.tuning.journal import Journal
from support.processes import ROOT, script, until, with_ctrl_c
from support.projects import PARAMS, copy_project
from support.tuning import settings_with, tune_outputs


def test_stage_writes_what_it_says(finished):
    figures = json.loads((finished / "metrics/datasets/tiny/tune.json").read_text())
    assert {name.removeprefix("tuned_") for name in figures["candidates"]} <= {
        "lightgbm",
        "ridge",
        "blend",
    }
    assert (
        figures["trials"]["total"]
        == 6
        == sum(figures["trials"][state] for state in ("finished", "pruned", "failed"))
    )
    assert len(pd.read_csv(finished / "models/tiny/tune/trials.csv")) == 6
    best = json.loads((finished / "models/tiny/tune/best_params.json").read_text())
    assert sorted(best) == sorted(figures["candidates"])
    trained = json.loads((finished / "metrics/datasets/tiny/train.json").read_text())["candidates"]
    assert json.loads((finished / "metrics/best/tiny.json").read_text())["candidate"] in {
        *figures["candidates"],
        *trained,
    }
    for name, candidate in figures["candidates"].items():
        model = storage.load(finished / "models/tiny/tune" / name)
        test = pd.read_parquet(finished / "data/processed/tiny/test.parquet")
        rmse = float(np.sqrt(np.mean((model.predict(test) - test["price"]) ** 2)))
        assert candidate["test"]["rmse"]["value"] == pytest.approx(rmse, rel=1e-5)
        over = figures["improvement"][name]["best_of_train"]
        assert over["over"] == "ridge"
        assert over["test"]["absolute"] == pytest.approx(
            trained["ridge"]["test"]["rmse"]["value"] - rmse, abs=1e-3
        )
        assert over["test"]["low"] <= over["test"]["absolute"] <= over["test"]["high"]
        assert over["cv_selected_on"]["absolute"] == pytest.approx(
            trained["ridge"]["cv"]["rmse"]["mean"] - candidate["cv"]["rmse"]["mean"], abs=1e-3
        )
    # weights that were chosen on the rows they are scored on would make the blend look no worse
    # than its best member
    assert (
        figures["candidates"]["blend"]["cv_oof"]["rmse"]
        > figures["candidates"]["tuned_ridge"]["cv_oof"]["rmse"]
    )
    for name in ("history.html", "history.png", "plotly.min.js"):
        assert (finished / "reports/tiny/tune" / name).stat().st_size > 1000
    assert (finished / "reports/tiny/tune/history.html").stat().st_size < 100_000
    assert 'src="plotly.min.js"' in (finished / "reports/tiny/tune/history.html").read_text()


@pytest.mark.slow
def test_killed_search_goes_on_and_ends_as_an_unbroken_one(trained):
    unbroken = tune_outputs(trained)
    command = [sys.executable, str(ROOT / "tune_hyperparameters.py"), "--dataset", "tiny"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name in ("models/tiny/tune", "reports/tiny/tune", "data/predictions/tiny/tune"):
        shutil.rmtree(trained / name)
    for fits in (2, 7, 12):  # of 18: once so many lie on disk
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            until(
                lambda: len(list(trained.glob("studies/tiny/*/fits/*.npz"))) >= fits,
                60,
                pause=0.005,
            )
        finally:
            process.kill()
            process.wait()
    kept = {path: path.stat().st_mtime_ns for path in trained.glob("studies/tiny/*/fits/*.npz")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(kept) >= 12 and all(
        path.stat().st_mtime_ns == moment for path, moment in kept.items()
    )
    (written,) = trained.glob("studies/tiny/*/journal.log")
    assert Journal(written).trials() == 6
    assert tune_outputs(trained) == unbroken
    assert not list(trained.rglob("*.partial"))


def test_interrupted_search_ends_in_one_line_and_keeps_what_is_done(trained):
    before = tune_outputs(trained)
    settings_with(trained, "tune: {models: [lightgbm, ridge], trials: 5000, batch: 3}")
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "tune_hyperparameters.py"), "--dataset", "tiny"],
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=with_ctrl_c,
    )
    try:
        until(lambda: list(trained.glob("studies/tiny/*/journal.log")), 60)
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=60)[1]
    finally:
        process.kill()
    last = (
        "tune_hyperparameters.py: error: stopped; what was finished is kept, "
        "the same command goes on from there"
    )
    assert told.splitlines()[-1] == last and process.returncode == 130
    assert tune_outputs(trained) == before and not list(trained.rglob("*.partial"))


@pytest.mark.slow
def test_every_trial_is_a_run_below_the_search_and_sync_writes_them_again(
    finished, tmp_path, monkeypatch
):
    import mlflow

    folder = shutil.copytree(finished, tmp_path / "project")
    monkeypatch.chdir(folder)
    shutil.rmtree(folder / "mlruns")
    (folder / "mlflow.db").unlink()
    done = script("ops.sync", cwd=folder)
    assert done.returncode == 0 and "tiny: 4 tune runs written" in done.stdout, (
        done.stdout + done.stderr
    )
    assert "holds every run" in script("ops.sync", cwd=folder).stdout
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("Tiny-Regression").experiment_id
    (parent,) = client.search_runs([experiment], "attributes.run_name = 'tune'")
    children = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
    table = pd.read_csv(folder / "models/tiny/tune/trials.csv")
    assert sorted(int(child.data.tags["trial"]) for child in children) == list(table["trial"])
    for child in children:
        row = table.loc[int(child.data.tags["trial"])]
        assert (
            child.data.params["model_type"] == row["model"]
            and child.data.tags["state"] == row["state"]
        )
        assert child.data.metrics["cv_rmse"] == row["value"] and child.data.metrics["seconds"] >= 0
        assert [
            point.value for point in client.get_metric_history(child.info.run_id, "fold_rmse")
        ] == [value for value in row[["fold_1", "fold_2", "fold_3"]] if not math.isnan(value)]
    assert {"trials.csv", "history.html", "history.png", "best_params.json"} <= {
        item.path for item in client.list_artifacts(parent.info.run_id)
    }


def test_train_tunes_too_when_asked_and_hands_the_options_on(trained):
    done = script(
        "train",
        "--dataset",
        "iris",
        "--tune-hyperparameters",
        "--trials",
        "2",
        "--objectives",
        "metric,latency",
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert "train iris: 3 models" in done.stdout and "tune iris: 2 trials" in done.stdout
    figures = json.loads((trained / "metrics/datasets/iris/tune.json").read_text())
    assert (
        figures["trials"]["total"] == 2
        and figures["picked"] == "least latency within 1 % of the best metric"
    )
    assert all(
        1e-7 < row["latency"] < 0.1 for row in figures["pareto"]
    )  # seconds: a size in bytes is above them


def test_two_objectives_give_a_front_that_nothing_beats_and_the_pick_follows_its_rule(trained):
    settings = settings_with(
        trained,
        "tune: {models: [lightgbm, ridge], trials: 12, batch: 4, objectives: [metric, size], "
        "tolerance: 0.1}",
    )
    figures = tune_hyperparameters.tune("tiny", settings)
    table = pd.read_csv("models/tiny/tune/trials.csv").set_index("trial")
    front = [row["trial"] for row in figures["pareto"]]
    for number, row in table.iterrows():
        beaten = (
            (table["value"] <= row["value"])
            & (table["cost"] <= row["cost"])
            & ((table["value"] < row["value"]) | (table["cost"] < row["cost"]))
        ).any()
        assert beaten != (number in front)
    assert set(table["state"]) == {"finished"} and "blend" not in figures["candidates"]
    trees = table[table["model"] == "lightgbm"]
    near = trees[trees["value"] <= trees["value"].min() * 1.1]
    best = json.loads(paths.models("tiny", "tune").joinpath("best_params.json").read_text())[
        "tuned_lightgbm"
    ]
    assert best["num_leaves"] == near.loc[near["cost"].idxmin(), "lightgbm.num_leaves"]
    assert paths.reports("tiny", "tune").joinpath("pareto_front.html").is_file()
    again = table["cost"].copy()
    shutil.rmtree("studies")
    tune_hyperparameters.tune("tiny", settings)
    assert (pd.read_csv("models/tiny/tune/trials.csv").set_index("trial")["cost"] == again).all()


@pytest.mark.slow
def test_two_fresh_folders_tune_to_the_same_bytes(finished, tmp_path):
    folder = copy_project(tmp_path / "fresh", PARAMS.replace("workers: 2", "workers: 1"))
    for name in ("generate_data", "prepare_data", "train", "tune_hyperparameters"):
        assert script(name, cwd=folder).returncode == 0
    assert tune_outputs(folder) == tune_outputs(finished)
