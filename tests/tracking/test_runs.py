"""Runs: what they hold, which names MLflow takes, and what happens to those that were cut short."""

import json
import os
import socket
import time

import pytest

import generate_data
from pipeline.project.params import load
from pipeline.tracking import record, store
from support.processes import shell
from support.recorded import recorded

HERE, GONE, HOUR = socket.gethostname(), 2**22 + 1, 3_600_000  # GONE: more than Linux gives


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
    models = client.search_logged_models([runs[0].info.experiment_id])
    below = [model.source_run_id for model in models]
    assert run.info.run_id not in below and runs[0].info.run_id in below


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
    assert record.sync_runs(settings.datasets, settings) == {}
    with store.open_store() as mlflow:
        left = {run.info.run_id for run in mlflow.MlflowClient().search_runs([experiment])}
    assert left == {written.info.run_id} | (writing if shared else set())
