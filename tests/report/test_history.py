"""Past results of a dataset: what commits hold, and what runs recorded, in the order of time."""

import json
import os
import subprocess

import pytest

from pipeline.project import paths
from pipeline.report import history
from pipeline.report.history import COMMITS, RUNS
from pipeline.tracking.git import contents

FIGURES = {"candidate": "ridge", "primary_metric": "rmse", "cv": 2.0, "test": 2.5}


def git(*arguments, day=1):
    """Run git as of a day."""
    when = f"2026-03-0{day}T10:00:00+02:00"
    identity = ["-c", "user.name=n", "-c", "user.email=e@x"]
    subprocess.run(
        ["git", *identity, *arguments],
        check=True,
        capture_output=True,
        env={**os.environ, "GIT_COMMITTER_DATE": when, "GIT_AUTHOR_DATE": when},
    )


@pytest.fixture
def committed(tmp_path, monkeypatch):
    """Return a function that commits the figures of the best candidate of tiny, on a day."""
    monkeypatch.chdir(tmp_path)
    git("init", "-q", ".")
    path = paths.best("tiny")
    path.parent.mkdir(parents=True)

    def commit(day, **changes):
        path.write_text(json.dumps(FIGURES | changes))
        (tmp_path / "note").write_text(str(day))
        git("add", ".")
        git("commit", "-qm", "as it is", day=day)

    return commit


def past_of(compared):
    return history.past_results({"tiny": compared.result("tiny")})["tiny"]


def test_commits_with_other_figures_are_past_results_under_the_metric_of_today(committed, compared):
    committed(1, test=3.0)
    committed(2, test=3.0)
    committed(3, primary_metric="mae")
    committed(4, candidate="blend", test_low=2.0, test_high=2.9)
    found = past_of(compared)
    assert [(one.source, one.time, one.best, one.test, one.low) for one in found] == [
        (COMMITS, "2026-03-01 08:00", "ridge", 3.0, None),
        (COMMITS, "2026-03-04 08:00", "blend", 2.5, 2.0),
    ]


def test_folder_that_is_no_repository_has_no_past(compared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert past_of(compared) == []


def test_contents_of_several_files_are_read_at_once(committed):
    committed(1)
    head = "HEAD:metrics/best/tiny.json"
    assert contents([head, "HEAD:nothing", "HEAD:note"]) == [json.dumps(FIGURES), None, "1"]


def test_runs_of_the_store_are_past_results_and_drawn_on_the_page(
    compared, beside, browser, tmp_path
):
    found = past_of(compared)
    assert {one.source for one in found} == {RUNS}
    result = compared.result("tiny")
    assert found[-1].best == result.best.name and found[-1].test == result.test.value
    path = tmp_path / "page.html"
    path.write_text(compared.html({"tiny": [*found, found[0]]}), encoding="utf-8")
    assert browser.open(path, "document.documentElement.dataset.ready") == []
    browser.driver.execute_script("unfold(document.querySelector('[data-pictures=tiny]'))")
    titles = browser.driver.find_elements("css selector", "[data-pictures=tiny] figcaption")
    assert titles[-1].text.startswith("History of the best model")
