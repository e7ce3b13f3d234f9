"""The table of a dataset and its test rows: faults are refused, right values are read as meant."""

import pytest

from pipeline.project.settings.data import Prepare
from support.settings import IRIS, TINY, edited, loaded, refusal

REFUSED = {
    (
        "target: price, drop: [id]",
        "target: price, weight: price, drop: [id]",
    ): f"{TINY}.data.weight: names the target 'price'; name another column",
    (
        "target: price, drop: [id]",
        "target: price, weight: id, drop: [id]",
    ): f"{TINY}.data.drop: names 'id', which is data.weight; remove it there",
    (
        "task: regression",
        "task: Regression",
    ): f"{TINY}.data.task: Input should be 'regression' or 'classification' (found 'Regression')",
    (
        "file: data/iris_data.csv",
        "file: iris.csv",
    ): rf"{IRIS}.data.file: must match ^data/[^/]+\.csv$ (found 'iris.csv')",
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
        "decimal: ',', thousands: ','",
    ): f"{TINY}.data.thousands: ',' is the decimal mark, too; change either",
    (
        "drop: [id]",
        "true_words: [yes, 1], false_words: [no, 1]",
    ): f"{TINY}.data.true_words: '1' stands in false_words, too; keep one",
    (
        "drop: [id]",
        "dates: {sold: '%d.%m.'}",
    ): f"{TINY}.data.dates: 'sold': '%d.%m.' has no year; give a format such as \"%d.%m.%Y\", unix "
    f"or unix_ms",
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
}


@pytest.mark.parametrize("edit", REFUSED, ids=lambda edit: edit[1])
def test_fault_is_told_with_its_key_its_value_and_what_is_allowed(edit, tmp_path, monkeypatch):
    assert refusal(tmp_path, monkeypatch, edited(*edit)) == f"params.yaml: {REFUSED[edit]}"


def test_positive_class_may_be_written_as_a_number(tmp_path, monkeypatch):
    settings = loaded(
        tmp_path, monkeypatch, edited("target: species", "target: species, positive: 1")
    )
    assert settings.dataset("iris").data.positive == "1"


def test_split_names_its_kind_and_its_column():
    read = [
        (prepare.split_kind, prepare.split_column)
        for prepare in (Prepare(), Prepare(split="time:day"), Prepare(split="group:a:b"))
    ]
    assert read == [("random", None), ("time", "day"), ("group", "a:b")]
