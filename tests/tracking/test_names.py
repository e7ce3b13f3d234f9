"""Names for the store: any class label or column gives one that MLflow takes, and only one."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import compare_results
import detect_drift
import generate_data
import prepare_data
import register_model
import train
import validate_metrics
from pipeline.project import params, paths
from pipeline.tracking import names, record, runs, store
from pipeline.tracking.runs import Run
from support.recorded import recorded

LONG = "x" * 299
HARD = [
    "<=50K", ">50K", "a*b", "a|b", "a/b", "a//b", "..", ".", "", " ", "it's", '"quoted"', "`tick`",
    "$x^$", "50 %", "new\nline", "tab\t", "日本", "naïve", "हिन्दी", "😀", "😃", "\u202eleft",
    LONG + "a", LONG + "b", "x", "x ", " x", "x-0a1b2c3d", "a_b",
]  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "test_f1__"])
def test_any_text_gives_a_name_that_mlflow_takes_and_no_two_give_the_same(prefix):
    from mlflow.utils import validation

    stored = [names.stored_name(prefix + text) for text in HARD]
    for name in stored:
        validation._validate_metric(name, 0.5, 0, 0)
        validation._validate_param(name, "a value")
        validation._validate_tag(name, "a value")
    assert len({name.casefold() for name in stored}) == len(HARD)


@pytest.mark.parametrize("name", ["cv_rmse", "test_f1__Iris-setosa_low", "drift_score__日本 1.5"])
def test_name_that_fits_stays_as_it_is(name):
    assert names.stored_name(name) == name and names.changed_names([name]) == {}


def test_spelling_of_a_name_that_does_not_fit_can_be_read():
    spelt = names.stored_name("test_f1__<=50K_low")
    assert re.fullmatch(r"test_f1___lt_eq_50K_low-[0-9a-f]{8}", spelt)


def test_name_that_looks_like_the_spelling_of_another_is_spelt_otherwise():
    spelt = names.stored_name("f1__<=50K")
    assert names.stored_name(spelt) != spelt


BLOCK = """\
seed: 1
datasets:
  hard:
    experiment: Hard "labels" / 😀
    data: {source: hard.csv, depends_on: hard.csv, file: data/hard_data.csv,
           task: classification, target: 'what? <b>'}
    prepare: {}
    train: {primary_metric: log_loss, cv_folds: 3, models: [dummy, logistic_regression]}
    tune: {models: [logistic_regression]}
    drift: {}
    gates: {'f1__<=50K': {min: 0}}
    register: {name: Hard}
models: {logistic_regression: {max_iter: 2000}}
search_spaces: {logistic_regression: {C: {low: 0.01, high: 100.0, log: true}}}
"""
LABELS = [
    "<=50K",
    ">50K",
    "a*b",
    "a|b",
    "a/b",
    "it's",
    '"q"',
    "$x^$",
    "日本",
    "😀",
    LONG + "a",
    LONG + "b",
]
COLUMNS = ["a/b", "a|b", "a*b", "x" * 300, "😀 %", "it's <b>", '"q"', "`t`"]


def hard_table() -> pd.DataFrame:
    """Return a table whose labels, columns and categories are hard to name; synthetic."""
    rng = np.random.default_rng(0)
    code = np.repeat(np.arange(len(LABELS)), 60)
    features = {}
    for number, column in enumerate(COLUMNS[:-1]):
        features[column] = code * (number + 1) % 7 + rng.normal(size=len(code))
    features[COLUMNS[-1]] = [
        LABELS[place] for place in (code + rng.integers(2, size=len(code))) % 12
    ]
    return pd.DataFrame({**features, "what? <b>": [LABELS[place] for place in code]})


def test_run_of_hard_names_holds_every_value_and_the_true_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = {f"test_f1__{label}": float(place) for place, label in enumerate(HARD)}
    texts = {name: str(value) for name, value in values.items()}
    run = Run("hard", "train", "ridge", params=texts, metrics=values, tags=texts)
    with store.open_store() as mlflow:
        mlflow.set_experiment('Hard "labels" / 😀')
        written = runs.write_run(mlflow, run)
        stored = mlflow.get_run(written.run_id).data
        true_names = mlflow.artifacts.load_dict(f"runs:/{written.run_id}/{names.TRUE_NAMES}")
    for name, value in values.items():
        key = names.stored_name(name)
        assert stored.metrics[key] == value
        assert stored.params[key] == stored.tags[key] == str(value)
        assert key == name or true_names[key] == name


@pytest.mark.slow
def test_dataset_of_hard_names_is_trained_recorded_registered_and_synced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(BLOCK, encoding="utf-8")
    hard_table().to_csv("hard.csv", index=False)
    settings = params.load()
    for script in (generate_data, prepare_data, train, detect_drift):
        script.main(["--dataset", "hard"])
    for script in (compare_results, validate_metrics, register_model):
        script.main([])
    assert record.sync_runs(settings.datasets, settings) == {}
    (written,) = recorded(tmp_path).values()
    by_stage = {run.data.tags["stage"]: run for run in written.values()}
    figures = json.loads(paths.metrics("hard", "train").read_text(encoding="utf-8"))
    scores = figures["candidates"][by_stage["train"].info.run_name]["test"]
    client = store.client()
    run_id = by_stage["train"].info.run_id
    folder = client.download_artifacts(run_id, names.TRUE_NAMES)
    true_names = json.loads(Path(folder).read_text(encoding="utf-8"))
    for label in LABELS:
        name = f"test_f1__{label}"
        stored = names.stored_name(name)
        assert by_stage["train"].data.metrics[stored] == scores[f"f1__{label}"]["value"]
        assert stored == name or true_names[stored] == name
    for column in COLUMNS:
        assert names.stored_name(f"drift_score__{column}") in by_stage["drift"].data.metrics
