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
    grades = [9] * 5 + list(RNG.choice([5, 6, 7], ROWS - 5))
    block, spec = proposed(project, capsys, measured().assign(grade=grades), "grade")
    assert spec.train.cv_folds == 4
    assert "# cv_folds 4: a class has too few rows for 5" in block


def test_a_class_of_one_row_is_refused_at_once(project, capsys):
    with pytest.raises(DataError, match="class '9' of 'grade' has 1 row.*merge or remove the cl"):
        proposed(
            project, capsys, measured().assign(grade=[9] + [5] * (ROWS // 2) + [6] * 149), "grade"
        )


def test_numbers_with_some_words_become_categories_and_the_block_says_so(project, capsys):
    sizes = [str(place % 50) for place in range(ROWS)]
    sizes[7] = "?"
    block, spec = proposed(project, capsys, measured().assign(rooms=sizes, y=RNG.random(ROWS)), "y")
    assert spec.data.categorical == ["rooms"]
    assert "# rooms: numbers but for '?' in line 9" in block


def test_a_copy_of_the_target_is_dropped_and_the_block_says_so(project, capsys):
    table = measured().assign(price=lambda frame: 100 + 7 * frame["size"])
    table["price_eur"] = table["price"] * 1.1
    block, spec = proposed(project, capsys, table[["age", "price_eur", "price"]], "price")
    assert spec.data.drop == ["price_eur"]
    assert "# dropped as a leak: price_eur" in block


def test_decimal_commas_are_kept_and_said(project, capsys):
    """All their values differ, as those of an identifier do."""
    table = measured().assign(y=RNG.random(ROWS) > 0.5)
    table["size"] = table["size"].map("{:.4f}".format).str.replace(".", ",")
    block, spec = proposed(project, capsys, table, "y", sep=";")
    assert spec.data.drop == []
    assert "# doubtful: size (numbers in another spelling, such as '" in block


def test_a_target_with_decimal_commas_is_refused_with_what_to_do(project, capsys):
    table = measured().assign(y=[f"{place},5" for place in range(ROWS)])
    with pytest.raises(DataError, match="the target 'y' holds numbers in another spelling, such"):
        proposed(project, capsys, table, "y", sep=";")
