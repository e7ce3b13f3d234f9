"""The pages of a comparison show its own verdicts and thresholds, and open offline."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.data.typed_tables import of_frame
from pipeline.drift import verdicts
from pipeline.drift.pages.comparison_pages import pages
from pipeline.drift.results import closing_line
from support.drift_tables import compare, sales

DRAWN = "document.querySelectorAll('.js-plotly-plot .cartesianlayer').length >= {}"


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
    last_drawn = np.random.default_rng(0).permutation(rows)[-1]
    frame["one"] = np.where(np.arange(rows) == last_drawn, 1.0, np.nan)  # in no sample
    table = of_frame(frame)
    found = compare(table, table)
    drawn = pages(found, "odd")
    assert sorted(drawn) == ["drift", "quality"] and "5,000 and 5,000 of them" in drawn["drift"]
    assert found.verdict == "no drift" and drawn == pages(found, "odd")


def test_drift_page_shows_the_verdict_the_thresholds_and_the_colours_of_the_comparison(
    browser, tmp_path
):
    moved = sales(seed=3).assign(size=lambda frame: frame["size"] + 20)
    found = compare(of_frame(sales()), of_frame(moved))
    page = tmp_path / "page.html"
    page.write_text(pages(found, "a.csv -> b.csv")["drift"], encoding="utf-8")
    assert browser.open(page, DRAWN.format(4)) == []
    assert browser.driver.title == "Drift, a.csv -> b.csv: drift"
    large = browser.driver.find_element("id", "verdict")
    assert large.text == found.verdict and large.size["height"] > 40
    shown = {row[0]: row for row in table_rows(browser, "tests")}
    for name, column in found.columns.items():
        assert shown[name][1].startswith(column.verdict)
        red = (column.verdict == verdicts.DRIFT) == ("stop" in verdict_class(browser, name))
        assert red, name
        if column.is_tested:
            numbers = [f"{column.values.result.effect_size:.4g}", f"{column.values.threshold:.4g}"]
            assert shown[name][6:8] == numbers


def table_rows(browser, table: str) -> list[list[str]]:
    """Return the texts of a table's cells."""
    return browser.driver.execute_script(
        "return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)]"
        ".map(row => [...row.cells].map(cell => cell.textContent.trim()))",
        table,
    )


def verdict_class(browser, column: str) -> str:
    """Return the classes of the verdict on a column."""
    return browser.driver.execute_script(
        "return [...document.querySelectorAll('#tests tbody tr')]"
        ".find(row => row.cells[0].textContent == arguments[0]).querySelector('.mark').className",
        column,
    )


def test_pages_of_a_stage_open_offline_without_an_error_and_draw_what_they_show(finished, browser):
    folder = finished / "reports/tiny/drift"
    content = json.loads((finished / "metrics/datasets/tiny/drift.json").read_text())
    n_columns = len(content["columns"])
    figures = {"quality": n_columns, "drift": n_columns, "target_drift": 2, "performance": 3}
    for name, count in figures.items():
        page = folder / f"{name}_report.html"
        assert browser.open(page, DRAWN.format(1)) == [], name
        # what is not in sight is drawn when the page is printed
        browser.driver.execute_script("dispatchEvent(new Event('beforeprint'))")
        assert browser.settled(DRAWN.format(count)) == [], name
        assert browser.driver.title.startswith(
            browser.driver.find_element("css selector", "h1").text
        )
    assert len(list(folder.iterdir())) == len(figures)


@pytest.mark.parametrize("synthetic", [True, False])
def test_verdict_on_synthetic_data_says_so_on_the_terminal_and_on_the_page(synthetic):
    table = of_frame(sales()[["size"]])
    found = compare(table, table)
    assert ("synthetic data" in closing_line("iris", found, synthetic)) == synthetic
    for page in pages(found, "iris", synthetic).values():
        assert "no drift" in page and ("synthetic data" in page) == synthetic
