"""A fault of params.yaml is refused with the key's full name, the value and what is allowed; a
right file loads as it reads.
"""

import re

import pytest

from pipeline.project import params
from pipeline.project.errors import UsageError
from pipeline.project.params import Params
from pipeline.scoring import metrics
from support.settings import edited, loaded

IRIS, TINY = "datasets.iris", "datasets.tiny"
METRICS_OF_CLASSES = ", ".join(metric.name for metric in metrics.of_task("classification"))
REFUSED = {
    # top level
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
    # weights
    (
        "target: price, drop: [id]",
        "target: price, weight: price, drop: [id]",
    ): f"{TINY}.data.weight: names the target 'price'; name another column",
    (
        "target: price, drop: [id]",
        "target: price, weight: id, drop: [id]",
    ): f"{TINY}.data.drop: names 'id', which is data.weight; remove it there",
    (
        "task: classification, target: species}\n    prepare: {test_size: 0.2, split: random}\n"
        "    train: {",
        "task: classification, target: species, weight: w}\n    prepare: {}\n"
        "    train: {resampling: smote, ",
    ): (
        f"{IRIS}.train.resampling: smote makes rows up, which have no weight by data.weight; set "
        "it to undersample or none"
    ),
    # costs
    (
        "cv_folds: 3,\n            models: [dummy, log",
        "cv_folds: 3, costs: {false_alarm: 1},\n            models: [dummy, log",
    ): (
        f"{IRIS}.train.costs.false_alarm: unknown; allowed: true_negative, false_positive, "
        "false_negative, true_positive, or a table {ACTUAL: {DECIDED: COST}}"
    ),
    (
        "cv_folds: 3,\n            models: [dummy, log",
        "cv_folds: 3, costs: {false_positive: 0},\n            models: [dummy, log",
    ): (
        f"{IRIS}.train.costs.false_positive: an error must cost more than the right decision "
        "(found true_negative 0, false_positive 0)"
    ),
    (
        "cv_folds: 3,\n            models: [dummy, log",
        "cv_folds: 3, costs: {setosa: {virginica: -1}},\n            models: [dummy, log",
    ): (
        f"{IRIS}.train.costs.setosa: an error must cost more than the right decision "
        "(found setosa 0, virginica -1)"
    ),
    (
        "cv_folds: 3,\n            models: [dummy, log",
        "cv_folds: 3, costs: {setosa: {virginica: true}},\n            models: [dummy, log",
    ): (
        f"{IRIS}.train.costs.setosa.virginica: must be a number or the name of a column "
        "(found True)"
    ),
    (
        "cv_folds: 3,\n            models: [dummy, log",
        "cv_folds: 3, threshold_metric: f1, costs: {setosa: {virginica: 1}},"
        "\n            models: [dummy, log",
    ): (
        f"{IRIS}.train.threshold_metric: train.costs decide, so that it has no effect; remove "
        "one of the two"
    ),
    (
        "cv_folds: 3, models: [dummy, ridge, decision_tree]",
        "cv_folds: 3, costs: {false_positive: 1, false_negative: 1}, models: [ridge]",
    ): f"{TINY}.train.costs: are of decisions, which regression has none of; remove it",
    # experiment, data
    (
        "experiment: Iris-Classification",
        "experimen: x",
    ): (
        f"{IRIS}.experimen: unknown key; "
        "allowed: experiment, data, prepare, train, tune, drift, slices, gates, register, serve"
    ),
    (
        "task: regression",
        "task: Regression",
    ): f"{TINY}.data.task: Input should be 'regression' or 'classification' (found 'Regression')",
    (
        "file: data/iris_data.csv",
        "file: iris.csv",
    ): rf"{IRIS}.data.file: must match ^data/[^/]+\.csv$ (found 'iris.csv')",
    (
        "file: data/tiny_data.csv",
        "file: data/iris_data.csv",
    ): f"{TINY}.data.file: 'data/iris_data.csv' is that of iris, too; choose another name",
    ("drop: [id]", "drop: id"): f"{TINY}.data.drop: Input should be a valid list (found 'id')",
    ("drop: [id]", "drop: [price]"): f"{TINY}.data.drop: names the target 'price'; remove it there",
    (
        "drop: [id]",
        "categorical: [price]",
    ): f"{TINY}.data.categorical: names the target 'price'; remove it there",
    (
        "drop: [id]",
        "numeric: [age], categorical: [age]",
    ): f"{TINY}.data.numeric: 'age' stands in categorical, too; keep one",
    (
        "drop: [id]",
        "positive: 1",
    ): f"{TINY}.data.positive: '1' is for classification; remove it or set task: classification",
    (
        "target: species",
        "target: species, positive: true",
    ): f"{IRIS}.data.positive: Input should be a valid string (found True)",
    (
        "target: species",
        "target: species, rows: 0",
    ): f"{IRIS}.data.rows: Input should be greater than or equal to 1 (found 0)",
    (
        "target: species",
        "target: species, separator: ';;'",
    ): f"{IRIS}.data.separator: String should have at most 1 character (found ';;')",
    # prepare
    (
        "test_size: 0.25",
        "test_siz: 0.25",
    ): f"{TINY}.prepare.test_siz: unknown key; allowed: test_size, split, allow_leakage",
    (
        "test_size: 0.25",
        "test_size: 1",
    ): f"{TINY}.prepare.test_size: Input should be less than 1 (found 1)",
    (
        "test_size: 0.25",
        "test_size: 0",
    ): f"{TINY}.prepare.test_size: Input should be greater than 0 (found 0)",
    (
        "test_size: 0.25",
        "test_size: 20%",
    ): f"{TINY}.prepare.test_size: Input should be a valid number (found '20%')",
    (
        "{test_size: 0.25, split: random}",
        "{test_size: 0.25, split: time}",
    ): f"{TINY}.prepare.split: must match ^(random|(time|group):.+)$ (found 'time')",
    (
        "{test_size: 0.25, split: random}",
        "{test_size: 0.25, split: 'time:price'}",
    ): f"{TINY}.prepare.split: 'time:price' names the target; name another column",
    (
        "{test_size: 0.25, split: random}",
        "",
    ): f"{TINY}.prepare: must be a block of keys; an empty one is {{}} (found None)",
    # train
    (
        "primary_metric: rmse",
        "primary_metric: accuracy",
    ): (
        f"{TINY}.train.primary_metric: 'accuracy' is not a metric of regression; "
        "allowed: rmse, mae, r2"
    ),
    (
        "primary_metric: log_loss",
        "primary_metric: f1__virginica",
    ): f"{IRIS}.train.primary_metric: 'f1__virginica' is not a metric of classification; "
    f"allowed: {METRICS_OF_CLASSES}",
    (
        "primary_metric: rmse, cv_folds: 3",
        "primary_metric: rmse, cv_folds: 1",
    ): f"{TINY}.train.cv_folds: Input should be greater than or equal to 2 (found 1)",
    (
        "primary_metric: rmse, cv_folds: 3",
        "primary_metric: rmse, cv_folds: 51",
    ): f"{TINY}.train.cv_folds: Input should be less than or equal to 50 (found 51)",
    (
        "models: [dummy, ridge, decision_tree]",
        "models: ridge",
    ): f"{TINY}.train.models: must be a block of keys; an empty one is {{}} (found 'ridge')",
    (
        "models: [dummy, ridge, decision_tree]",
        "models: []",
    ): f"{TINY}.train.models: Dictionary should have at least 1 item after validation, not 0",
    (
        "primary_metric: rmse",
        "primary_metric: rmse, resampling: smote",
    ): f"{TINY}.train.resampling: 'smote' is for classification; set it to none",
    (
        "primary_metric: rmse",
        "primary_metric: rmse, target_transform: sqrt",
    ): f"{TINY}.train.target_transform: Input should be 'none' or 'log1p' (found 'sqrt')",
    (
        "primary_metric: log_loss",
        "primary_metric: log_loss, target_transform: log1p",
    ): f"{IRIS}.train.target_transform: 'log1p' is for regression; set it to none",
    (
        "primary_metric: log_loss",
        "primary_metric: log_loss, resampling: ros",
    ): f"{IRIS}.train.resampling: Input should be 'none', 'smote' or 'undersample' (found 'ros')",
    # gates
    (
        "{r2: {min: 0.5}}",
        "{f1: {min: 0.5}}",
    ): f"{TINY}.gates.f1: 'f1' is not a metric of regression; allowed: rmse, mae, r2",
    (
        "{accuracy: {min: 0.80}}",
        "{accuracy__virginica: {min: 0.80}}",
    ): (
        f"{IRIS}.gates.accuracy__virginica: "
        "'accuracy__virginica' is not a metric of classification; "
        f"allowed: {METRICS_OF_CLASSES}"
    ),
    (
        "{accuracy: {min: 0.80}}",
        "{accuracy: {min: 85}}",
    ): f"{IRIS}.gates.accuracy.min: 85 is above 1, the best accuracy there is; write 85 % as 0.85",
    (
        "{accuracy: {min: 0.80}}",
        "{f1__virginica: {max: 1.5}}",
    ): f"{IRIS}.gates.f1__virginica.max: 1.5 is above 1, the best f1 there is; write 85 % as 0.85",
    (
        "{r2: {min: 0.5}}",
        "{rmse: {max: -1}}",
    ): f"{TINY}.gates.rmse.max: -1 is below 0, the best rmse there is",
    ("{r2: {min: 0.5}}", "{r2: {}}"): f"{TINY}.gates.r2: a gate needs min or max",
    ("{r2: {min: 0.5}}", "{r2: {min: 0.5, on: oof, by: low}}"): f"{TINY}.gates.r2: by: low is for "
    f"on: test; out of fold there is no interval",
    ("{r2: {min: 0.5}}", "{r2: {max: 0.5, by: low}}"): f"{TINY}.gates.r2: by: low goes with min "
    f"alone, else it asks for less",
    (
        "{accuracy: {min: 0.80}}",
        "{f1__virginica: {min: 0.8, by: low}}",
    ): f"{IRIS}.gates.f1__virginica: by: low needs an interval, which the metrics of a single "
    f"class do not have; remove it",
    (
        "{r2: {min: 0.5}}",
        "{r2: 0.5}",
    ): f"{TINY}.gates.r2: must be a block of keys; an empty one is {{}} (found 0.5)",
    (
        "{r2: {min: 0.5}}",
        "{r2: {min: high}}",
    ): f"{TINY}.gates.r2.min: Input should be a valid number (found 'high')",
    (
        "{r2: {min: 0.5}}",
        "{r2: {min: .nan}}",
    ): f"{TINY}.gates.r2.min: Input should be a finite number (found nan)",
    (
        "{r2: {min: 0.5}}",
        "{r2: {min: 0.5, max: 0.4}}",
    ): f"{TINY}.gates.r2: min 0.5 is above max 0.4, so that nothing passes",
    (
        "{r2: {min: 0.5}}",
        "{r2: {min: 0.5, on: train}}",
    ): f"{TINY}.gates.r2.on: Input should be 'test' or 'oof' (found 'train')",
    # register
    ("    register: {name: TinyPredictor}\n", ""): f"{TINY}.register: Field required",
    (
        "{name: TinyPredictor}",
        "{name: Tiny/Predictor}",
    ): f"{TINY}.register.name: must match ^[A-Za-z][A-Za-z0-9_.-]*$ (found 'Tiny/Predictor')",
    (
        "{name: TinyPredictor}",
        "{name: IrisClassifier}",
    ): f"{TINY}.register.name: 'IrisClassifier' is that of iris, too; choose another name",
    (
        "{name: TinyPredictor}",
        "{name: TinyPredictor, promote: never}",
    ): (
        f"{TINY}.register.promote: "
        "Input should be 'better', 'not_worse' or 'always' (found 'never')"
    ),
    (
        "{name: TinyPredictor}",
        "{name: TinyPredictor, margin: 1.0}",
    ): f"{TINY}.register.margin: Input should be less than 1 (found 1.0)",
}


@pytest.mark.parametrize("edit", REFUSED, ids=lambda edit: edit[1])
def test_fault_is_told_with_its_key_its_value_and_what_is_allowed(edit, tmp_path, monkeypatch):
    with pytest.raises(UsageError) as caught:
        loaded(tmp_path, monkeypatch, edited(*edit))
    assert str(caught.value) == f"params.yaml: {REFUSED[edit]}"
    assert caught.value.status == 2


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
