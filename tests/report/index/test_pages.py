"""The index pages list the reports that are there, each with the verdict of its dataset."""

import re

import pytest

from pipeline.project import paths
from pipeline.report import comparison
from pipeline.report.index import pages
from support.hostile_texts import TEXTS


@pytest.fixture
def reports(finished, tmp_path, monkeypatch):
    """A folder with reports on tiny that the index pages are to list, as the working directory."""
    monkeypatch.chdir(tmp_path)
    files = {
        "drift/drift_report.html": "<title>Drift, tiny: drift &amp; more</title>",
        "tune/history.html": "no title",
        "train/ridge/regression_plots.png": "",
    }
    for name, content in files.items():
        path = tmp_path / "reports/tiny" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (tmp_path / paths.COMPARISON_REPORT).write_text("")
    return tmp_path / "reports"


def links_of(page):
    return [link.partition("#")[0] for link in re.findall(r'href="([^"]+)"', page.read_text())]


def test_pages_lead_to_every_report_on_a_dataset_and_back(reports, compared, browser):
    pages.write(comparison.parsed(compared.comparison))
    index, tiny = reports / "index.html", reports / "tiny/index.html"
    for page in (index, tiny):
        assert browser.open(page) == []
        assert all((page.parent / link).is_file() for link in links_of(page))
    texts = {
        link.text: link.get_attribute("href").rpartition("/reports/")[2]
        for link in browser.driver.find_elements("tag name", "a")
    }
    assert texts == {
        "← Model comparison": "comparison_report.html#d-tiny",
        "← All reports": "index.html",
        "Drift, tiny: drift & more": "tiny/drift/drift_report.html",
        "history": "tiny/tune/history.html",
        "ridge: regression plots": "tiny/train/ridge/regression_plots.png",
    }
    verdict = browser.driver.find_element("css selector", ".verdict").text
    assert verdict in browser.driver.title and verdict in index.read_text()


def test_dataset_without_reports_says_what_brings_them(reports, compared):
    pages.write(comparison.parsed(compared.comparison))
    assert "dvc pull" in (reports / "iris/index.html").read_text()


@pytest.mark.parametrize("text", TEXTS[:2])
def test_titles_of_reports_stay_text(reports, compared, browser, text):
    from markupsafe import escape

    page = reports / "tiny/drift/drift_report.html"
    page.write_text(f"<title>{escape(text)}</title>", encoding="utf-8")
    pages.write(comparison.parsed(compared.comparison))
    assert browser.open(reports / "tiny/index.html") == []
    shown = browser.driver.find_element("css selector", "nav.list a").text
    assert " ".join(shown.split()) == " ".join(text.split())


def test_finished_run_has_its_index_and_the_pages_of_its_stages_lead_back(finished):
    reports = finished / "reports"
    assert (reports / "index.html").is_file()
    of_stages = [*(reports / "tiny").glob("drift/*.html"), *(reports / "tiny").glob("tune/*.html")]
    assert len(of_stages) > 4
    for page in of_stages:
        content = page.read_text(encoding="utf-8")
        for link in ("../../comparison_report.html", "../index.html"):
            assert f'href="{link}' in content, page
            assert (page.parent / link).is_file()
        assert 'class="verdict ' in content, page
