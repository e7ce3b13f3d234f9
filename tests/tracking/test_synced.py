"""A sync with nothing to do does not start MLflow; whatever may add or remove a run, does."""

import os

import pytest

from pipeline.tracking import synced


@pytest.fixture
def noted(project):
    """A folder with a store and a run's files, noted as synced."""
    for name in ("mlflow.db", "metrics/datasets/tiny/train.json", "models/tiny/train/ridge"):
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("one")
    synced.note_synced("all")
    return project


def test_nothing_has_changed(noted):
    assert synced.is_synced("all")
    assert not synced.is_synced("tiny")


@pytest.mark.parametrize("name", ["mlflow.db", "metrics/datasets/tiny/train.json", "params.yaml"])
def test_file_that_was_written_is_looked_at(noted, name):
    os.utime(noted / name, ns=(1, 1))
    assert not synced.is_synced("all")


@pytest.mark.parametrize("name", ["mlflow.db", "models/tiny/train/ridge"])
def test_what_was_removed_is_looked_for(noted, name):
    (noted / name).unlink()
    assert not synced.is_synced("all")


def test_what_came_into_being_is_looked_at(noted):
    (noted / "reports/tiny/drift/pages").mkdir(parents=True)
    assert not synced.is_synced("all")


def test_server_is_always_asked(noted, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert not synced.is_synced("all")
