"""A sync with nothing to do does not start MLflow; whatever may add or remove a run, does."""

import os

import pytest

from pipeline.tracking import synced

WRITTEN_IN_PLACE = (
    "mlflow.db",
    "metrics/datasets/tiny/train.json",
    "logs/promotions/tiny.jsonl",
    "logs/pipelines/tiny.json",
)


@pytest.fixture
def noted(project):
    """A folder with a store and a run's files, noted as synced."""
    for name in (*WRITTEN_IN_PLACE, "models/tiny/train/ridge"):
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("one")
    synced.note_synced("all")
    return project


def test_nothing_has_changed(noted):
    assert synced.is_synced("all")
    assert not synced.is_synced("tiny")


@pytest.mark.parametrize("name", [*WRITTEN_IN_PLACE, "params.yaml"])
def test_file_that_was_written_is_looked_at(noted, name):
    os.utime(noted / name, ns=(1, 1))
    assert not synced.is_synced("all")


def test_file_of_another_size_is_looked_at_whatever_its_time(noted):
    path = noted / WRITTEN_IN_PLACE[1]
    before = path.stat()
    path.write_text("two, and more")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not synced.is_synced("all")


def test_code_of_the_record_that_was_changed_is_run(noted, tmp_path, monkeypatch):
    code = tmp_path / "pipeline"
    code.mkdir()
    (code / "runs.py").write_text("one")
    monkeypatch.setattr(synced, "CODE", code)
    synced.note_synced("all")
    assert synced.is_synced("all")
    os.utime(code / "runs.py", ns=(1, 1))
    assert not synced.is_synced("all")


@pytest.mark.parametrize("name", ["mlflow.db", "models/tiny/train/ridge"])
def test_what_was_removed_is_looked_for(noted, name):
    (noted / name).unlink()
    assert not synced.is_synced("all")


@pytest.mark.parametrize(
    "name", ["reports/tiny/drift/pages", "data/predictions/tiny/train", "mlruns/1"]
)
def test_what_came_into_being_is_looked_at(noted, name):
    (noted / name).mkdir(parents=True)
    assert not synced.is_synced("all")


def test_server_is_always_asked(noted, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert not synced.is_synced("all")


def test_what_a_server_holds_says_nothing_of_the_own_store(noted, monkeypatch):
    (noted / "reports/tiny/drift/pages").mkdir(parents=True)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    synced.note_synced("all")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert not synced.is_synced("all")
