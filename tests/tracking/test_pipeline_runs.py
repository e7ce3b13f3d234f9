"""A pipeline has its run, below which those of its stages lie, whatever was killed or lost."""

import json
from datetime import datetime, timedelta, timezone

import pytest

import generate_data
import prepare_data
from ops import pipeline_log, repro
from pipeline.project import paths
from pipeline.project.params import load
from pipeline.tracking import git, record, store
from support.processes import shell

PARENT = "mlflow.parentRunId"


@pytest.fixture
def prepared(project):
    """A project of which tiny is generated and prepared; return its settings."""
    (project / ".dvc/tmp").mkdir(parents=True)
    settings = load()
    generate_data.generate("tiny", settings)
    prepare_data.prepare("tiny", settings)
    return settings


def sync(settings):
    """Write what the store lacks; return tiny's runs by stage, and how many were written."""
    written = record.sync_runs(["tiny"], settings)
    with store.open_store() as mlflow:
        (experiment,) = mlflow.search_experiments(filter_string="name = 'Tiny-Regression'")
        runs = mlflow.search_runs([experiment.experiment_id], output_format="list")
    return {run.data.tags["stage"]: run for run in runs}, sum(written.values())


def delete(run_id):
    with store.open_store() as mlflow:
        mlflow.MlflowClient().delete_run(run_id)


def parent_of(run):
    return run.data.tags.get(PARENT)


def test_stages_of_a_pipeline_lie_below_its_run_and_others_do_not(prepared):
    pipeline_log.note("prepare@tiny", 2.04)
    pipeline_log.note("train@iris", 9.0)
    pipeline_log.note("compare", 1.0)
    pipeline_log.finish(prepared)
    runs, written = sync(prepared)
    pipeline = runs["pipeline"]
    assert written == 3 and parent_of(runs["prepare"]) == pipeline.info.run_id
    assert parent_of(runs["generate"]) is None  # by hand
    assert pipeline.data.metrics == {"seconds_prepare": 2.0, "seconds_compare": 1.0, "seconds": 3.0}
    params = pipeline.data.params
    assert set(params) == {"commit", "params_sha256"} and len(params["params_sha256"]) == 64
    again, written = sync(prepared)
    assert written == 0 and {run.info.run_id for run in again.values()} == {
        run.info.run_id for run in runs.values()
    }


def test_pipeline_has_begun_with_its_first_stage(project):
    pipeline_log.note("train@tiny", 3600.0)
    pipeline_log.note("tune@tiny", 10.0)
    begun = datetime.now(timezone.utc) - timedelta(hours=1)
    started = datetime.fromisoformat(pipeline_log.under_way().started)
    assert abs(started - begun) < timedelta(minutes=1)


def artifacts_of(run) -> list[str]:
    with store.open_store() as mlflow:
        return [file.path for file in mlflow.MlflowClient().list_artifacts(run.info.run_id)]


def test_run_of_a_pipeline_names_its_commit_and_keeps_its_settings_while_they_are_there(
    prepared, project
):
    commit = (
        "git init -q . && git add params.yaml && git -c user.name=a -c user.email=a@b commit -qm a"
    )
    assert shell(commit, project).returncode == 0
    pipeline_log.note("prepare@tiny", 2.0)
    started = pipeline_log.under_way().started
    pipeline_log.finish(prepared)
    runs, _ = sync(prepared)
    data = runs["pipeline"].data
    assert (data.params["commit"], data.tags["started"]) == (git.head(), started)
    assert artifacts_of(runs["pipeline"]) == ["params.yaml"]
    with open(project / "params.yaml", "a") as file:
        file.write("# changed since\n")
    delete(runs["pipeline"].info.run_id)
    runs, _ = sync(prepared)
    assert artifacts_of(runs["pipeline"]) == []


def test_result_of_another_run_by_hand_is_not_taken_for_the_pipelines(prepared, project):
    pipeline_log.note("generate@tiny", 1.0)
    pipeline_log.finish(prepared)
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("seed: 42", "seed: 43"))
    settings = load()
    assert settings.seed != prepared.seed
    generate_data.generate("tiny", settings)
    runs, _ = sync(settings)
    assert parent_of(runs["generate"]) is None and "pipeline" in runs


def test_pipeline_that_was_killed_goes_on_as_one_with_the_next(prepared):
    pipeline_log.note("generate@tiny", 1.5)
    assert "pipeline" not in sync(prepared)[0]  # it was killed here
    pipeline_log.note("prepare@tiny", 2.5)
    pipeline_log.finish(prepared)
    runs, written = sync(prepared)
    assert written == 1 and runs["pipeline"].data.metrics["seconds"] == 4.0
    parent = runs["pipeline"].info.run_id
    assert parent_of(runs["generate"]) == parent_of(runs["prepare"]) == parent
    pipeline_log.finish(prepared)  # nothing ran since
    assert sync(prepared)[1] == 0
    assert pipeline_log.under_way() is None


def test_deleted_or_unfinished_pipeline_is_written_anew_above_the_same_runs(prepared):
    pipeline_log.note("prepare@tiny", 2.0)
    pipeline_log.finish(prepared)
    before, _ = sync(prepared)
    delete(before["pipeline"].info.run_id)
    deleted, written = sync(prepared)
    assert written == 1 and deleted["prepare"].info.run_id == before["prepare"].info.run_id
    assert parent_of(deleted["prepare"]) == deleted["pipeline"].info.run_id
    with store.open_store() as mlflow:
        client = mlflow.MlflowClient()
        client.update_run(deleted["pipeline"].info.run_id, status="RUNNING")
    after, written = sync(prepared)
    assert written == 1 and after["prepare"].info.run_id == before["prepare"].info.run_id
    assert parent_of(after["prepare"]) == after["pipeline"].info.run_id


def test_pipeline_that_was_about_all_datasets_has_a_run_for_each(prepared):
    pipeline_log.note("compare", 1.0)
    pipeline_log.finish(prepared)
    for dataset in prepared.datasets:
        done = json.loads(paths.finished_pipeline(dataset).read_text())
        assert done["seconds"] == {"compare": 1.0}


def test_file_of_the_pipeline_under_way_that_is_broken_counts_as_none(prepared):
    pipeline_log.UNDER_WAY.write_text('{"started": ')
    pipeline_log.finish(prepared)
    assert not paths.finished_pipeline("tiny").exists()
    pipeline_log.note("prepare@tiny", 1.0)
    pipeline_log.finish(prepared)
    assert paths.finished_pipeline("tiny").exists()


def test_pipeline_in_which_no_stage_ran_is_not_recorded(prepared, project, monkeypatch):
    (project / "last.py").write_text("")
    monkeypatch.setattr(repro, "LAST_SCRIPTS", {"compare": "last.py"})
    repro.finish_dataset("tiny")
    assert pipeline_log.under_way() is None
    pipeline_log.note("train@tiny", 1.0)
    repro.finish_dataset("tiny")
    assert list(pipeline_log.under_way().seconds) == ["train@tiny", "compare@tiny"]


def test_experiment_says_what_it_holds_and_keeps_what_a_person_writes(prepared):
    sync(prepared)
    with store.open_store() as mlflow:
        experiment = mlflow.get_experiment_by_name("Tiny-Regression")
        assert "compare models" in experiment.tags["mlflow.note.content"]
        client = mlflow.MlflowClient()
        client.set_experiment_tag(experiment.experiment_id, "mlflow.note.content", "ours")
    runs, _ = sync(prepared)
    assert "prepare_data.py" in runs["prepare"].data.tags["mlflow.note.content"]
    with store.open_store() as mlflow:
        kept = mlflow.get_experiment_by_name("Tiny-Regression").tags["mlflow.note.content"]
    assert kept == "ours"
