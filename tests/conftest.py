"""What the tests share: a small project, and one real run of the whole pipeline on it."""

import os
import sys

from pipeline.command import ONE_THREAD

for variable in ONE_THREAD:  # as the scripts set it, before a library reads it
    os.environ[variable] = "1"
for variable in ("PYTHONDONTWRITEBYTECODE", "MLFLOW_TRACKING_URI"):
    os.environ.pop(variable, None)
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["PATH"] = os.pathsep.join(
    [os.path.dirname(sys.executable), os.environ["PATH"]]
)  # this Python's commands first

import shutil  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402
from filelock import FileLock  # noqa: E402

from support.processes import shell  # noqa: E402
from support.projects import PARAMS, copy_project, tiny_table  # noqa: E402

pytest_plugins = [
    "support.refusals",
    "support.registered",
    "support.served",
    "support.github_server",
    "support.s3_server",
    "support.browser",
    "support.tuning",
    "support.table_server",
    "support.hostile",
    "support.toy_stages",
]


def process_state() -> dict[str, object]:
    """Return what of this process a test could leave changed for the next one."""
    state: dict[str, object] = {"folder": os.getcwd()}
    for name, value in os.environ.items():
        # MLflow sets one of its own when it starts
        if name.startswith("MLFLOW_") and name != "MLFLOW_SQLALCHEMYSTORE_POOLCLASS":
            state[name] = value
    mlflow = sys.modules.get("mlflow")
    state["mlflow has an address"] = mlflow is not None and mlflow.is_tracking_uri_set()
    return state


@pytest.fixture(autouse=True)
def nothing_is_left_changed():
    """Fail a test that leaves the folder or MLflow's settings changed for the next one."""
    before = process_state()
    yield
    assert process_state() == before, "put back what the test changed"


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """An empty project with the tiny params.yaml and tiny.csv, as the working directory."""
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    tiny_table().to_csv(tmp_path / "tiny.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id) -> Path:
    """A folder in which `dvc repro` has run to the end; to change it, take `pipeline_run`."""
    shared = (
        tmp_path_factory.getbasetemp().parent
        if worker_id != "master"
        else tmp_path_factory.getbasetemp()
    )
    folder, end = shared / "finished" / "project", shared / "finished" / "end"
    with FileLock(
        shared / "finished.lock"
    ):  # one of the test processes makes it, the others wait for it
        if not end.is_file():
            copy_project(folder)
            done = shell("dvc repro", folder)
            end.write_text(f"{done.returncode}\n{done.stdout}{done.stderr}", encoding="utf-8")
    status, told = end.read_text(encoding="utf-8").split("\n", 1)
    assert status == "0", told
    return folder


@pytest.fixture
def pipeline_run(finished, tmp_path) -> Path:
    """A copy of the finished project, the test's own."""
    return Path(shutil.copytree(finished, tmp_path / "project"))
