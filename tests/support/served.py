"""What the tests of serving share: a small project whose registry holds models to be served."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
import uvicorn

import generate_data
import prepare_data
import register_model
import train
from pipeline.project import files, params, paths
from pipeline.registry import decisions
from pipeline.registry.decisions import bring
from pipeline.registry.promotion_log import Entry
from pipeline.serving.app import create_app
from pipeline.serving.door import Door
from pipeline.serving.protocol import LimitedProtocol
from support.processes import ROOT, free_port, until
from support.projects import PARAMS, tiny_table


def register_candidate(dataset: str, candidate: str) -> Entry:
    """Register a trained model of the project, as if it were the best one; return the decision."""
    settings = params.load()
    spec, metadata = (
        settings.dataset(dataset),
        files.read_json(paths.models(dataset, "train") / candidate / "metadata.json", ""),
    )
    best = {"candidate": candidate, "stage": "train", "primary_metric": spec.train.primary_metric}
    verdict = {"model_sha256": metadata["model_sha256"], "gates": []}
    return bring(
        dataset,
        settings,
        register_model.requested(dataset, spec.registration.name, best, verdict, metadata),
    )


@pytest.fixture(scope="session")
def served(tmp_path_factory) -> Path:
    """A project whose registry holds tiny's ridge, the champion, as version 1, its tree as 2, and
    iris's regression; not to be changed.
    """
    folder = tmp_path_factory.mktemp("served") / "project"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_TRACKING_URI", "")
        Path("params.yaml").write_text(PARAMS, encoding="utf-8")
        tiny_table().to_csv("tiny.csv", index=False)
        settings = params.load()
        for dataset in settings.datasets:
            generate_data.generate(dataset, settings)
            prepare_data.prepare(dataset, settings)
            train.train(dataset, settings, n_workers=1)
        found = [
            register_candidate(*which)
            for which in (
                ("tiny", "ridge"),
                ("tiny", "decision_tree"),
                ("iris", "logistic_regression"),
            )
        ]
        made = [(decision.version, decision.outcome == "promoted") for decision in found]
        assert made == [(1, True), (2, False), (1, True)]
    return folder


def register_builtin(dataset: str, candidate: str) -> None:
    """Make a model of a dataset that comes with the project the champion of a new project here."""
    shutil.copy(ROOT / "params.yaml", ".")
    settings = params.load()
    generate_data.generate(dataset, settings)
    prepare_data.prepare(dataset, settings)
    train.train(dataset, settings, only=candidate, n_workers=1)
    register_candidate(dataset, candidate)


@pytest.fixture
def served_copy(served, tmp_path, monkeypatch) -> Path:
    """A copy of that project, as the working directory; the versions' files are shared."""
    folder = Path(shutil.copytree(served, tmp_path / "project"))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    return folder


@contextlib.contextmanager
def running(
    *arguments: str,
    command: list[str] = (str(ROOT / "serve.py"), "--dataset", "tiny"),
    **environment: str,
):
    """Run the project's server; yield its address and process once it is ready."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, *command, "--port", str(port), *arguments],
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: process.poll() is None and is_ready(address), 180)
        yield address, process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def is_ready(address: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{address}/ready").status_code == 200
    return False


ROW = {"size": 100.5, "town": "Aville", "age": 10}


def app_of(dataset: str) -> Door:
    """Return the app that serves a dataset of the project in the working directory."""
    return create_app(dataset, params.load())


@contextlib.contextmanager
def asking(app: Door) -> Iterator[httpx.Client]:
    """Serve an app from a thread of this process; yield a client of it."""
    server = uvicorn.Server(uvicorn.Config(app, http=LimitedProtocol, log_level="critical"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=[[listening]])
        thread.start()
        try:
            until(lambda: server.started, 60, pause=0.01)
            address = f"http://127.0.0.1:{listening.getsockname()[1]}"
            with httpx.Client(base_url=address, timeout=30) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def client(served_copy):
    with asking(app_of("tiny")) as client:
        yield client


def set_serving(**settings: Any) -> None:
    """Write tiny's settings into params.yaml; they have to come before the server."""
    text = paths.PARAMS.read_text()
    registered = "register: {name: TinyPredictor}"
    paths.PARAMS.write_text(
        text.replace(registered, f"{registered}\n    serve: {json.dumps(settings)}")
    )


def split_rows() -> pd.DataFrame:
    return pd.read_parquet(paths.processed("tiny") / "test.parquet")


def as_json(frame: pd.DataFrame) -> list[dict]:
    return json.loads(frame.to_json(orient="records", double_precision=15))


def roll_back(version: int) -> None:
    decisions.roll_back("tiny", params.load(), version, "a test")
