"""Requests per second of serve.py and of `mlflow models serve`, for the same models.

    taskset -c 0,1 python -m benchmarks.serving --dataset customer_churn --candidates random_forest

One row a request. Needs models/ and data/processed/ of the dataset (`dvc repro`), and wrk (Debian:
`apt install wrk`), which runs on the same cores. Each candidate is registered in a project of its
own in a temporary folder; the registry of this one is left alone.
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
from pathlib import Path
from typing import Any

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


@contextlib.contextmanager
def running(command, ready):
    """Start a server; yield its address, the seconds it took and a function of its MiB."""
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
        seconds = time.perf_counter() - started

        def mebibytes():
            family = [
                psutil.Process(process.pid),
                *psutil.Process(process.pid).children(recursive=True),
            ]
            return sum(one.memory_info().rss for one in family) / 2**20

        yield address, seconds, mebibytes
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


def load(url: str, body: str, connections: int, seconds: int, folder: str) -> Load:
    """Return what wrk measures of a body that is sent again and again."""
    script = Path(folder) / "request.lua"
    headers = 'wrk.headers["Content-Type"] = "application/json"'
    script.write_text(f'wrk.method = "POST"\n{headers}\nwrk.body = {json.dumps(body)}\n')
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


@dataclass(frozen=True)
class Server:
    """One of the two servers, and how it is asked.

    `many` is the body of all compared rows, `one` that of a single row; `predictions` takes the
    predictions from an answer.
    """

    name: str
    command: list[str]
    ready: str
    path: str
    many: Any
    one: Any
    predictions: Callable[[Any], list]


def our_server(dataset: str, rows) -> Server:
    many = json.loads(rows.to_json(orient="records"))
    return Server(
        "serve.py",
        [sys.executable, str(ROOT / "serve.py"), "--dataset", dataset],
        "/ready",
        "/predict",
        many,
        many[0],
        lambda answer: [row["prediction"] for row in answer["predictions"]],
    )


def mlflow_server(model: str, rows) -> Server:
    mlflow = str(Path(sys.executable).parent / "mlflow")
    split = json.loads(rows.to_json(orient="split", index=False))
    uri = f"models:/{model}@champion"
    return Server(
        "mlflow models serve",
        [mlflow, "models", "serve", "-m", uri, "--env-manager", "local"],
        "/ping",
        "/invocations",
        {"dataframe_split": split},
        {"dataframe_split": {**split, "data": split["data"][:1]}},
        lambda answer: answer["predictions"],
    )


def measure(dataset: str, candidate: str, seconds: int, folder: str) -> None:
    """Print a line per server and number of connections, and how they compare."""
    version = register(dataset, candidate)
    model = storage.load(version.folder)
    rows = rows_to_ask(dataset, model.spec.inputs)
    expected = model.predict(rows)
    ours, theirs = our_server(dataset, rows), mlflow_server(version.name, rows)
    rates = {}
    for server in (ours, theirs):
        with running(server.command, server.ready) as (address, started, mebibytes):
            url = address + server.path
            answer = requests.post(url, json=server.many, timeout=60).json()
            same = equal(server.predictions(answer), expected, model.spec.classes)
            for connections in CONNECTIONS:
                found = load(url, json.dumps(server.one), connections, seconds, folder)
                rates[server.name, connections] = found.rate
                print(
                    f"{candidate:20} {server.name:20} {connections:11} {found.rate:10.0f} "
                    f"{found.median:9.1f} {found.percentile_99:9.1f} {found.failed:6} "
                    f"{started:9.1f} {mebibytes():8.0f}  {'yes' if same else 'NO'}",
                    flush=True,
                )
    ratios = [rates[ours.name, number] / rates[theirs.name, number] for number in CONNECTIONS]
    shown = " and ".join(f"{ratio:.1f}" for ratio in ratios)
    print(f"{candidate:20} {shown} times as many requests\n", flush=True)


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
    args = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed; on Debian: apt install wrk")
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": str(ROOT)}
    here = Path.cwd()
    print(f"{args.dataset} on {len(os.sched_getaffinity(0))} cores, {args.seconds} s each")
    print(
        f"{'model':20} {'server':20} {'connections':>11} {'requests/s':>10} {'p50 ms':>9} "
        f"{'p99 ms':>9} {'failed':>6} "
        f"{'start s':>9} {'MiB':>8}  equal to the model"
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
            measure(args.dataset, candidate, args.seconds, folder)


if __name__ == "__main__":
    main()
