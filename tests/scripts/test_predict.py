"""Files are predicted a part at a time as the model predicts them whole, or not at all."""

import numpy as np
import pandas as pd
import pytest

import predict
from pipeline.models import storage
from pipeline.project import params, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.serving.inference_log import reader
from support.projects import tiny_table


def run(*arguments: str) -> None:
    predict.main(["--dataset", "tiny", *arguments])


@pytest.fixture
def parts(monkeypatch):
    """Let a part be seven rows, so that small files have many."""
    monkeypatch.setattr(predict, "ROWS_AT_A_TIME", 7)


@pytest.mark.parametrize("given", ["csv", "parquet"])
@pytest.mark.parametrize("wanted", ["csv", "parquet"])
def test_every_row_has_the_models_own_prediction_beside_it(served_copy, parts, given, wanted):
    table = tiny_table(50, seed=3)
    table["age"] = table["age"].astype("Int64") if given == "parquet" else table["age"]
    table.to_parquet("new.parquet") if given == "parquet" else table.to_csv("new.csv", index=False)
    run("--input", f"new.{given}", "--output", f"out.{wanted}")
    out = pd.read_parquet("out.parquet") if wanted == "parquet" else pd.read_csv("out.csv")
    assert list(out) == [*table, "prediction"]
    expected = storage.load(paths.models("tiny", "train") / "ridge").predict(table)
    np.testing.assert_allclose(out["prediction"], expected, rtol=1e-12)
    if given == wanted:
        pd.testing.assert_frame_equal(
            out.drop(columns="prediction"), table, check_dtype=given == "parquet"
        )


def test_another_version_can_be_asked(served_copy):
    run("--input", "tiny.csv", "--output", "out.csv", "--version", "2")
    expected = storage.load(paths.models("tiny", "train") / "decision_tree").predict(
        pd.read_csv("tiny.csv")
    )
    np.testing.assert_allclose(pd.read_csv("out.csv")["prediction"], expected, rtol=1e-12)


def test_classes_have_a_column_of_probabilities_each(served_copy, parts):
    predict.main(
        ["--dataset", "iris", "--input", "data/iris_data.csv", "--output", "out.parquet", "--log"]
    )
    out = pd.read_parquet("out.parquet")
    model = storage.load(paths.models("iris", "train") / "logistic_regression")
    table = pd.read_csv("data/iris_data.csv")
    assert out["prediction"].tolist() == model.predict(table).tolist()
    probabilities = out[[f"probability_{label}" for label in model.spec.classes]]
    np.testing.assert_allclose(probabilities, model.predict_proba(table), rtol=1e-9)
    assert (
        reader.read_log("iris").probabilities["setosa"].tolist()
        == probabilities["probability_setosa"].tolist()
    )


def test_logged_rows_are_those_of_the_server(served_copy, parts, capsys):
    run("--input", "tiny.csv", "--output", "out.csv", "--log")
    served, out = reader.read_log("tiny"), pd.read_csv("out.csv")
    assert set(served.rows["request_id"]) == {capsys.readouterr().out.split()[-1]}
    assert served.rows["row"].tolist() == list(range(len(out)))
    np.testing.assert_allclose(served.rows["prediction"], out["prediction"], rtol=1e-12)
    assert served.features["town"].isna().sum() == out["town"].isna().sum() > 0
    run("--input", "tiny.csv", "--output", "out.csv")
    assert len(reader.read_log("tiny").rows) == len(out)  # without --log nothing is logged


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda table: table.drop(columns="town"), "no column 'town'"),
        (
            lambda table: table.assign(age=table["age"].mask(table["id"] == 30)),
            "age: a missing value, where training had none, in line 31",
        ),
        (
            lambda table: table.assign(
                size=table["size"].astype(object).mask(table["id"] == 30, "big")
            ),
            "size ('big' in line 31)",
        ),
        (
            lambda table: table.assign(size=table["size"].mask(table["id"] == 30, 1e39)),
            "size: a number beyond 3.4e+38 ('1e+39' in line 31)",
        ),
        (lambda table: table.assign(prediction=1), "has a column 'prediction' already"),
    ],
)
def test_file_that_breaks_the_rule_is_refused_and_leaves_nothing(
    served_copy, parts, change, message
):
    change(tiny_table(50)).to_csv("new.csv", index=False)
    with pytest.raises(DataError) as refused:
        run("--input", "new.csv", "--output", "out.csv", "--log")
    assert message in str(refused.value) and str(refused.value).startswith("new.csv: ")
    assert not list(served_copy.glob("*out.csv*")) and not paths.inference_log("tiny").exists()


def test_unseen_categories_follow_the_setting(served_copy):
    tiny_table(50).assign(town="elsewhere").to_csv("new.csv", index=False)
    run("--input", "new.csv", "--output", "out.csv")
    text = paths.PARAMS.read_text().replace(
        "register: {name: TinyPredictor}",
        "register: {name: TinyPredictor}\n    serve: {unseen: refuse}",
    )
    paths.PARAMS.write_text(text)
    assert params.load().dataset("tiny").serve.unseen == "refuse"
    with pytest.raises(
        DataError,
        match=r"town: an unseen category \('elsewhere' in line 2 and 49 more\)",
    ):
        run("--input", "new.csv", "--output", "out.csv")


def test_types_of_a_column_do_not_depend_on_the_part(served_copy, parts):
    """Codes that look like numbers in one part and like text in another are the same category."""
    table = pd.DataFrame({"size": 1.0, "town": ["20"] * 14 + ["x"] * 14, "age": 1})
    table.to_csv("new.csv", index=False)
    run("--input", "new.csv", "--output", "out.csv", "--log")
    assert reader.read_log("tiny").features["town"].tolist() == ["20"] * 14 + ["x"] * 14


@pytest.mark.parametrize(
    "output, message", [("tiny.csv", "is the input"), ("out", "end it in .csv or .parquet")]
)
def test_wrong_output_is_refused(served_copy, output, message):
    with pytest.raises(UsageError, match=message):
        run("--input", "tiny.csv", "--output", output)


@pytest.mark.parametrize(
    "content, message",
    [
        (None, "no such file"),
        ("", "an empty file"),
        ("size,town,age\n", "a header and no rows"),
        ("size,town,age\n1,2\n1,2,3,4\n", "not a table"),
    ],
)
def test_file_that_is_no_table_is_refused(served_copy, content, message):
    if content is not None:
        open("new.csv", "w").write(content)
    with pytest.raises(DataError, match=message):
        run("--input", "new.csv", "--output", "out.csv")


def test_text_is_copied_as_it_is_or_made_safe_for_spreadsheets(served_copy, parts):
    formula = '=HYPERLINK("http://evil.example")'
    table = tiny_table(20, seed=3).assign(note=formula, town="-Aville", age=-3)
    table.to_csv("new.csv", index=False)
    run("--input", "new.csv", "--output", "plain.csv")
    run("--input", "new.csv", "--output", "safe.csv", "--spreadsheet-safe")
    plain, safe = pd.read_csv("plain.csv"), pd.read_csv("safe.csv")
    assert set(plain["note"]) == {formula} and set(plain["town"]) == {"-Aville"}
    assert set(safe["note"]) == {f"'{formula}"} and set(safe["town"]) == {"'-Aville"}
    assert set(safe["age"]) == {-3}
    numbers = ["id", "size", "age", "prediction"]
    pd.testing.assert_frame_equal(safe[numbers], plain[numbers])
    with pytest.raises(UsageError, match="--spreadsheet-safe is for CSV files"):
        run("--input", "new.csv", "--output", "out.parquet", "--spreadsheet-safe")
