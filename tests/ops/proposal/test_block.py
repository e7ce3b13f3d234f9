"""The block that `generate_data.py --new` prints: it stands as it is under `datasets:` and goes
through the first stages.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import generate_data
import prepare_data
import train
from pipeline.data import splits
from pipeline.project import params
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Dataset, Params
from pipeline.project.settings.data import Data
from support.projects import real_table, tiny_table


def printed(capsys, name: str, source: str, target: str) -> str:
    generate_data.main(["--new", name, "--source", source, "--target", target])
    return capsys.readouterr().out


def pasted(project, block: str) -> Params:
    """Paste a block under `datasets:` and load the file."""
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("datasets:\n", "datasets:\n" + block))
    return params.load()


def goes_through(project, capsys, name: str, source: str, target: str, model: str) -> Dataset:
    """Paste the block that --new prints, run generate, prepare and the training of one model, and
    return the settings.
    """
    settings = pasted(project, printed(capsys, name, source, target))
    generate_data.generate(name, settings)
    prepare_data.prepare(name, settings)
    train.train(name, settings, only=model, n_workers=1)
    assert (
        model
        in json.loads((project / f"metrics/datasets/{name}/train.json").read_text())["candidates"]
    )
    return settings.dataset(name)


def test_telco_goes_through_with_nothing_but_the_block(project, capsys):
    source = real_table("Telco-Customer-Churn.csv")
    spec = goes_through(project, capsys, "telco", source, "Churn", "logistic_regression")
    assert spec.data == Data(
        source=source,
        depends_on=source,
        file="data/telco_data.csv",
        task="classification",
        target="Churn",
        positive="Yes",
        drop=["customerID"],
    )
    assert spec.train.primary_metric == "roc_auc" and spec.gates["roc_auc"].min > 0.5
    assert (project / "data/telco_data.csv").read_bytes() == Path(source).read_bytes()
    quality = json.loads((project / "metrics/datasets/telco/quality.json").read_text())
    assert (quality["rows"], quality["features"]) == (7043, 19)
    assert quality["missing"] == {"TotalCharges": 11} and quality["class_counts"] == {
        "No": 5174,
        "Yes": 1869,
    }
    assert quality["leakage_allowed"] == {}


def test_house_prices_go_through_with_nothing_but_the_block(project, capsys):
    spec = goes_through(
        project, capsys, "ames", real_table("house_prices_train.csv"), "SalePrice", "ridge"
    )
    assert (spec.data.task, spec.data.drop, spec.train.target_transform) == (
        "regression",
        ["Id"],
        "log1p",
    )
    assert spec.train.primary_metric == "rmse" and spec.gates["r2"].min > 0
    quality = json.loads((project / "metrics/datasets/ames/quality.json").read_text())
    assert (quality["rows"], quality["features"]) == (1460, 79)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_separator_is_inferred(project, capsys, separator):
    tiny_table().to_csv("mine.csv", sep=separator, index=False)
    assert (
        goes_through(project, capsys, "mine", "mine.csv", "price", "dummy").data.separator
        == separator
    )


def test_codes_that_begin_with_a_zero_are_categories(project, capsys):
    table = tiny_table()
    table.assign(zip=[f"{501 + number % 3:05}" for number in table["id"]]).to_csv(
        "mine.csv", index=False
    )
    assert goes_through(project, capsys, "mine", "mine.csv", "price", "dummy").data.categorical == [
        "zip"
    ]
    assert set(splits.read_split("mine", "train")["zip"]) == {"00501", "00502", "00503"}


def test_parquet_file_goes_through(project, capsys):
    tiny_table().to_parquet("mine.parquet")
    spec = goes_through(project, capsys, "mine", "mine.parquet", "price", "dummy")
    assert spec.data.drop == ["id"] and spec.data.separator is None


def test_other_encoding_is_refused_with_what_to_do(project, capsys):
    (project / "mine.csv").write_bytes("town,price\nCafé,1\n".encode("latin-1"))
    with pytest.raises(
        DataError,
        match="mine.csv: line 2 is not utf-8; save the file as CSV in UTF-8, or set data.encoding",
    ):
        printed(capsys, "mine", "mine.csv", "price")


def test_hostile_column_names_and_many_columns_survive_in_lines_of_120(project, capsys):
    names = [
        "yes",
        "2",
        "a b",
        "x: y",
        "#z",
        "it's",
        'say "so"',
        "ünï",
        "[b]",
        "null",
        "1e3",
        "-",
        "back\\slash",
    ]
    table = tiny_table().assign(
        **{name: None for name in names}, **{f"empty_column_{n}": None for n in range(30)}
    )
    table["price, in $"] = table.pop("price")
    table.to_csv("mine.csv", index=False)
    block = printed(capsys, "mine", "mine.csv", "price, in $")
    assert max(map(len, block.splitlines())) <= 120
    data = pasted(project, block).dataset("mine").data
    assert data.target == "price, in $"
    assert data.drop == ["id", *names, *(f"empty_column_{n}" for n in range(30))]


@pytest.mark.parametrize("rare, by", [(240, "low"), (260, "value")])
def test_gate_goes_by_the_low_end_where_the_test_rows_of_a_class_are_few(project, capsys, rare, by):
    table = tiny_table(1000).assign(sold=["Yes"] * rare + ["No"] * (1000 - rare))
    table.to_csv("mine.csv", index=False)
    settings = pasted(project, printed(capsys, "mine", "mine.csv", "sold"))
    assert settings.dataset("mine").gates["roc_auc"].by == by


@pytest.mark.parametrize(
    "target, task, positive",
    [
        (["Yes", "No"], "classification", "Yes"),
        (["no", "YES", "no"], "classification", "YES"),
        ([0, 1], "classification", "1"),
        ([0.0, 1.0], "classification", "1"),
        ([True, False], "classification", "True"),
        (["good", "good", "bad"], "classification", "bad"),
        (["a", "b", "c"], "classification", None),
        ([1, 2, 3], "classification", None),
        (range(300), "regression", None),
        ([0.5, 1.5], "regression", None),
    ],
)
def test_task_and_positive_class_are_inferred(project, capsys, target, task, positive):
    target = list(target)
    table = pd.DataFrame({"x": np.sin(np.arange(300)), "y": (target * 300)[:300]})
    table.to_csv("mine.csv", index=False)
    data = pasted(project, printed(capsys, "mine", "mine.csv", "y")).dataset("mine").data
    assert (data.task, data.positive) == (task, positive)


def test_rare_class_gets_weights_and_average_precision(project, capsys):
    pd.DataFrame({"x": np.sin(np.arange(300)), "y": [1] * 9 + [0] * 291}).to_csv(
        "mine.csv", index=False
    )
    settings = pasted(project, printed(capsys, "mine", "mine.csv", "y"))
    assert settings.dataset("mine").train.primary_metric == "average_precision"
    weighted = train.chosen_models(
        "mine", settings, only=None
    )  # refuses a setting that a model does not have
    assert weighted["xgboost"]["scale_pos_weight"] == "balanced" and weighted["dummy"] == {}


def test_identifiers_and_empty_columns_are_dropped_and_measurements_kept(project, capsys):
    rows = np.arange(100)
    table = pd.DataFrame(
        {
            "number": rows + 1000,
            "order_id": rows[::-1] * 7,
            "code": [f"A{n}" for n in rows],
            "empty": None,
            "time": rows * 13,
            "weight": rows / 7,
            "postcode": rows % 40,
            "y": np.sin(rows),
        }
    )
    table.to_csv("mine.csv", index=False)
    data = pasted(project, printed(capsys, "mine", "mine.csv", "y")).dataset("mine").data
    assert data.drop == ["number", "order_id", "code", "empty"]


@pytest.mark.parametrize(
    "name, source, target, error, message",
    [
        (
            "My-Data",
            "tiny.csv",
            "price",
            UsageError,
            "a dataset's name is lower-case letters, digits and _",
        ),
        ("all", "tiny.csv", "price", UsageError, "--new 'all': a dataset's name is"),
        (
            "tiny",
            "tiny.csv",
            "price",
            UsageError,
            "--new tiny: a dataset of that name or with the file data/tiny_data.csv is there",
        ),
        (
            "mine",
            "data/mine_data.csv",
            "price",
            UsageError,
            "generate_data.py will write that file itself; move yours to data/raw/",
        ),
        ("mine", "none.csv", "price", DataError, "none.csv: no such file"),
        (
            "mine",
            "tiny.csv",
            "cost",
            DataError,
            "no column 'cost'; the file has: 'id', 'size', 'town', 'age', 'price'",
        ),
        (
            "mine",
            "tiny.csv",
            "flat",
            DataError,
            "the target 'flat' has one value in every row; choose another column",
        ),
    ],
)
def test_what_cannot_become_a_dataset_is_refused(
    project, capsys, name, source, target, error, message
):
    if target == "flat":
        tiny_table().assign(flat=1).to_csv("tiny.csv", index=False)
    with pytest.raises(error, match=message):
        printed(capsys, name, source, target)
