"""ops.smoke asks a server as a client does and tells a wrong answer from a right one: serve.py
itself, and one that errs.
"""

import ast
import http.server
import json
import threading

import pandas as pd
import pytest

from pipeline.models import storage
from pipeline.project import paths
from support.github_server import JsonAnswers
from support.processes import script
from support.served import running


def test_served_model_is_asked_for_its_own_features_and_its_answers_are_told(
    served_copy, monkeypatch
):
    monkeypatch.setenv("SERVE_TOKEN", "a-secret")
    with running() as (address, _):
        done = script("ops.smoke", "--dataset", "tiny", "--url", address)
        assert done.returncode == 0, done.stderr
        told, _, predicted = done.stdout.partition(" predicts ")
        rows = pd.read_parquet(paths.processed("tiny") / "test.parquet").head(5)
        expected = storage.load(paths.models("tiny", "train") / "ridge").predict(rows)
        assert told == "smoke tiny: TinyPredictor version 1" and ast.literal_eval(
            predicted
        ) == pytest.approx(list(expected))
        other = script("ops.smoke", "--dataset", "iris", "--url", address)
        assert (
            other.returncode == 1
            and "the server asks for 'size', which iris does not have" in other.stderr
        )
        monkeypatch.delenv("SERVE_TOKEN")
        stranger = script("ops.smoke", "--dataset", "tiny", "--url", address)
        assert stranger.returncode == 1 and f"{address}/model-info answers 401: " in stranger.stderr
        assert len(stranger.stderr.splitlines()) == 1


class Answers(JsonAnswers):
    def do_GET(self):
        self.server.asked += 1
        self.answer(
            200 if self.server.asked > 2 else 503, {"features": {"size": {}, "age": {}}}
        )  # ready at the third look

    def do_POST(self):
        rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.rows, self.server.token = rows, self.headers["Authorization"]
        self.answer(
            self.server.status,
            {
                "model": "Tiny",
                "model_version": 3,
                "predictions": [{"prediction": 1.5}] * (len(rows) - self.server.missing),
            },
        )


@pytest.fixture
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.asked, server.status, server.missing = 0, 200, 0
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    server.options = "--dataset", "tiny", "--url", f"http://127.0.0.1:{server.server_address[1]}"
    yield server
    server.shutdown()
    server.server_close()


def test_rows_are_sent_with_the_token_once_the_server_is_ready(server, served, monkeypatch):
    monkeypatch.setenv("SERVE_TOKEN", "a-secret")
    done = script("ops.smoke", *server.options, cwd=served)
    assert (
        done.returncode == 0 and "Tiny version 3 predicts [1.5, 1.5, 1.5, 1.5, 1.5]" in done.stdout
    ), done.stderr
    assert (
        server.token == "Bearer a-secret"
        and set(server.rows[0]) == {"size", "age"}
        and server.asked == 4
    )


def test_refusal_a_missing_prediction_and_silence_are_told(server, served):
    server.missing = 1
    done = script("ops.smoke", *server.options, cwd=served)
    assert done.returncode == 1 and "4 predictions for 5 rows" in done.stderr
    server.status = 422
    done = script("ops.smoke", *server.options, cwd=served)
    assert done.returncode == 1 and "/predict answers 422" in done.stderr
    done = script(
        "ops.smoke", "--dataset", "tiny", "--url", "http://127.0.0.1:1", "--wait", "1", cwd=served
    )
    assert done.returncode == 1 and "not ready after 1 seconds" in done.stderr
