"""Logged models: their parameters, scores, figures and data, and that they load."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from pipeline.models import storage
from support.processes import shell
from support.recorded import recorded


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
