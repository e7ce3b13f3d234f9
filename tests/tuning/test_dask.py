"""A Dask cluster as a user starts it: the same results as on one machine, and a worker that is lost
costs nothing.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest

from support.processes import ROOT, script, until

DASK = str(Path(sys.executable).with_name("dask"))


def start(folder, *arguments):
    return subprocess.Popen(
        [DASK, *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )


def end(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def cluster(tmp_path):
    """The address of a scheduler, and its two workers' processes."""
    known = tmp_path / "scheduler.json"
    processes = [
        start(
            tmp_path,
            "scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--scheduler-file",
            str(known),
        )
    ]
    try:
        until(known.is_file, 60)
        address = json.loads(known.read_text())["address"]
        processes += [
            start(
                tmp_path,
                "worker",
                address,
                "--nthreads",
                "1",
                "--no-dashboard",
                "--name",
                f"worker{number}",
                "--local-directory",
                str(tmp_path / f"worker{number}"),
            )
            for number in (1, 2)
        ]
        from distributed import Client

        with Client(address) as client:
            client.wait_for_workers(2, timeout=60)
        yield address, processes[1:]
    finally:
        for process in processes:
            end(process)


def fits_on(address):
    """Return how often the cluster has come to the end of each function."""
    from distributed import Client

    with Client(address) as client:
        return client.run_on_scheduler(
            lambda dask_scheduler: {
                name: prefix.state_counts["memory"]
                for name, prefix in dask_scheduler.task_prefixes.items()
            }
        )


@pytest.mark.slow
def test_search_on_a_cluster_that_loses_a_worker_ends_as_on_one_machine(trained, cluster):
    address, cluster_workers = cluster
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("trials: 6, batch: 3", "trials: 30, batch: 5"))
    assert script("tune_hyperparameters", "--dataset", "tiny").returncode == 0
    places = [
        Path("models/tiny/tune"),
        Path("data/predictions/tiny/tune"),
        Path("metrics/datasets/tiny/tune.json"),
    ]

    def outputs():
        found = [
            path
            for place in places
            for path in ([place] if place.is_file() else place.rglob("*"))
            if path.is_file()
        ]
        return {path: path.read_bytes() for path in found}

    here = outputs()
    shutil.rmtree("studies")

    def lose_one():  # in the middle of the search
        until(lambda: len(list(Path("studies").glob("tiny/*/fits/*.npz"))) >= 20, 300, pause=0.01)
        lost.append(len(list(Path("studies").glob("tiny/*/fits/*.npz"))))
        end(cluster_workers[0])

    lost, killer = [], threading.Thread(target=lose_one, daemon=True)
    killer.start()
    done = script("tune_hyperparameters", "--dataset", "tiny", "--dask", address)
    assert done.returncode == 0, done.stderr
    killer.join(timeout=10)
    assert lost and lost[0] < 80 and cluster_workers[0].poll() is not None
    assert (
        fits_on(address)["fit_fold"]
        >= len(list(Path("studies").glob("tiny/*/fits/*.npz")))
        > lost[0]
    )
    assert outputs() == here
    assert len(pd.read_csv("models/tiny/tune/trials.csv")) == 30


def test_training_on_a_cluster_gives_the_same_models(trained, cluster):
    before = {
        path: path.read_bytes() for path in Path("models/tiny/train").rglob("*") if path.is_file()
    }
    Path("params.yaml").write_text(
        re.sub(
            "(?m)^workers: 2", f"workers: 2\ndask: {cluster[0]}", Path("params.yaml").read_text()
        )
    )
    shutil.rmtree("models/tiny/train")
    done = script("train", "--dataset", "tiny")
    assert done.returncode == 0, done.stderr
    assert fits_on(cluster[0])["fit"] == 12  # three models, on three folds and on all rows
    assert {
        path: path.read_bytes() for path in Path("models/tiny/train").rglob("*") if path.is_file()
    } == before


def test_scheduler_that_does_not_answer_is_named(trained, monkeypatch):
    done = script("train", "--dataset", "tiny", "--dask", "tcp://127.0.0.1:1")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert (
        "dask tcp://127.0.0.1:1: no scheduler answers there" in done.stderr
        and "dask scheduler" in done.stderr
    )
