"""Requests per second of serve.py and of `mlflow models serve`, for the same models.

    taskset -c 0,1 python -m benchmarks.serving --dataset customer_churn --candidates random_forest

One row a request, another one each time. Beside them in the same run: an app that answers at once
(benchmarks/bare_asgi.py), on the same uvicorn; `of bare` is the share of its requests per second,
and `CPU µs` the processor time of a request, which a busy machine changes least.
The last columns are the median of one Python client that asks for one row after the other, and
whether the answers are the model's own. `rows/s` is what the model gives for the test split at
once, as predict.py asks it. Needs models/ and data/processed/ of the dataset (`dvc repro`), and wrk
(Debian: `apt install wrk`), which runs on the same cores. Each candidate is registered in a project
of its own in a temporary folder; the registry of this one is left alone.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psutil
import requests

import register_model
from pipeline.data import splits
from pipeline.models import storage
from pipeline.project import files, params, paths
from pipeline.registry import decisions, versions

ROOT = Path(__file__).resolve().parent.parent
CONNECTIONS = (4, 16)
COMPARED_ROWS = 20
# of the Python client, after some that warm up
REQUESTS, WARM_UP = 1000, 100
HEADERS = {"Content-Type": "application/json"}
OURS, MLFLOW, BARE = "serve.py", "mlflow models serve", "bare ASGI"
UNITS = {"us": 1e-3, "ms": 1, "s": 1e3}


def register(dataset, candidate):
    """Make a candidate the champion of the empty registry here; return its version."""
    settings = params.load()
    spec = settings.dataset(dataset)
    stage = next(
        (
            stage
            for stage in ("train", "tune")
            if (paths.models(dataset, stage) / candidate).is_dir()
        ),
        "train",
    )
    metadata = files.read_json(
        paths.models(dataset, stage) / candidate / "metadata.json", made_by="dvc repro"
    )
    best = {"candidate": candidate, "stage": stage, "primary_metric": spec.train.primary_metric}
    verdict = {"model_sha256": metadata["model_sha256"], "gates": []}
    decisions.bring(
        dataset,
        settings,
        register_model.requested(dataset, spec.registration.name, best, verdict, metadata),
    )
    return versions.resolve(dataset, settings)


def rows_to_ask(dataset, features):
    """Return the first rows of the test split that have no missing value, as a user has them."""
    return splits.read_split(dataset, "test")[list(features)].dropna().head(COMPARED_ROWS)


@dataclass(frozen=True)
class Running:
    """A server that runs: its address, and the seconds after which it was ready."""

    address: str
    started: float
    process: psutil.Process

    def family(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def mebibytes(self) -> float:
        return sum(one.memory_info().rss for one in self.family()) / 2**20

    def processor_seconds(self) -> float:
        return sum(sum(one.cpu_times()[:2]) for one in self.family())


@contextlib.contextmanager
def running(command, ready):
    """Start a server; yield it when it is ready."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            with contextlib.suppress(requests.RequestException):
                if requests.get(address + ready, timeout=5).ok:
                    break
            if process.poll() is not None or time.perf_counter() - started > 120:
                sys.exit(f"{' '.join(command)} did not start")
            time.sleep(0.1)
        yield Running(address, time.perf_counter() - started, psutil.Process(process.pid))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@dataclass(frozen=True)
class Load:
    """What wrk measured: requests per second, milliseconds, and the requests that failed."""

    rate: float
    median: float
    percentile_99: float
    failed: int


REQUEST = """\
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local bodies = {%s}
local asked = 0
request = function()
  asked = asked + 1
  return wrk.format(nil, nil, nil, bodies[asked %% #bodies + 1])
end
"""


def load(url: str, bodies: list[str], connections: int, seconds: int, folder: str) -> Load:
    """Return what wrk measures of bodies that are sent one after the other, again and again."""
    script = Path(folder) / "request.lua"
    script.write_text(REQUEST % ", ".join(map(json.dumps, bodies)))
    options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency"]
    command = ["wrk", *options, "-s", str(script), url]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    percentiles = {}
    for share, value, unit in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)", output):
        percentiles[share] = float(value) * UNITS[unit]
    failed = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", output)))
    for line in re.findall(r"Socket errors: (.*)", output):
        failed += sum(map(int, re.findall(r"\d+", line)))
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])
    return Load(rate, percentiles["50"], percentiles["99"], failed)


def median_of_client(url: str, bodies: list[str]) -> float:
    """Return the median milliseconds of a request of one Python client on one connection."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname, parts.port)
    taken = []
    for number in range(WARM_UP + REQUESTS):
        body = bodies[number % len(bodies)]
        started = time.perf_counter()
        connection.request("POST", parts.path, body, HEADERS)
        connection.getresponse().read()
        taken.append(time.perf_counter() - started)
    connection.close()
    return 1000 * float(np.median(taken[WARM_UP:]))


@dataclass(frozen=True)
class Server:
    """A server, and how it is asked.

    `many` is the body of all compared rows, `singly` those of one row each; `predictions` takes the
    predictions from an answer.
    """

    name: str
    command: list[str]
    ready: str
    path: str
    many: Any
    singly: list[Any]
    predictions: Callable[[Any], list]


def our_server(dataset: str, rows) -> Server:
    many = json.loads(rows.to_json(orient="records"))
    return Server(
        OURS,
        [sys.executable, str(ROOT / "serve.py"), "--dataset", dataset],
        "/ready",
        "/predict",
        many,
        many,
        lambda answer: [row["prediction"] for row in answer["predictions"]],
    )


def bare_server(rows) -> Server:
    many = json.loads(rows.to_json(orient="records"))
    quiet = ["--no-access-log", "--log-level", "warning"]
    return Server(
        BARE,
        [sys.executable, "-m", "uvicorn", "benchmarks.bare_asgi:app", *quiet],
        "/ready",
        "/predict",
        many,
        many,
        lambda answer: [],
    )


def mlflow_server(model: str, rows) -> Server:
    mlflow = str(Path(sys.executable).parent / "mlflow")
    split = json.loads(rows.to_json(orient="split", index=False))
    uri = f"models:/{model}@champion"
    return Server(
        MLFLOW,
        [mlflow, "models", "serve", "-m", uri, "--env-manager", "local"],
        "/ping",
        "/invocations",
        {"dataframe_split": split},
        [{"dataframe_split": {**split, "data": [row]}} for row in split["data"]],
        lambda answer: answer["predictions"],
    )


def measure(dataset: str, candidate: str, seconds: int, folder: str, servers: list[str]) -> None:
    """Print a line per server and number of connections, and how they compare."""
    version = register(dataset, candidate)
    model = storage.load(version.folder)
    rows = rows_to_ask(dataset, model.spec.inputs)
    expected = model.predict(rows)
    rates: dict[tuple[str, int], float] = {}
    for server in (bare_server(rows), our_server(dataset, rows), mlflow_server(version.name, rows)):
        if server.name not in servers:
            continue
        with running(server.command, server.ready) as run:
            url = run.address + server.path
            answer = requests.post(url, json=server.many, timeout=60).json()
            predictions = server.predictions(answer)
            same = not predictions or equal(predictions, expected, model.spec.classes)
            bodies = [json.dumps(body) for body in server.singly]
            for connections in CONNECTIONS:
                before = run.processor_seconds()
                found = load(url, bodies, connections, seconds, folder)
                spent = 1e6 * (run.processor_seconds() - before) / (found.rate * seconds)
                rates[server.name, connections] = found.rate
                print(
                    f"{candidate:20} {server.name:20} {connections:11} {found.rate:10.0f} "
                    f"{found.rate / rates[BARE, connections]:7.2f} "
                    f"{found.median:7.2f} {found.percentile_99:7.2f} {found.failed:6} "
                    f"{spent:6.0f} {median_of_client(url, bodies):9.2f} {run.started:7.1f} "
                    f"{run.mebibytes():5.0f}  "
                    f"{'yes' if same else 'NO'}",
                    flush=True,
                )
    print(f"{candidate:20} {rows_at_once(dataset, model):.0f} rows/s at once")
    if MLFLOW in servers:
        ratios = [rates[OURS, number] / rates[MLFLOW, number] for number in CONNECTIONS]
        shown = " and ".join(f"{ratio:.1f}" for ratio in ratios)
        print(f"{candidate:20} {shown} times as many requests as MLflow")
    print(flush=True)


def rows_at_once(dataset: str, model: Any) -> float:
    """Return the rows per second of the test split, predicted as predict.py does."""
    X = model.spec.typed(splits.read_split(dataset, "test"))
    started = time.perf_counter()
    model.output(X)
    return len(X) / (time.perf_counter() - started)


def equal(predictions: list, expected: np.ndarray, classes: list[str] | None) -> bool:
    """Return whether a server predicts what the model does."""
    if classes is None:
        return bool(np.allclose(predictions, expected, rtol=1e-9))
    return predictions == expected.tolist()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--dataset", default="customer_churn", metavar="D")
    parser.add_argument(
        "--candidates",
        nargs="+",
        metavar="M",
        default=["random_forest", "tuned_lightgbm", "blend"],
        help="models of train.py or tune_hyperparameters.py",
    )
    parser.add_argument(
        "--seconds",
        type=int,
        default=8,
        metavar="S",
        help="of load, for each number of connections (8)",
    )
    parser.add_argument(
        "--without-mlflow", action="store_true", help="leave `mlflow models serve` out"
    )
    args = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed; on Debian: apt install wrk")
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": str(ROOT)}
    here = Path.cwd()
    print(f"{args.dataset} on {len(os.sched_getaffinity(0))} cores, {args.seconds} s each")
    print(
        f"{'model':20} {'server':20} {'connections':>11} {'requests/s':>10} {'of bare':>7} "
        f"{'p50 ms':>7} {'p99 ms':>7} {'failed':>6} {'CPU µs':>6} {'client ms':>9} "
        f"{'start s':>7} {'MiB':>5}  equal"
    )
    for candidate in args.candidates:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            shutil.copy(here / "params.yaml", ".")
            for part in (
                f"data/processed/{args.dataset}",
                f"models/{args.dataset}",
                f"metrics/datasets/{args.dataset}",
            ):
                shutil.copytree(here / part, part)
            os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
            servers = [BARE, OURS] if args.without_mlflow else [BARE, OURS, MLFLOW]
            measure(args.dataset, candidate, args.seconds, folder, servers)


if __name__ == "__main__":
    main()
