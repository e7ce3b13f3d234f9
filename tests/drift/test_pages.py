"""Evidently's pages show the verdicts, open offline and repeat to the byte."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from pipeline.data.typed_tables import of_frame
from pipeline.drift import pages
from pipeline.drift.results import closing_line
from support.drift_tables import compare, sales
from support.processes import ROOT


def test_pages_of_odd_columns_are_drawn():
    rows = 6000
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "constant": 1.0,
            "huge": rng.choice([-1e300, 1e300], rows),
            "ids": rng.permutation(rows).astype(str),
            "<b> & é": rng.normal(size=rows),
            "one": None,
            "void": None,
            "flag": True,
            "day": pd.date_range("2026-01-01", periods=rows, freq="h").astype(str),
        }
    )
    frame["one"] = np.where(
        np.arange(rows) == np.random.default_rng(0).permutation(rows)[-1], 1.0, np.nan
    )  # in no sample
    table = of_frame(frame)
    found = compare(table, table)
    drawn = pages.pages(found)
    assert sorted(drawn) == ["drift", "quality"] and "5,000 and 5,000 of them" in drawn["drift"]
    assert found.verdict == "no drift"


def test_categories_are_listed_in_their_order_and_missing_ones_once():
    frame = pd.DataFrame({"town": pd.Series(["b", None, "a", "b"] * 50, dtype="str")})
    table = of_frame(frame)
    found = compare(table, table)
    labels = re.findall(r'"label": "(\w+)"', pages.pages(found)["quality"])
    start = labels.index("missing")
    assert labels[start : start + 3] == ["missing", "a", "b"] and "nan" not in labels


def test_identifiers_of_a_page_come_from_its_content():
    page = "metric_{0} 01a1fb7f-68b5-77eb-a8e5-{1} metric_{0} {2}"
    one, same, other = (
        pages.repeatable(page.format(*parts))
        for parts in (
            ("0" * 32, "a" * 12, "text"),
            ("1" * 32, "b" * 12, "text"),
            ("1" * 32, "b" * 12, "other"),
        )
    )
    assert one == same != other and one.split()[0] == one.split()[2]


def test_evidently_is_imported_in_one_module_only_and_late():
    importers = [
        path.name
        for path in [*ROOT.glob("*.py"), *ROOT.glob("pipeline/**/*.py"), *ROOT.glob("ops/*.py")]
        if re.search(r"^\s*(from|import) evidently", path.read_text(), re.M)
    ]
    assert importers == ["pages.py"]
    assert not re.search(
        r"^(from|import) evidently", (ROOT / "pipeline/drift/pages.py").read_text(), re.M
    )


def test_pages_open_offline_without_an_error_and_draw_what_they_show(finished, browser):
    folder = finished / "reports/tiny/drift"
    columns_drawn = len(
        json.loads((finished / "metrics/datasets/tiny/drift.json").read_text())["columns"]
    )
    settled = {
        "quality": (
            f"document.querySelectorAll('.js-plotly-plot .trace').length >= {2 * columns_drawn}"
        ),
        "target_drift": "document.querySelectorAll('.js-plotly-plot .trace').length >= 4",
        "performance": "document.querySelectorAll('.js-plotly-plot .trace').length >= 2",
        "drift": f"document.querySelectorAll('table tbody button').length >= {columns_drawn}",
    }
    for name, condition in settled.items():
        assert browser.open(folder / f"{name}_report.html", condition) == [], name
    browser.driver.find_element(
        "css selector", "table tbody button"
    ).click()  # the details of the drift page's first column
    assert browser.settled("document.querySelectorAll('.js-plotly-plot .trace').length >= 2") == []
    assert len(list(folder.iterdir())) == len(settled)


@pytest.mark.parametrize("synthetic", [True, False])
def test_verdict_on_synthetic_data_says_so_on_the_terminal_and_on_the_page(synthetic):
    table = of_frame(sales()[["size"]])
    found = compare(table, table)
    assert ("synthetic data" in closing_line("iris", found, synthetic)) == synthetic
    text = pages.heading(found, found.rows, synthetic)
    page = pages.with_heading("<html><body></body></html>", text)
    assert page.startswith("<html><body><div") and "no drift" in page
    assert ("synthetic data" in page) == synthetic
