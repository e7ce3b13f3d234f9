"""The store: its address, and its creation."""

import os
import subprocess
import sys

from pipeline.tracking import store
from support.processes import ROOT, script, shell


def test_tracking_address_of_the_environment_is_used(pipeline_run, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{pipeline_run}/other.db")
    assert "other.db" in shell("python -m ops.sync", pipeline_run).stdout
    assert (pipeline_run / "other.db").is_file()


def test_open_store_leaves_no_trace_in_the_process(project, monkeypatch):
    import mlflow

    for name, value in (
        ("TRACKING_URI", "sqlite:///one.db"),
        ("RUN_ID", "a"),
        ("EXPERIMENT_ID", "7"),
    ):
        monkeypatch.setenv(f"MLFLOW_{name}", value)
    before = dict(os.environ)
    with store.open_store() as opened:
        assert "MLFLOW_RUN_ID" not in os.environ
        opened.set_experiment("Tiny")
        assert os.environ["MLFLOW_EXPERIMENT_ID"] != "7"
    assert dict(os.environ) == before
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///two.db")
    assert mlflow.get_tracking_uri() == "sqlite:///two.db"


def test_cause_of_an_error_is_one_line_even_where_it_says_nothing():
    assert [
        store.cause(error) for error in (ValueError("one\ntwo"), ValueError(" \n"), RuntimeError())
    ] == ["one", "ValueError", "RuntimeError"]


def test_store_whose_creation_is_killed_is_made_anew(project):
    code = (
        "import os, sqlalchemy; from pipeline import command;"
        "count = iter(range(30)); "
        "sqlalchemy.event.listen(sqlalchemy.engine.Engine, 'before_cursor_execute',"
        " lambda *_: next(count, None) is None and os._exit(9));"  # in the middle of the tables
        "import generate_data; generate_data.main(['--dataset', 'tiny'])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=project, env=environment).returncode == 9
    )
    assert (project / "metrics/datasets/tiny/generate.json").is_file() and not (
        project / "mlflow.db"
    ).exists()
    assert "1 generate run written" in script("ops.sync", cwd=project).stdout
