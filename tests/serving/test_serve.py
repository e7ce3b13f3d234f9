"""The server: what it answers, what it refuses, how it follows the registry, and what it leaves when it is killed."""

import asyncio
import contextlib
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pandas as pd
import pytest
from starlette.testclient import TestClient

import serve
from pipeline.inference_log import reader, writer
from pipeline.models import storage
from pipeline.project import params, paths
from pipeline.project.errors import DataError
from pipeline.registry import decisions, versions
from pipeline.serving import compiled
from pipeline.serving.compiled import NotCompiled
from pipeline.serving.loaded import ServedModel
from pipeline.tracking.store import client as mlflow_client
from support.processes import ROOT, free_port, script, until
from support.projects import tiny_table
from support.served import running

ROW = {"size": 100.5, "town": "Aville", "age": 10}
BUSY = 0.5  # seconds that a busy machine may keep a thread from its turn
SETTINGS = "register: {name: TinyPredictor}"


@pytest.fixture
def client(served_copy):
    with TestClient(serve.create_app("tiny"), raise_server_exceptions=False) as client:
        yield client


def set_serving(**settings):
    """Write a dataset's settings into params.yaml; they have to come before the server."""
    text = paths.PARAMS.read_text()
    paths.PARAMS.write_text(
        text.replace(SETTINGS, f"{SETTINGS}\n    serve: {json.dumps(settings)}")
    )


def test_rows() -> pd.DataFrame:
    return pd.read_parquet(paths.processed("tiny") / "test.parquet")


test_rows.__test__ = False


def as_json(frame: pd.DataFrame) -> list[dict]:
    return json.loads(frame.to_json(orient="records", double_precision=15))


# answers


@pytest.mark.parametrize("form", ["compiled", "the model's own"])
def test_answers_are_the_pipelines_own(served_copy, monkeypatch, form):
    def not_compiled(model, X):
        raise NotCompiled("there is a part that is not known")

    if form != "compiled":
        monkeypatch.setattr(compiled, "compile", not_compiled)
    model, frame = storage.load(paths.models("tiny", "train") / "ridge"), test_rows()
    rows = as_json(frame[list(model.spec.inputs)])
    with TestClient(serve.create_app("tiny")) as client:
        assert client.get("/model-info").json()["compiled"] == (form == "compiled")
        together = client.post("/predict", json=rows).json()
        singly = [client.post("/predict", json=row).json()["predictions"][0] for row in rows]
    assert (together["model"], together["model_version"]) == ("TinyPredictor", 1)
    for answers in (together["predictions"], singly):
        assert [answer["prediction"] for answer in answers] == pytest.approx(
            model.predict(frame).tolist(), rel=1e-12
        )


def test_classes_are_answered_with_probabilities(served_copy):
    model = storage.load(paths.models("iris", "train") / "logistic_regression")
    frame = pd.read_parquet(paths.processed("iris") / "test.parquet")
    with TestClient(serve.create_app("iris")) as client:
        answers = client.post("/predict", json=as_json(frame[list(model.spec.inputs)])).json()[
            "predictions"
        ]
    assert [answer["prediction"] for answer in answers] == model.predict(frame).tolist()
    assert [list(answer["probabilities"].values()) for answer in answers] == [
        pytest.approx(row, rel=1e-9) for row in model.predict_proba(frame).tolist()
    ]
    assert list(answers[0]["probabilities"]) == model.spec.classes


def test_request_id_is_made_or_taken_returned_and_logged(client):
    made = client.post("/predict", json=ROW)
    assert (
        re.fullmatch("[0-9a-f]{32}", made.json()["request_id"])
        and made.headers["x-request-id"] == made.json()["request_id"]
    )
    taken, refused = (
        client.post("/predict", json=[ROW, ROW], headers={"X-Request-ID": sent})
        for sent in ("mine-1", "no id")
    )
    assert taken.json()["request_id"] == taken.headers["x-request-id"] == "mine-1"
    assert re.fullmatch("[0-9a-f]{32}", refused.json()["request_id"])
    served = until(lambda: paths.inference_log("tiny").is_file() and reader.read_log("tiny"))
    assert list(served.rows["request_id"])[:3] == [made.json()["request_id"], "mine-1", "mine-1"]
    assert served.features.iloc[0].to_dict() == ROW
    assert served.rows["prediction"][0] == made.json()["predictions"][0]["prediction"]


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
    import html

    page = client.get("/").text
    example = re.search(r"-d '(.*?)' \\", html.unescape(page))[1]
    assert client.post("/predict", content=example).status_code == 200
    assert "TinyPredictor version 1" in page and "<td>town</td>" in page


# refusals


def test_bad_input_is_told_by_field_and_reason(client):
    answer = client.post(
        "/predict", json=[ROW, {"size": "big", "age": None, "town": "Aville", "rooms": 3}]
    )
    assert answer.status_code == 422
    assert {(*fault["loc"], fault["type"]) for fault in answer.json()["detail"]} == {
        ("body", 1, "size", "float_type"),
        ("body", 1, "age", "float_type"),
        ("body", 1, "rooms", "extra_forbidden"),
    }


def test_null_is_taken_where_training_had_missing_values(client):
    assert client.post("/predict", json={"size": None, "town": None, "age": 3}).status_code == 200
    assert client.post("/predict", json={**ROW, "age": None}).status_code == 422


def test_unseen_categories_are_accepted_or_refused_by_setting(served_copy, client):
    strange = {**ROW, "town": "elsewhere"}
    assert client.post("/predict", json=strange).status_code == 200
    set_serving(unseen="refuse")
    with TestClient(serve.create_app("tiny")) as strict:
        assert (
            strict.post("/predict", json=strange).json()["detail"][0]["type"] == "category_unseen"
        )
        assert strict.post("/predict", json=ROW).status_code == 200


def test_too_large_a_body_is_refused_whether_or_not_it_says_its_length(served_copy):
    set_serving(max_body=1000)

    def parts():
        for _ in range(100):
            yield json.dumps(ROW).encode()

    with TestClient(serve.create_app("tiny")) as client:
        for content in (b" " * 1001, parts()):
            answer = client.post("/predict", content=content)
            assert (answer.status_code, answer.json()["detail"][:36]) == (
                413,
                "the body is larger than 1,000 bytes;",
            )
        assert client.post("/predict", content=json.dumps(ROW).ljust(1000)).status_code == 200


def test_prediction_that_is_no_number_is_refused(client, monkeypatch):
    output = ServedModel.output
    monkeypatch.setattr(ServedModel, "output", lambda self, rows: output(self, rows) * float("inf"))
    answer = client.post("/predict", json=[ROW])
    assert (answer.status_code, answer.json()["detail"][0]["type"]) == (
        422,
        "prediction_not_finite",
    )


def test_client_that_leaves_in_the_middle_of_its_request_is_no_fault_of_the_server(served_copy):
    app, told = serve.create_app("tiny"), []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        told.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/predict",
        "raw_path": b"/predict",
        "query_string": b"",
        "headers": [],
    }
    asyncio.run(app(scope, receive, send))
    assert told[0]["status"] == 499
    with TestClient(app) as client:
        assert (
            'serve_requests_total{path="/predict",status="499"} 1.0' in client.get("/metrics").text
        )


def test_those_who_watch_may_ask_for_the_head_alone(client):
    for path in ("/health", "/ready"):
        answer = client.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


def test_token_is_asked_for_where_one_is_set(served_copy, monkeypatch):
    monkeypatch.setenv("SERVE_TOKEN", "a-secret")
    with TestClient(serve.create_app("tiny")) as client:
        for headers in ({}, {"Authorization": "Bearer another"}, {"Authorization": "a-secret"}):
            for path in ("/", "/model-info", "/metrics", "/openapi.json", "/nowhere"):
                assert client.get(path, headers=headers).status_code == 401, path
            assert client.post("/predict", json=ROW, headers=headers).status_code == 401
        assert client.get("/health").status_code == client.get("/ready").status_code == 200
        assert (
            client.post(
                "/predict", json=ROW, headers={"Authorization": "Bearer a-secret"}
            ).status_code
            == 200
        )


def test_without_a_token_only_loopback_is_served(served_copy):
    with TestClient(serve.create_app("tiny"), base_url="http://192.0.2.1") as client:
        assert client.post("/predict", json=ROW).status_code == 401
        assert client.get("/health").status_code == 200
    with TestClient(serve.create_app("tiny"), base_url="http://127.0.0.1") as client:
        assert client.post("/predict", json=ROW).status_code == 200


def test_fault_of_the_server_is_told_without_a_traceback(client, monkeypatch):
    monkeypatch.setattr(ServedModel, "output", lambda self, rows: 1 / 0)
    answer = client.post("/predict", json=ROW)
    assert answer.status_code == 500 and answer.json()["detail"].startswith("a fault of the server")
    assert "ZeroDivisionError" not in answer.text


@pytest.mark.parametrize(
    "arguments, status, message",
    [
        (["--dataset", "nope"], 2, "unknown dataset 'nope'"),
        (["--dataset", "tiny", "--host", "0.0.0.0"], 2, "set SERVE_TOKEN to a secret"),
        (["--dataset", "tiny", "--port", "0"], 2, "a --port from 1 to 65535"),
    ],
)
def test_wrong_usage_is_told_in_one_line(project, arguments, status, message):
    done = script("serve", *arguments)
    assert (
        done.returncode == status and message in done.stderr and len(done.stderr.splitlines()) == 1
    )


def test_dataset_without_a_version_and_a_port_in_use_are_told_in_one_line(project):
    done = script("serve", "--dataset", "tiny", "--port", str(free_port()))
    assert (
        done.returncode == 1
        and "no MLflow store" in done.stderr
        and len(done.stderr.splitlines()) == 1
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = script("serve", "--dataset", "tiny", "--port", str(taken.getsockname()[1]))
    assert (
        done.returncode == 1
        and "choose another --port" in done.stderr
        and len(done.stderr.splitlines()) == 1
    )


def test_redacting_what_is_no_feature_is_refused(served_copy):
    set_serving(log_redact=["towm"])
    with pytest.raises(
        DataError,
        match="serve.log_redact names 'towm', no feature of TinyPredictor version 1; it has: 'size',",
    ):
        serve.create_app("tiny")


# following the registry


def roll_back(version: int):
    decisions.roll_back("tiny", params.load(), version, "a test")


def test_rollback_is_live_within_seconds(served_copy):
    set_serving(reload_seconds=0.1)
    with TestClient(serve.create_app("tiny")) as client:
        roll_back(2)
        until(lambda: client.get("/model-info").json()["model_version"] == 2, 5)
        tree = storage.load(paths.models("tiny", "train") / "decision_tree")
        answer = client.post("/predict", json=ROW).json()
        assert (answer["model_version"], answer["predictions"][0]["prediction"]) == (
            2,
            tree.predict(pd.DataFrame([ROW]))[0],
        )
        assert (
            'serve_reloads_total{alias="champion",outcome="swapped"} 1.0'
            in client.get("/metrics").text
        )


def test_version_that_fails_its_check_does_not_take_the_place_of_the_old_one(served_copy):
    set_serving(reload_seconds=0.1)
    with TestClient(serve.create_app("tiny")) as client:
        roll_back(2)
        roll_back(1)  # so that the next is not seen before its file is changed
        until(lambda: client.get("/model-info").json()["model_version"] == 1)
        file = versions.resolve("tiny", params.load(), 2).folder / "estimator.skops"
        kept = file.read_bytes()
        with contextlib.ExitStack() as stack:
            stack.callback(file.write_bytes, kept)
            client_of_store = mlflow_client()
            file.write_bytes(kept[:100] + bytes([kept[100] ^ 1]) + kept[101:])
            client_of_store.set_registered_model_alias("TinyPredictor", "champion", "2")
            fault = until(lambda: client.get("/model-info").json()["faults"].get("champion"))
            assert (
                "estimator.skops: sha256" in fault
                and client.get("/model-info").json()["model_version"] == 1
            )
            assert client.post("/predict", json=ROW).json()["model_version"] == 1
            client_of_store.set_registered_model_alias("TinyPredictor", "champion", "1")
            until(lambda: client.get("/model-info").json()["faults"] == {})


def test_challenger_runs_along_into_the_log_only(served_copy):
    set_serving(shadow=True)
    mlflow_client().set_registered_model_alias("TinyPredictor", "challenger", "2")
    rows = as_json(test_rows()[list(ROW)])
    with TestClient(serve.create_app("tiny")) as client:
        assert client.get("/model-info").json()["shadow_version"] == 2
        answer = client.post("/predict", json=rows).json()
    assert answer["model_version"] == 1 and len(answer["predictions"]) == len(rows)
    shadow = reader.read_log("tiny", shadow=True)
    tree = storage.load(paths.models("tiny", "train") / "decision_tree")
    assert shadow.version == 2 and list(shadow.rows["request_id"]) == [answer["request_id"]] * len(
        rows
    )
    assert shadow.rows["prediction"].tolist() == tree.predict(test_rows()).tolist()
    assert reader.read_log("tiny").version == 1


def test_no_challenger_is_no_fault(served_copy):
    set_serving(shadow=True, reload_seconds=0.1)
    store = mlflow_client()
    store.delete_registered_model_alias("TinyPredictor", "challenger")
    with TestClient(serve.create_app("tiny")) as client:
        assert client.get("/model-info").json()["shadow_version"] is None
        store.set_registered_model_alias("TinyPredictor", "challenger", "2")
        until(lambda: client.get("/model-info").json()["shadow_version"] == 2)
        store.delete_registered_model_alias("TinyPredictor", "challenger")
        until(lambda: client.get("/model-info").json()["shadow_version"] is None)
        assert client.get("/model-info").json()["faults"] == {}


def test_alias_that_is_gone_and_files_that_change_leave_what_is_served(served_copy):
    set_serving(reload_seconds=0.1)
    with TestClient(serve.create_app("tiny")) as client:
        file = versions.resolve("tiny", params.load()).folder / "estimator.skops"
        kept = file.read_bytes()
        store = mlflow_client()
        with contextlib.ExitStack() as stack:
            stack.callback(file.write_bytes, kept)
            file.write_bytes(kept[:-1])  # it is in memory
            store.delete_registered_model_alias("TinyPredictor", "champion")
            fault = until(lambda: client.get("/model-info").json()["faults"].get("champion"))
            assert fault.startswith("TinyPredictor: no @champion in sqlite:")
            assert (
                client.post("/predict", json=ROW).json()["model_version"] == 1
                and client.get("/ready").status_code == 200
            )
        store.set_registered_model_alias("TinyPredictor", "champion", "1")
        until(lambda: client.get("/model-info").json()["faults"] == {})


# as a process


def test_no_request_fails_in_twenty_swaps_and_every_answer_names_its_version(served_copy):
    set_serving(reload_seconds=0.1)
    frame = pd.DataFrame([ROW])
    expected = {
        number: storage.load(paths.models("tiny", "train") / name).predict(frame)[0]
        for number, name in ((1, "ridge"), (2, "decision_tree"))
    }
    answers, faults, stop = [], [], threading.Event()

    def ask(address):
        with httpx.Client(base_url=address) as client:
            while not stop.is_set():
                try:
                    answer = client.post("/predict", json=ROW).raise_for_status().json()
                    answers.append(
                        (answer["model_version"], answer["predictions"][0]["prediction"])
                    )
                except Exception as error:
                    faults.append(error)

    with running() as (address, _):
        clients = [threading.Thread(target=ask, args=[address]) for _ in range(4)]
        for client in clients:
            client.start()
        for swap in range(20):
            version = 2 - swap % 2
            roll_back(version)
            until(lambda: httpx.get(f"{address}/model-info").json()["model_version"] == version, 10)
        stop.set()
        for client in clients:
            client.join()
        reloads = httpx.get(f"{address}/metrics").text
    assert (
        faults == [] and 'serve_reloads_total{alias="champion",outcome="swapped"} 20.0' in reloads
    )
    assert {version for version, _ in answers} == {1, 2} and len(answers) > 200
    assert all(
        prediction == pytest.approx(expected[version], rel=1e-12) for version, prediction in answers
    )


def test_store_that_is_lost_and_made_again_is_followed(served_copy):
    set_serving(reload_seconds=0.1)
    with running() as (address, _):
        paths.STORE.unlink()
        fault = until(lambda: httpx.get(f"{address}/model-info").json()["faults"].get("champion"))
        assert (
            "no MLflow store" in fault
            and httpx.post(f"{address}/predict", json=ROW).json()["model_version"] == 1
        )
        program = (
            "from pipeline.project import params\nfrom pipeline.registry import decisions\nsettings = params.load()\ndecisions.bring('tiny', settings, None)\n"
            "decisions.roll_back('tiny', settings, 2, 'a test')"
        )
        subprocess.run(
            [sys.executable, "-c", program], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        until(lambda: httpx.get(f"{address}/model-info").json()["model_version"] == 2)
        assert httpx.get(f"{address}/model-info").json()["faults"] == {}


def test_clients_that_send_slowly_keep_no_other_waiting(served_copy):
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\n"
    with running() as (address, _), contextlib.ExitStack() as stack:
        for sent in [head, head + b"Content-Length: 1000\r\n\r\n{"] * 50:
            slow = stack.enter_context(
                socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])))
            )
            slow.sendall(sent)
        for _ in range(20):
            assert httpx.post(f"{address}/predict", json=ROW, timeout=2).status_code == 200
        assert 'path="/predict",status="200"} 20.0' in httpx.get(f"{address}/metrics").text


def kill_servers(rounds: int):
    """Kill the server under load at random moments; what was answered half a second before is in the log, which is whole."""
    set_serving(log_file_size=1_000_000)
    for _ in range(rounds):
        answered = []
        with running() as (address, process), httpx.Client(base_url=address) as client:
            ends = time.monotonic() + 0.8 + random.random()
            while time.monotonic() < ends:
                answer = client.post("/predict", json=[ROW] * random.randint(1, 30)).json()
                answered.append((time.monotonic(), answer["request_id"]))
            os.killpg(process.pid, signal.SIGKILL)
            killed = time.monotonic()
        latest = [
            *reversed(reader.rotated_files("tiny")[:5]),
            paths.inference_log("tiny"),
        ]  # a round fills some
        *whole, _ = b"".join(path.read_bytes() for path in latest).split(b"\n")
        logged = {json.loads(line)["request_id"] for line in whole}  # none of them is broken
        lost = [killed - moment for moment, request_id in answered if request_id not in logged]
        assert max(lost, default=0) < writer.SECONDS_BETWEEN_WRITES + BUSY
    with running() as (address, process):
        request_id = httpx.post(f"{address}/predict", json=ROW).json()["request_id"]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    served = reader.read_log("tiny")
    assert (
        served.broken == 0 and served.rows["request_id"].iloc[-1] == request_id
    )  # Ctrl-C loses nothing


def test_killed_server_loses_half_a_second_and_breaks_no_line(served_copy):
    kill_servers(1)


@pytest.mark.slow
def test_server_killed_fifty_times_loses_half_a_second_and_breaks_no_line(served_copy):
    kill_servers(50)


def test_workers_share_their_counts_and_end_together(served_copy):
    with running("--workers", "2") as (address, process):
        for _ in range(40):
            assert (
                httpx.post(f"{address}/predict", json=ROW).status_code == 200
            )  # each over a connection of its own
        metrics = httpx.get(f"{address}/metrics").text
        assert 'serve_requests_total{path="/predict",status="200"} 40.0' in metrics
        assert "\nserve_model_version 1.0\n" in metrics
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    assert len(reader.read_log("tiny").rows) == 40


def test_uvicorn_serves_the_app_of_the_dataset_in_the_environment(served_copy):
    with running(command=["-m", "uvicorn", "serve:app"], SERVE_DATASET="tiny") as (
        address,
        process,
    ):
        assert httpx.post(f"{address}/predict", json=ROW).json()["model_version"] == 1
        process.send_signal(signal.SIGINT)
        process.wait(20)
    assert len(reader.read_log("tiny").rows) == 1  # what waits is written before the end


def test_drift_is_found_in_the_log_of_a_load_sent_as_the_page_shows(served_copy):
    program = re.search(r"```python\n(.*?)```", (ROOT / "docs/serving.md").read_text(), re.S)[1]
    table = tiny_table(1000, seed=5)
    table.assign(size=table["size"] + 10, town="Cham").to_csv("shifted.csv", index=False)
    for old, new in (
        ("data/customer_churn_current.csv", "shifted.csv"),
        ("http://127.0.0.1:8000", "ADDRESS"),
    ):
        assert program.count(old) == 1
        program = program.replace(old, new)
    with running() as (address, process):
        subprocess.run([sys.executable, "-c", program.replace("ADDRESS", address)], check=True)
        process.send_signal(signal.SIGINT)
        process.wait(20)
    done = script("detect_drift", "--dataset", "tiny", "--from-log")
    assert done.returncode == 3, done.stderr
    assert "log tiny: 1,000 rows that TinyPredictor version 1 served" in done.stdout
    assert re.search("^drift tiny: drift, 2 of 3 columns drifted", done.stdout, re.M), done.stdout


# the API's document


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
    assert {"401", "413", "422"} <= set(document["paths"]["/predict"]["post"]["responses"])


def examine(address: str, examples: int, *options: str):
    """Send schemathesis's requests, good and bad ones, to a server; none may give a 5xx or break the document."""
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
