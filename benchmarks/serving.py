"""Requests per second of serve.py and of `mlflow models serve`, for the same models, one row a request.

    taskset -c 0,1 python benchmarks/serving.py --dataset customer_churn --candidates random_forest tuned_lightgbm blend

Needs models/ and data/processed/ of the dataset (`dvc repro`), and wrk (Debian: `apt install wrk`), which runs on the same cores.
Each candidate is registered in a project of its own in a temporary folder; the registry of this one is left alone.
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
from pathlib import Path

from pipeline.data import splits
from pipeline.models import storage
from pipeline.project import files, params, paths
from pipeline.registry import decisions, versions

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
CONNECTIONS = (4, 16)
COMPARED_ROWS = 20
UNITS = {"us": 1e-3, "ms": 1, "s": 1e3}


def register(dataset, candidate):
    """Make a candidate the champion of the empty registry in the working directory; return its version."""
    import register_model

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
    """Start a server; yield its address, the seconds until it was ready and a function that gives the MiB it holds."""
    import psutil
    import requests

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


def load(url, body, connections, seconds, folder):
    """Return requests per second, the median and the 99th percentile in ms, and the requests that failed."""
    script = Path(folder) / "request.lua"
    script.write_text(
        f'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = {json.dumps(body)}\n'
    )
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        "10s",
        "--latency",
        "-s",
        str(script),
        url,
    ]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    percentiles = {
        share: float(value) * UNITS[unit]
        for share, value, unit in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)", told)
    }
    failed = sum(int(number) for number in re.findall(r"Non-2xx or 3xx responses: (\d+)", told))
    failed += sum(
        int(number)
        for line in re.findall(r"Socket errors: (.*)", told)
        for number in re.findall(r"\d+", line)
    )
    return (
        float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1]),
        percentiles["50"],
        percentiles["99"],
        failed,
    )


def measure(dataset, candidate, loaded, folder):
    """Print a line per server and number of connections, and how they compare."""
    import numpy as np
    import requests

    version = register(dataset, candidate)
    model = storage.load(version.folder)
    rows = rows_to_ask(dataset, model.spec.inputs)
    expected, one = model.predict(rows), json.loads(rows.head(1).to_json(orient="records"))[0]
    split = json.loads(rows.to_json(orient="split", index=False))
    ours = [sys.executable, str(ROOT / "serve.py"), "--dataset", dataset]
    theirs = [
        str(Path(sys.executable).parent / "mlflow"),
        "models",
        "serve",
        "-m",
        f"models:/{version.name}@champion",
        "--env-manager",
        "local",
    ]
    rates = {}
    for server, command, ready, path, many, body, answers in (
        (
            "serve.py",
            ours,
            "/ready",
            "/predict",
            json.loads(rows.to_json(orient="records")),
            one,
            lambda answer: [row["prediction"] for row in answer["predictions"]],
        ),
        (
            "mlflow models serve",
            theirs,
            "/ping",
            "/invocations",
            {"dataframe_split": split},
            {"dataframe_split": {**split, "data": split["data"][:1]}},
            lambda answer: answer["predictions"],
        ),
    ):
        with running(command, ready) as (address, seconds, mebibytes):
            found = answers(requests.post(address + path, json=many, timeout=60).json())
            same = (
                np.allclose(found, expected, rtol=1e-9)
                if model.spec.classes is None
                else found == expected.tolist()
            )
            for connections in CONNECTIONS:
                rate, middle, most, failed = load(
                    address + path, json.dumps(body), connections, loaded, folder
                )
                rates[server, connections] = rate
                print(
                    f"{candidate:20} {server:20} {connections:11} {rate:10.0f} {middle:9.1f} {most:9.1f} "
                    f"{failed:6} {seconds:9.1f} {mebibytes():8.0f}  {'yes' if same else 'NO'}",
                    flush=True,
                )
    ratios = [
        rates["serve.py", number] / rates["mlflow models serve", number] for number in CONNECTIONS
    ]
    print(
        f"{candidate:20} {' and '.join(f'{ratio:.1f}' for ratio in ratios)} times as many requests\n",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
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
        f"{'model':20} {'server':20} {'connections':>11} {'requests/s':>10} {'p50 ms':>9} {'p99 ms':>9} {'failed':>6} "
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
