"""A page of figures opens offline, draws them, and runs nothing but its own scripts."""

import pytest
from markupsafe import Markup

from pipeline.project import figure_page
from pipeline.project.figure_page import FigurePage
from support.hostile_texts import RAN, TEXTS

BARS = {"data": [{"type": "bar", "x": [TEXTS[0], "b"], "y": [1, 2]}], "layout": {}}
PLACE = Markup('<h1>Bars</h1><div data-figure="bars"></div>')
DRAWN = "document.querySelector('.js-plotly-plot .trace')"
HAS_RUN = f"return document.documentElement.hasAttribute('{RAN}')"


@pytest.mark.parametrize("beside", [False, True])
def test_page_draws_its_figures_offline(browser, tmp_path, beside):
    page = tmp_path / "page.html"
    title = TEXTS[0]
    html = figure_page.html(FigurePage(title, PLACE, {"bars": BARS}), plotly_beside=beside)
    page.write_text(html, encoding="utf-8")
    if beside:
        program = tmp_path / figure_page.PLOTLY_FILE
        program.write_text(figure_page.plotly_program(), encoding="utf-8")
    assert browser.open(page, DRAWN) == []
    assert browser.driver.title == title
    assert browser.driver.execute_script(HAS_RUN) is False


@pytest.mark.parametrize("text", TEXTS[:3])
def test_what_was_not_escaped_is_not_run_either(browser, tmp_path, text):
    page = tmp_path / "page.html"
    body = PLACE + Markup(text) + Markup('<input value="') + Markup(text)
    page.write_text(figure_page.html(FigurePage("Bars", body, {"bars": BARS})), encoding="utf-8")
    refused = browser.open(page)
    assert any("Content Security Policy" in error for error in refused)
    assert browser.driver.execute_script(HAS_RUN) is False


def test_page_without_figures_runs_nothing(browser, tmp_path):
    page = tmp_path / "page.html"
    html = figure_page.html(FigurePage("None \ud800", Markup("<h1>None</h1>"), {}))
    assert "script-src &#39;none&#39;" in html and len(html) < 10_000
    page.write_text(html, encoding="utf-8")
    assert browser.open(page) == []
