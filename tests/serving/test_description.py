"""What the server says of itself: the model, its counts, the page and the OpenAPI document."""

import html
import os
import pathlib
import re
import subprocess
import sys

import pytest

from pipeline.project import params
from pipeline.registry import versions
from support.processes import ROOT
from support.served import ROW, register_builtin, running, set_serving


def test_what_the_server_tells(client):
    client.post("/predict", json=[ROW, ROW])
    client.post("/predict", json={})
    info = client.get("/model-info").json()
    assert (info["model"], info["model_version"], info["family"], info["target"]) == (
        "TinyPredictor",
        1,
        "ridge",
        "price",
    )
    assert info["sha256"] == versions.resolve("tiny", params.load()).sha256
    assert info["features"]["town"] == {
        "kind": "category",
        "null": True,
        "categories": ["Aville", "Bford", "Cham"],
    }
    assert info["features"]["age"] == {"kind": "number", "null": False}
    assert info["compiled_how"].endswith("50 rows of the test split") and info["faults"] == {}
    assert client.get("/health").json() == {"status": "ok"} and client.get("/ready").json() == {
        "status": "ready"
    }
    metrics = client.get("/metrics").text
    for line in (
        'serve_requests_total{path="/predict",status="200"} 1.0',
        'serve_requests_total{path="/predict",status="422"} 1.0',
        'serve_rows_total{model_version="1"} 2.0',
        "serve_model_version 1.0",
        "serve_predict_seconds_count 2.0",
        'serve_log_rows_total{outcome="full"} 0.0',
    ):
        assert line in metrics, line


def test_page_shows_a_request_that_works(client):
    page = client.get("/").text
    example = re.search(r"-d '(.*?)' \\", html.unescape(page))[1]
    headers = {"Content-Type": "application/json"}
    assert client.post("/predict", content=example, headers=headers).status_code == 200
    assert "TinyPredictor version 1" in page and "<td>town</td>" in page


def test_document_types_the_rows_by_the_model(client):
    document = client.get("/openapi.json").json()
    row = document["components"]["schemas"]["Row"]
    assert (
        row["required"] == list(row["properties"]) == ["size", "town", "age"]
        and row["additionalProperties"] is False
    )
    assert {"type": "null"} in row["properties"]["size"]["anyOf"] and row["properties"]["age"][
        "type"
    ] == "number"
    assert {"401", "403", "413", "415", "422"} <= set(
        document["paths"]["/predict"]["post"]["responses"]
    )


def examine(address: str, examples: int, *options: str):
    """Send schemathesis's requests to a server; none may give a 5xx or break the document."""
    done = subprocess.run(
        [
            str(pathlib.Path(sys.executable).parent / "schemathesis"),
            "run",
            f"{address}/openapi.json",
            "--max-examples",
            str(examples),
            "--seed",
            "1",
            "--generation-database",
            "none",
            *options,
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_request_that_schemathesis_makes_finds_a_fault(served_copy):
    with running() as (address, _):
        examine(address, 30)


@pytest.mark.slow
@pytest.mark.parametrize("unseen", ["accept", "refuse"])
def test_none_of_many_requests_finds_a_fault(served_copy, unseen):
    set_serving(unseen=unseen)
    with running(SERVE_TOKEN="a-secret") as (address, _):
        examine(address, 1000, "-H", "Authorization: Bearer a-secret")


@pytest.mark.slow
@pytest.mark.parametrize(
    "dataset, candidate",
    [
        ("customer_churn", "logistic_regression"),
        ("house_prices", "decision_tree"),
        ("iris", "logistic_regression"),
    ],
)
def test_none_of_many_requests_finds_a_fault_of_the_projects_own_datasets(
    tmp_path, monkeypatch, dataset, candidate
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    register_builtin(dataset, candidate)
    with running(command=[str(ROOT / "serve.py"), "--dataset", dataset]) as (address, _):
        examine(address, 300)
