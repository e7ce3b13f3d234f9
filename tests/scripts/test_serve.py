"""serve.py as a process: usage, swaps under load, slow clients, workers, and when it is killed."""

import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass

import httpx
import pandas as pd
import pytest

import serve
from pipeline.models import storage
from pipeline.project import paths
from pipeline.project.errors import DataError
from pipeline.serving.inference_log import reader, writer
from support.load import Load
from support.processes import ROOT, free_port, script, until
from support.projects import tiny_table
from support.served import ROW, roll_back, running, set_serving


@pytest.mark.parametrize(
    "arguments, status, message",
    [
        (["--dataset", "nope"], 2, "unknown dataset 'nope'"),
        (["--dataset", "tiny", "--host", "0.0.0.0"], 2, "set SERVE_TOKEN to a secret"),
        (["--dataset", "tiny", "--host", "name.example"], 2, "set SERVE_TOKEN to a secret"),
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
        and "Address already in use; choose another --port" in done.stderr
        and len(done.stderr.splitlines()) == 1
    )
    assert done.stdout == "", "the address is printed where it cannot be had"


def test_address_is_held_while_the_model_is_loaded():
    """Of two servers that start at once, one says at once that it cannot have the port."""
    port = free_port()
    with contextlib.ExitStack() as opened:
        for listening in serve.listen("localhost", port):
            opened.enter_context(listening)
        socket.create_connection(("127.0.0.1", port)).close()
        for host in ("localhost", "127.0.0.1"):
            with pytest.raises(DataError, match="Address already in use; choose another --port"):
                serve.listen(host, port)


def swap_under_load(swaps: int, requests: int) -> None:
    """Roll back and forth while requests come; none fails, and each is answered by one version."""
    set_serving(reload_seconds=0.1)
    frame = pd.DataFrame([ROW])
    expected = {
        number: storage.load(paths.models("tiny", "train") / name).predict(frame)[0]
        for number, name in ((1, "ridge"), (2, "decision_tree"))
    }
    with running() as (address, _):
        load = Load(address)
        load.start(ROW, 8, "row")
        for swap in range(swaps):
            version = 2 - swap % 2
            roll_back(version)
            until(lambda: httpx.get(f"{address}/model-info").json()["model_version"] == version, 60)
            # each version answers its share of the requests
            until(lambda: len(load.answered) >= (swap + 1) * requests / swaps, 120)
        load.stop()
        reloads = httpx.get(f"{address}/metrics").text
    print(f"{len(load.answered)} answered, {len(load.refused)} refused, {len(load.cut)} cut")
    assert (load.refused, load.cut) == ([], [])
    assert f'serve_reloads_total{{alias="champion",outcome="swapped"}} {swaps}.0' in reloads
    answers = [json.loads(answer.content) for answer in load.answered.values()]
    assert {answer["model_version"] for answer in answers} == {1, 2}
    for answer in answers:
        (row,) = answer["predictions"]
        assert row["prediction"] == pytest.approx(expected[answer["model_version"]], rel=1e-12)


@pytest.mark.slow
def test_no_request_fails_in_twenty_swaps_and_every_answer_names_its_version(served_copy):
    swap_under_load(20, 200)


@pytest.mark.slow
def test_no_request_of_many_fails_in_sixty_swaps(served_copy):
    swap_under_load(60, 55_000)


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
            "from pipeline.project import params\nfrom pipeline.registry import decisions\n"
            "settings = params.load()\ndecisions.bring('tiny', settings, None)\n"
            "decisions.roll_back('tiny', settings, 2, 'a test')"
        )
        subprocess.run(
            [sys.executable, "-c", program], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        until(lambda: httpx.get(f"{address}/model-info").json()["model_version"] == 2)
        assert httpx.get(f"{address}/model-info").json()["faults"] == {}


def test_clients_that_send_slowly_keep_no_other_waiting(served_copy):
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\n"
    with running() as (address, _), contextlib.ExitStack() as stack:
        for sent in [head, head + b"Content-Length: 1000\r\n\r\n{"] * 50:
            slow = stack.enter_context(
                socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])))
            )
            slow.sendall(sent)
        for _ in range(20):
            assert httpx.post(f"{address}/predict", json=ROW, timeout=2).status_code == 200
        assert 'path="/predict",status="200"} 20.0' in httpx.get(f"{address}/metrics").text


@dataclass(frozen=True)
class Killed:
    """What was lost of a server that was killed under load; seconds between answer and kill."""

    answered: int
    rows: int
    lost: int
    oldest: float


def kill_server_at_full_load(workers: int = 1) -> Killed:
    """Kill a server that many short and long requests keep busy; look for each in its log."""
    with running("--workers", str(workers)) as (address, process):
        load = Load(address)
        name = f"{process.pid}-"
        load.start(ROW, 8, f"{name}short")
        load.start([ROW] * 50, 8, f"{name}medium")
        load.start([ROW] * 500, 8, f"{name}long")
        time.sleep(1 + 2 * random.random())
        os.killpg(process.pid, signal.SIGKILL)
        killed = time.monotonic()
        load.stop()
    assert load.refused == []
    latest = [*reversed(reader.rotated_files("tiny")), paths.inference_log("tiny")]
    *whole, _ = b"".join(path.read_bytes() for path in latest).split(b"\n")
    logged = Counter(json.loads(line)["request_id"] for line in whole)  # none of them is broken
    sizes = {"short": 1, "medium": 50, "long": 500}
    ages, rows = [0.0], 0
    for request_id, answer in load.answered.items():
        size = sizes[re.search("short|medium|long", request_id)[0]]
        rows += size
        if logged[request_id] != size:
            ages.append(killed - answer.moment)
    return Killed(len(load.answered), rows, len(ages) - 1, max(ages))


def kill_servers(rounds: int, workers: int = 1) -> None:
    """Kill a server again and again; each time all that was answered half a second ago is there."""
    set_serving(log_file_size=5_000_000)
    for _ in range(rounds):
        for path in (*reader.rotated_files("tiny"), paths.inference_log("tiny")):
            path.unlink(missing_ok=True)
        killed = kill_server_at_full_load(workers)
        print(killed)
        assert killed.answered > 100
        assert killed.oldest <= writer.SECONDS_TO_FILE


def test_server_killed_at_full_load_has_logged_what_it_answered_half_a_second_ago(served_copy):
    kill_servers(1)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_servers_killed_at_full_load_have_logged_what_they_answered(served_copy, workers):
    kill_servers(20, workers)


def test_log_is_whole_after_a_kill_and_ctrl_c_loses_nothing(served_copy):
    kill_server_at_full_load()
    with running() as (address, process):
        request_id = httpx.post(f"{address}/predict", json=ROW).json()["request_id"]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    served = reader.read_log("tiny")
    assert (served.broken, served.rows["request_id"].iloc[-1]) == (0, request_id)


@pytest.mark.slow
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
    with running(command=["-m", "uvicorn", "--factory", "serve:app"], SERVE_DATASET="tiny") as (
        address,
        process,
    ):
        assert httpx.post(f"{address}/predict", json=ROW).json()["model_version"] == 1
        process.send_signal(signal.SIGINT)
        process.wait(20)
    assert len(reader.read_log("tiny").rows) == 1  # what waits is written before the end


@pytest.mark.slow
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
