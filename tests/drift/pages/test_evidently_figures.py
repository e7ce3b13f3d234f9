"""Evidently draws the figures: of any column, without its verdicts, in this project's colours."""

import re

import numpy as np
import pandas as pd

from pipeline.drift.pages import evidently_figures
from pipeline.drift.pages.evidently_figures import NO_VALUE, OTHER
from pipeline.drift.roles import Roles, Sides
from support.processes import ROOT


def distribution(values, kind: str) -> dict:
    frame = pd.DataFrame({"column": values})
    return evidently_figures.distributions(Sides(frame, frame), {"column": kind})["column"]


def bars(figure: dict) -> dict:
    (current, *_) = figure["data"]
    return dict(zip(current["x"], current["y"]))


def test_rare_categories_are_drawn_as_one_and_missing_ones_by_their_name():
    towns = pd.Series([f"town {number}" for number in range(60)] + ["a"] * 40 + [None] * 5)
    counted = bars(distribution(towns.astype("str"), "category"))
    assert counted["a"] == 40 and counted[OTHER] == 11 and counted[NO_VALUE] == 5


def test_categories_that_look_like_markup_numbers_or_dates_stay_texts():
    figure = distribution(pd.Series(["<b>1</b>", "2026-01-01", "1"] * 20, dtype="str"), "category")
    assert set(bars(figure)) == {"&lt;b&gt;1&lt;/b&gt;", "2026-01-01", "1"}
    assert figure["layout"]["xaxis"]["type"] == "category"


def test_huge_and_missing_numbers_are_drawn_and_a_single_one_is_not():
    frame = pd.DataFrame(
        {
            "huge": [-1e300, 1e300] * 25,
            "gaps": [np.nan, 1.0, 2.0, np.nan, 3.0] * 10,
            "one": 1e16,
            "rounded": [1e16, 1e16 + 2] * 25,
        }
    )
    columns = {name: "number" for name in frame}
    drawn = evidently_figures.distributions(Sides(frame, frame), columns)
    assert list(drawn) == ["huge", "gaps"]
    names = {trace["name"] for figure in drawn.values() for trace in figure["data"]}
    assert names == {"current", "reference"}


def test_current_rows_are_not_drawn_in_the_red_of_drift():
    text = str(distribution(pd.Series(np.arange(50.0)), "number"))
    assert evidently_figures.CURRENT_COLOUR in text and "#ed0400" not in text


def answered(target, prediction) -> Sides[pd.DataFrame]:
    frame = pd.DataFrame({"<t>": target, "p": prediction})
    return Sides(frame, frame)


def test_curves_of_a_classifier_and_errors_of_a_regression_are_drawn_without_scores():
    rng = np.random.default_rng(0)
    labels, numbers = pd.Series(["<a>", "b"] * 50, dtype="str"), pd.Series(rng.normal(size=100))
    chance = pd.Series(rng.uniform(size=100))
    binary = Roles("classification", "<t>", "p", label="decided", positive="b")
    curves = evidently_figures.performance_figures(answered(labels, chance), binary)
    assert set(curves) == set(evidently_figures.CLASSIFIER_FIGURES.values())
    regression = Roles("regression", "<t>", "p")
    errors = evidently_figures.performance_figures(answered(numbers, chance), regression)
    assert set(errors) == set(evidently_figures.REGRESSION_FIGURES.values())


def test_nothing_is_drawn_of_one_class_of_decisions_alone_or_of_one_error():
    labels, chance = pd.Series(["b"] * 50, dtype="str"), pd.Series(np.linspace(0, 1, 50))
    binary = Roles("classification", "<t>", "p", label="decided", positive="b")
    assert evidently_figures.performance_figures(answered(labels, chance), binary) == {}
    off_by_one = answered(chance, chance + 1)
    regression = Roles("regression", "<t>", "p")
    assert evidently_figures.performance_figures(off_by_one, regression) == {}
    several = Roles("classification", "<t>", "p", label="p")
    assert evidently_figures.performance_figures(answered(labels, labels), several) == {}


def test_evidently_is_imported_in_one_module_only_and_late():
    sources = [*ROOT.glob("*.py"), *ROOT.glob("pipeline/**/*.py"), *ROOT.glob("ops/*.py")]
    imported = re.compile(r"^\s*(from|import) evidently\b", re.M)
    importers = [path.name for path in sources if imported.search(path.read_text())]
    assert importers == ["evidently_figures.py"]
    module = ROOT / "pipeline/drift/pages/evidently_figures.py"
    assert not re.search(r"^(from|import) evidently", module.read_text(), re.M)
