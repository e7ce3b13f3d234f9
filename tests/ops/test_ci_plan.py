"""ops.ci_plan: the jobs of a run fit the project, the event and what changed."""

import re

import pytest
from ruamel.yaml import YAML

from ops import ci_plan
from ops.ci_plan import RunInputs
from pipeline.project import params
from support.processes import ROOT, script, shell
from support.workflows import FILES, JOBS


def test_datasets_stand_in_params_alone():
    for path in FILES:
        for dataset in params.parse((ROOT / "params.yaml").read_text()).datasets:
            assert dataset not in path.read_text()


def outputs(*arguments, cwd=ROOT) -> dict[str, str]:
    done = script("ops.ci_plan", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return dict(line.partition("=")[::2] for line in done.stdout.splitlines())


def test_plan_gives_the_outputs_that_the_workflow_names():
    job = JOBS["ml-pipeline", "plan"]
    assert set(outputs("--event", "push")) == set(job["outputs"])
    used = set(
        re.findall(
            r"needs\.plan\.outputs\.(\w+)", (ROOT / ".github/workflows/ml-pipeline.yml").read_text()
        )
    )
    assert used <= set(job["outputs"])


def test_whatever_a_stage_depends_on_starts_the_training():
    stages = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())["stages"]
    settings = params.parse((ROOT / "params.yaml").read_text())
    named = {
        dep
        for stage in stages.values()
        for dep in stage.get("do", stage)["deps"]
        if "${" not in dep
    }
    named |= {spec.data.depends_on for spec in settings.datasets.values()}
    for name in {
        *named,
        "dvc.yaml",
        "dvc.lock",
        "params.yaml",
        "requirements.txt",
        "constraints.txt",
        "data/raw/x.csv.dvc",
    }:
        assert ci_plan.changes_results([name]), name


def test_documents_and_tests_start_no_training():
    tracked = shell("git ls-files", ROOT).stdout.split()
    for pattern in ("docs/", "tests/", "benchmarks/", ".github/", "ops/"):
        names = [name for name in tracked if name.startswith(pattern)]
        assert names and not ci_plan.changes_results(names), pattern
    assert not ci_plan.changes_results(["README.md", "Makefile"])
    assert ci_plan.changes_results(["README.md", "train.py"])
    assert ci_plan.changes_results(None)  # a new branch: nothing is known


@pytest.mark.parametrize(
    "event, thorough, systems, train, trials",
    [
        ("push", False, 1, False, ""),
        ("pull_request", False, 5, False, ""),
        ("pull_request", True, 5, True, "tune.trials=100"),
        ("schedule", False, 5, True, "tune.trials=100"),
        ("workflow_dispatch", False, 1, True, ""),
    ],
)
def test_event_decides_on_systems_training_and_search(event, thorough, systems, train, trials):
    files = {"iris": "data/iris_data.csv"}
    plan = ci_plan.plan(event, ["docs/x.md"], files, RunInputs(thorough=thorough))
    assert (len(plan.systems), plan.train) == (systems, train)
    (job,) = plan.datasets
    assert (job.dataset, job.file) == ("iris", "data/iris_data.csv")
    assert job.settings == (f"datasets.iris.{trials}" if trials else "")
    for system in plan.systems:
        assert system.may_fail == (not system.os.startswith("ubuntu"))


def test_inputs_by_hand_become_settings(project):
    assert ci_plan.settings("tiny", RunInputs(source="tiny.csv"), trials=7) == [
        "datasets.tiny.tune.trials=7",
        "datasets.tiny.data.source=tiny.csv",
        "datasets.tiny.data.depends_on=tiny.csv",
    ]
    assert ci_plan.settings("tiny", RunInputs(source="openml:x"), trials=None) == [
        "datasets.tiny.data.source=openml:x"
    ]
    assert ci_plan.settings("tiny", RunInputs(tuning=False), trials=7) == [
        "datasets.tiny.tune.trials=1",
        "datasets.tiny.tune.blend=false",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--trials", "x"],
        ["--source", "a b", "--dataset", "iris"],
        ["--source", "a"],
        ["--dataset", "no"],
    ],
)
def test_wrong_inputs_are_refused(arguments):
    assert script("ops.ci_plan", *arguments, cwd=ROOT).returncode == 2
