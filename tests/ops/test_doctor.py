"""ops.doctor finds what is wrong, says what to do, fixes what is safe, and reports nothing
afterwards.
"""

import json
import re
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ops import doctor_environment
from support.processes import ROOT, script, shell


def faults(folder, *options) -> dict[str, str]:
    """Return {check: what was said} of what the doctor finds."""
    done = script("ops.doctor", *options, cwd=folder)
    found = dict(re.findall(r"^FAULT +([^:]+): (.*)$", done.stdout, re.M))
    assert (done.returncode == 1) == bool(found), done.stdout + done.stderr
    return found


@pytest.fixture
def healthy(pipeline_run):
    """A finished project in a folder of its own, its store at home there."""
    shell("python -m ops.doctor --fix", pipeline_run)
    assert faults(pipeline_run) == {}
    return pipeline_run


@pytest.mark.slow
def test_copied_folder_works_again_after_fix(finished, pipeline_run, monkeypatch):
    found = faults(pipeline_run)
    assert list(found) == ["store's place"] and "make doctor FIX=yes" in found["store's place"]
    assert faults(pipeline_run, "--fix") == {} and faults(pipeline_run) == {}
    assert (pipeline_run / "mlflow.db.before-relocation").is_file()
    assert str(finished).encode() not in (pipeline_run / "mlflow.db").read_bytes()
    monkeypatch.chdir(pipeline_run)
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{pipeline_run}/mlflow.db")
    experiment = client.get_experiment_by_name("Tiny-Regression")
    run = client.search_runs([experiment.experiment_id], "tags.stage = 'train'")[0]
    assert Path(run.info.artifact_uri).is_relative_to(pipeline_run)
    assert client.list_artifacts(run.info.run_id)
    (model,) = client.search_logged_models(
        [experiment.experiment_id], filter_string=f"source_run_id = '{run.info.run_id}'"
    )
    loaded = mlflow.pyfunc.load_model(model.artifact_location)
    assert len(loaded.predict(loaded.input_example)) == 5
    assert "holds every run already" in shell("python -m ops.sync", pipeline_run).stdout


def test_moved_folder_is_as_good_as_a_copied_one(healthy):
    elsewhere = healthy.parent / "with a blank" / "moved"
    shutil.move(healthy, elsewhere)
    assert list(faults(elsewhere)) == ["store's place"]
    assert faults(elsewhere, "--fix") == {}


def test_store_that_lacks_runs_is_filled(healthy):
    with sqlite3.connect(healthy / "mlflow.db") as store:
        store.execute("UPDATE runs SET lifecycle_stage = 'deleted' WHERE name = 'ridge'")
    assert "no run of 1 results" in faults(healthy)["store's runs"]
    assert faults(healthy, "--fix") == {}


def older_store(path: Path) -> None:
    """Write a store as the MLflow before the last change of its tables left it, with one
    experiment.
    """
    import alembic.command
    import sqlalchemy
    from alembic.script import ScriptDirectory
    from mlflow.store.db.utils import _get_alembic_config
    from mlflow.store.tracking.dbmodels.initial_models import Base

    config = _get_alembic_config(f"sqlite:///{path}")
    Base.metadata.create_all(sqlalchemy.create_engine(f"sqlite:///{path}"))
    alembic.command.upgrade(
        config, ScriptDirectory.from_config(config).get_revision("head").down_revision
    )
    with closing(sqlite3.connect(path)) as store, store:
        store.execute(
            "INSERT INTO experiments (experiment_id, name, lifecycle_stage) "
            "VALUES (77, 'kept', 'active')"
        )


@pytest.mark.slow
def test_store_of_an_older_mlflow_is_copied_and_upgraded_with_what_it_holds(healthy):
    (healthy / "mlflow.db").unlink()
    older_store(healthy / "mlflow.db")
    before = (healthy / "mlflow.db").read_bytes()
    found = faults(healthy)
    assert (
        list(found) == ["store's schema"]
        and "written by an older MLflow" in found["store's schema"]
    )
    assert (healthy / "mlflow.db").read_bytes() == before
    assert faults(healthy, "--fix") == {} and faults(healthy) == {}
    assert (healthy / "mlflow.db.before-upgrade").read_bytes() == before
    with closing(sqlite3.connect(healthy / "mlflow.db")) as store:
        names = {name for (name,) in store.execute("SELECT name FROM experiments")}
    assert {"kept", "Iris-Classification", "Tiny-Regression"} <= names


@pytest.mark.parametrize(
    "damage, told",
    [
        (
            lambda db: db.write_bytes(b"no database at all, but text" * 100),
            "is not an MLflow store",
        ),
        (
            lambda db: sqlite3.connect(db).executescript(
                "UPDATE alembic_version SET version_num = 'ffff00001111'"
            ),
            "newer MLflow",
        ),
    ],
)
def test_store_that_cannot_be_used_is_reported_and_left_alone(healthy, damage, told):
    damage(healthy / "mlflow.db")
    before = (healthy / "mlflow.db").read_bytes()
    assert told in faults(healthy, "--fix")["store's schema"]
    assert (healthy / "mlflow.db").read_bytes() == before


def test_lost_artifacts_are_reported(healthy):
    shutil.rmtree(healthy / "mlruns/1")
    assert "logged models are gone" in faults(healthy, "--fix")["logged models"]


def test_what_killed_runs_left_is_removed(healthy):
    gone = 2**22 + 1  # more than Linux gives
    (healthy / ".dvc/tmp/rwlock").write_text("")  # DVC refuses every command then
    (healthy / f"models/tiny/.train.{gone}.partial").mkdir()
    (healthy / f"models/tiny/.tune.{gone}.old.partial").mkdir()
    told = script("ops.doctor", cwd=healthy).stdout
    assert "rwlock is cut off" in told and f"models/tiny/.train.{gone}.partial" in told
    assert faults(healthy, "--fix") == {}
    assert [path.name for path in (healthy / "models/tiny").glob(".*")] == [
        f".tune.{gone}.old.partial"
    ]
    assert "up to date" in shell("dvc status", healthy).stdout


def test_outputs_that_are_nowhere_are_reported_with_both_remedies(healthy):
    shell("rm -rf models/iris .dvc/cache", healthy)
    assert (
        "models/iris/train" in faults(healthy)["outputs"]
        and "make restore" in faults(healthy)["outputs"]
    )


def test_outputs_are_looked_for_in_a_cache_elsewhere_and_down_to_the_files_of_a_folder(
    healthy, tmp_path
):
    shell(
        f"mv .dvc/cache '{tmp_path}/elsewhere' && dvc cache dir '{tmp_path}/elsewhere' "
        "&& rm -rf models/iris",
        healthy,
    )
    assert faults(healthy) == {}
    lists = (tmp_path / "elsewhere/files/md5").glob("*/*.dir")
    files = next(
        files
        for files in map(json.loads, map(Path.read_text, lists))
        if "decision_tree/metadata.json" in str(files)
    )
    (tmp_path / "elsewhere/files/md5" / files[0]["md5"][:2] / files[0]["md5"][2:]).unlink()
    shell("rm -rf models/tiny", healthy)
    assert "models/" in faults(healthy)["outputs"]


def test_fresh_clone_has_no_fault_and_is_reported_what_is_to_do(pipeline_run, tmp_path):
    done = shell(
        f"git add -A && git commit -qm results && git clone -q . '{tmp_path}/clone'", pipeline_run
    )
    assert done.returncode == 0, done.stderr
    assert faults(tmp_path / "clone") == {}
    told = script("ops.doctor", cwd=tmp_path / "clone").stdout
    assert "to do   outputs: " in told and "to do   store's runs: " in told
    (tmp_path / "clone/models").mkdir()  # something has run: what is missing is a fault
    assert set(faults(tmp_path / "clone")) == {"outputs", "store's runs"}


def test_graph_that_dvc_cannot_read_is_reported(healthy):
    (healthy / "dvc.yaml").write_text("stages: [")
    assert "git checkout dvc.yaml" in faults(healthy)["outputs"]


def test_wrong_python_is_reported_with_the_right_one(monkeypatch):
    assert doctor_environment.python_version() == []
    monkeypatch.setattr(doctor_environment, "PYTHONS", ((3, 4), (3, 5)))
    (fault,) = doctor_environment.python_version()
    assert (
        fault.problem == f"Python {sys.version.split()[0]}"
        and "make setup PYTHON=python3.5" in fault.remedy
    )


def test_environment_that_was_moved_is_reported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    here, program = tmp_path / ".venv/bin", tmp_path / ".venv/bin/dvc"
    here.mkdir(parents=True)
    for python, told in (
        (f"{here}/python3", []),
        ("/nowhere/.venv/bin/python", ["/nowhere/.venv"]),
        ("/bin/sh", []),
    ):
        program.write_text(f"#!{python}\nimport dvc\n")
        assert [
            fault.problem.partition(":")[0].removeprefix(".venv was made in ")
            for fault in doctor_environment.environment()
        ] == told


def test_merge_conflict_in_the_lock_is_reported(healthy):
    lock = healthy / "dvc.lock"
    lock.write_text(
        lock.read_text().replace("stages:\n", "stages:\n<<<<<<< HEAD\n=======\n>>>>>>> other\n")
    )
    assert "git checkout --ours dvc.lock" in faults(healthy)["dvc.lock"]


def test_other_packages_and_a_store_of_files_are_reported(healthy):
    text = (healthy / "requirements.txt").read_text()
    (healthy / "requirements.txt").write_text(re.sub(r"pandas==\S+", "pandas==1.0.0", text))
    (healthy / "mlruns/0").mkdir(exist_ok=True)
    (healthy / "mlruns/0/meta.yaml").write_text("")
    found = faults(healthy)
    assert (
        "pandas" in found["packages"]
        and "==1.0.0" in found["packages"]
        and "move mlruns/ away" in found["old store"]
    )


def test_alias_of_a_version_that_is_gone_is_reported(healthy, monkeypatch):
    import mlflow

    monkeypatch.chdir(healthy)
    client = mlflow.MlflowClient(f"sqlite:///{healthy}/mlflow.db")
    client.create_registered_model("TinyPrice")
    version = client.create_model_version(
        "TinyPrice", str(healthy / "models/tiny/train/ridge")
    ).version
    client.set_registered_model_alias("TinyPrice", "champion", version)
    assert faults(healthy) == {}
    with sqlite3.connect(healthy / "mlflow.db") as store:
        store.execute("DELETE FROM model_versions")
    assert "TinyPrice@champion is version 1, which is gone" in faults(healthy)["aliases"]


def test_every_remedy_names_what_is_there():
    text = "".join(path.read_text() for path in sorted((ROOT / "ops").glob("doctor*.py")))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"`make ([a-z]+)", text)) <= targets
