"""Take the pictures of the documents: the comparison page, MLflow, and the page of the API.

    python docs/demo/screenshots.py                 # of this folder's last run
    python docs/demo/screenshots.py --folder DIR    # of the run in another folder

Needs   Chromium with its chromedriver, requirements-dev.txt, a folder in which the pipeline ran
Writes  docs/images/*.png
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
IMAGES = ROOT / "docs/images"
SECONDS_TO_START = 120
SECONDS_TO_SHOW = 60
# what an interface offers on the first visit
OFFERS = "//button[normalize-space()='Got it' or @aria-label='Close']"
# the plus sign before the name of MLflow's run `pipeline`
OPEN_PIPELINE = "button[data-component-id*=runnamecellrenderer]"
UNFOLD_AND_SCROLL = """
const part = document.querySelector(arguments[0]);
for (let fold = part.closest("details"); fold; fold = fold.parentElement.closest("details"))
  fold.open = true;
part.scrollIntoView();
"""
CHROMIUM = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)


@contextmanager
def served(command: list[str], folder: Path, path: str) -> Iterator[str]:
    """Start a server on a free port of loopback; yield its address once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        cwd=folder,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_answer(f"{address}{path}")
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def wait_for_answer(address: str) -> None:
    ends = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < ends:
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(f"{address} does not answer")


class Camera:
    """A headless Chromium that takes pictures of pages once they show what is asked for."""

    def __init__(self) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or shutil.which("google-chrome")
        for option in CHROMIUM:
            options.add_argument(option)
        service = Service(shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)

    def wait_until(self, fact: str) -> None:
        """Wait until a JavaScript expression holds and the page is painted."""
        condition = f"return document.readyState === 'complete' && Boolean({fact})"
        ends = time.monotonic() + SECONDS_TO_SHOW
        while not self.driver.execute_script(condition):
            if time.monotonic() > ends:
                raise TimeoutError(f"{self.driver.current_url}: not {fact}")
            time.sleep(0.2)
        self.driver.execute_async_script(
            "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))"
        )

    def set_screen(self, width: int, height: int, theme: str) -> None:
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        features = [
            {"name": "prefers-color-scheme", "value": theme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def shoot(
        self,
        name: str,
        address: str,
        fact: str,
        width: int = 1280,
        height: int = 1000,
        theme: str = "light",
        at: str | None = None,
        press: str | None = None,
    ) -> None:
        """Write docs/images/NAME.png of a page, or of its part `at`, once `fact` holds there.

        `press` is a button that is pressed once it is there, before `fact` holds.
        """
        self.set_screen(width, height, theme)
        self.driver.get(address)
        if press:
            self.wait_until(f"document.querySelector({press!r})")
            self.driver.execute_script(f"document.querySelector({press!r}).click()")
        self.wait_until(fact)
        if at:
            self.driver.execute_script(UNFOLD_AND_SCROLL, at)
            self.wait_until(f"document.querySelector({at!r}).querySelectorAll('figure svg').length")
        for offer in self.driver.find_elements("xpath", OFFERS):
            offer.click()
            self.wait_until("true")
        self.driver.save_screenshot(str(IMAGES / f"{name}.png"))
        print(f"docs/images/{name}.png")


def screenshots(folder: Path) -> None:
    """Take pictures of the comparison page (light, dark, on a phone), of MLflow, and of the API."""
    page = (folder / "reports/comparison_report.html").as_uri()
    ready = "document.documentElement.dataset.ready"
    mlflow = [sys.executable, "-m", "mlflow", "ui"]
    api = [sys.executable, str(ROOT / "serve.py"), "--dataset", "iris"]
    camera = Camera()
    try:
        camera.shoot("report-light", page, ready)
        camera.shoot("report-dark", page, ready, theme="dark", at="section.dataset .pictures")
        camera.shoot("report-phone", page, ready, width=390, height=844)
        with served(mlflow, folder, "/") as address:
            runs = f"{address}/#/experiments/1/runs?workflowType=machine_learning"
            shown = "document.body.innerText.includes('prepare')"
            camera.shoot("mlflow", runs, shown, width=1600, height=800, press=OPEN_PIPELINE)
        with served(api, folder, "/ready") as address:
            camera.shoot("api", f"{address}/", "document.querySelector('tbody tr')")
    finally:
        camera.driver.quit()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--folder", type=Path, default=ROOT, help="a folder in which the pipeline has run"
    )
    args = parser.parse_args()
    IMAGES.mkdir(parents=True, exist_ok=True)
    screenshots(args.folder.resolve())


if __name__ == "__main__":
    main()
