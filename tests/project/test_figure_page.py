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


def table_of_names(*names: str) -> Markup:
    """Return a table as wide as that of the drift page, with names of columns in front."""
    row = "<tr><th scope='row'>{}</th>" + "<td>Kolmogorov-Smirnov test</td>" * 9 + "</tr>"
    rows = Markup("").join(Markup(row).format(name) for name in names)
    return Markup('<div class="wide"><table><tbody>{}</tbody></table></div>').format(rows)


def test_ordinary_name_stays_whole_and_an_endless_one_is_broken(browser, tmp_path):
    page = tmp_path / "page.html"
    body = table_of_names("sepal_length", "x" * 300)
    page.write_text(figure_page.html(FigurePage("Names", body, {})), encoding="utf-8")
    browser.open(page)
    heights = browser.driver.execute_script(
        "const of = name => { const range = document.createRange(); range.selectNodeContents(name);"
        " return [...range.getClientRects()].length; };"
        "return [...document.querySelectorAll('tbody th')].map(of)"
    )
    assert heights[0] == 1 and heights[1] > 5


COLOURS = (
    "const of = (where, what) => getComputedStyle(document.querySelector(where))[what];"
    "return [of('body', 'backgroundColor'), of('body', 'color'), of('.xtick text', 'fill')]"
)
LIGHT = ["rgb(255, 255, 255)", "rgb(22, 32, 44)"]
DARK = ["rgb(18, 23, 29)", "rgb(232, 237, 242)", "rgb(232, 237, 242)"]


def test_page_and_its_figures_follow_the_theme_and_are_printed_light(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(figure_page.html(FigurePage("Bars", PLACE, {"bars": BARS})), encoding="utf-8")

    def shown(theme: str) -> list[str]:
        features = [{"name": "prefers-color-scheme", "value": theme}]
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        place = f"document.querySelector('[data-drawn={theme}] .xtick')"
        assert browser.settled(place) == []
        return browser.driver.execute_script(COLOURS)

    try:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        browser.open(page, DRAWN)
        assert shown("dark") == DARK
        assert shown("light")[:2] == LIGHT and shown("light")[2] != DARK[2]
        assert shown("dark") == DARK
        browser.driver.execute_script("dispatchEvent(new Event('beforeprint'))")
        assert browser.settled("document.querySelector('[data-drawn=light]')") == []
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
