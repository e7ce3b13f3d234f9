"""The app: what it answers, what it refuses, and what is said of a fault."""

import asyncio
import json
import re

import pandas as pd
import pytest

from pipeline.models import storage
from pipeline.project import paths
from pipeline.serving import compiled
from pipeline.serving.compiled import NotCompiled
from pipeline.serving.inference_log import reader
from pipeline.serving.loaded import ServedModel
from support.processes import until
from support.served import ROW, app_of, as_json, asking, set_serving, split_rows

AS_JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("form", ["compiled", "the model's own"])
def test_answers_are_the_pipelines_own(served_copy, monkeypatch, form):
    def not_compiled(model, X, expected):
        raise NotCompiled("there is a part that is not known")

    if form != "compiled":
        monkeypatch.setattr(compiled, "compile_model", not_compiled)
    model, frame = storage.load(paths.models("tiny", "train") / "ridge"), split_rows()
    rows = as_json(frame[list(model.spec.inputs)])
    with asking(app_of("tiny")) as client:
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
    with asking(app_of("iris")) as client:
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
    with asking(app_of("tiny")) as strict:
        assert (
            strict.post("/predict", json=strange).json()["detail"][0]["type"] == "category_unseen"
        )
        assert strict.post("/predict", json=ROW).status_code == 200


def test_too_large_a_body_is_refused_whether_or_not_it_says_its_length(served_copy):
    set_serving(max_body=1000)

    def parts():
        for _ in range(100):
            yield json.dumps(ROW).encode()

    with asking(app_of("tiny")) as client:
        for content in (b" " * 1001, parts()):
            answer = client.post("/predict", content=content, headers=AS_JSON)
            assert (answer.status_code, answer.json()["detail"][:36]) == (
                413,
                "the body is larger than 1,000 bytes;",
            )
        body = json.dumps(ROW).ljust(1000)
        assert client.post("/predict", content=body, headers=AS_JSON).status_code == 200


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_rows_that_are_not_said_to_be_json_are_refused_and_not_logged(client, kind):
    headers = {} if kind is None else {"Content-Type": kind}
    answer = client.post("/predict", content=json.dumps(ROW), headers=headers)
    assert answer.status_code == 415
    assert "send the header `Content-Type: application/json`" in answer.json()["detail"]
    for kind in ("application/json; charset=utf-8", "Application/JSON"):
        accepted = client.post("/predict", content=json.dumps(ROW), headers={"Content-Type": kind})
        assert accepted.status_code == 200


def test_prediction_that_is_no_number_is_refused(client, monkeypatch):
    output = ServedModel.output
    monkeypatch.setattr(ServedModel, "output", lambda self, rows: output(self, rows) * float("inf"))
    answer = client.post("/predict", json=[ROW])
    assert (answer.status_code, answer.json()["detail"][0]["type"]) == (
        422,
        "prediction_not_finite",
    )


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_refused_and_not_logged(client, method):
    answer = client.request(method, "/predict", json=ROW)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert not paths.inference_log("tiny").exists()


def test_client_that_leaves_in_the_middle_of_its_request_is_no_fault_of_the_server(served_copy):
    app, told = app_of("tiny"), []

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
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
    }
    asyncio.run(app(scope, receive, send))
    assert told[0]["status"] == 499
    with asking(app) as client:
        assert (
            'serve_requests_total{path="/predict",status="499"} 1.0' in client.get("/metrics").text
        )


def test_those_who_watch_may_ask_for_the_head_alone(client):
    for path in ("/health", "/ready"):
        answer = client.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


def test_fault_of_the_server_is_told_without_a_traceback(client, monkeypatch):
    monkeypatch.setattr(ServedModel, "output", lambda self, rows: 1 / 0)
    answer = client.post("/predict", json=ROW)
    assert answer.status_code == 500 and answer.json()["detail"].startswith("a fault of the server")
    assert "ZeroDivisionError" not in answer.text
