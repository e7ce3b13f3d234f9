"""A small project with hostile columns, categories, labels and file names, all stages run."""

import json
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
from support.hostile_texts import TEXTS

CLASSES = TEXTS[:3]
BINARY, SEVERAL, NUMBERS = "binary", "several", "numbers"
DATASETS = (BINARY, SEVERAL, NUMBERS)


def table(rows: int = 240, seed: int = 0) -> pd.DataFrame:
    """Return columns and categories with hostile texts, and a number that follows from some."""
    rng = np.random.default_rng(seed)
    columns: dict[str, object] = {}
    for place, text in enumerate(TEXTS):
        columns[f"{text} {place}"] = rng.choice(TEXTS, rows)
    columns[f"<u>{TEXTS[0]}</u>"] = rng.normal(size=rows).round(3)
    frame = pd.DataFrame(columns)
    value = frame.iloc[:, -1] + 2 * (frame.iloc[:, 0] == TEXTS[0]) + rng.normal(0, 0.6, rows)
    return frame.assign(**{target_name(NUMBERS): value.round(3)})


def target_name(dataset: str) -> str:
    """Return the name of a dataset's target column."""
    return f"<i>{dataset}</i>{TEXTS[0]}"


def labelled(dataset: str, rows: int = 240, seed: int = 0) -> pd.DataFrame:
    """Return the table of a dataset: its target is the number, or bands of it as class labels."""
    frame = table(rows, seed)
    if dataset == NUMBERS:
        return frame
    value = frame.pop(target_name(NUMBERS))
    labels = CLASSES[:2] if dataset == BINARY else CLASSES
    # a rarer positive class, so that the best threshold is not 0.5
    cuts = [0, 0.7, 1] if dataset == BINARY else 3
    bands = pd.qcut(value, cuts, labels=list(labels))
    return frame.assign(**{target_name(dataset): bands.astype(str)})


MODELS = {
    "models": {"ridge": {"alpha": 1.0}, "logistic_regression": {"max_iter": 2000}},
    "search_spaces": {
        "ridge": {"alpha": {"low": 0.1, "high": 10.0}},
        "logistic_regression": {"C": {"low": 0.1, "high": 10.0}},
    },
}


WEIGHT = f"<b>weight</b>{TEXTS[1]}"
WEIGHTED = (BINARY, NUMBERS)
COSTS = {
    BINARY: {"false_positive": 1, "false_negative": 4},
    SEVERAL: {CLASSES[0]: {CLASSES[1]: 1, CLASSES[2]: 3}, CLASSES[2]: {CLASSES[0]: 2}},
}


OWN_CODE = '''\
def worst(actual, predicted, frame):
    """Return the share of rows that are wrong, or far from right."""
    if actual.dtype == float:
        return float((abs(predicted - actual) > 0.5).mean())
    return float((predicted != actual).mean())
'''


def own_metric(function: str) -> dict[str, object]:
    """Return the settings of a metric of the user's own."""
    return {"function": f"features/hostile.py:{function}", "greater_is_better": False}


def settings_text() -> str:
    """Return params.yaml of three datasets: of two classes, of several, of numbers."""
    blocks = {}
    for name, metric in ((BINARY, "f1"), (SEVERAL, "log_loss"), (NUMBERS, "rmse")):
        model = "ridge" if name == NUMBERS else "logistic_regression"
        data = {
            "source": f"{name}.csv",
            "depends_on": f"{name}.csv",
            "file": f"data/{name} <img src=x>.csv",
            "task": "regression" if name == NUMBERS else "classification",
            "target": target_name(name),
        }
        if name in WEIGHTED:
            data["weight"] = WEIGHT
        if name == BINARY:
            data["positive"] = CLASSES[1]
        blocks[name] = {
            "experiment": name,
            "data": data,
            "prepare": {"test_size": 0.4, "split": "random"},
            "train": {"primary_metric": metric, "cv_folds": 3, "models": ["dummy", model]},
            "tune": {"models": [model]},
            "drift": {"report_rows": 60},
            "gates": {metric: {"min": 0}},
            "register": {"name": f"Hostile-{name}"},
        }
        blocks[name]["train"]["metrics"] = {f"own_{name}": own_metric("worst")}
        if name in COSTS:
            blocks[name]["train"]["costs"] = COSTS[name]
    return json.dumps({"seed": 42, "workers": 1, "datasets": blocks, **MODELS})


def run_stages() -> None:
    """Run the stages from generate to register on the datasets, in the working directory."""
    Path("params.yaml").write_text(settings_text(), encoding="utf-8")
    Path("features").mkdir()
    Path("features/hostile.py").write_text(OWN_CODE, encoding="utf-8")
    for name in DATASETS:
        frame = labelled(name)
        if name in WEIGHTED:
            frame[WEIGHT] = np.resize([1.0, 4.0, 0.0, 2.5], len(frame))
        frame.to_csv(f"{name}.csv", index=False)
    for stage in (generate_data, prepare_data, train):
        stage.main([])
    detect_drift.main(["--fail-on", "never"])
    for stage in (compare_results, validate_metrics, register_model):
        stage.main([])


@pytest.fixture(scope="session")
def hostile_run(tmp_path_factory) -> Path:
    """A folder in which every stage but tune has run on the three datasets; not to be changed."""
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_TRACKING_URI", "")
        run_stages()
    return folder
