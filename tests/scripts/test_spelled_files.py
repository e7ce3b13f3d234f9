"""A source in other spellings goes through the stages, and files of its rows read alike."""

import json

import numpy as np
import pandas as pd
import pytest

import detect_drift
import evaluate
import generate_data
import predict
import prepare_data
from pipeline.data import kinds, quality, typed_tables
from pipeline.project import params
from pipeline.project.errors import DataError
from support.projects import add, edit, tiny_table

SPELT = """\
  spelt:
    experiment: Spelt
    data: {source: spelt.csv, depends_on: spelt.csv, file: data/spelt_data.csv, separator: ;,
           decimal: ',', thousands: ., missing: [unbekannt], true_words: [ja], false_words: [nein],
           task: regression, target: price, missing_target: drop, drop: [id]}
    prepare: {}
    train: {primary_metric: rmse, cv_folds: 3, models: [dummy, ridge]}
    tune: {}
    drift: {}
    gates: {r2: {min: 0}}
    register: {name: Spelt}
"""


def german(values: pd.Series, sign: str = "") -> pd.Series:
    """Return numbers as 1.234,5, words for missing ones."""
    texts = values.map("{:,.2f}".format).str.translate(str.maketrans(",.", ".,")) + sign
    return texts.where(values.notna(), "unbekannt")


def spelt_table(rows: int = 120) -> pd.DataFrame:
    plain = tiny_table(rows)
    price = german(plain["price"] * 100, " €").where(plain.index % 40 != 3, None)
    old = np.where(plain["age"] > 30, "ja", "nein")
    return plain.assign(size=german(plain["size"] * 100), price=price, old=old)


@pytest.fixture
def spelt(project):
    add(project, SPELT)
    spelt_table().to_csv("spelt.csv", sep=";", index=False)
    return project


def test_the_table_is_plain_and_what_was_left_out_is_said(spelt):
    settings = params.load()
    origin = generate_data.generate("spelt", settings)
    assert origin.signs == {"price": "€"} and origin.truths == ["old"]
    table, plain = pd.read_csv("data/spelt_data.csv"), tiny_table(120)
    np.testing.assert_allclose(table["size"], (plain["size"] * 100).round(2))
    assert table["price"].isna().sum() == 3 and set(table["old"]) == {True, False}
    figures = prepare_data.prepare("spelt", settings)
    assert (figures["rows"], figures["rows_without_target"]) == (117, 3)
    said = "3 rows without a target left out; read as numbers, without their sign: 'price' (€)"
    assert said in prepare_data.closing_line("spelt", figures)
    assert figures["signs"] == {"price": "€"} and figures["truths"] == ["old"]
    assert quality.reading_lines(figures) == [*said.split("; "), "read as True and False: 'old'"]


def test_rows_without_a_target_are_refused_with_the_remedy_unless_params_drop_them(spelt):
    edit(spelt, "missing_target: drop, ", "")
    settings = params.load()
    generate_data.generate("spelt", settings)
    with pytest.raises(DataError, match="no target in line 5 and 2 more: .*missing_target: drop"):
        prepare_data.prepare("spelt", settings)


def test_a_plain_table_says_nothing_of_it(project):
    settings = params.load()
    generate_data.generate("tiny", settings)
    kept = json.loads((project / "metrics/datasets/tiny/generate.json").read_text())
    figures = prepare_data.prepare("tiny", settings)
    for name in ("signs", "truths", "rows_without_target"):
        assert name not in kept and name not in figures
    assert (project / "data/tiny_data.csv").read_bytes() == (project / "tiny.csv").read_bytes()


def test_files_of_its_rows_are_read_as_the_source_and_its_own_tables_plainly(spelt, monkeypatch):
    settings = params.load()
    generate_data.generate("spelt", settings)
    data = settings.dataset("spelt").data
    rows = evaluate.labelled_rows("spelt", data, "spelt.csv")
    own = evaluate.labelled_rows("spelt", data, data.file)
    for name in own.frame:
        kept = kinds.typed(own.frame[name]).values
        pd.testing.assert_series_equal(kinds.typed(rows.frame[name]).values, kept)
    form = detect_drift.form_of("spelt.csv", "spelt", settings)
    at_once = typed_tables.open_file("spelt.csv", form)
    monkeypatch.setattr(typed_tables, "LARGE", 0)
    by_column = typed_tables.open_file("spelt.csv", form)
    plain = typed_tables.open_file(data.file, detect_drift.form_of(data.file, "spelt", settings))
    for name in plain:
        pd.testing.assert_series_equal(at_once[name], by_column[name])
        pd.testing.assert_series_equal(at_once[name], plain[name], check_dtype=False)


def test_a_sign_that_the_table_had_not_stays_and_so_is_refused(spelt):
    settings = params.load()
    generate_data.generate("spelt", settings)
    form = quality.form_of_file("spelt", settings.dataset("spelt").data, "new.csv")
    new = spelt_table(20).drop(columns="price").assign(size="12 %")
    new.to_csv("new.csv", sep=";", index=False)
    (part,) = predict.reading.parts("new.csv", 100, form)
    assert set(part.column("size").to_pylist()) == {"12 %"}


def test_predictions_for_a_spelt_file_are_those_for_the_plain_one(served_copy, monkeypatch):
    monkeypatch.setattr(predict, "ROWS_AT_A_TIME", 7)
    table = tiny_table(30, seed=3)
    table.to_csv("plain.csv", index=False)
    command = ["--dataset", "tiny", "--input"]
    predict.main([*command, "plain.csv", "--output", "expected.csv"])
    spelt = table.drop(columns="price").assign(size=german(table["size"]))
    spelt.to_csv("spelt.csv.gz", sep=";", index=False, encoding="utf-16")
    edit(
        served_copy, "drop: [id]}", "drop: [id], separator: ;, decimal: ',', missing: [unbekannt]}"
    )
    predict.main([*command, "spelt.csv.gz", "--output", "out.csv"])
    expected, out = pd.read_csv("expected.csv"), pd.read_csv("out.csv")
    np.testing.assert_allclose(out["prediction"], expected["prediction"], rtol=1e-12)
