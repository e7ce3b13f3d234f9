"""The page as a browser sees it: whole, offline, accessible in both themes, quick when large.

Text of the data stays text.
"""

import re
from dataclasses import replace

import pytest

from pipeline.project import paths
from support.processes import ROOT

AXE = ROOT / ".ci/node_modules/axe-core/axe.min.js"
READY = "document.documentElement.dataset.ready"
HOSTILE = "<img src=x onerror=\"document.title='run'\">"
DRAW_ALL = (
    "window.dispatchEvent(new Event('beforeprint')); window.dispatchEvent(new Event('afterprint'))"
)
# parts bring figures, and these bring details of their own
UNFOLD = """for (let turn = 0; turn < 3; turn++) {
    document.querySelectorAll('details').forEach(one => { one.open = true; });
    fill();
}"""
UNFOLD_PARTS = (
    "document.querySelectorAll('details.fold').forEach(one => { one.open = true; }); fill();"
)
# all of them have thousands of cells, which axe looks at one by one
FIRST = "[...document.querySelectorAll('figure:first-child > details')]"
OPEN_ONE_TABLE_OF_EACH = f"{FIRST}.forEach(one => {{ one.open = true; }})"
ONE_TABLE_OF_EACH = f"{FIRST}.every(one => one.querySelector('table'))"
ALL_TABLES = (
    "[...document.querySelectorAll('figure details')].every(one => one.querySelector('table'))"
)


def test_page_of_a_run_opens_offline_without_a_fault_and_draws_every_picture(
    browser, page_file, finished
):
    assert browser.open(finished / paths.COMPARISON_REPORT, READY) == []
    assert browser.open(page_file(), READY) == []
    requests = "return performance.getEntriesByType('resource').length"
    assert browser.driver.execute_script(requests) == 0
    browser.driver.execute_script(DRAW_ALL)
    drawn = browser.driver.execute_script("""return Object.fromEntries(
        [...document.querySelectorAll('[data-pictures]')].map(one => [one.dataset.pictures,
            [...one.querySelectorAll('figure')].map(figure =>
                [figure.querySelector('figcaption').firstChild.textContent,
                    figure.querySelectorAll('svg .mark').length])]))""")
    both = [
        "Candidates by cross-validated",
        "Quality against prediction time",
        "Tuning history",
    ]
    what, moved = (
        ["Permutation importance", "SHAP: what moves the prediction"],
        ["Drift: effect size against its threshold"],
    )
    curves = ["ROC", "Precision and recall", "Calibration"]
    expected = {
        "iris": both + curves + what,
        "two_classes": [both[0], *curves, *what],
        "tiny": both + ["Share of rows within an error", "Predicted against actual"] + what + moved,
    }
    assert {name: [title for title, _ in figures] for name, figures in drawn.items()} == {
        name: [f"{titles[0]} {'rmse' if name == 'tiny' else 'log_loss'}", *titles[1:]]
        for name, titles in expected.items()
    }
    assert all(marks > 0 for figures in drawn.values() for _, marks in figures), drawn


def test_leaderboard_sorts_by_its_headers(browser, page_file):
    browser.open(page_file(), READY)
    browser.driver.execute_script(UNFOLD)
    board = browser.driver.find_element("css selector", "#d-tiny table.board")
    head = board.find_element("css selector", "thead th:nth-child(6)")

    def column():
        return [
            float(cell.get_attribute("data-sort"))
            for cell in board.find_elements("css selector", "tbody td:nth-child(6)")
        ]

    for order, key in (("ascending", 1), ("descending", -1)):
        head.find_element("tag name", "button").send_keys("\ue007")
        assert head.get_attribute("aria-sort") == order
        assert (
            column() == sorted(column(), key=lambda value: key * value) and len(set(column())) >= 3
        )
    assert len(board.find_elements("css selector", "[aria-sort]")) == 1


@pytest.mark.parametrize("theme, width", [("light", 1200), ("dark", 1200), ("dark", 390)])
def test_axe_finds_no_fault_and_nothing_is_wider_than_the_screen(browser, page_file, theme, width):
    if not AXE.is_file():
        pytest.skip("no axe-core: npm ci --prefix .ci")
    driver = browser.driver
    media = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    try:
        browser.open(page_file(), READY)
        driver.execute_script(UNFOLD_PARTS)
        driver.execute_script(DRAW_ALL)
        driver.execute_script(OPEN_ONE_TABLE_OF_EACH)
        browser.settled(ONE_TABLE_OF_EACH)
        driver.execute_script(AXE.read_text(encoding="utf-8"))
        found = driver.execute_async_script(
            "axe.run({resultTypes: ['violations']}).then(arguments[arguments.length - 1])"
        )
        assert [
            (one["id"], one["impact"], one["nodes"][0]["html"][:200]) for one in found["violations"]
        ] == []
        assert (
            driver.execute_script("return document.documentElement.scrollWidth") <= width
        )  # innerWidth grows on a phone
        ground = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(18, 23, 29)" if theme == "dark" else "rgb(255, 255, 255)")
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_theme_button_goes_from_auto_to_light_to_dark(browser, page_file):
    browser.open(page_file(), READY)
    button, grounds = browser.driver.find_element("id", "theme"), []
    for _ in range(3):
        button.click()
        grounds.append(
            (
                button.text,
                browser.driver.execute_script(
                    "return getComputedStyle(document.body).backgroundColor"
                ),
            )
        )
    assert [text for text, _ in grounds] == ["Theme: light", "Theme: dark", "Theme: auto"]
    assert grounds[0][1] == "rgb(255, 255, 255)" and grounds[1][1] == "rgb(18, 23, 29)"


def test_text_of_the_data_stays_text(browser, page_file, compared, advised):
    content = compared.copy()
    result = content.comparison["datasets"]["two_classes"]
    chosen = result["candidates"][result["best"]["name"]]
    chosen["confusion_matrix"]["labels"][0] = HOSTILE
    result |= {
        "target": HOSTILE,
        "source": HOSTILE,
        "class_counts": {HOSTILE: 3},
        "synthetic": False,
    }
    result["slices"][0]["where"] = f"{HOSTILE} = </script><script>document.title='run'</script>"
    result["advice"] = advised(result)
    shap = {
        "rows": 1,
        "unit": "</script>" + HOSTILE,
        "columns": {HOSTILE: {"mean_abs": 1.0, "direction": None}},
    }
    result["explanation"] = {"importance": {HOSTILE: 1.0}, "shap": shap}
    content.drawn["two_classes"]["roc"][0]["name"] = HOSTILE
    assert browser.open(page_file(content), READY) == []
    browser.driver.execute_script(UNFOLD)
    browser.driver.execute_script(DRAW_ALL)
    assert browser.settled(ALL_TABLES) == []  # each figure makes its own when its details open
    assert browser.driver.title == "Model comparison"
    assert browser.driver.find_elements("css selector", "img") == []
    assert browser.driver.find_element("id", "d-two_classes").text.count(HOSTILE) >= 5


def test_fifty_datasets_of_twenty_models_open_smoothly(browser, page_file, compared):
    content = compared.copy()
    one, drawn = content.comparison["datasets"]["two_classes"], content.drawn["two_classes"]
    name = one["best"]["name"]
    models = {f"model_{number}": one["candidates"][name] for number in range(19)}
    one["candidates"] = {name: one["candidates"][name], **models}
    datasets = [f"dataset_{number}" for number in range(50)]
    content.comparison["datasets"] = dict.fromkeys(datasets, one)
    path = page_file(replace(content, drawn=dict.fromkeys(datasets, drawn)))
    assert path.stat().st_size < 2e6  # bytes; about 1.3e6
    assert browser.open(path, READY) == []
    loaded = browser.driver.execute_script(
        "return performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
    )
    assert loaded < 3000  # milliseconds; about 500 on an idle machine
    assert browser.driver.execute_script("return document.querySelectorAll('figure').length") == 0
    spent = browser.driver.execute_async_script("""
        const done = arguments[0], start = performance.now();
        location.hash = '#d-dataset_40';
        const pictures = document.querySelector('#d-dataset_40 .pictures');
        const look = () => {
            if (pictures.querySelector('svg .mark')) return done(performance.now() - start);
            requestAnimationFrame(look);
        };
        look();""")
    assert spent < 1000
    browser.driver.find_element("id", "filter").send_keys("dataset_4")
    shown = browser.driver.execute_script(
        "return document.querySelectorAll('section.dataset:not([hidden])').length"
    )
    assert shown == 11


def test_page_has_no_faults_without_what_lies_beside_it(browser, compared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "page.html"
    path.write_text(compared.html(), encoding="utf-8")
    assert browser.open(path, READY) == []
    text = browser.driver.find_element("tag name", "main").text
    assert "fit, s" not in text and "not tested" in text and "127.0.0.1" not in path.read_text()


def test_links_lead_to_pages_that_are_there(compared, beside):
    links = re.findall(r'href="([^"#][^"]*)"', compared.html())
    local = [link for link in links if not link.startswith("http")]
    assert len(local) == 11 and sum(link.endswith("model_card.md") for link in local) == 2
    assert all((beside / "reports" / link).is_file() for link in local)
    remote = {link.split("#")[0] for link in links if link.startswith("http")}
    assert remote == {"http://127.0.0.1:5000/"}
