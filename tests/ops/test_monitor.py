"""The loop: what is served is compared, drift opens one issue and starts the training, or trains
here and registers.
"""

import json
import re

import pytest
from ruamel.yaml import YAML

from ops.monitor import WORKFLOW, open_issues
from support.processes import ROOT, script, shell
from support.projects import tiny_table


@pytest.fixture
def batches(pipeline_run):
    """A finished project with a batch of rows as they were, and one that drifted."""
    for name, drift in (("same", "0"), ("other", "1.5")):
        done = shell(
            f"python generate_data.py --dataset tiny --current-batch --drift {drift} && "
            f"mv data/tiny_current.csv {name}.csv",
            pipeline_run,
        )
        assert done.returncode == 0, done.stderr
    return pipeline_run


def monitor(folder, *arguments):
    return script("ops.monitor", *arguments, cwd=folder)


@pytest.mark.slow
def test_drift_is_told_by_status_3_and_its_absence_by_0(batches):
    done = monitor(batches, "--dataset", "tiny", "--batch", "other.csv")
    assert done.returncode == 3 and done.stdout.endswith("monitor: drift in tiny of tiny\n"), (
        done.stderr
    )
    assert (batches / "reports/tiny/served/drift.json").is_file()
    done = monitor(batches, "--dataset", "tiny", "--batch", "same.csv")
    assert done.returncode == 0 and done.stdout.endswith("monitor: drift in none of tiny\n")


def test_drift_has_one_issue_and_starts_the_training(batches, github_server, monkeypatch):
    for name, value in (
        ("REF_NAME", "main"),
        ("RUN_ID", "5"),
        ("SERVER_URL", "https://github.example.org"),
    ):
        monkeypatch.setenv(f"GITHUB_{name}", value)
    for _ in range(2):
        done = monitor(batches, "--dataset", "tiny", "--batch", "other.csv", "--act", "github")
        assert done.returncode == 0, done.stderr
    (issue,) = github_server.issues.values()
    assert (
        issue["title"] == "Drift in tiny"
        and "https://github.example.org/o/r/actions/runs/5" in issue["body"]
    )
    assert "drift" in issue["labels"] and "columns drifted" in issue["body"]
    assert github_server.dispatched == [{"ref": "main", "inputs": {"dataset": "tiny"}}] * 2


def test_drift_of_several_datasets_has_an_issue_each_and_starts_one_run(github_server):
    open_issues({"iris": "1 of 4 columns drifted", "tiny": "2 of 3 columns drifted"})
    assert [issue["title"] for issue in github_server.issues.values()] == [
        "Drift in iris",
        "Drift in tiny",
    ]
    assert "2 of 3 columns drifted" in github_server.issues[2]["body"]
    assert github_server.dispatched == [{"ref": "main", "inputs": {"dataset": "all"}}]


def test_started_workflow_takes_that_input():
    workflow = YAML(typ="safe", pure=True).load((ROOT / ".github/workflows" / WORKFLOW).read_text())
    assert "dataset" in workflow["on"]["workflow_dispatch"]["inputs"]


@pytest.mark.slow
def test_drift_trains_on_the_new_source_and_registers_what_came_of_it(batches):
    tiny_table(rows=260, seed=3).to_csv(batches / "tiny.csv", index=False)
    done = monitor(batches, "--dataset", "tiny", "--batch", "other.csv", "--act", "retrain")
    assert done.returncode == 0, done.stdout + done.stderr
    decisions = [
        json.loads(line)
        for line in (batches / "logs/promotions/tiny.jsonl").read_text().splitlines()
    ]
    assert [decision["version"] for decision in decisions] == [1, 2]
    assert json.loads((batches / "metrics/datasets/tiny/generate.json").read_text())["rows"] == 260


def test_logs_are_fetched_once_and_never_over_others(pipeline_run, tmp_path_factory):
    logs = tmp_path_factory.mktemp("logs")
    assert "no inference log" in monitor(pipeline_run).stdout
    done = monitor(pipeline_run, "--logs", str(logs / "nothing"))
    assert done.returncode == 1 and "--logs" in done.stderr
    for name in ("tiny", "iris"):
        (logs / f"{name}.jsonl").write_text("no line of a log\n")
    done = monitor(pipeline_run, "--logs", str(logs))
    (told,) = done.stderr.splitlines()  # one that fails does not keep the others from a look
    assert done.returncode == 1 and re.match(
        "monitor.py: error: iris: detect_drift.py: error: .*; tiny: detect_drift", told
    )
    assert (pipeline_run / "logs/inference/tiny.jsonl").is_file()
    done = monitor(pipeline_run, "--logs", str(logs))
    assert done.returncode == 2 and "holds logs already" in done.stderr


def test_batch_needs_its_dataset(project):
    assert monitor(project, "--batch", "x.csv").returncode == 2
