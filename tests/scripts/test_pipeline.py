"""The whole pipeline under DVC: what runs again and what does not, what is the same twice, what a
failure leaves.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from support.processes import ROOT, shell
from support.projects import copy_project, edit, tiny_table

SUMMARIES = ("drift", "prepare", "train", "tune")


def ran(output: str) -> list[str]:
    """Return the stages that `dvc repro` ran, in order."""
    return re.findall(r"Running stage '(.+?)'", output)


def read(folder, name: str) -> dict:
    return json.loads((folder / name).read_text())


def test_second_repro_does_nothing(pipeline_run):
    done = shell("dvc repro", pipeline_run)
    assert done.returncode == 0 and ran(done.stdout) == []
    assert "up to date" in shell("dvc status", pipeline_run).stdout


def test_git_sees_metrics_and_lock_and_no_other_output(finished):
    new = shell("git status --porcelain", finished).stdout.split()
    assert sorted(new[1::2]) == ["dvc.lock", "metrics/"]


def test_metrics_plots_and_dag_answer(pipeline_run):
    metrics = shell("dvc metrics show --json", pipeline_run)
    shown = json.loads(metrics.stdout)[""]["data"]
    assert sorted(shown) == [
        "metrics/best/iris.json",
        "metrics/best/tiny.json",
        *(
            f"metrics/datasets/{name}/summary/{stage}.json"
            for name in ("iris", "tiny")
            for stage in SUMMARIES
        ),
    ]
    best = read(pipeline_run, "metrics/best/tiny.json")
    of_stage = shown[f"metrics/datasets/tiny/summary/{best['stage']}.json"]["data"]
    for figure in ("candidate", "cv", "cv_std", "test"):
        assert of_stage[figure] == best[figure]
    drift = read(pipeline_run, "metrics/datasets/tiny/drift.json")
    of_stage = shown["metrics/datasets/tiny/summary/drift.json"]["data"]
    assert (of_stage["verdict"], of_stage["drift_share"]) == (
        drift["verdict"],
        drift["drift_share"],
    )
    assert shell("dvc dag", pipeline_run).stdout.count("train@") == 2
    shell("rm -rf reports/tiny models/tiny", pipeline_run)  # as where one dataset alone has run
    shown = shell("dvc plots show", pipeline_run)
    assert "failed to load" not in shown.stdout + shown.stderr
    page = open(shown.stdout.strip().removeprefix("file://")).read()
    assert "reports/plots/scores" in page


def test_no_output_holds_a_path_a_host_or_a_time(finished):
    import socket

    outputs = [
        path
        for folder in ("data", "models", "metrics", "reports")
        for path in (finished / folder).rglob("*")
        if path.is_file()
    ]
    assert len(outputs) > 20
    for path in outputs:
        content = path.read_bytes()
        for trace in (
            str(finished).encode(),
            socket.gethostname().encode() + b"\n",
            time.strftime("%Y-%m-%d").encode(),
        ):
            assert trace not in content, (path, trace)


@pytest.mark.slow
def test_model_setting_reruns_its_dataset_from_train_on_and_a_gate_what_looks_at_it(pipeline_run):
    edit(
        pipeline_run,
        "models: [dummy, ridge, decision_tree]",
        "models: {dummy: {}, ridge: {alpha: 50.0}}",
    )
    assert ran(shell("dvc repro", pipeline_run).stdout) == [
        "train@tiny",
        "tune@tiny",
        "drift@tiny",
        "compare",
        "validate",
        "register@tiny",
    ]
    assert sorted(path.name for path in (pipeline_run / "models/tiny/train").iterdir()) == [
        "dummy",
        "ridge",
        "train_stats.json",
    ]
    edit(pipeline_run, "r2: {min: 0.5}", "r2: {min: 0.4}")
    assert ran(shell("dvc repro", pipeline_run).stdout) == ["compare", "validate", "register@tiny"]
    edit(pipeline_run, "workers: 2", "workers: 1")
    assert ran(shell("dvc repro", pipeline_run).stdout) == []


def test_failed_gate_stops_repro_names_itself_and_keeps_everything(pipeline_run):
    edit(pipeline_run, "r2: {min: 0.5}", "r2: {min: 0.999}")
    before = (pipeline_run / "metrics/best/tiny.json").read_bytes()
    done = shell("dvc repro", pipeline_run)
    assert done.returncode != 0
    assert re.search(
        r"validate_metrics.py: error: 1 gate failed: "
        r"tiny ridge: test r2 0\.\d+ \(must be >= 0\.999\)",
        done.stderr,
    )
    log = (pipeline_run / "logs/validation.log").read_text().splitlines()
    told = [line.split()[:2] for line in log if not line.startswith("NOTE")]
    assert told == [["PASS", "iris"], ["FAIL", "tiny"]]
    assert read(pipeline_run, "metrics/validation/tiny.json")["passed"] is False
    assert (pipeline_run / "metrics/best/tiny.json").read_bytes() == before


@pytest.mark.slow
def test_changed_source_file_is_noticed(pipeline_run):
    tiny_table(rows=210).to_csv(pipeline_run / "tiny.csv", index=False)
    assert "tiny.csv" in shell("dvc status generate@tiny", pipeline_run).stdout
    assert ran(shell("dvc repro", pipeline_run).stdout) == [
        "generate@tiny",
        "prepare@tiny",
        "train@tiny",
        "tune@tiny",
        "drift@tiny",
        "compare",
        "validate",
        "register@tiny",
    ]


@pytest.mark.slow
def test_tag_brings_back_its_data_models_and_metrics(pipeline_run):
    shell("git add -A && git commit -qm first && git tag first", pipeline_run)
    model = (pipeline_run / "models/tiny/train/ridge/metadata.json").read_bytes()
    data, metrics = (
        (pipeline_run / "data/tiny_data.csv").read_bytes(),
        (pipeline_run / "metrics/best/tiny.json").read_bytes(),
    )
    tiny_table(seed=1).to_csv(pipeline_run / "tiny.csv", index=False)
    assert shell("dvc repro", pipeline_run).returncode == 0
    shell("git add -A && git commit -qm second", pipeline_run)
    assert (pipeline_run / "models/tiny/train/ridge/metadata.json").read_bytes() != model
    assert shell("git checkout -q first && dvc checkout", pipeline_run).returncode == 0
    assert (pipeline_run / "models/tiny/train/ridge/metadata.json").read_bytes() == model
    assert (pipeline_run / "data/tiny_data.csv").read_bytes() == data
    assert (pipeline_run / "metrics/best/tiny.json").read_bytes() == metrics
    assert "up to date" in shell("dvc status", pipeline_run).stdout


def test_dvc_add_takes_a_source_file_and_refuses_a_stage_output(pipeline_run):
    refused = shell("dvc add data/tiny_data.csv", pipeline_run)
    assert refused.returncode != 0 and "tiny_data.csv" in refused.stderr
    raw = pipeline_run / "data/raw"
    raw.mkdir()
    tiny_table().to_csv(raw / "mine.csv", index=False)
    assert shell("dvc add data/raw/mine.csv", pipeline_run).returncode == 0
    assert "data/raw/mine.csv.dvc" in shell("git status --porcelain -uall", pipeline_run).stdout


@pytest.mark.slow
def test_repro_killed_again_and_again_ends_with_the_lock_and_runs_of_an_unbroken_one(
    finished, tmp_path
):
    folder = copy_project(tmp_path / "killed")
    dvc = [sys.executable, "-m", "dvc", "repro"]
    for seconds in np.random.default_rng(0).uniform(
        1, 9, 10
    ):  # moments that no fact names, in whichever stage
        process = subprocess.Popen(
            dvc,
            cwd=folder,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):  # it came to the end by itself
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert shell("dvc repro", folder).returncode == 0
    assert (folder / "dvc.lock").read_text() == (finished / "dvc.lock").read_text()
    shell("python -m ops.sync", folder)
    assert "holds every run already" in shell("python -m ops.sync", folder).stdout
    assert not list(folder.rglob("*.partial"))


def test_committed_lock_belongs_to_the_committed_files():
    """The committed dvc.lock names the scripts and modules as they stand, so that a fresh clone's
    run changes nothing.
    """
    import hashlib

    from ruamel.yaml import YAML

    lock = YAML(typ="safe").load((ROOT / "dvc.lock").read_text())["stages"]
    assert {name.split("@")[0] for name in lock} == {
        "generate",
        "prepare",
        "train",
        "tune",
        "drift",
        "compare",
        "validate",
        "register",
    }
    for name, stage in lock.items():
        for dep in stage["deps"]:
            path = ROOT / dep["path"]
            if path.suffix == ".py":
                assert hashlib.md5(path.read_bytes()).hexdigest() == dep["md5"], (
                    f"{name}: {dep['path']}; run `make pipeline`"
                )
