"""The page's pictures: drawn in time, reached by keyboard, legible, within the metric's range."""

from support.processes import until

READY = "document.documentElement.dataset.ready"
OVERLAPS = """const boxes = [...arguments[0].querySelectorAll('text.name')]
        .map(one => one.getBoundingClientRect());
    return boxes.flatMap((one, place) => boxes.slice(place + 1).filter(other =>
        one.left < other.right && other.left < one.right && one.top < other.bottom - 2
        && other.top < one.bottom - 2)).length;"""


def picture(driver, dataset, title):
    """Return the drawing of a picture, drawn."""
    driver.execute_script(f"unfold(document.querySelector('[data-pictures={dataset}]'))")
    driver.execute_script("[...waiting.keys()].forEach(finish)")
    for figure in driver.find_elements("css selector", f"[data-pictures={dataset}] figure"):
        if figure.text.startswith(title):
            return figure.find_element("css selector", "svg")
    raise AssertionError(title)


def test_pictures_are_drawn_before_they_are_scrolled_to(browser, page_file):
    browser.open(page_file(), READY)
    driver = browser.driver
    driver.execute_script("unfold(document.querySelector('[data-pictures=tiny]'))")
    heights = "return [...document.querySelectorAll('figure')].map(one => one.clientHeight)"
    before = driver.execute_script(heights)
    browser.settled("waiting.size === 0")
    assert driver.execute_script("return scrollY") == 0
    assert before == driver.execute_script(heights) and min(before) > 200


def test_values_are_reached_by_keyboard_and_stand_below_the_drawing(browser, page_file):
    from selenium.webdriver.common.keys import Keys

    browser.open(page_file(), READY)
    drawing = picture(browser.driver, "tiny", "Candidates")
    figure = drawing.find_element("xpath", "..")
    said = figure.find_element("css selector", ".said")
    assert said.text == ""
    seen = []
    for key in (Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.HOME):
        drawing.send_keys(key)
        seen.append(said.text)
    assert seen[0] == seen[2] != seen[1] and "±" in seen[0]
    assert said.location["y"] >= drawing.location["y"] + drawing.size["height"]
    drawing.send_keys(Keys.ESCAPE)
    assert said.text == ""
    figure.find_element("css selector", "summary").send_keys(Keys.ENTER)
    until(lambda: figure.find_elements("css selector", "table"))
    names = [cell.text for cell in figure.find_elements("css selector", "tbody th")]
    assert names[0] == "ridge" and names[-1] == "dummy" and "tuned_ridge" in names


def test_every_picture_has_a_table_whose_name_says_of_what(browser, page_file):
    browser.open(page_file(), READY)
    picture(browser.driver, "tiny", "Candidates")
    figures = browser.driver.find_elements("css selector", "[data-pictures=tiny] figure")
    for figure in figures:
        title = figure.find_element("css selector", "figcaption").text.splitlines()[0]
        summary = figure.find_element("css selector", "summary")
        assert summary.get_attribute("aria-label") == f"Data of {title}"


def test_spread_of_a_score_ends_where_its_metric_does(browser, page_file, compared):
    content = compared.copy()
    result = content.comparison["datasets"]["two_classes"]
    result["primary_metric"] = "roc_auc"
    for candidate in result["candidates"].values():
        candidate["cv"] = {"roc_auc": {"mean": 0.97, "std": 0.2}}
    browser.open(page_file(content), READY)
    drawing = picture(browser.driver, "two_classes", "Candidates")
    ends = browser.driver.execute_script(
        """const box = arguments[0].querySelectorAll('.axis');
        const right = Number(arguments[0].querySelector('.spread').getAttribute('x2'));
        const last = box[box.length - 1];
        const label = [...arguments[0].querySelectorAll('text[text-anchor=middle]')].at(-2);
        return [right, Number(last.getAttribute('x2')), label.textContent];""",
        drawing,
    )
    assert ends[0] == ends[1] and ends[2] == "1"


def test_names_of_dots_that_lie_close_are_not_over_each_other(browser, page_file, compared):
    content = compared.copy()
    result = content.comparison["datasets"]["tiny"]
    best = result["candidates"][result["best"]["name"]]
    names = [f"a_rather_long_name_{number}" for number in range(9)]
    result["candidates"] |= dict.fromkeys(names, best)
    path = page_file(content)
    # as if each had its time
    text = path.read_text(encoding="utf-8")
    text = text.replace('"ms":null', '"ms":3.0')
    path.write_text(text, encoding="utf-8")
    browser.open(path, READY)
    drawing = picture(browser.driver, "tiny", "Quality against")
    assert len(drawing.find_elements("css selector", "text.name")) > 4
    assert browser.driver.execute_script(OVERLAPS, drawing) == 0
