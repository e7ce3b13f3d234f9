"""The pipeline, unchanged, against a tracking server with PostgreSQL and an S3 store for its
artifacts.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from support.processes import ROOT, free_port, shell, until
from support.projects import copy_project
from support.s3_server import BUCKET, KEYS

DIALECT = "postgresql+psycopg2"


def program(name: str) -> str:
    """Return where a program of PostgreSQL is; Debian keeps them off the path."""
    found = shutil.which(name) or next(
        iter(sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None
    )
    if not found:
        pytest.skip(f"no PostgreSQL here ({name}): `apt-get install postgresql` brings it")
    return str(found)


@pytest.fixture
def postgres():
    """The address of a database server on loopback; it refuses root, who runs it as the user
    nobody.
    """
    initdb, server = program("initdb"), program("postgres")
    user = {"user": "nobody", "group": "nogroup"} if os.getuid() == 0 else {}
    folder, port = (
        tempfile.mkdtemp(),
        free_port(),
    )  # not tmp_path: pytest's folders are closed to other users
    if user:
        shutil.chown(folder, **user)
    subprocess.run(
        [initdb, "-D", f"{folder}/db", "-U", "mlflow", "-A", "trust", "--no-sync"],
        check=True,
        capture_output=True,
        cwd="/",
        **user,
    )
    process = subprocess.Popen(
        [server, "-D", f"{folder}/db", "-p", str(port), "-k", "", "-h", "127.0.0.1", "-F"],
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **user,
    )
    import psycopg2

    def is_ready():
        assert process.poll() is None, "the database server ended"
        with contextlib.suppress(psycopg2.OperationalError):
            psycopg2.connect(host="127.0.0.1", port=port, user="mlflow", dbname="postgres").close()
            return True

    try:
        until(is_ready)
        yield f"{DIALECT}://mlflow@127.0.0.1:{port}/postgres"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        shutil.rmtree(folder)


@pytest.fixture
def tracking(postgres, s3_server, tmp_path):
    """The address of a tracking server on both, which hands artifacts on, so that a client needs no
    key to the store.
    """
    port, log = free_port(), tmp_path / "server.log"
    options = [
        "--backend-store-uri",
        postgres,
        "--artifacts-destination",
        f"s3://{BUCKET}/artifacts",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    settings = {"MLFLOW_S3_ENDPOINT_URL": s3_server, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", *options],
        cwd=tmp_path,
        start_new_session=True,
        stdout=log.open("w"),
        stderr=subprocess.STDOUT,
        env={**os.environ, **settings},
    )
    address = f"http://127.0.0.1:{port}"

    def is_ready():
        assert server.poll() is None, log.read_text()[-3000:]
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"{address}/health", timeout=10).status == 200

    try:
        until(is_ready, 60)
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):  # it came to an end by itself
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@pytest.mark.slow
def test_pipeline_runs_unchanged_against_a_server_with_postgresql_and_s3(
    finished, tracking, s3_server, tmp_path, monkeypatch
):
    folder = copy_project(tmp_path / "project")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking)
    for key in KEYS:
        monkeypatch.delenv(key)
    done = shell("python -m ops.repro && python -m ops.sync", folder)
    assert done.returncode == 0 and "not recorded" not in done.stdout + done.stderr, (
        done.stdout + done.stderr
    )
    assert (folder / "dvc.lock").read_text() == (finished / "dvc.lock").read_text()
    assert not (folder / "mlflow.db").exists() and not (folder / "mlruns").exists()
    import mlflow

    client = mlflow.MlflowClient(tracking)
    experiment = client.get_experiment_by_name("Iris-Classification")
    runs = client.search_runs([experiment.experiment_id])
    stages = [run.data.tags["stage"] for run in runs]
    assert sorted(set(stages)) == [
        "compare",
        "drift",
        "generate",
        "pipeline",
        "prepare",
        "register",
        "train",
        "tune",
        "validate",
    ]
    model, *_ = client.search_logged_models([experiment.experiment_id])
    monkeypatch.chdir(folder)
    loaded = mlflow.pyfunc.load_model(model.artifact_location)
    assert len(loaded.predict(loaded.input_example)) == 5
    for key, value in KEYS.items():
        monkeypatch.setenv(key, value)
    import boto3

    assert (
        boto3.client("s3", endpoint_url=s3_server).list_objects_v2(
            Bucket=BUCKET, Prefix="artifacts/"
        )["KeyCount"]
        > 10
    )
    assert "holds every run already" in shell("python -m ops.sync", folder).stdout


def test_compose_file_is_valid_and_shows_nothing_to_others():
    path = ROOT / "deploy/tracking-server.yml"
    check = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--quiet",
        "--builtin-schema",
        "vendor.compose-spec",
        str(path),
    ]
    done = subprocess.run(check, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    services = YAML(typ="safe", pure=True).load(path.read_text())["services"]
    assert {name: service.get("ports", []) for name, service in services.items()} == {
        "postgres": [],
        "mlflow": ["127.0.0.1:5000:5000"],
    }
    dialect = services["mlflow"]["environment"]["MLFLOW_BACKEND_STORE_URI"].partition("://")[0]
    assert dialect == DIALECT
