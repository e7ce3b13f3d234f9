"""What the tests share: a small project in a temporary folder, and one real run of the whole pipeline on it."""

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
import signal  # noqa: E402
import socket  # noqa: E402
import subprocess  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import pytest  # noqa: E402
from filelock import FileLock  # noqa: E402

# a project with a registry, one to be served; on loopback GitHub, S3 and a browser
pytest_plugins = ["registered", "served", "github_server", "s3_server", "browser"]
ROOT = Path(__file__).parent.parent
PARAMS = """\
seed: 42
workers: 2
datasets:
  iris:
    experiment: Iris-Classification
    data: {source: sklearn, depends_on: pipeline/builtin/iris.py, file: data/iris_data.csv,
           task: classification, target: species}
    prepare: {test_size: 0.2, split: random}
    train: {primary_metric: log_loss, cv_folds: 3, models: [dummy, logistic_regression, decision_tree]}
    tune: {models: [logistic_regression], trials: 3, batch: 2}
    drift: {}
    gates: {accuracy: {min: 0.80}}
    register: {name: IrisClassifier}
  tiny:
    experiment: Tiny-Regression
    data: {source: tiny.csv, depends_on: tiny.csv, file: data/tiny_data.csv, task: regression, target: price, drop: [id]}
    prepare: {test_size: 0.25, split: random}
    train: {primary_metric: rmse, cv_folds: 3, models: [dummy, ridge, decision_tree]}
    tune: {models: [lightgbm, ridge], trials: 6, batch: 3}
    drift: {}
    gates: {r2: {min: 0.5}}
    register: {name: TinyPredictor}
models:
  logistic_regression: {max_iter: 2000}
  ridge: {alpha: 1.0}
  decision_tree: {max_depth: 4}
  lightgbm: {n_estimators: 20}
search_spaces:
  logistic_regression: {C: {low: 0.01, high: 100.0, log: true}}
  ridge: {alpha: {low: 0.01, high: 100.0, log: true}}
  lightgbm: {n_estimators: {low: 5, high: 40}, num_leaves: {low: 3, high: 15}, learning_rate: {low: 0.05, high: 0.3, log: true}}
  xgboost: {n_estimators: {low: 5, high: 40}, max_depth: {low: 2, high: 5}}
portfolio:
  lightgbm: [{num_leaves: 7}]
"""


def tiny_table(rows: int = 200, seed: int = 0) -> pd.DataFrame:
    """Return a small table with numbers, categories, blanks and a price that depends on some of them."""
    rng = np.random.default_rng(seed)
    size = rng.normal(100, 20, rows).round(1)
    town = rng.choice(["Aville", "Bford", "Cham"], rows)
    age = rng.integers(0, 60, rows)
    price = 2 * size + 30 * (town == "Aville") - age + rng.normal(0, 8, rows)
    table = pd.DataFrame(
        {
            "id": np.arange(1, rows + 1),
            "size": size,
            "town": town,
            "age": age,
            "price": price.round(2),
        }
    )
    table.loc[table.index % 17 == 0, "size"] = np.nan
    table.loc[table.index % 23 == 0, "town"] = None
    return table


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """An empty project with the tiny params.yaml and tiny.csv, as the working directory."""
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    tiny_table().to_csv(tmp_path / "tiny.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit(folder: Path, old: str, new: str) -> None:
    """Change the one place of a project's params.yaml that reads `old`."""
    text = (folder / "params.yaml").read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    (folder / "params.yaml").write_text(text.replace(old, new), encoding="utf-8")


def until(holds, seconds: float = 20, what: str = "it", pause: float = 0.05):
    """Return what holds() gives once it is true."""
    ends = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < ends, f"{what} did not come in {seconds:g} seconds"
        time.sleep(pause)
    return found


def free_port() -> int:
    """Return a port of loopback on which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def with_ctrl_c() -> None:
    """Let a process take SIGINT as from a terminal, for Popen's preexec_fn: one that is started in the background ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def script(name: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
    """Run one of the project's scripts, or a module of ops, as a user does; return its status and output."""
    command = ["-m", name] if name.startswith("ops.") else [str(ROOT / f"{name}.py")]
    return subprocess.run(
        [sys.executable, *command, *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def kill_while_writing(name: str, folder: Path, *arguments: str) -> None:
    """Start a script and kill it with SIGKILL as soon as an unfinished output of its lies in a folder."""
    process = subprocess.Popen(
        [sys.executable, ROOT / f"{name}.py", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    def is_writing():
        assert process.poll() is None, "ended before it was killed"
        return any(folder.rglob(f"*.{process.pid}.partial"))

    try:
        until(is_writing, 60, pause=0.001)
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL


def real_table(name: str) -> str:
    """Return where one of the real tables lies, which are not ours to pass on; skip the test where nobody brought it."""
    for path in (
        ROOT / "data/raw" / name,
        ROOT.parent / "shared/data" / name,
    ):  # one for all checkouts beside it
        if path.is_file():
            return str(path)
    pytest.skip(f"{name} is not ours to pass on: it is tested where someone put it into data/raw/")


def shell(command: str, cwd: Path) -> subprocess.CompletedProcess:
    """Run a command line; return its status and output."""
    return subprocess.run(command, shell=True, capture_output=True, text=True, cwd=cwd)


def copy_project(folder: Path, params: str = PARAMS) -> Path:
    """Copy the project's own files into a new folder, with other params.yaml, as a git and DVC repository without outputs."""
    tracked = shell("git ls-files --cached --others --exclude-standard", ROOT).stdout.splitlines()
    for name in tracked:
        if (ROOT / name).is_file() and not name.startswith(("metrics/", "tests/", "dvc.lock")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / "params.yaml").write_text(params, encoding="utf-8")
    tiny_table().to_csv(folder / "tiny.csv", index=False)
    done = shell(
        "git init -q -b main . && git config user.email a@example.org && git config user.name a && git add -A "
        "&& git commit -q -m start",
        folder,
    )
    assert done.returncode == 0, done.stderr
    return folder


def link_environment(folder: Path) -> None:
    """Give a folder a .venv that make takes for its own: this Python's, so that nothing is installed."""
    (folder / ".venv").mkdir()
    for part in Path(sys.prefix).iterdir():
        if part.name not in (".ready", ".ready-to-test"):
            (folder / ".venv" / part.name).symlink_to(part)
    for ready in (".ready", ".ready-to-test"):
        (folder / ".venv" / ready).touch()


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id) -> Path:
    """A folder in which `dvc repro` has run to the end; not to be changed: take `pipeline_run` for that."""
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
