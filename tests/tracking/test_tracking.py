"""MLflow holds what the stages' files say: every stage, once, and again after the store was lost."""

import itertools
import json
import os
import socket
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

import generate_data
from pipeline.models import storage
from pipeline.project import paths
from pipeline.project.params import load
from pipeline.tracking import record, store
from pipeline.tracking.runs import metric_name
from support.processes import ROOT, script, shell

STAGES = [
    "compare",
    "drift",
    "generate",
    "prepare",
    "register",
    "train",
    "train",
    "train",
    "validate",
]
TUNED = {
    "Iris-Classification": ["tune"] * 3,
    "Tiny-Regression": ["tune"] * 4,
}  # the search, and a run per tuned model


fresh = itertools.count(1)


def recorded(folder) -> dict:
    """Return the runs of a folder's store as {identity: run} by experiment."""
    import mlflow

    same_file = "./" * next(
        fresh
    )  # MLflow keeps the connection to an address, to a deleted store too
    client = mlflow.MlflowClient(f"sqlite:///{folder}/{same_file}mlflow.db")
    return {
        experiment.name: {
            run.data.tags["identity"]: run
            for run in client.search_runs([experiment.experiment_id])
            if "mlflow.parentRunId" not in run.data.tags
        }
        for experiment in client.search_experiments()
        if experiment.name != "Default"
    }


def test_every_stage_of_every_dataset_is_recorded_once(finished):
    found = recorded(finished)
    assert sorted(found) == ["Iris-Classification", "Tiny-Regression"]
    for name, runs in found.items():
        assert sorted(run.data.tags["stage"] for run in runs.values()) == sorted(
            STAGES + TUNED[name]
        )


def test_lost_store_is_rebuilt_with_the_same_runs_and_sync_is_idempotent(pipeline_run):
    before = {name: set(runs) for name, runs in recorded(pipeline_run).items()}
    shell("rm -rf mlflow.db mlruns", pipeline_run)
    assert "23 runs written" in shell("python -m ops.sync", pipeline_run).stdout
    assert {name: set(runs) for name, runs in recorded(pipeline_run).items()} == before
    assert "holds every run already" in shell("python -m ops.sync", pipeline_run).stdout
    assert {name: len(runs) for name, runs in recorded(pipeline_run).items()} == {
        name: 9 + len(TUNED[name]) for name in before
    }


def test_stages_restored_from_the_cache_without_running_are_recorded_by_sync(pipeline_run):
    before = set(recorded(pipeline_run)["Tiny-Regression"])
    shell("git add -A && git commit -qm first && git tag first", pipeline_run)
    params = (pipeline_run / "params.yaml").read_text()
    (pipeline_run / "params.yaml").write_text(
        params.replace("ridge: {alpha: 1.0}", "ridge: {alpha: 30.0}")
    )
    assert shell("dvc repro train@tiny && git commit -qam second", pipeline_run).returncode == 0
    added = set(recorded(pipeline_run)["Tiny-Regression"]) - before
    assert len(added) == 1
    shell("rm -rf mlflow.db mlruns && git checkout -q first && dvc checkout", pipeline_run)
    assert shell("python -m ops.sync", pipeline_run).returncode == 0
    assert set(recorded(pipeline_run)["Tiny-Regression"]) == before


def test_stage_whose_pages_are_not_there_is_recorded_once_they_are(pipeline_run):
    shell("rm -rf mlflow.db mlruns reports/tiny/drift && python -m ops.sync", pipeline_run)
    assert "drift" not in {
        run.data.tags["stage"] for run in recorded(pipeline_run)["Tiny-Regression"].values()
    }
    shell("dvc checkout", pipeline_run)
    assert "1 drift run written" in shell("python -m ops.sync", pipeline_run).stdout


def test_model_run_holds_parameters_metrics_tags_plots_data_and_model(finished):
    import mlflow

    runs = {run.info.run_name: run for run in recorded(finished)["Tiny-Regression"].values()}
    run = runs["ridge"]
    assert run.data.params["model_type"] == "ridge" and run.data.params["alpha"] == "1.0"
    assert run.data.params["random_state"] == "42"
    expected = {
        "cv_rmse",
        "cv_rmse_std",
        "oof_rmse",
        "train_rmse",
        "test_rmse",
        "test_rmse_low",
        "test_rmse_high",
    }
    assert expected <= set(run.data.metrics)
    tags = run.data.tags
    commit = shell("git rev-parse HEAD", finished).stdout.strip()
    assert (tags["dataset"], tags["stage"], tags["model_type"], tags["git_commit"]) == (
        "tiny",
        "train",
        "ridge",
        commit,
    )
    assert tags["data_hash"] in (finished / "dvc.lock").read_text()
    assert {"timestamp", "git_dirty", "synthetic", "mlflow.user", "mlflow.source.name"} <= set(tags)
    client = mlflow.MlflowClient(f"sqlite:///{finished}/mlflow.db")
    names = {artifact.path for artifact in client.list_artifacts(run.info.run_id)}
    assert {
        "feature_importance.png",
        "predictions_plot.png",
        "metadata.json",
        "train_stats.json",
    } <= names
    assert run.inputs.dataset_inputs[0].dataset.digest == tags["data_hash"]
    assert len(run.outputs.model_outputs) == 1


def test_drift_run_holds_scores_verdict_and_the_pages(finished):
    import mlflow

    run = next(
        run
        for run in recorded(finished)["Tiny-Regression"].values()
        if run.data.tags["stage"] == "drift"
    )
    figures = json.loads((finished / "metrics/datasets/tiny/drift.json").read_text())
    expected = {
        "drift_share",
        "drift_score",
        "target_drift",
        "prediction_drift",
        "target_mean_current",
        "reference_rmse",
        "current_rmse",
        "drift_score__size",
        "drift_score__town",
        "drift_score__age",
    }
    assert expected <= set(run.data.metrics)
    assert run.data.metrics["drift_score__town"] == figures["columns"]["town"]["drift_score"]
    assert run.data.tags["verdict"] == figures["verdict"] and run.data.params["min_rows"] == "50"
    client = mlflow.MlflowClient(f"sqlite:///{finished}/mlflow.db")
    names = {artifact.path for artifact in client.list_artifacts(run.info.run_id)}
    assert {
        "drift.json",
        "drift_report.html",
        "quality_report.html",
        "target_drift_report.html",
        "performance_report.html",
    } == names


def test_names_of_metrics_are_those_that_mlflow_takes():
    assert metric_name("drift_score__f(x) é %") == "drift_score__f_x_ _ _"


@pytest.mark.parametrize(
    "dataset, experiment, model",
    [("tiny", "Tiny-Regression", "ridge"), ("iris", "Iris-Classification", "logistic_regression")],
)
def test_recorded_model_loads_without_pickle_and_predicts_the_same_for_nulls_too(
    finished, tmp_path, monkeypatch, dataset, experiment, model
):
    monkeypatch.chdir(finished)
    run = next(run for run in recorded(finished)[experiment].values() if run.info.run_name == model)
    code = (
        "import sys, json, mlflow, pandas as pd; mlflow.set_tracking_uri('sqlite:///mlflow.db');"
        "loaded = mlflow.pyfunc.load_model('models:/' + sys.argv[1]);"
        "rows = pd.read_parquet(sys.argv[2]); print(json.dumps(list(loaded.predict(rows))))"
    )
    rows = pd.read_parquet(f"data/processed/{dataset}/test.parquet").head(8)
    features = storage.load(f"models/{dataset}/train/{model}").spec.inputs
    rows.iloc[0, rows.columns.get_loc(next(iter(features)))] = np.nan
    rows[list(features)].to_parquet(tmp_path / "rows.parquet")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            run.outputs.model_outputs[0].model_id,
            tmp_path / "rows.parquet",
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"},
    )
    assert done.returncode == 0, done.stderr
    assert (
        json.loads(done.stdout)
        == storage.load(f"models/{dataset}/train/{model}").predict(rows).tolist()
    )


def test_run_that_was_cut_short_is_replaced(pipeline_run):
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{pipeline_run}/mlflow.db")
    run = next(
        run
        for run in recorded(pipeline_run)["Tiny-Regression"].values()
        if run.info.run_name == "ridge"
    )
    client.update_run(run.info.run_id, status="RUNNING")
    assert "tiny: 1 train run written" in shell("python -m ops.sync", pipeline_run).stdout
    runs = [
        run
        for run in recorded(pipeline_run)["Tiny-Regression"].values()
        if run.info.run_name == "ridge"
    ]
    assert len(runs) == 1 and runs[0].info.status == "FINISHED"


HERE, GONE, HOUR = socket.gethostname(), 2**22 + 1, 3_600_000  # GONE: more than Linux gives


@pytest.mark.parametrize("shared", [True, False])
def test_unfinished_run_stays_where_another_may_still_be_writing_it(project, monkeypatch, shared):
    if shared:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project}/shared.db")
    settings, now = load(), int(time.time() * 1000)
    generate_data.generate("tiny", settings)
    record.record("tiny", "generate", settings)
    with store.open_store() as mlflow:
        client, experiment = (
            mlflow.MlflowClient(),
            mlflow.set_experiment("Tiny-Regression").experiment_id,
        )
        (written,) = client.search_runs([experiment])
        assert (written.data.tags["host"], written.data.tags["pid"]) == (HERE, str(os.getpid()))

        def unfinished(host, pid, start=now, status="RUNNING"):
            tags = {
                "dataset": "tiny",
                "stage": "train",
                "identity": f"{host}{pid}{start}",
                "host": host,
                "pid": str(pid),
            }
            run_id = client.create_run(experiment, start_time=start, tags=tags).info.run_id
            client.update_run(run_id, status=status)
            return run_id

        writing = {unfinished("elsewhere", GONE), unfinished(HERE, os.getppid())}
        given_up = {
            unfinished("elsewhere", GONE, now - 25 * HOUR),
            unfinished(HERE, GONE),
            unfinished(HERE, os.getpid()),
            unfinished("elsewhere", GONE, now - 1, "FAILED"),
        }
        assert len(writing | given_up) == 6
    assert record.sync_runs() == {}
    with store.open_store() as mlflow:
        left = {run.info.run_id for run in mlflow.MlflowClient().search_runs([experiment])}
    assert left == {written.info.run_id} | (writing if shared else set())


def test_four_processes_that_meet_no_store_write_every_run_once(pipeline_run):
    shell("rm -rf mlflow.db mlruns", pipeline_run)
    command = [sys.executable, "-m", "ops.sync"]
    processes = [
        subprocess.Popen(command, cwd=pipeline_run, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    assert [process.wait() for process in processes] == [0, 0, 0, 0]
    for name, runs in recorded(pipeline_run).items():
        assert sorted(run.data.tags["stage"] for run in runs.values()) == sorted(
            STAGES + TUNED[name]
        )


def test_tracking_address_of_the_environment_is_used(pipeline_run, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{pipeline_run}/other.db")
    assert "other.db" in shell("python -m ops.sync", pipeline_run).stdout
    assert (pipeline_run / "other.db").is_file()


def test_cause_of_an_error_is_one_line_even_where_it_says_nothing():
    assert [
        store.cause(error) for error in (ValueError("one\ntwo"), ValueError(" \n"), RuntimeError())
    ] == ["one", "ValueError", "RuntimeError"]


def test_store_that_cannot_be_written_is_told_and_costs_no_result(project):
    (project / "mlflow.db").write_text("no database")
    done = script("generate_data", "--dataset", "tiny", cwd=project)
    assert done.returncode == 0 and (project / "data/tiny_data.csv").is_file()
    told = done.stderr.splitlines()
    assert told[-1].startswith("generate tiny: not recorded in sqlite:///") and told[-1].endswith(
        "run `make sync`"
    )
    failed = script("ops.sync", cwd=project)
    assert failed.returncode == 1 and "Traceback" not in failed.stderr
    (project / "mlflow.db").unlink()
    assert "1 generate run written" in script("ops.sync", cwd=project).stdout


def test_recording_works_outside_a_git_repository(project):
    done = script("generate_data", "--dataset", "tiny", cwd=project)
    assert done.returncode == 0, done.stderr
    assert (project / "mlflow.db").is_file()


def test_store_whose_creation_is_killed_is_made_anew(project):
    code = (
        "import os, sqlalchemy; from pipeline import command;"
        "count = iter(range(30)); sqlalchemy.event.listen(sqlalchemy.engine.Engine, 'before_cursor_execute',"
        " lambda *_: next(count, None) is None and os._exit(9));"  # in the middle of the tables
        "import generate_data; generate_data.main(['--dataset', 'tiny'])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=project, env=environment).returncode == 9
    )
    assert (project / "metrics/datasets/tiny/generate.json").is_file() and not (
        project / "mlflow.db"
    ).exists()
    assert "1 generate run written" in script("ops.sync", cwd=project).stdout


@pytest.mark.parametrize(
    "uri, base",
    [
        ("sqlite:///store.db", "http://127.0.0.1:5000"),
        ("https://ann:secret@example.org:8080/mlflow/", "https://example.org:8080/mlflow"),
    ],
)
def test_addresses_of_runs_are_noted_without_a_password(project, monkeypatch, uri, base):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    record.note_addresses("tiny", "3", {"train/ridge": "abc"})
    record.note_addresses("tiny", "3", {"compare/compare": "def"})
    assert json.loads(paths.mlflow_runs("tiny").read_text()) == {
        "compare/compare": f"{base}/#/experiments/3/runs/def",
        "train/ridge": f"{base}/#/experiments/3/runs/abc",
    }
