"""A headless Chromium that opens pages without a network and tells what they complain of."""

import shutil
from pathlib import Path

import pytest

from support.processes import until

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 30
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--window-size=1200,900",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    # loopback alone is resolved
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--proxy-server=direct://",
)


class Browser:
    """One browser; `driver` is selenium's."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, page: str | Path, settled: str = "true") -> list[str]:
        """Open a file or an address; return the console's errors once JavaScript's `settled` holds.

        What could not be loaded is such an error.
        """
        self.driver.get_log("browser")  # of the page before
        self.driver.get(page.resolve().as_uri() if isinstance(page, Path) else page)
        return self.settled(settled)

    def settled(self, condition: str) -> list[str]:
        """Wait until a JavaScript expression holds; return the console's errors since last time."""
        asked = f"return document.readyState == 'complete' && Boolean({condition})"
        until(
            lambda: self.driver.execute_script(asked),
            SECONDS,
            f"{self.driver.current_url}: {condition}",
        )
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] == "SEVERE"
        ]


@pytest.fixture(scope="session")
def browser():
    """A Browser; the test is skipped only where none is installed.

    On Debian: apt-get install chromium chromium-driver.
    """
    program, driver = (
        next(filter(None, map(shutil.which, BROWSERS)), None),
        shutil.which("chromedriver"),
    )
    if not program or not driver:
        pytest.skip(
            "no Chromium with its chromedriver on this machine: "
            "apt-get install chromium chromium-driver"
        )
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = program
    for option in OPTIONS:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield Browser(opened)
    finally:
        opened.quit()
