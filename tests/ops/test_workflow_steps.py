"""The shell steps of every workflow run in a fresh clone, without GitHub."""

import json
import sqlite3
from pathlib import Path

import pytest

from support.processes import shell
from support.projects import tiny_table
from support.workflow_runner import EVENT, NOT_HERE, Runner
from support.workflows import JOBS

DRIFTED_REQUESTS = """
python generate_data.py --dataset tiny --current-batch --drift 1.5 &&
for n in 1 2 3; do
  python predict.py --dataset tiny --input data/tiny_current.csv --output out.csv --log
done
"""


@pytest.fixture
def origin(pipeline_run):
    """A repository with its results committed, as a push finds it."""
    (pipeline_run / "CHANGELOG.md").write_text("## 1.0.0\n\n- the first\n")
    assert shell("git add -A && git commit -qm second", pipeline_run).returncode == 0
    return pipeline_run


def run_pipeline(runner: Runner) -> dict[str, Path]:
    """Run the jobs of ml-pipeline that follow from the plan; return their folders."""
    folders = {"plan": runner.job("ml-pipeline", "plan")}
    planned = runner.outputs(folders["plan"])
    assert planned["train"] == "true"
    runner.values |= {f"needs.plan.outputs.{name}": value for name, value in planned.items()}
    for entry in json.loads(planned["datasets"]):
        runner.values |= {f"matrix.{key}": value for key, value in entry.items()}
        folders[f"train {entry['dataset']}"] = runner.job("ml-pipeline", "train")
    return folders | {
        job: runner.job("ml-pipeline", job) for job in ("evaluate", "register", "notify")
    }


def recorded_stages(folder: Path) -> set[str]:
    with sqlite3.connect(folder / "mlflow.db") as store:
        return {stage for (stage,) in store.execute("SELECT value FROM tags WHERE key = 'stage'")}


def registered_versions(folder: Path, dataset: str) -> list[int]:
    lines = (folder / f"logs/promotions/{dataset}.jsonl").read_text().splitlines()
    return [json.loads(line)["version"] for line in lines]


@pytest.mark.slow
def test_steps_of_every_job_run_in_a_fresh_clone_and_drift_leads_to_a_new_model(
    origin, tmp_path, github_server, monkeypatch
):
    runner = Runner(origin, tmp_path, dict(EVENT))
    runner.job("ml-pipeline", "lint")
    runner.values["matrix.python"] = "3.12"
    runner.job("ml-pipeline", "test")
    folders = run_pipeline(runner)
    assert "2 datasets: 2 new" in (folders["evaluate"] / "summary.md").read_text()
    assert recorded_stages(folders["register"]) == {
        "generate",
        "prepare",
        "train",
        "tune",
        "drift",
        "compare",
        "validate",
        "register",
    }
    assert not shell("git status --porcelain --untracked-files=no", folders["register"]).stdout
    assert set(runner.ran) == {
        step["name"]
        for name, job in JOBS
        if name == "ml-pipeline"
        for step in JOBS[name, job]["steps"]
        if "run" in step
    } - NOT_HERE | {"Set up"}

    # the models answer drifted rows; the monitor finds that in a clone that has what main kept
    served = folders["register"].rename(tmp_path / "work")
    done = shell(DRIFTED_REQUESTS, served)
    assert done.returncode == 0, done.stderr
    served.rename(tmp_path / "served")
    monkeypatch.setenv("GITHUB_REF_NAME", "main")
    runner.values |= {
        "github.token": "a-token",
        "vars.INFERENCE_LOGS": str(tmp_path / "served/logs/inference"),
    }
    runner.job("monitor", "monitor")
    assert [issue["title"] for issue in github_server.issues.values()] == ["Drift in tiny"]
    (started,) = github_server.dispatched
    assert started == {"ref": "main", "inputs": {"dataset": "tiny"}}

    # the run that it starts is for that dataset alone, whose source has changed since; what did
    # not change is not run again
    tiny_table(rows=260, seed=3).to_csv(origin / "tiny.csv", index=False)
    assert shell("git commit -qam third", origin).returncode == 0
    runner.values |= {
        "github.event_name": "workflow_dispatch",
        "inputs.dataset || 'all'": started["inputs"]["dataset"],
    }
    folders = run_pipeline(runner)
    assert set(folders) == {"plan", "train tiny", "evaluate", "register", "notify"}
    assert "260" in (folders["train tiny"] / "Data.log").read_text()
    assert "1 unchanged; 2 of 2 gates pass" in (folders["evaluate"] / "summary.md").read_text()
    assert registered_versions(folders["register"], "tiny") == [1, 2]
    assert registered_versions(folders["register"], "iris") == [1]
    told = (runner.job("ml-pipeline", "train") / "Tune.log").read_text()
    assert "unchanged" in told or "up to date" in told


@pytest.mark.slow
def test_steps_of_a_release_run_in_a_fresh_clone(origin, tmp_path):
    runner = Runner(origin, tmp_path, dict(EVENT))
    runner.job("release", "results")
    assert (runner.artifacts["release"] / "notes.md").read_text() == "- the first\n"
    assert (runner.artifacts["release"] / "reports/comparison_report.html").is_file()


def test_every_shell_step_is_run_by_one_of_these_tests_or_excepted_by_name():
    run_here = {
        ("ml-pipeline", job)
        for job in ("plan", "lint", "test", "train", "evaluate", "register", "notify")
    }
    run_here |= {("release", "results"), ("monitor", "monitor")}
    for job, content in JOBS.items():
        named = {step["name"] for step in content["steps"] if "run" in step}
        assert job in run_here or named <= NOT_HERE, job
    assert NOT_HERE <= {step.get("name") for content in JOBS.values() for step in content["steps"]}
