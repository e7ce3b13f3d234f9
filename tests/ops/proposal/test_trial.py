"""The trial of a proposed block: the first stages take what is printed, and remarks say why."""

import numpy as np
import pandas as pd
import pytest

import generate_data
import prepare_data
from pipeline.project import params
from pipeline.project.errors import DataError
from pipeline.project.params import Dataset
from pipeline.training.problem import read_problem

ROWS = 300
RNG = np.random.default_rng(0)


def proposed(project, capsys, table: pd.DataFrame, target: str, **form) -> tuple[str, Dataset]:
    """Return the block that --new prints of a table, and its settings once prepare has taken it."""
    table.to_csv("mine.csv", index=False, **form)
    generate_data.main(["--new", "mine", "--source", "mine.csv", "--target", target])
    block = capsys.readouterr().out
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("datasets:\n", "datasets:\n" + block))
    settings = params.load()
    generate_data.generate("mine", settings)
    prepare_data.prepare("mine", settings)
    read_problem("mine", settings)
    return block, settings.dataset("mine")


def measured() -> pd.DataFrame:
    return pd.DataFrame({"size": RNG.normal(size=ROWS), "age": RNG.integers(1, 90, ROWS)})


def test_a_class_of_few_rows_gets_fewer_folds(project, capsys):
    """Wine quality has five wines of the class 9."""
    grades = [9] * 5 + list(RNG.choice([5, 7, 8], ROWS - 5))
    block, spec = proposed(project, capsys, measured().assign(grade=grades), "grade")
    assert spec.train.cv_folds == 4
    assert "# cv_folds 4: too few rows of a class, groups or times for more" in block


def test_a_class_of_one_row_is_refused_at_once(project, capsys):
    with pytest.raises(DataError, match="class '9' of 'grade' has 1 row.*merge or remove the cl"):
        proposed(
            project, capsys, measured().assign(grade=[9] + [5] * (ROWS // 2) + [6] * 149), "grade"
        )


def test_numbers_with_some_words_become_categories_and_the_block_says_so(project, capsys):
    sizes = [str(place % 50) for place in range(ROWS)]
    sizes[7] = "many"
    block, spec = proposed(project, capsys, measured().assign(rooms=sizes, y=RNG.random(ROWS)), "y")
    assert spec.data.categorical == ["rooms"]
    assert "# rooms: numbers but for 'many' in line 9" in block


def test_a_copy_of_the_target_is_dropped_and_the_block_says_so(project, capsys):
    table = measured().assign(price=lambda frame: 100 + 7 * frame["size"])
    table["price_eur"] = table["price"] * 1.1
    block, spec = proposed(project, capsys, table[["age", "price_eur", "price"]], "price")
    assert spec.data.drop == ["price_eur"]
    assert "# dropped as a leak: price_eur" in block


def test_a_split_that_cannot_be_made_is_a_random_one_and_the_block_says_so(project, capsys):
    """All rows of a class lie in the time of the test rows."""
    days = pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d")
    kind = ["a", "b"] * (ROWS // 2 - 20) + ["c"] * 40
    block, spec = proposed(project, capsys, measured().assign(day=days, kind=kind), "kind")
    assert spec.prepare.split == "random" and "# split random: not time:day, as class 'c'" in block


def test_a_split_whose_folds_lack_a_class_is_not_proposed(project, capsys):
    """The rare class is seen early and late: on the folds between, ROC AUC is not defined."""
    days = pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d")
    sick = ["yes", "no"] * 25 + ["no"] * (ROWS - 100) + ["yes", "no"] * 25
    block, spec = proposed(project, capsys, measured().assign(day=days, sick=sick), "sick")
    assert spec.prepare.split == "random"
    assert "# split random: not time:day, as " in block and "folds lack a class" in block


def test_what_comes_back_with_the_same_target_becomes_the_group(project, capsys):
    patients = RNG.integers(0, 60, ROWS)
    ill = RNG.random(60) < 0.5
    table = measured().assign(patient=patients, ill=np.where(ill[patients], "yes", "no"))
    block, spec = proposed(project, capsys, table, "ill")
    assert spec.prepare.split == "group:patient" and spec.data.drop == []
    assert "# split group:patient: rows with the same patient share the same ill" in block


def test_a_column_that_may_be_a_leak_is_named_and_kept(project, capsys):
    sold = RNG.random(ROWS) < 0.5
    paid = sold ^ (np.arange(ROWS) % 75 == 0)
    table = measured().assign(paid=np.where(paid, "a", "b"), sold=np.where(sold, "yes", "no"))
    block, spec = proposed(project, capsys, table, "sold")
    assert spec.data.drop == [] and "# may be a leak: paid" in block
