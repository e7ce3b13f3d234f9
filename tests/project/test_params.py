"""A fault of params.yaml is refused with the key's full name, the value and what is allowed; a
right file loads as it reads.
"""

import re
import time

import pytest

from pipeline.project import params
from pipeline.project.errors import UsageError
from pipeline.project.params import Params
from support.processes import ROOT
from support.projects import PARAMS
from support.settings import IRIS, TINY, edited, loaded, refusal

REFUSED = {
    ("seed: 42", "sed: 42"): f"sed: unknown key; allowed: {', '.join(Params.model_fields)}",
    ("seed: 42\n", ""): "seed: Field required",
    ("seed: 42", "seed: -1"): "seed: Input should be greater than or equal to 0 (found -1)",
    ("seed: 42", "seed: '42'"): "seed: Input should be a valid integer (found '42')",
    ("seed: 42", "seed: true"): "seed: Input should be a valid integer (found True)",
    ("workers: 2", "workers: 0"): "workers: must be -1 (all cores) or 1 and more (found 0)",
    ("workers: 2", "workers: -2"): "workers: must be -1 (all cores) or 1 and more (found -2)",
    ("workers: 2", "workers: two"): "workers: Input should be a valid integer (found 'two')",
    ("  iris:", "  Iris:"): "datasets.Iris: must match ^[a-z][a-z0-9_]*$ (found 'Iris')",
    ("  iris:", "  1st:"): "datasets.1st: must match ^[a-z][a-z0-9_]*$ (found '1st')",
    (
        "  iris:",
        "  all:",
    ): "datasets.all: stands for every dataset on the command line; choose another name",
    (
        "ridge: {alpha: 1.0}",
        "ridge: {alpha: [1]}",
    ): "models.ridge.alpha: must be a number, text, true, false or null (found [1])",
    (
        "ridge: {alpha: 1.0}",
        "ridge: {alpha: .nan}",
    ): "models.ridge.alpha: must be a number, text, true, false or null (found nan)",
    (
        "ridge: {alpha: 1.0}",
        "ridge: 1.0",
    ): "models.ridge: must be a block of keys; an empty one is {} (found 1.0)",
    (
        "task: classification, target: species}\n    prepare: {test_size: 0.2, split: random}\n"
        "    train: {",
        "task: classification, target: species, weight: w}\n    prepare: {}\n"
        "    train: {resampling: smote, ",
    ): (
        f"{IRIS}.train.resampling: smote makes rows up, which have no weight by data.weight; set "
        "it to undersample or none"
    ),
    (
        "cv_folds: 3, models: [dummy, ridge, decision_tree]",
        "cv_folds: 3, costs: {false_positive: 1, false_negative: 1}, models: [ridge]",
    ): f"{TINY}.train.costs: are of decisions, which regression has none of; remove it",
    (
        "experiment: Iris-Classification",
        "experimen: x",
    ): (
        f"{IRIS}.experimen: unknown key; "
        "allowed: experiment, data, prepare, train, tune, drift, slices, gates, register, serve"
    ),
    (
        "file: data/tiny_data.csv",
        "file: data/iris_data.csv",
    ): f"{TINY}.data.file: 'data/iris_data.csv' is that of iris, too; choose another name",
    (
        "{test_size: 0.25, split: random}",
        "{test_size: 0.25, split: 'time:price'}",
    ): f"{TINY}.prepare.split: 'time:price' names the target; name another column",
    (
        "{test_size: 0.25, split: random}",
        "",
    ): f"{TINY}.prepare: must be a block of keys; an empty one is {{}} (found None)",
    (
        "primary_metric: rmse",
        "primary_metric: rmse, resampling: smote",
    ): f"{TINY}.train.resampling: 'smote' is for classification; set it to none",
    (
        "primary_metric: log_loss",
        "primary_metric: log_loss, target_transform: log1p",
    ): f"{IRIS}.train.target_transform: 'log1p' is for regression; set it to none",
    ("    register: {name: TinyPredictor}\n", ""): f"{TINY}.register: Field required",
    (
        "{name: TinyPredictor}",
        "{name: IrisClassifier}",
    ): f"{TINY}.register.name: 'IrisClassifier' is that of iris, too; choose another name",
}


@pytest.mark.parametrize("edit", REFUSED, ids=lambda edit: edit[1])
def test_fault_is_told_with_its_key_its_value_and_what_is_allowed(edit, tmp_path, monkeypatch):
    assert refusal(tmp_path, monkeypatch, edited(*edit)) == f"params.yaml: {REFUSED[edit]}"


def test_further_faults_are_counted(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match=r"params.yaml: seed: .* \(found -1\); and 1 more$"):
        loaded(
            tmp_path,
            monkeypatch,
            edited("seed: 42", "seed: -1").replace("workers: 2", "workers: 0"),
        )


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "params.yaml: the file: must be a block of keys; an empty one is {} (found None)"),
        (
            "seed: [42\n",
            "params.yaml is not valid YAML: line 2: expected ',' or ']', but got '<stream end>'",
        ),
        (
            "seed: !!python/object/apply:os.getpid []\n",
            "params.yaml is not valid YAML: line 1: could not determine a constructor for the tag",
        ),
        (
            "seed: 1\nseed: 2\n",
            'params.yaml is not valid YAML: line 2: found duplicate key "seed" with value "2"',
        ),
    ],
)
def test_file_that_is_no_block_of_settings_is_refused(text, message, tmp_path, monkeypatch):
    with pytest.raises(UsageError, match=re.escape(message)):
        loaded(tmp_path, monkeypatch, text)


def test_file_that_is_not_there_or_not_utf_8_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        UsageError, match="no params.yaml in this folder; run from the project's root"
    ):
        params.load()
    (tmp_path / "params.yaml").write_bytes("experiment: Häuser".encode("latin-1"))
    with pytest.raises(UsageError, match="params.yaml is not valid YAML: 'utf-8' codec"):
        params.load()


def test_committed_params_yaml_loads(monkeypatch):
    monkeypatch.chdir(ROOT)
    settings = params.load()
    assert {"california_housing", "credit_fraud", "customer_churn", "house_prices", "iris"} <= set(
        settings.datasets
    )
    assert settings.dataset("customer_churn").data.positive == "Yes"


def test_values_are_read_as_yaml_1_2_means_them(tmp_path, monkeypatch):
    text = edited("target: species", "target: species, positive: Yes").replace(
        "alpha: 1.0", "alpha: 1e-3, fit_intercept: true"
    )
    settings = loaded(tmp_path, monkeypatch, text)
    assert settings.dataset("iris").data.positive == "Yes"
    assert settings.models["ridge"] == {"alpha": 0.001, "fit_intercept": True}
    assert settings.models["ridge"]["fit_intercept"] is True


def test_settings_of_a_dataset_go_before_those_of_all(tmp_path, monkeypatch):
    text = edited(
        "models: [dummy, ridge, decision_tree]",
        "models: {dummy: {}, decision_tree: {max_depth: 2, ccp_alpha: 0.1}}",
    )
    settings = loaded(tmp_path, monkeypatch, text)
    assert settings.hyperparameters("tiny", "decision_tree") == {"max_depth": 2, "ccp_alpha": 0.1}
    assert settings.hyperparameters("iris", "decision_tree") == {"max_depth": 4}
    assert settings.hyperparameters("tiny", "dummy") == {}


def test_unknown_dataset_is_refused_with_the_known_ones(project):
    settings = params.load()
    for asked in (settings.names, settings.dataset):
        with pytest.raises(UsageError, match="unknown dataset 'nope'; params.yaml has: iris, tiny"):
            asked("nope")
    assert settings.names("all") == ["iris", "tiny"] and settings.names("tiny") == ["tiny"]


def test_workers_are_those_of_the_file_or_as_many_as_the_process_may_use(tmp_path, monkeypatch):
    assert loaded(tmp_path, monkeypatch, PARAMS).cores() == 2
    assert loaded(tmp_path, monkeypatch, edited("workers: 2", "workers: -1")).cores() >= 1


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 5000 + "]" * 5000,
        "a: " + "{a: " * 5000 + "1" + "}" * 5000,
        "\n".join(" " * level + "a:" for level in range(5000)),
        "- " * 5000 + "1",
    ],
    ids=["lists in a line", "blocks in a line", "blocks", "lists"],
)
def test_file_that_is_nested_deeper_than_any_setting_is_refused_at_once(text):
    began = time.process_time()
    with pytest.raises(
        UsageError, match="not valid YAML: line [0-9]+: nested deeper than 20 levels"
    ):
        params.parse(text)
    assert time.process_time() - began < 1


def test_a_place_in_braces_without_quotes_is_refused_as_dvc_would(tmp_path, monkeypatch):
    gain = "metrics: {gain: {function: features/a.py:gain, greater_is_better: true}}"
    text = edited("primary_metric: rmse,", f"primary_metric: rmse, {gain},")
    message = refusal(tmp_path, monkeypatch, text)
    assert re.search(
        r"line \d+: found unexpected ':'; put a text with a colon into quotes", message
    )
    quoted = text.replace("features/a.py:gain", "'features/a.py:gain'")
    assert loaded(tmp_path, monkeypatch, quoted).dataset("tiny").train.metrics["gain"]


@pytest.mark.parametrize(
    "made_by", ["features: features/own.py", "transformers: 'features/own.py:M'"]
)
def test_drift_by_importance_is_refused_where_own_code_makes_columns(
    made_by, tmp_path, monkeypatch
):
    start, tiny = PARAMS.split("  tiny:\n")
    tiny = tiny.replace("drop: [id]", f"drop: [id], {made_by}")
    tiny = tiny.replace("drift: {}", "drift: {weighting: importance}")
    assert refusal(tmp_path, monkeypatch, f"{start}  tiny:\n{tiny}") == (
        f"params.yaml: {TINY}.drift.weighting: importances are of the columns that "
        f"data.{made_by.partition(':')[0]} makes, drift is of the table's own; set it to none"
    )
