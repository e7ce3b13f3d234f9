"""Logged models: their parameters, scores, figures and data, and that they load."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import generate_data
import prepare_data
from pipeline.data.kinds import CATEGORY, NUMBER, conform
from pipeline.models import fitting, storage
from pipeline.project import params
from pipeline.tracking import logged_models
from pipeline.training.problem import read_problem
from support import model_cases
from support.imports import rooms_below
from support.processes import ROOT, shell
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


def test_model_carries_the_rooms_that_load_it_and_no_others():
    assert set(logged_models.LOADING_ROOMS) == {"models", *rooms_below("models")}


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
            "-P",  # the project's own folder is not searched for code, only the model's
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


def test_mlflow_takes_rows_as_pandas_reads_them_from_a_csv(tmp_path):
    """Whole numbers, blanks in numbers, categories that look like numbers or truth values."""
    import mlflow

    table = "size,rooms,zone,garden,price\n" + "".join(
        f"{size},{number % 5},{number % 3 + 1},{bool(number % 2)},{number}\n"
        for number, size in enumerate([*map(str, range(39)), " "])
    )
    (tmp_path / "table.csv").write_text(table, encoding="utf-8")
    rows = pd.read_csv(tmp_path / "table.csv")
    inputs = {"size": NUMBER, "rooms": NUMBER, "zone": CATEGORY, "garden": CATEGORY}
    X = conform(rows, inputs)
    spec = model_cases.spec("decision_tree", "regression", inputs=inputs, features=inputs)
    model = fitting.fit(spec, {"max_depth": 3}, X, rows["price"].to_numpy(float), seed=0)
    folder = tmp_path / "stored"
    model_cases.save(model, folder)
    mlflow.pyfunc.save_model(
        tmp_path / "mlflow",
        loader_module=logged_models.LOADER,
        data_path=str(folder),
        signature=logged_models.signature(spec),
        pip_requirements=[],
    )
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "mlflow"))
    assert loaded.predict(rows).tolist() == model.predict(rows).tolist()
    assert len(set(model.predict(rows).tolist())) > 1


@pytest.mark.slow
@pytest.mark.parametrize("dataset", ["customer_churn", "house_prices", "iris"])
def test_logged_model_takes_rows_as_pandas_reads_them_from_the_csv(tmp_path, monkeypatch, dataset):
    """Among them are whole numbers, categories that look like numbers, and blanks in numbers."""
    import mlflow

    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", ".")
    settings = params.load()
    generate_data.generate(dataset, settings)
    prepare_data.prepare(dataset, settings)
    problem = read_problem(dataset, settings)
    spec = problem.model_spec("decision_tree")
    model = fitting.fit(spec, {"max_depth": 5}, problem.X, problem.y, seed=0)
    folder = tmp_path / "stored"
    folder.mkdir()
    storage.save(model, folder, {"data_hash": problem.data_hash})
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/own.db")
    # the experiment that an earlier test has set is not in this store; MLflow notes it in here
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "")
    mlflow.set_experiment("Rows")
    try:
        with mlflow.start_run():
            stored = logged_models.read_stored_model(folder, made_by="a test")
            logged = logged_models.log_model(mlflow, stored, problem.X.head())
        loaded = mlflow.pyfunc.load_model(logged.model_uri)
    finally:
        mlflow.set_tracking_uri(None)
    rows = pd.read_csv(settings.dataset(dataset).data.file)
    assert loaded.predict(rows).tolist() == model.predict(rows).tolist()
    assert len(set(loaded.predict(rows).tolist())) > 1
