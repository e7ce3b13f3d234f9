"""prepare_data.py: the splits, the quality figures, and the check for columns that give the answer
away.
"""

import json

import numpy as np
import pandas as pd
import pytest

import generate_data
import prepare_data
from pipeline.data import splits
from pipeline.project import params, paths
from pipeline.project.errors import DataError, UsageError
from support.processes import ROOT, kill_while_writing
from support.projects import HOUSING, SOLD, add, content, edit, sales


@pytest.fixture
def sold(project):
    add(project, SOLD)
    sales().to_csv(project / "sold.csv", index=False)
    return project


def prepared(dataset: str) -> dict:
    """Run generate and prepare of a dataset and return the quality figures."""
    settings = params.load()
    generate_data.generate(dataset, settings)
    return prepare_data.prepare(dataset, settings)


def splits_of(dataset: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    return splits.read_split(dataset, "train"), splits.read_split(dataset, "test")


def test_main_writes_splits_and_quality_and_records_them(project, capsys, monkeypatch):
    monkeypatch.setenv(
        "MLFLOW_TRACKING_URI", ""
    )  # MLflow leaves its last one in the environment of the process
    settings = params.load()
    generate_data.generate("tiny", settings)
    prepare_data.main(["--dataset", "tiny"])
    train, test = splits_of("tiny")
    assert (len(train), len(test)) == (150, 50) and list(train) == ["size", "town", "age", "price"]
    assert capsys.readouterr().out == (
        "prepare tiny: 150 training and 50 test rows, 3 features, 2.6% missing -> "
        "data/processed/tiny/\n"
    )
    quality = json.loads((project / "metrics/datasets/tiny/quality.json").read_text())
    assert (
        quality["missing"] == {"size": 12, "town": 9}
        and quality["dropped"] == ["id"]
        and quality["synthetic"] is False
    )
    assert (project / "mlflow.db").is_file()


def test_rows_keep_their_numbers_and_none_is_lost_or_doubled(project):
    prepared("tiny")
    train, test = splits_of("tiny")
    assert sorted([*train.index, *test.index]) == list(range(200))
    raw = pd.read_csv("data/tiny_data.csv")
    assert (raw["price"][test.index] == test["price"]).all()


def test_classes_keep_their_shares_and_equal_rows_one_side(sold):
    table = pd.concat([sales(), sales()[:60]])
    table.to_csv("sold.csv", index=False)
    figures = prepared("sold")
    train, test = splits_of("sold")
    assert figures["duplicates"] == 60
    assert not set(map(tuple, train.fillna("?").to_numpy())) & set(
        map(tuple, test.fillna("?").to_numpy())
    )
    shares = [(part["sold"] == "Yes").mean() for part in (train, test)]
    assert abs(shares[0] - shares[1]) < 0.08


def test_the_same_again_writes_the_same_bytes(sold):
    prepared("sold")
    first = content(sold / "data") | content(sold / "metrics")
    prepared("sold")
    assert content(sold / "data") | content(sold / "metrics") == first


@pytest.mark.parametrize(
    "dataset", ["california_housing", "credit_fraud", "customer_churn", "house_prices", "iris"]
)
def test_no_built_in_dataset_raises_a_false_alarm(dataset, project, monkeypatch):
    (project / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    figures = prepared(dataset)
    assert figures["leakage_allowed"] == {} and figures["leaks"] == []


def columns_of_answers(table: pd.DataFrame) -> dict:
    price, yes = table["price"], table["sold"] == "Yes"
    return {
        ("price", "copy"): price,
        ("price", "monotone transform"): -np.log(price - price.min() + 1),
        ("price", "copy with gaps"): price.where(price.index % 5 > 0),
        ("sold", "copy"): table["sold"],
        ("sold", "copy with gaps"): table["sold"].where(price.index % 5 > 0),
        ("sold", "0/1"): yes.astype(int),
        ("sold", "opposite"): ~yes,
        ("sold", "other words"): yes.map({True: "out", False: "in"}),
        ("sold", "amount paid"): price.where(yes, 0),
        ("sold", "filled in only then"): pd.Series("2024-01-01", table.index).where(yes),
    }


@pytest.mark.parametrize("target, kind", columns_of_answers(sales()))
def test_a_column_that_gives_the_answer_away_stops_the_run_with_its_name(sold, target, kind):
    table = sales()
    table.assign(leak=columns_of_answers(table)[target, kind]).to_csv("sold.csv", index=False)
    if target == "price":
        edit(
            sold,
            'task: classification, target: sold, positive: "Yes"',
            "task: regression, target: price",
        )
        edit(sold, "primary_metric: roc_auc", "primary_metric: rmse")
        edit(sold, "accuracy: {min: 0}", "r2: {min: 0}")
    with pytest.raises(
        DataError,
        match=r"data/sold_data.csv: the target is given away: "
        r"leak alone repeats \w+ in [\d.]+% of .*: "
        "name it in data.drop",
    ):
        prepared("sold")
    assert not (sold / "data/processed/sold").exists()


def test_several_leaks_are_named_at_once_and_an_allowed_one_is_recorded(sold):
    sales().assign(first=sales()["sold"], second=sales()["sold"] == "Yes").to_csv(
        "sold.csv", index=False
    )
    with pytest.raises(
        DataError,
        match=r"first alone repeats sold in 100.0% .*, second alone .*: name it in data.drop",
    ):
        prepared("sold")
    edit(sold, "allow_leakage: []", "allow_leakage: [first]")
    with pytest.raises(DataError, match="the target is given away: second alone repeats sold"):
        prepared("sold")
    edit(sold, "allow_leakage: [first]", "allow_leakage: [first, second]")
    assert prepared("sold")["leakage_allowed"] == {"first": 1.0, "second": 1.0}


def test_allowing_a_column_that_is_not_there_is_wrong_usage(sold):
    edit(sold, "allow_leakage: []", "allow_leakage: [frist]")
    with pytest.raises(
        UsageError,
        match="prepare.allow_leakage: no feature 'frist' in data/sold_data.csv; there are: 'size'",
    ):
        prepared("sold")


def test_a_time_that_splits_the_rows_is_a_feature_and_a_group_is_none(sold):
    days = pd.date_range("2024-01-01", periods=200).strftime("%Y-%m-%d")
    sales().assign(day=days, street=np.arange(200) % 20).sample(frac=1, random_state=0).to_csv(
        "sold.csv", index=False
    )
    edit(sold, "split: random, allow_leakage", "split: time:day, allow_leakage")
    figures = prepared("sold")
    assert (figures["features"], figures["dates"]) == (6, ["day"])
    train, test = splits_of("sold")
    assert train["day"].max() < test["day"].min()
    edit(sold, "split: time:day", "split: group:street")
    assert prepared("sold")["features"] == 5
    train, test = splits_of("sold")
    assert not set(train["street"]) & set(test["street"])


def test_it_refuses_to_run_without_or_beside_what_generate_wrote(project):
    with pytest.raises(
        DataError,
        match="generate.json is not there; run `python generate_data.py --dataset tiny` first",
    ):
        prepare_data.main(["--dataset", "tiny"])
    generate_data.generate("tiny", params.load())
    (project / "data/tiny_data.csv").write_text("id,size,town,age,price\n1,2,3,4,5\n")
    with pytest.raises(
        DataError,
        match="data/tiny_data.csv is not the file that .*generate.json describes; run `python",
    ):
        prepare_data.main(["--dataset", "tiny"])
    (project / "data/tiny_data.csv").unlink()
    with pytest.raises(
        DataError,
        match="data/tiny_data.csv is not there; run `python generate_data.py --dataset tiny` first",
    ):
        prepare_data.main(["--dataset", "tiny"])


def test_killed_in_the_middle_it_leaves_the_earlier_splits_and_the_next_run_is_an_unbroken_one(
    project,
):
    add(project, HOUSING)
    settings = params.load()
    prepared("housing")
    before = content(paths.processed("housing")) | {
        "quality": paths.metrics("housing", "quality").read_bytes()
    }
    generate_data.generate("housing", settings, rows=60_000)
    kill_while_writing("prepare_data", project / "data/processed", "--dataset", "housing")
    assert (
        content(paths.processed("housing"))
        | {"quality": paths.metrics("housing", "quality").read_bytes()}
        == before
    )

    prepared("housing")
    assert (
        content(paths.processed("housing"))
        | {"quality": paths.metrics("housing", "quality").read_bytes()}
        == before
    )
    assert not list(project.rglob("*.partial"))
