"""MLflow's own servers: one that serves a version, one that holds the registry."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys

import pandas as pd
import pytest
import requests

from pipeline.models import storage
from pipeline.project import params, paths
from pipeline.registry import bundles, decisions
from pipeline.tracking import store
from support.processes import free_port, until
from support.registered import aliases, resolve


@contextlib.contextmanager
def served(*arguments: str, answers: str):
    """Yield the address of a server of MLflow's once it answers."""
    port = str(free_port())
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", *arguments, "--host", "127.0.0.1", "--port", port],
        env={**os.environ, "MLFLOW_TRACKING_URI": store.tracking_uri()},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def is_up():
        assert server.poll() is None, (
            f"mlflow {' '.join(arguments)} ended with status {server.returncode}"
        )
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(f"{address}/{answers}", timeout=10).ok

    try:
        until(is_up, 120, f"mlflow {arguments[0]}")
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)


@pytest.mark.slow
def test_version_is_served_by_mlflow(first):
    rows = pd.read_parquet("data/processed/tiny/test.parquet")[["size", "town", "age"]].head(4)
    split = json.loads(rows.to_json(orient="split", index=False))
    with served(
        "models",
        "serve",
        "-m",
        "models:/TinyPredictor@production",
        "--env-manager",
        "local",
        answers="ping",
    ) as server:
        answer = requests.post(f"{server}/invocations", json={"dataframe_split": split}, timeout=30)
    assert answer.status_code == 200, answer.text
    assert (
        answer.json()["predictions"]
        == storage.load("models/tiny/train/ridge").predict(rows).tolist()
    )


@pytest.mark.slow
def test_registry_of_a_tracking_server_holds_versions_decisions_and_files(
    register, become, monkeypatch
):
    become("first")
    with served(
        "server",
        "--workers",
        "1",
        "--backend-store-uri",
        "sqlite:///server.db",
        "--artifacts-destination",
        "./artifacts",
        answers="health",
    ) as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
        register("first")
        register("better")
        decisions.roll_back("tiny", params.load(), "previous", "a test")
        shutil.rmtree("logs")  # as in another clone
        decisions.roll_back("tiny", params.load(), "previous", "a test")
        assert aliases() == {"champion": 2, "production": 2, "previous": 1}
        assert "the log is whole, 4 lines" in decisions.verify("tiny", params.load())
        assert resolve().folder == paths.downloaded(resolve().sha256) and bundles.check(
            resolve().folder
        )
