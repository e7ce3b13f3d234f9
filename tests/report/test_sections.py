"""The figures of the page's sections: each is what the results and this machine's files say."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.report.charts import TrialValue
from pipeline.report.page import DATASET_SECTIONS, PAGE_SECTIONS, SECTIONS, SideBySide
from pipeline.report.pictures import Pictures
from pipeline.report.sections import drift, leaderboard, registry
from pipeline.report.sections.pictures import TrialCurve, course
from pipeline.report.sections.subject import Subject
from pipeline.report.stage_figures import read_drift


@pytest.fixture
def subject(compared, beside):
    """Return what a section of the page is about, by dataset."""

    def of(dataset, content=compared):
        return Subject(dataset, content.result(dataset), read_drift(dataset), Pictures())

    return of


def test_every_section_has_its_piece_of_html_beside_it_and_is_listed_once():
    listed = list(PAGE_SECTIONS)
    for section in DATASET_SECTIONS:
        columns = (
            (section.left, section.right) if isinstance(section, SideBySide) else ((section,),)
        )
        for column in columns:
            listed += column
    names = sorted(section.__name__.rpartition(".")[2] for section in listed)
    fragments = {path.name.removesuffix(".html.j2") for path in SECTIONS.glob("*.html.j2")}
    modules = {path.stem for path in SECTIONS.glob("*.py")} - {"__init__", "subject"}
    assert names == sorted(fragments - {"macros"}) == sorted(modules)


def test_every_candidate_has_its_times_and_its_size(subject):
    for dataset in ("iris", "tiny"):
        rows = leaderboard.rows(subject(dataset))
        assert any(row.name.startswith("tuned_") for row in rows)
        assert all(row.fit > 0 and row.ms > 0 for row in rows)
        sizes = {row.name: row.kb for row in rows}
        stored = Path("models") / dataset / "train/dummy"
        files = sum(path.stat().st_size for path in stored.iterdir())
        assert sizes["dummy"] == pytest.approx(files / 1000, rel=1e-4)
        assert min(sizes.values()) > 0


def test_interval_of_no_width_is_no_interval(compared, beside):
    html = compared.html()
    assert ">1 to 1<" not in html and "the rows are too few to tell" in html


def test_course_shows_the_best_so_far_of_each_model_and_the_better_half_of_the_trials():
    trials = [
        TrialValue(0, "ridge", 3.0),
        TrialValue(1, "xgboost", 9.0),
        TrialValue(2, "ridge", 4.0),
        TrialValue(3, "xgboost", 2.0),
        TrialValue(5, "xgboost", 2.5),
    ]
    assert course(trials, "rmse") == [
        TrialCurve("ridge", points=[[0, 3.0], [2, 3.0]], dots=[[0, 3.0]]),
        TrialCurve("xgboost", points=[[1, 9.0], [3, 2.0], [5, 2.0]], dots=[[3, 2.0], [5, 2.5]]),
    ]
    assert course([], "rmse") == []


def test_registered_version_is_named_with_what_was_decided(compared, beside, subject):
    tiny = subject("tiny")
    registered = registry.figures(tiny)
    assert registered.version == 1 and registered.outcome == "promoted"
    address = f"http://127.0.0.1:5000/#/models/{registered.name}/versions/1"
    assert registered.href == address and f'href="{address}"' in compared.html()
    card = (beside / "reports" / registered.card).read_text()
    assert f"sha256 `{tiny.result.chosen.model_sha256}`" in card
    other = compared.copy()
    result = other.comparison["datasets"]["tiny"]
    result["candidates"][result["best"]["name"]]["model_sha256"] = "0" * 64
    assert registry.figures(subject("tiny", other)) is None


def test_column_that_drifted_and_is_ignored_is_no_alarm_in_the_table(subject):
    found = subject("tiny").drift
    name = drift.rows(found)[-1].name
    weighted = replace(found, drifted_ignored=[name])
    verdicts = {row.name: row.verdict for row in drift.rows(weighted)}
    assert verdicts[name] == "drift, no alarm: the model ignores it"
    assert [row for row in drift.rows(found) if "ignores" in row.verdict] == []
