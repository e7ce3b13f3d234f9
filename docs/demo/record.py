"""Record the demonstration from the real thing: a terminal session in a fresh clone, then pictures of the pages that it leaves.

    python docs/demo/record.py                      # both; some minutes, and the network for the packages
    python docs/demo/record.py --screenshots        # pictures alone, of the pages of this folder's last run

Needs   git and make; Chromium with its chromedriver and requirements-dev.txt for the pictures
Writes  docs/demo/session.cast (asciinema's format: `asciinema play docs/demo/session.cast`), docs/images/*.png
"""

import argparse
import fcntl
import json
import os
import pty
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CAST = ROOT / "docs/demo/session.cast"
IMAGES = ROOT / "docs/images"
COLUMNS, ROWS = 120, 36
KEYSTROKE, READ, IDLE = (
    0.05,
    5.0,
    2.0,
)  # seconds: per typed character, after a command, the longest silence that is kept
PROMPT = "❯ "
OFFERS = "//button[normalize-space()='Got it' or @aria-label='Close']"
SERVED = 8000  # serve.py's own port
SESSION = [
    "# a fresh clone; the first make sets up .venv by itself",
    "git clone -q $PROJECT project && cd project",
    "make",
    "make pipeline DATASET=iris",
    "# every score of the chosen model, with its interval",
    "python evaluate.py --dataset iris",
    "# nothing has changed, so nothing runs",
    "make stages STAGES=drift@iris",
    "# the page by which a team decides is one file; `make ui` opens the runs in MLflow",
    "ls -sh reports/comparison_report.html",
    "# the version in use; where there are more, rollback.py puts an earlier one back",
    "python rollback.py --dataset iris --list",
    "# it answers requests",
    "python serve.py --dataset iris > serve.log 2>&1 &",
    f"until curl -sf http://127.0.0.1:{SERVED}/ready; do sleep 1; done; echo",
    f"curl -s http://127.0.0.1:{SERVED}/predict -d "
    """'{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}'; echo""",
    f"curl -s http://127.0.0.1:{SERVED}/predict -d "
    """'{"sepal_length": "5.1", "sepal_width": 3.5, "petal_length": 1.4}'; echo""",
    "kill %1; wait",
    "# drift: a table, and a batch in which every other column has moved by half a standard deviation",
    "python generate_data.py --dataset customer_churn",
    "python generate_data.py --dataset customer_churn --current-batch --drift 0.5",
    "python detect_drift.py --reference-data data/churn_data.csv --current-data data/customer_churn_current.csv --target Churn",
    "# a gate that asks for more than the model gives fails, and the old results stay",
    "sed -i 's/gates: {accuracy: {min: 0.85}}/gates: {log_loss: {max: 0.01}}/' params.yaml",
    "python validate_metrics.py --dataset iris",
    "git checkout -q params.yaml",
    "# a wrong setting is refused before any work",
    "sed -i 's/cv_folds: 5/cv_fold: 5/' params.yaml && python train.py --dataset iris; git checkout -q params.yaml",
    "# your own table: a block for params.yaml is proposed",
    "python generate_data.py --new flowers --source data/iris_data.csv --target species",
    "# what past comparisons chose, from the MLflow store",
    "python compare_results.py --history",
]


def record(folder: Path) -> None:
    """Type the session into a shell, and write what it shows and when."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", SERVED)) == 0:
            raise SystemExit(f"port {SERVED} is taken; stop what listens there")
    events, clock = [], 0.0
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        path = f"{folder}/project/.venv/bin:{os.environ['PATH']}"
        kept = {
            key: value
            for key, value in os.environ.items()
            if key.startswith(("UV_", "PIP_", "SSL_"))
        }  # for packages
        environment = {
            **kept,
            "PATH": path,
            "HOME": str(folder),
            "TERM": "xterm-256color",
            "PS1": PROMPT,
            "LANG": "C.UTF-8",
            "COLUMNS": str(COLUMNS),
            "LINES": str(ROWS),
            "PROJECT": str(ROOT),
            "PYTHONWARNINGS": "ignore",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
        }
        os.execvpe("bash", ["bash", "--norc", "--noprofile", "--noediting"], environment)
    settings = termios.tcgetattr(terminal)
    settings[3] &= ~termios.ECHO  # what is typed is written by this script, key by key
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def read(until: str) -> None:
        nonlocal clock
        seen, last = "", time.monotonic()
        while not seen.endswith(until):
            if not select.select([terminal], [], [], 900)[0]:
                raise TimeoutError(f"the session hangs after: {seen}")
            text = os.read(terminal, 65536).decode(errors="replace")
            clock += min(time.monotonic() - last, IDLE)
            last, seen = time.monotonic(), (seen + text)[-300:]
            events.append(
                [
                    round(clock, 3),
                    "o",
                    text.replace(str(folder), "~").replace(str(ROOT), "~/tabular"),
                ]
            )

    read(PROMPT)
    for line in SESSION:
        for key in line:
            clock += KEYSTROKE
            events.append([round(clock, 3), "o", key])
        events.append([round(clock, 3), "o", "\r\n"])
        os.write(terminal, f"{line}\n".encode())
        read(PROMPT)
        clock += 1 if line.startswith("#") else READ
    os.close(terminal)
    header = {
        "version": 2,
        "width": COLUMNS,
        "height": ROWS,
        "title": "From a clone to a served and watched model",
    }
    CAST.write_text(
        "\n".join(json.dumps(part, ensure_ascii=False) for part in (header, *events)) + "\n",
        encoding="utf-8",
    )
    print(f"{CAST.relative_to(ROOT)}: {clock:.0f} seconds, {len(events)} events")


@contextmanager
def served(command: list[str], folder: Path, path: str):
    """Start a server on a free port of loopback; yield its address once it answers."""
    import urllib.request

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        cwd=folder,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2)
                break
            except OSError:
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def screenshots(folder: Path) -> None:
    """Take pictures of the comparison page in both themes and on a phone, of MLflow, and of the API's page."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome")
    for option in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
    ):
        options.add_argument(option)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))

    def shown(fact):
        """Wait until a JavaScript expression holds and what it asked for is painted."""
        until = time.monotonic() + 60
        while not driver.execute_script(
            f"return document.readyState === 'complete' && Boolean({fact})"
        ):
            if time.monotonic() > until:
                raise TimeoutError(f"{driver.current_url}: not {fact}")
            time.sleep(0.2)
        driver.execute_async_script(
            "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))"
        )

    def shoot(name, address, fact, width=1280, height=1000, theme="light", at=None):
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {
                "features": [
                    {"name": "prefers-color-scheme", "value": theme},
                    {"name": "prefers-reduced-motion", "value": "reduce"},
                ]
            },
        )
        driver.get(address)
        shown(fact)
        if at:
            driver.execute_script(f"document.querySelector({at!r}).scrollIntoView()")
            shown(f"document.querySelector({at!r}).querySelectorAll('figure svg').length")
        for offer in driver.find_elements(
            "xpath", OFFERS
        ):  # what an interface offers on the first visit
            offer.click()
            shown("true")
        driver.save_screenshot(str(IMAGES / f"{name}.png"))
        print(f"docs/images/{name}.png")

    try:
        page = (folder / "reports/comparison_report.html").as_uri()
        ready = "document.documentElement.dataset.ready"
        shoot("report-light", page, ready)
        shoot("report-dark", page, ready, theme="dark", at="section.dataset .pictures")
        shoot("report-phone", page, ready, width=390, height=844)
        with served([sys.executable, "-m", "mlflow", "ui"], folder, "/") as address:
            shoot(
                "mlflow",
                f"{address}/#/experiments/1/runs",
                "document.body.innerText.includes('prepare')",
                width=1600,
            )
        with served(
            [sys.executable, str(ROOT / "serve.py"), "--dataset", "iris"], folder, "/ready"
        ) as address:
            shoot("api", f"{address}/", "document.querySelector('tbody tr')")
    finally:
        driver.quit()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--screenshots", action="store_true", help="pictures alone, of the pages of --folder"
    )
    parser.add_argument(
        "--folder", type=Path, default=ROOT, help="a folder in which the pipeline has run"
    )
    args = parser.parse_args()
    IMAGES.mkdir(parents=True, exist_ok=True)
    if not args.screenshots:
        with tempfile.TemporaryDirectory() as folder:
            record(Path(folder))
    screenshots(args.folder.resolve())


if __name__ == "__main__":
    main()
