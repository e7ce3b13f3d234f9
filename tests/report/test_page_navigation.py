"""The page's navigation: links land at their target, parts fold, the filter finds candidates."""

import base64
import re

import pytest

from support.processes import until

READY = "document.documentElement.dataset.ready"
AT_REST = {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
DISTANCE = """const target = document.getElementById(arguments[0]).getBoundingClientRect();
    const end = document.documentElement.scrollHeight - innerHeight - scrollY;
    return end < 2 ? Math.max(0, target.top - innerHeight) : Math.abs(target.top);"""
MOST_PIXELS = 100  # between a target and the top of the screen, after a click on its link
# looked at every 50 ms
AT_REST_FOR_A_WHILE = """(() => {
    window.still = window.last === scrollY ? (window.still ?? 0) + 1 : 0;
    window.last = scrollY;
    return window.still > 8;
})()"""
ALL_DRAWN = "waiting.size === 0"
SHOWN = "return [...document.querySelectorAll(arguments[0])].filter(one => one.checkVisibility())"


@pytest.fixture
def at_rest(browser):
    """A browser that scrolls at once."""
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", AT_REST)
    yield browser
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("links", ["#overview table a", "nav.side li a"])
def test_each_link_lands_at_its_target_though_the_page_scrolls_past_pictures(
    browser, page_file, compared, links
):
    content = compared.copy()
    for result in content.comparison["datasets"].values():
        result["verdict"] = "watch"  # open from the start
    browser.open(page_file(content), READY)
    driver = browser.driver
    for link in driver.find_elements("css selector", links):
        target = link.get_attribute("href").partition("#")[2]
        driver.execute_script("window.still = 0; arguments[0].click()", link)
        browser.settled(AT_REST_FOR_A_WHILE)
        assert driver.execute_script(DISTANCE, target) < MOST_PIXELS, target
        browser.settled(ALL_DRAWN)
        assert driver.execute_script(DISTANCE, target) < MOST_PIXELS, target


def test_an_address_with_a_folded_part_opens_it(at_rest, page_file):
    path = page_file()
    at_rest.open(f"{path.resolve().as_uri()}#d-two_classes-slices", READY)
    assert at_rest.driver.execute_script(DISTANCE, "d-two_classes-slices") < MOST_PIXELS
    assert at_rest.driver.find_element("id", "d-two_classes-slices").is_displayed()


def test_only_datasets_that_ask_for_attention_are_open_and_navigation_shows_verdicts(
    browser, page_file, compared
):
    content = compared.copy()
    verdicts = {"iris": "info", "tiny": "watch", "two_classes": "stop"}
    for dataset, verdict in verdicts.items():
        content.comparison["datasets"][dataset]["verdict"] = verdict
    browser.open(page_file(content), READY)
    driver = browser.driver
    for dataset, verdict in verdicts.items():
        part = driver.find_element("css selector", f"#d-{dataset} > details")
        assert (part.get_attribute("open") is None) == (verdict == "info")
        link = driver.find_element("css selector", f"nav.side a[href='#d-{dataset}']")
        assert link.find_elements("css selector", f".sign.{verdict}")
    button = driver.find_element("id", "fold-all")
    for open_parts in (True, False):
        button.click()
        parts = driver.find_elements("css selector", "details.fold")
        assert {part.get_attribute("open") is not None for part in parts} == {open_parts}


def test_filter_leaves_the_candidates_and_datasets_whose_name_holds_the_text(browser, page_file):
    browser.open(page_file(), READY)
    driver = browser.driver
    words = driver.find_element("id", "filter")
    words.send_keys("RIDGE")
    rows = driver.execute_script(SHOWN, "table.board tbody tr")
    names = {row.get_attribute("data-candidate") for row in rows}
    assert names == {"ridge", "tuned_ridge"}
    sections = driver.execute_script(SHOWN, "section.dataset")
    assert [one.get_attribute("data-dataset") for one in sections] == ["tiny"]
    assert re.fullmatch(r"2 of \d+ candidates", driver.find_element("id", "filtered").text)
    words.clear()
    words.send_keys("two_")
    sections = driver.execute_script(SHOWN, "section.dataset")
    assert [one.get_attribute("data-dataset") for one in sections] == ["two_classes"]
    words.clear()
    words.send_keys(" ")
    until(lambda: len(driver.execute_script(SHOWN, "section.dataset")) == 3)
    assert driver.find_element("id", "filtered").text == ""


def test_print_has_every_part_and_picture_on_few_pages(browser, page_file):
    browser.open(page_file(), READY)
    printed = browser.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    pages = re.findall(rb"/Type /Page\n", base64.b64decode(printed["data"]))
    assert 3 <= len(pages) <= 8  # of three datasets
    undrawn = """return [...document.querySelectorAll('figure > svg')]
        .filter(one => !one.querySelector('.mark')).length"""
    assert browser.driver.execute_script(undrawn) == 0
    folded = browser.driver.find_elements("css selector", "details.fold:not([open])")
    assert len(folded) > 3  # as before
