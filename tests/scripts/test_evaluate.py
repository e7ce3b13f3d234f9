"""evaluate.py: the scores of a stored model on the test split or on a file."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

import compare_results
import evaluate
import generate_data
import prepare_data
import train
from pipeline.project import files, params, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.report.best import best_figures
from support.processes import script
from support.projects import PARAMS, tiny_table


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder in which both tiny datasets are trained and compared, without a record."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "params.yaml").write_text(PARAMS, encoding="utf-8")
    tiny_table().to_csv(folder / "tiny.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        settings = params.load()
        for dataset in settings.datasets:
            generate_data.generate(dataset, settings)
            prepare_data.prepare(dataset, settings)
            train.train(dataset, settings, n_workers=1)
            files.write_json(
                paths.best(dataset),
                best_figures(compare_results.compare(dataset, settings).result),
            )
    return folder


@pytest.fixture
def here(trained, tmp_path, monkeypatch):
    """The test's own copy of it, as the working directory."""
    folder = shutil.copytree(trained, tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


def printed(capsys, *options: str) -> tuple[str, dict]:
    """Return the first line that evaluate prints and {metric: [value, low, high]}."""
    capsys.readouterr()
    evaluate.main([*options])
    first, *lines = capsys.readouterr().out.splitlines()
    numbers = {
        line.split()[0]: [
            float(number)
            for number in re.findall(r"-?[\d.]+(?:e-?\d+)?", line.split(maxsplit=1)[1])
        ]
        for line in lines
    }
    return first, numbers


def stored(dataset: str, model: str) -> dict:
    figures = json.loads(paths.metrics(dataset, "train").read_text())["candidates"][model]["test"]
    return {
        metric: [value for value in test.values() if value is not None]
        for metric, test in figures.items()
    }


def new_rows(rows: int = 80) -> pd.DataFrame:
    return tiny_table(rows, seed=5)


def test_best_model_gets_the_scores_that_train_gave_it(here, capsys):
    for dataset, best in (("tiny", "ridge"), ("iris", "logistic_regression")):
        first, numbers = printed(capsys, "--dataset", dataset)
        test = f"data/processed/{dataset}/test.parquet"
        assert (
            first == f"models/{dataset}/train/{best} on {len(pd.read_parquet(test))} rows of {test}"
        )
        assert numbers == {
            metric: pytest.approx(values) for metric, values in stored(dataset, best).items()
        }


def test_a_named_model_is_scored_in_place_of_the_best(here, capsys):
    first, numbers = printed(capsys, "--dataset", "tiny", "--model", "decision_tree")
    assert first.startswith("models/tiny/train/decision_tree on 50 rows")
    assert numbers["rmse"] == pytest.approx(stored("tiny", "decision_tree")["rmse"])


def test_file_with_extra_columns_in_any_order_scores_as_the_plain_one(here, capsys):
    new_rows()[["size", "town", "age", "price"]].to_csv("plain.csv", index=False)
    new_rows().assign(note="x")[["price", "note", "age", "town", "id", "size"]].to_csv(
        "extra.csv", index=False
    )
    new_rows().to_parquet("new.parquet")
    (plain, expected), *others = [
        printed(capsys, "--dataset", "tiny", "--input", name)
        for name in ("plain.csv", "extra.csv", "new.parquet")
    ]
    assert plain == "models/tiny/train/ridge on 80 rows of plain.csv"
    assert [numbers for _, numbers in others] == [expected, expected]
    assert len(expected["r2"]) == 3 and expected["r2"][0] > 0.5


def test_the_test_split_as_a_file_scores_as_the_test_split(here, capsys):
    rows = pd.read_parquet("data/processed/tiny/test.parquet").index
    pd.read_csv("data/tiny_data.csv").iloc[rows].to_csv("test.csv", index=False)
    assert (
        printed(capsys, "--dataset", "tiny")[1]
        == printed(capsys, "--dataset", "tiny", "--input", "test.csv")[1]
    )


def test_one_row_and_one_class_are_scored_where_a_score_is_defined(here, capsys, recwarn):
    new_rows(1).to_csv("one.csv", index=False)
    assert "rmse" in printed(capsys, "--dataset", "tiny", "--input", "one.csv")[1]
    flowers = pd.read_csv("data/iris_data.csv")
    flowers[flowers["species"] == "setosa"].to_csv("setosa.csv", index=False)
    assert printed(capsys, "--dataset", "iris", "--input", "setosa.csv")[1]["accuracy"][0] == 1
    assert not recwarn.list


@pytest.mark.parametrize(
    "change, message",
    [
        (
            lambda table: table.drop(columns=["age", "town"]),
            "new.csv: no column 'town', 'age', which the model needs",
        ),
        (
            lambda table: table.drop(columns="price"),
            "new.csv: no column 'price', the target to score against; add it",
        ),
        (
            lambda table: table.assign(price=table["price"].where(table.index > 2)),
            "new.csv: 3 rows have no 'price'; fill them in or",
        ),
        (
            lambda table: table.assign(price=["dear"] + ["1.5"] * 79),
            "new.csv: text in the target 'price': 'dear' in line 2; fix",
        ),
        (
            lambda table: table.assign(age=["old"] + ["1"] * 79),
            r"new.csv: text in a column of numbers: age \('old' in line 2\)",
        ),
        (lambda table: table[:0], "new.csv: a header and no rows"),
    ],
)
def test_file_that_cannot_be_scored_is_refused_with_its_fault(here, change, message):
    change(new_rows()).to_csv("new.csv", index=False)
    with pytest.raises(DataError, match=message):
        evaluate.main(["--dataset", "tiny", "--input", "new.csv"])


def test_a_class_that_the_model_does_not_know_is_named(here):
    flowers = pd.read_csv("data/iris_data.csv").replace({"species": {"virginica": "ranunculus"}})
    flowers.to_csv("new.csv", index=False)
    with pytest.raises(
        DataError,
        match=(
            "'species' holds 'ranunculus', which the model does not know; it knows: 'setosa', 'vers"
        ),
    ):
        evaluate.main(["--dataset", "iris", "--input", "new.csv"])


@pytest.mark.parametrize(
    "options, error, message",
    [
        (["--dataset", "nope"], UsageError, "unknown dataset 'nope'; params.yaml has: iris, tiny"),
        (
            ["--dataset", "tiny", "--model", "xgboost"],
            UsageError,
            "--model xgboost: no stored model of tiny; there are: decision_tree, dummy, ridge",
        ),
        (["--dataset", "tiny", "--model", "../train/ridge"], UsageError, "no stored model of tiny"),
        (["--dataset", "tiny", "--model", "."], UsageError, "no stored model of tiny"),
        (
            ["--dataset", "tiny", "--input", "none.csv"],
            DataError,
            "none.csv: no such file; check the path",
        ),
    ],
)
def test_names_that_do_not_exist_are_refused(here, options, error, message):
    with pytest.raises(error, match=message):
        evaluate.main(options)


def test_without_models_it_says_what_to_run(here):
    shutil.rmtree("models")
    with pytest.raises(
        DataError, match="models/tiny/train/ridge/metadata.json is not there; run `dvc repro` first"
    ):
        evaluate.main(["--dataset", "tiny"])
    with pytest.raises(
        UsageError, match="there are: none, run `python train.py --dataset tiny` first"
    ):
        evaluate.main(["--dataset", "tiny", "--model", "ridge"])
    paths.best("tiny").unlink()
    with pytest.raises(
        DataError,
        match="metrics/best/tiny.json is not there; run `python compare_results.py` first",
    ):
        evaluate.main(["--dataset", "tiny"])


def test_it_writes_nothing(here, capsys):
    before = {path: path.stat().st_mtime_ns for path in here.rglob("*")}
    printed(capsys, "--dataset", "tiny")
    assert {path: path.stat().st_mtime_ns for path in here.rglob("*")} == before


def test_script_ends_with_one_line_of_error(here):
    np.savetxt("new.csv", [[1, 2]], delimiter=",", header="size,age", comments="")
    done = script("evaluate", "--dataset", "tiny", "--input", "new.csv", cwd=here)
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr
        == "evaluate.py: error: new.csv: no column 'price', the target to score against; add it\n"
    )
