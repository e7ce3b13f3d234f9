"""MLproject has every stage as an entry point with dvc.yaml's command; `mlflow run` runs it."""

import pytest
from ruamel.yaml import YAML

from support.processes import ROOT, shell

PROJECT = YAML(typ="safe", pure=True).load((ROOT / "MLproject").read_text())["entry_points"]
STAGES = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())["stages"]


@pytest.mark.parametrize("stage", STAGES)
def test_stage_is_an_entry_point_with_the_same_command(stage):
    command = STAGES[stage].get("do", STAGES[stage])["cmd"]
    assert PROJECT[stage]["command"] == command.replace("${key}", "{dataset}")
    assert ("parameters" in PROJECT[stage]) == ("do" in STAGES[stage])


def test_there_are_no_other_entry_points():
    assert set(PROJECT) == {"main", *STAGES}


@pytest.mark.slow
def test_mlflow_runs_a_stage_and_the_whole(pipeline_run, monkeypatch):
    import mlflow

    (pipeline_run / "params.yaml").write_text(
        (pipeline_run / "params.yaml").read_text().replace("alpha: 1.0", "alpha: 2.0")
    )
    done = shell("mlflow run . -e train -P dataset=tiny --env-manager local", pipeline_run)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "not recorded" not in done.stderr, done.stderr
    monkeypatch.chdir(pipeline_run)
    client = mlflow.MlflowClient(f"sqlite:///{pipeline_run}/mlflow.db")
    experiment = client.get_experiment_by_name("Tiny-Regression")
    runs = client.search_runs([experiment.experiment_id], "tags.model_type = 'ridge'")
    alphas = {run.data.params.get("alpha") for run in runs}
    assert alphas == {"1.0", "2.0"}
    done = shell("mlflow run . -P stage=prepare@iris --env-manager local", pipeline_run)
    assert done.returncode == 0 and "up to date" in done.stdout + done.stderr
