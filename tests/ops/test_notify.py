"""Alerts go to a real server on loopback: retried, limited in time, never fatal, and without
telling the address.
"""

import html
import http.server
import json
import threading
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ops import notify
from pipeline.data.typed_tables import of_frame
from pipeline.project import params
from pipeline.project.errors import UsageError
from support.drift_tables import compare
from support.processes import ROOT, free_port, script

SECRET = "T0/very-secret-token"


class Receiver(http.server.ThreadingHTTPServer):
    """A server that gives the statuses it is told, the last one for ever, and keeps what it was
    sent.
    """

    daemon_threads = True

    def __init__(self, statuses=(200,), silent=False, location=None):
        super().__init__(("127.0.0.1", 0), Answers)
        self.statuses, self.silent, self.location, self.received = (
            list(statuses),
            silent,
            location,
            [],
        )
        self.released = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/services/{SECRET}"


class Answers(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.received.append(
            json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        )
        if self.server.silent:
            self.server.released.wait(30)
            return
        self.send_response(
            self.server.statuses.pop(0)
            if len(self.server.statuses) > 1
            else self.server.statuses[0]
        )
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def receiver(monkeypatch):
    """A function that starts a Receiver; all of them are stopped at the end, and pauses between
    attempts are short.
    """
    monkeypatch.setattr(notify, "PAUSE", 0.01)
    started = []

    def start(*arguments, **options):
        started.append(Receiver(*arguments, **options))
        return started[-1]

    yield start
    for server in started:
        server.released.set()
        server.shutdown()
        server.server_close()


def test_message_arrives_as_slack_takes_it(receiver, capfd):
    server = receiver()
    assert notify.post(server.url, "drift <iris> & more", dataset="iris")
    # no name of the data becomes a mention or a link there
    assert server.received == [{"text": "drift &lt;iris&gt; &amp; more", "dataset": "iris"}]
    assert capfd.readouterr() == ("", "")


def test_failing_server_is_tried_again(receiver, capfd):
    server = receiver([500, 503, 200])
    assert notify.post(server.url, "drift") and len(server.received) == 3
    server = receiver([500])
    assert not notify.post(server.url, "drift") and len(server.received) == notify.ATTEMPTS
    assert capfd.readouterr().err == "alert not sent to 127.0.0.1: HTTP 500, 3 attempts\n"


@pytest.mark.parametrize("status", [302, 403, 404])
def test_answer_that_no_repetition_helps_is_not_repeated_nor_followed(receiver, capfd, status):
    other = receiver()
    server = receiver([status], location=other.url)
    assert not notify.post(server.url, "drift")
    assert (
        len(server.received) == 1
        and other.received == []
        and f"HTTP {status}\n" in capfd.readouterr().err
    )


def test_silent_server_costs_no_more_than_the_limit(receiver, capfd):
    server, started = receiver(silent=True), time.monotonic()
    assert not notify.post(server.url, "drift", limit=0.6)
    assert time.monotonic() - started < 2
    assert "no answer in" in capfd.readouterr().err


@pytest.mark.parametrize(
    "url, reason",
    [
        ("http://127.0.0.1:{port}/services/" + SECRET, "no connection, 3 attempts"),
        (
            "http://user:" + SECRET.replace("/", "-") + "@127.0.0.1:{port}/",
            "no connection, 3 attempts",
        ),
        ("ftp://example.org/" + SECRET, "InvalidSchema; check the address"),
        ("http://[" + SECRET, "check the address"),
    ],
)
def test_what_cannot_be_sent_is_reported_without_the_address(
    monkeypatch, capfd, caplog, url, reason
):
    monkeypatch.setattr(notify, "PAUSE", 0.01)
    assert notify.post(url.format(port=free_port()), "drift") is False
    printed = capfd.readouterr()
    assert reason in printed.err and printed.err.count("\n") == 1
    assert "secret" not in printed.err + printed.out + caplog.text


def test_environment_goes_before_params(monkeypatch, project):
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text + "alerts: {webhook: 'https://example.org/file'}\n")
    monkeypatch.delenv(notify.VARIABLE, raising=False)
    assert notify.address(params.load()) == "https://example.org/file"
    monkeypatch.setenv(notify.VARIABLE, "https://example.org/environment")
    assert notify.address(params.load()) == "https://example.org/environment"


@pytest.mark.parametrize(
    "value", ["hooks.example.org/secret", "['https://example.org/secret']", "7"]
)
def test_wrong_address_in_params_is_refused_and_not_shown(project, value):
    (project / "params.yaml").write_text(
        (project / "params.yaml").read_text() + f"alerts: {{webhook: {value}}}\n"
    )
    with pytest.raises(
        UsageError, match="alerts.webhook: is not an address that begins with https://"
    ) as refused:
        params.load()
    assert "secret" not in str(refused.value)


def test_command_sends_and_fails_in_one_line(receiver, monkeypatch, project):
    server = receiver()
    monkeypatch.setenv(notify.VARIABLE, server.url)
    assert script("ops.notify", "hello", cwd=ROOT).stdout == "notify: sent to 127.0.0.1\n"
    assert server.received == [{"text": "hello"}]
    monkeypatch.setenv(notify.VARIABLE, f"http://127.0.0.1:{free_port()}/{SECRET}")
    done = script("ops.notify", "hello", cwd=ROOT)
    assert done.returncode == 1 and "secret" not in done.stdout + done.stderr
    monkeypatch.delenv(notify.VARIABLE)
    assert script("ops.notify", "hello", cwd=project).returncode == 2


def test_run_is_told_with_its_best_models_and_how_much_better_they_are(
    receiver, monkeypatch, finished
):
    server = receiver()
    monkeypatch.setenv(notify.VARIABLE, server.url)
    done = script(
        "ops.notify", "--status", "success", "--link", "https://ci.example.org/1", cwd=finished
    )
    assert done.returncode == 0, done.stderr
    (message,) = server.received
    first, iris, tiny, last = message["text"].splitlines()
    results = json.loads((finished / "metrics/comparison_results.json").read_text())["datasets"]
    models = sum(len(result["candidates"]) for result in results.values())
    assert (first, last) == (
        f"pipeline: success; {models} models, 2 of 2 gates pass",
        "https://ci.example.org/1",
    )
    best = results["iris"]["best"]
    assert (
        iris.startswith(f"iris: {best['name']}, cv log_loss ")
        and f" % better than {best['improvement']['over']}" in iris
    )
    assert (
        message["status"] == "success"
        and message["best"]["tiny"]["model"] == results["tiny"]["best"]["name"]
    )


def test_run_that_failed_before_there_were_results_is_told_all_the_same(
    receiver, monkeypatch, project
):
    server = receiver()
    monkeypatch.setenv(notify.VARIABLE, server.url)
    assert script("ops.notify", "--status", "failure", cwd=project).returncode == 0
    assert server.received == [{"text": "pipeline: failure", "status": "failure", "link": None}]
    assert script("ops.notify", cwd=project).returncode == 2


# drift


def drifted():
    """Return the comparison of two synthetic tables of which one column drifted."""
    one, other = (of_frame(pd.DataFrame({"size": np.arange(100.0) + start})) for start in (0, 500))
    return compare(one, other)


def test_drift_found_by_hand_is_sent(receiver, monkeypatch, tmp_path):
    server = receiver()
    monkeypatch.setenv(notify.VARIABLE, server.url)
    for name, start in (("a", 0), ("b", 500)):
        (tmp_path / f"{name}.csv").write_text(
            "size\n" + "\n".join(str(start + number) for number in range(100))
        )
    done = script(
        "detect_drift", "--reference-data", "a.csv", "--current-data", "b.csv", cwd=tmp_path
    )
    assert done.returncode == 3 and SECRET not in done.stdout + done.stderr
    assert [message["drifted"] for message in server.received] == [["size"]]
    assert html.unescape(server.received[0]["text"]) in done.stdout
    assert (
        server.received[0]["verdict"] == "drift"
        and "look at 'size'" in server.received[0]["recommendation"]
    )


@pytest.mark.parametrize(
    "verdict, in_stage, stages, sent",
    [
        ("drift", False, False, 1),
        ("no drift", False, False, 0),
        ("not enough data", False, False, 0),
        ("drift", True, False, 0),
        ("drift", True, True, 1),
    ],
)
def test_stage_sends_only_where_it_is_told_to(
    receiver, monkeypatch, project, capfd, verdict, in_stage, stages, sent
):
    server = receiver()
    monkeypatch.delenv(notify.VARIABLE, raising=False)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    (project / "params.yaml").write_text(
        f"{(project / 'params.yaml').read_text()}\n"
        f"alerts: {{webhook: '{server.url}', stages: {str(stages).lower()}}}\n"
    )
    if in_stage:
        monkeypatch.setenv("DVC_STAGE", "drift@tiny")
    found = replace(drifted(), verdict=verdict)
    notify.announce_drift("tiny", "text", found, "tiny", params.load())
    assert len(server.received) == sent and capfd.readouterr() == ("", "")


def test_names_of_files_and_columns_call_nobody_and_give_no_command(receiver, monkeypatch, capfd):
    server = receiver()
    monkeypatch.setenv(notify.VARIABLE, server.url)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    advice = "look at <!channel> & 5 %\n::add-mask::x"
    found = replace(drifted(), recommendation=advice)
    notify.announce_drift("a:b\n::stop-commands::c", advice, found, None, None)
    (line,) = capfd.readouterr().out.splitlines()
    assert line == (
        "::warning title=drift a%3Ab%0A%3A%3Astop-commands%3A%3Ac"
        "::look at <!channel> & 5 %25%0A::add-mask::x"
    )
    assert server.received[0]["text"] == "look at &lt;!channel&gt; &amp; 5 %\n::add-mask::x"


def test_alert_that_cannot_be_sent_changes_no_result(receiver, monkeypatch, capfd):
    monkeypatch.setenv(notify.VARIABLE, receiver([500]).url)
    assert notify.announce_drift("tiny", "text", drifted(), "tiny", None) is None
    assert capfd.readouterr().err == "alert not sent to 127.0.0.1: HTTP 500, 3 attempts\n"
