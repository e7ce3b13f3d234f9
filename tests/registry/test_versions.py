"""The versions of a registered model: their tags, files, aliases, and how MLflow loads them."""

import json
from pathlib import Path

import pandas as pd
import pytest

import evaluate
import register_model
from pipeline.models import storage
from pipeline.project import params
from pipeline.project.errors import DataError
from pipeline.registry import versions
from pipeline.tracking import store
from support.registered import aliases, content, edit, resolve, variant


def test_first_version_is_the_champion_with_its_bundle_tags_card_and_stage(register):
    told = register("first")
    assert told.startswith("register tiny: TinyPredictor version 1, promoted: rmse ")
    assert told.endswith(" -> logs/promotions/tiny.jsonl\n")
    assert aliases() == {"champion": 1, "production": 1}
    version = resolve()
    metadata = json.loads(Path("models/tiny/train/ridge/metadata.json").read_text())
    assert (version.name, version.version, version.sha256) == (
        "TinyPredictor",
        1,
        metadata["model_sha256"],
    )
    assert {path.name for path in version.folder.iterdir()} == {
        "metadata.json",
        "preprocessing.skops",
        "estimator.skops",
        "train_stats.json",
        "request.json",
        "train_rows.npy",
        "checks.json",
        "model_card.json",
        "model_card.md",
    }
    low, high = (metadata["metrics"]["test"]["rmse"][bound] for bound in ("low", "high"))
    assert version.tags["test_rmse"].endswith(f"[{low:.4g}, {high:.4g}]")
    assert (version.tags["dvc_stage"], version.data_hash) == ("train@tiny", metadata["data_hash"])
    entry = store.client().get_model_version("TinyPredictor", "1")
    assert entry.current_stage == "Production"
    assert entry.description == (version.folder / "model_card.md").read_text()
    run = store.client().get_run(entry.run_id)
    assert run.data.tags["stage"] == "register" and run.data.metrics["test_rmse_low"] == low


@pytest.mark.parametrize(
    "uri", ["models:/TinyPredictor@production", "models:/TinyPredictor/Production"]
)
def test_version_loads_through_mlflow_with_pickle_switched_off(first, monkeypatch, uri):
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    rows = pd.read_parquet("data/processed/tiny/test.parquet")[["size", "town", "age"]]
    mlflow.set_tracking_uri(store.tracking_uri())
    try:
        loaded = mlflow.pyfunc.load_model(uri)
    finally:
        mlflow.set_tracking_uri(None)
    assert rows.isna().any(axis=None)
    assert (
        loaded.predict(rows).tolist()
        == storage.load("models/tiny/train/ridge").predict(rows).tolist()
    )
    assert not [
        path for path in Path("mlruns").rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib")
    ]


def test_same_model_is_registered_once(register):
    register("first")
    before = content("logs") | content("mlruns")
    assert "ridge was decided on before, nothing changes" in register("first")
    assert content("logs") | content("mlruns") == before
    assert len(versions.list_versions("tiny", params.load())) == 1


def test_a_version_is_scored_by_number_and_by_alias(two, capsys):
    printed = []
    for options in (
        ["--model", "ridge"],
        ["--version", "2"],
        ["--version", "champion"],
        ["--version", "1"],
    ):
        evaluate.main(["--dataset", "tiny", *options])
        printed.append(capsys.readouterr().out.split("\n", 1))
    assert printed[1][0] == "TinyPredictor version 2 on 50 rows of data/processed/tiny/test.parquet"
    assert printed[0][1] == printed[1][1] == printed[2][1] != printed[3][1]


@pytest.mark.parametrize("reference", [7, "nobody", "no such name"])
def test_version_that_is_not_there_is_reported_with_what_to_do(first, reference):
    with pytest.raises(
        DataError,
        match=r"TinyPredictor: no .* in sqlite:.*`python rollback.py --dataset tiny --list` shows",
    ):
        resolve(reference)


def test_without_a_store_nothing_is_made(become):
    become("first")
    Path("mlflow.db").unlink()
    with pytest.raises(DataError, match="no MLflow store; run `dvc repro`"):
        resolve()
    assert not list(Path().glob("mlflow.db*"))


def test_version_that_others_registered_is_refused(first):
    with store.open_store() as mlflow:
        client = mlflow.MlflowClient()
        client.create_model_version(
            "TinyPredictor", client.get_model_version("TinyPredictor", "1").source
        )
    with pytest.raises(
        DataError,
        match="TinyPredictor version 2: has no sha256: it was not registered by register_model.py",
    ):
        resolve(2)


def test_run_that_was_cut_short_before_it_became_a_version_is_replaced(register, monkeypatch):
    import mlflow

    with monkeypatch.context() as patch:
        patch.setattr(
            mlflow.MlflowClient,
            "create_model_version",
            lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt),
        )
        with pytest.raises(KeyboardInterrupt):
            register("first")
    register("first")
    client = store.client()
    experiment = client.get_experiment_by_name("Tiny-Regression").experiment_id
    assert len(client.search_runs([experiment], "tags.stage = 'register'")) == 1 and aliases() == {
        "champion": 1,
        "production": 1,
    }


def test_another_variant_is_another_version(first):
    variant(1)
    edit("min: 0.5", "min: 0.4")
    register_model.main(["--dataset", "tiny"])
    assert len(versions.list_versions("tiny", params.load())) == 2
