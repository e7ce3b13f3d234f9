"""Text of the data runs on no page, whatever wrote it: each is opened in a browser."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from markdown_it import MarkdownIt

import compare_results
import detect_drift
from ops import pull_request_report
from ops.commit_results import read_here
from pipeline.project import params
from pipeline.serving.app import create_app
from support.hostile import BINARY, DATASETS, labelled, target_name
from support.hostile_texts import RAN, TEXTS
from support.processes import ROOT
from support.served import asking

pytestmark = pytest.mark.slow
# elements that the hostile texts would make, and whether one of their scripts ran
MADE = f"""
const made = document.querySelectorAll(
  "img[src=x], [onmouseover], [onload], [onerror], svg > script"
);
return [document.documentElement.hasAttribute("{RAN}"), made.length]
"""
DRAW_ALL = """
document.querySelectorAll('details').forEach(one => { one.open = true; });
dispatchEvent(new Event('beforeprint'));
"""
POLICY = "return document.querySelectorAll('meta[http-equiv=Content-Security-Policy]').length"


def check(browser, page: Path, has_policy: bool = True) -> str:
    """Open a page, draw all of its figures, and return its text; nothing may have run."""
    assert browser.open(page) == [], page
    assert browser.driver.execute_script(POLICY) == int(has_policy), page
    browser.driver.execute_script(DRAW_ALL)
    assert browser.settled("true") == [], page
    assert browser.driver.execute_script(MADE) == [False, 0], page
    return browser.driver.execute_script("return document.body.textContent")


def test_browser_sees_a_page_that_runs_text_of_the_data(browser, tmp_path):
    page = tmp_path / "page.html"
    for text in TEXTS[:3]:
        page.write_text(f'<!doctype html><input value="{text}"><p>{text}</p>', encoding="utf-8")
        browser.open(page)
        assert browser.driver.execute_script(MADE) != [False, 0], text


def test_pages_of_the_stages_show_hostile_text_and_run_none(browser, hostile_run):
    pages = sorted((hostile_run / "reports").rglob("*.html"))
    names = {page.stem for page in pages}
    assert names == {
        "comparison_report",
        "index",
        *(f"{one}_report" for one in ("drift", "quality", "target_drift", "performance")),
    }
    assert len(pages) == 2 + 5 * len(DATASETS)
    for page in pages:
        text = check(browser, page)
        if page.stem in ("drift_report", "quality_report", "target_drift_report"):
            assert TEXTS[0] in text, page


def test_page_of_dvc_plots_runs_no_hostile_text(browser, hostile_run, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(hostile_run, project, ignore=shutil.ignore_patterns("mlruns", "models"))
    shutil.copy(ROOT / "dvc.yaml", project)
    for name in ("config", "plots", "plots.html"):
        copy = shutil.copytree if (ROOT / ".dvc" / name).is_dir() else shutil.copy
        (project / ".dvc").mkdir(exist_ok=True)
        copy(ROOT / ".dvc" / name, project / ".dvc" / name)
    command = [sys.executable, "-m", "dvc", "plots", "show", "-o", "plots"]
    subprocess.run(["git", "init", "-q", "."], cwd=project, check=True)
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    check(browser, project / "plots/index.html")


def test_pages_of_served_rows_show_hostile_text_and_run_none(
    browser, hostile_run, tmp_path, monkeypatch
):
    project = tmp_path / "project"
    shutil.copytree(hostile_run, project, ignore=shutil.ignore_patterns("mlruns"))
    monkeypatch.chdir(project)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    rows = labelled(BINARY, rows=300, seed=1)
    labels = rows.pop(target_name(BINARY))
    rows.iloc[::2, 0] = unseen = f"unseen {TEXTS[0]}"  # as anybody may send
    request = json.loads(rows.to_json(orient="records"))
    with asking(create_app(BINARY, params.load())) as client:
        answer = client.post("/predict", json=request).json()
    answers = pd.DataFrame({"label": labels}).rename_axis("row").reset_index()
    answers.assign(request_id=answer["request_id"]).to_csv("answers.csv", index=False)
    options = ["--from-log", "--labels", "answers.csv", "--fail-on", "never"]
    detect_drift.main(["--dataset", BINARY, *options])
    compare_results.main(["--show"])
    texts = {
        page.stem: check(browser, page)
        for page in (project / "reports" / BINARY / "served").glob("*.html")
    }
    assert {"drift_report", "quality_report", "target_drift_report"} <= set(texts)
    assert unseen in texts["drift_report"]
    check(browser, project / "reports" / BINARY / "index.html")  # leads to them


def test_serving_page_shows_hostile_text_and_runs_none(browser, hostile_run, tmp_path, monkeypatch):
    monkeypatch.chdir(hostile_run)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    page = tmp_path / "page.html"
    with asking(create_app(BINARY, params.load())) as client:
        page.write_text(client.get("/").text, encoding="utf-8")
    assert target_name(BINARY) in check(browser, page)


def test_markdown_of_card_and_pull_request_shows_hostile_text_and_runs_none(
    browser, hostile_run, tmp_path, monkeypatch
):
    monkeypatch.chdir(hostile_run)
    texts = [path.read_text(encoding="utf-8") for path in Path("mlruns").rglob("model_card.md")]
    assert len(texts) >= len(DATASETS)
    results = read_here()
    texts.append(pull_request_report.report(results, results, "compared with itself"))
    # HTML in it is passed on, as a careless viewer does
    viewer = MarkdownIt("commonmark", {"html": True}).enable("table")
    for text in texts:
        page = tmp_path / "page.html"
        page.write_text(f"<!doctype html>{viewer.render(text)}", encoding="utf-8")
        check(browser, page, has_policy=False)
        assert (
            browser.driver.execute_script(
                "return document.querySelectorAll('a, img, script').length"
            )
            == 0
        )
