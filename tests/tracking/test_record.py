"""The record: each stage of each dataset has its runs, once, and again after the store was lost."""

import json
import subprocess
import sys

import pytest

from pipeline.project import paths
from pipeline.tracking import record
from support.processes import script, shell
from support.recorded import recorded

STAGES = [
    "compare",
    "drift",
    "generate",
    "prepare",
    "register",
    "train",
    "train",
    "train",
    "validate",
]

TUNED = {
    "Iris-Classification": ["tune"] * 3,
    "Tiny-Regression": ["tune"] * 4,
}  # the search, and a run per tuned model


def test_every_stage_of_every_dataset_is_recorded_once(finished):
    found = recorded(finished)
    assert sorted(found) == ["Iris-Classification", "Tiny-Regression"]
    for name, runs in found.items():
        assert sorted(run.data.tags["stage"] for run in runs.values()) == sorted(
            STAGES + TUNED[name]
        )


def test_lost_store_is_rebuilt_with_the_same_runs_and_sync_is_idempotent(pipeline_run):
    before = {name: set(runs) for name, runs in recorded(pipeline_run).items()}
    shell("rm -rf mlflow.db mlruns", pipeline_run)
    assert "23 runs written" in shell("python -m ops.sync", pipeline_run).stdout
    assert {name: set(runs) for name, runs in recorded(pipeline_run).items()} == before
    assert "holds every run already" in shell("python -m ops.sync", pipeline_run).stdout
    again = shell("python -X importtime -m ops.sync", pipeline_run)
    assert "holds every run already" in again.stdout
    assert "pipeline.tracking.synced" in again.stderr and "mlflow" not in again.stderr
    assert {name: len(runs) for name, runs in recorded(pipeline_run).items()} == {
        name: 9 + len(TUNED[name]) for name in before
    }


@pytest.mark.slow
def test_stages_restored_from_the_cache_without_running_are_recorded_by_sync(pipeline_run):
    before = set(recorded(pipeline_run)["Tiny-Regression"])
    shell("git add -A && git commit -qm first && git tag first", pipeline_run)
    params = (pipeline_run / "params.yaml").read_text()
    (pipeline_run / "params.yaml").write_text(
        params.replace("ridge: {alpha: 1.0}", "ridge: {alpha: 30.0}")
    )
    assert shell("dvc repro train@tiny && git commit -qam second", pipeline_run).returncode == 0
    added = set(recorded(pipeline_run)["Tiny-Regression"]) - before
    assert len(added) == 1
    shell("rm -rf mlflow.db mlruns && git checkout -q first && dvc checkout", pipeline_run)
    assert shell("python -m ops.sync", pipeline_run).returncode == 0
    assert set(recorded(pipeline_run)["Tiny-Regression"]) == before


@pytest.mark.slow
def test_stage_whose_pages_are_not_there_is_recorded_once_they_are(pipeline_run):
    shell("rm -rf mlflow.db mlruns reports/tiny/drift && python -m ops.sync", pipeline_run)
    assert "drift" not in {
        run.data.tags["stage"] for run in recorded(pipeline_run)["Tiny-Regression"].values()
    }
    shell("dvc checkout", pipeline_run)
    assert "1 drift run written" in shell("python -m ops.sync", pipeline_run).stdout


@pytest.mark.slow
def test_four_processes_that_meet_no_store_write_every_run_once(pipeline_run):
    shell("rm -rf mlflow.db mlruns", pipeline_run)
    command = [sys.executable, "-m", "ops.sync"]
    processes = [
        subprocess.Popen(command, cwd=pipeline_run, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    assert [process.wait() for process in processes] == [0, 0, 0, 0]
    for name, runs in recorded(pipeline_run).items():
        assert sorted(run.data.tags["stage"] for run in runs.values()) == sorted(
            STAGES + TUNED[name]
        )


def test_store_that_cannot_be_written_is_reported_and_costs_no_result(project):
    (project / "mlflow.db").write_text("no database")
    done = script("generate_data", "--dataset", "tiny", cwd=project)
    assert done.returncode == 0 and (project / "data/tiny_data.csv").is_file()
    reported = done.stderr.splitlines()
    assert reported[-1].startswith("generate tiny: not recorded in sqlite:///") and reported[
        -1
    ].endswith("run `make sync`")
    failed = script("ops.sync", cwd=project)
    assert failed.returncode == 1 and "Traceback" not in failed.stderr
    (project / "mlflow.db").unlink()
    assert "1 generate run written" in script("ops.sync", cwd=project).stdout


def test_recording_works_outside_a_git_repository(project):
    done = script("generate_data", "--dataset", "tiny", cwd=project)
    assert done.returncode == 0, done.stderr
    assert (project / "mlflow.db").is_file()


@pytest.mark.parametrize(
    "uri, base",
    [
        ("sqlite:///store.db", "http://127.0.0.1:5000"),
        ("https://ann:secret@example.org:8080/mlflow/", "https://example.org:8080/mlflow"),
    ],
)
def test_addresses_of_runs_are_noted_without_a_password(project, monkeypatch, uri, base):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    record.note_addresses("tiny", "3", {"train/ridge": "abc"})
    record.note_addresses("tiny", "3", {"compare/compare": "def"})
    assert json.loads(paths.mlflow_runs("tiny").read_text()) == {
        "compare/compare": f"{base}/#/experiments/3/runs/def",
        "train/ridge": f"{base}/#/experiments/3/runs/abc",
    }
