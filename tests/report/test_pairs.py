"""Every two candidates side by side: paired intervals, curves, and the view of two on the page."""

import json

import numpy as np
import pytest

from pipeline.project import paths
from pipeline.report import pairs, pictures
from pipeline.report.pairs import Difference
from support.processes import until

READY = "document.documentElement.dataset.ready"
OPEN = """const part = document.querySelector('[data-beside=%s]').closest('details');
    unfold(part); part.scrollIntoView();"""


@pytest.fixture(scope="module")
def drawn(finished):
    return pictures.parsed(json.loads((finished / paths.PICTURES).read_text()))


def differences(found, one, other):
    return next(pair.differences for pair in found.pairs if (pair.one, pair.other) == (one, other))


@pytest.mark.parametrize("dataset", ["iris", "tiny"])
def test_difference_of_a_tuned_candidate_is_what_the_search_found_on_the_same_draws(
    drawn, compared, dataset
):
    result, found = compared.result(dataset), drawn[dataset].pairs
    names = list(result.candidates)
    assert len(found.pairs) == len(names) * (len(names) - 1) / 2 and found.draws == 1000
    tuned, gains = next(iter(result.tuning.improvement.items()))
    over, gain = gains.best_of_train.over, gains.best_of_train.test
    difference = differences(found, over, tuned)[result.primary_metric]
    expected = [-gain.absolute, -gain.high, -gain.low]
    assert np.allclose(list(difference), expected, rtol=1e-4, atol=1e-9)


def test_every_candidate_has_its_curves_and_its_scores_on_the_slices(drawn, compared):
    for dataset, kinds in (
        ("iris", {"roc", "precision_recall", "calibration"}),
        ("tiny", {"tolerance"}),
    ):
        result, found = compared.result(dataset), drawn[dataset].pairs
        assert found.curves.keys() == found.on_slices.keys() == result.candidates.keys()
        assert all(curves.keys() == kinds for curves in found.curves.values())
        best = found.on_slices[result.best.name]
        assert np.allclose(
            np.array(best, dtype=float),
            np.array([part.test.value for part in result.slices], dtype=float),
            equal_nan=True,
        )


def test_large_tables_are_drawn_less_often():
    assert pairs.draws_of(1_000) == 1_000
    assert pairs.draws_of(50_000) == 400
    assert pairs.draws_of(10_000_000) == pairs.FEWEST_DRAWS


def chosen(part):
    """Return the rows of the table of metrics as their texts."""
    until(lambda: part.find_elements("css selector", "table.paired"))
    return [
        [cell.text for cell in row.find_elements("css selector", "th, td")]
        for row in part.find_elements("css selector", "table.paired tbody tr")
    ]


def test_page_shows_any_two_candidates_with_the_stored_difference(
    browser, page_file, drawn, compared
):
    from selenium.webdriver.support.select import Select

    assert browser.open(page_file(), READY) == []
    browser.driver.execute_script(OPEN % "tiny")
    part = browser.driver.find_element("css selector", "[data-beside=tiny]")
    one, other = map(Select, part.find_elements("css selector", "select"))
    one.select_by_visible_text("dummy")
    other.select_by_visible_text("ridge")
    forward = chosen(part)
    stored = differences(drawn["tiny"].pairs, "dummy", "ridge")["rmse"]
    number = float(forward[0][3].split()[0].replace(",", ""))
    assert forward[0][0] == "rmse" and np.isclose(number, stored.better_by, rtol=1e-3)
    assert forward[0][4] == "ridge is better"
    one.select_by_visible_text("ridge")
    assert "two different candidates" in part.text
    other.select_by_visible_text("dummy")
    backward = chosen(part)
    assert backward[0][3].startswith(forward[0][3].split()[0].removeprefix("-"))
    assert backward[0][4] == "ridge is better"
    titles = [one.text for one in part.find_elements("css selector", "figcaption")]
    assert [title.splitlines()[0] for title in titles] == [
        "Share of rows within an error",
        "Predicted against actual",
    ]
    browser.driver.execute_script(OPEN % "iris")
    part = browser.driver.find_element("css selector", "[data-beside=iris]")
    chosen(part)
    assert len(part.find_elements("css selector", "table.matrix")) == 2


def test_differences_of_no_width_are_no_evidence(browser, page_file, compared):
    content = compared.copy()
    first = content.drawn["tiny"]["pairs"]["pairs"]
    for pair in first:
        pair["differences"] = {
            "rmse": Difference(0.0, 0.0, 0.0),
            "mae": Difference(None, None, None),
        }
    browser.open(page_file(content), READY)
    browser.driver.execute_script(OPEN % "tiny")
    rows = chosen(browser.driver.find_element("css selector", "[data-beside=tiny]"))
    assert [row[4] for row in rows] == ["no difference", "not defined"]
