"""What the tests of the registry share: states of a small project with another best model each, to
register one by one.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import compare_results
import generate_data
import prepare_data
import register_model
import train
import validate_metrics
from pipeline.models import storage
from pipeline.project import files, params, paths
from pipeline.registry import promotion_log, versions
from pipeline.registry.promotion_log import Entry, Line
from pipeline.registry.versions import ResolvedVersion
from pipeline.report.best import best_figures
from pipeline.tracking.store import open_store
from support.projects import PARAMS, tiny_table

RIDGE = "[dummy, ridge, decision_tree]"
STATES = {  # of params.yaml's dataset tiny: what is changed
    "first": [(RIDGE, "[ridge]")],
    "better": [(RIDGE, "{ridge: {alpha: 3.0}}")],
    "worse": [(RIDGE, "{decision_tree: {max_depth: 3}}")],
    "failing": [(RIDGE, "[dummy]")],
    "guessing": [(RIDGE, "[dummy]"), ("{min: 0.5}", "{min: -1.0}")],
    "without_town": [
        (RIDGE, "[ridge]"),
        ("drop: [id]", "drop: [id, town]"),
        ("{min: 0.5}", "{min: 0.1}"),
    ],
    "more_rows": [(RIDGE, "[ridge]")],
}


def make(state: str) -> None:
    """Run the stages before register on tiny, in the working directory, as one of the states has
    it.
    """
    text = PARAMS
    for old, new in STATES[state]:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    Path("params.yaml").write_text(text, encoding="utf-8")
    table = tiny_table()
    if state == "more_rows":
        table = pd.concat([table, tiny_table(seed=1).assign(id=np.arange(201, 401))])
    table.to_csv("tiny.csv", index=False)
    settings = params.load()
    generate_data.generate("tiny", settings)
    prepare_data.prepare("tiny", settings)
    train.train("tiny", settings, n_workers=1)
    validate(settings)


def validate(settings) -> None:
    """Choose the best model of tiny and hold it against its gates."""
    result = compare_results.compare("tiny", settings).result
    files.write_json(paths.best("tiny"), best_figures(result))
    files.write_json(
        paths.validation("tiny"),
        validate_metrics.validate("tiny", settings.dataset("tiny").gates, result).as_json(),
    )


@pytest.fixture(scope="session")
def states(tmp_path_factory) -> Path:
    """A folder per state, each with the files of a project before register, and an empty store."""
    folder = tmp_path_factory.mktemp("states")
    with pytest.MonkeyPatch.context() as patch:
        for state in STATES:
            (folder / state).mkdir()
            patch.chdir(folder / state)
            make(state)
        patch.chdir(folder)
        with open_store() as mlflow:
            mlflow.MlflowClient()
    return folder


@pytest.fixture(scope="session")
def registered(states, tmp_path_factory) -> Path:
    """A folder per number of versions: the project after "first", and after "better" as well, was
    registered.
    """
    folder = tmp_path_factory.mktemp("registered")
    (folder / "project").mkdir()
    shutil.copy(states / "mlflow.db", folder / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder / "project")
        patch.setenv("MLFLOW_TRACKING_URI", "")
        for number, state in (("1", "first"), ("2", "better")):
            put(states / state)
            register_model.main(["--dataset", "tiny"])
            shutil.copytree(folder / "project", folder / number)
    return folder


def settle(snapshot: Path) -> None:
    """Put a registered project into the working directory; MLflow's store holds absolute paths."""
    shutil.copytree(snapshot, ".", dirs_exist_ok=True)
    with closing(sqlite3.connect("mlflow.db")) as store, store:
        for table, column in (
            ("experiments", "artifact_location"),
            ("runs", "artifact_uri"),
            ("logged_models", "artifact_location"),
            ("model_versions", "storage_location"),
        ):
            store.execute(
                f"UPDATE {table} SET {column} = replace({column}, ?, ?)",
                (str(snapshot.parent / "project"), str(Path.cwd())),
            )


def put(state: Path) -> None:
    """Put the files of a project before register into the working directory, in place of those that
    are there.
    """
    for name in ("models", "data", "metrics/best", "metrics/validation", "metrics/datasets"):
        shutil.rmtree(name, ignore_errors=True)
    shutil.copytree(state, ".", dirs_exist_ok=True)


@pytest.fixture
def become(states, tmp_path, monkeypatch):
    """A function that puts one of the states' files into the working directory, a project of the
    test's own.
    """
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    shutil.copy(states / "mlflow.db", folder)

    return lambda state: put(states / state)


@pytest.fixture
def first(registered, become):
    """A project whose version 1 is the champion."""
    settle(registered / "1")


@pytest.fixture
def two(registered, become):
    """A project whose version 1 was followed by version 2."""
    settle(registered / "2")


@pytest.fixture
def register(become, capsys):
    """A function that takes on a state and registers its best model; returns what was printed."""

    def run(state: str, *edits: tuple[str, str]) -> str:
        become(state)
        for old, new in edits:
            edit(old, new)
        capsys.readouterr()
        register_model.main(["--dataset", "tiny"])
        return capsys.readouterr().out

    return run


@pytest.fixture
def other_store(states, become, monkeypatch):
    """A function after whose call the project's store is a new, empty one: MLflow keeps connections
    to that which was.
    """

    def change() -> None:
        shutil.copy(states / "mlflow.db", "new.db")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{Path().resolve()}/new.db")

    return change


def edit(old: str, new: str) -> None:
    text = Path("params.yaml").read_text()
    assert text.count(old) == 1, old
    Path("params.yaml").write_text(text.replace(old, new))


def variant(number: int) -> None:
    """Change the best model of tiny a little, so that it is another one."""
    folder = paths.models("tiny", "train") / "ridge"
    model, metadata = storage.load(folder), files.read_json(folder / "metadata.json", made_by="")
    model.estimator.coef_[0] += 1e-6 * number
    spec = model.spec.as_json()
    beside = {key: value for key, value in metadata.items() if key not in spec}
    metadata = storage.save(model, folder, beside)
    verdict = files.read_json(paths.validation("tiny"), made_by="")
    files.write_json(paths.validation("tiny"), verdict | {"model_sha256": metadata["model_sha256"]})


def aliases() -> dict[str, int]:
    """Return {alias: version} of tiny's model as the registry has them."""
    return {
        alias: version.version
        for version in versions.list_versions("tiny", params.load())
        for alias in version.aliases
    }


def log() -> list[Line]:
    """Return the lines of tiny's promotion log."""
    return promotion_log.read_log("tiny")


def resolve(reference: str | int = "champion") -> ResolvedVersion:
    """Return a version of tiny's model with its files."""
    return versions.resolve("tiny", params.load(), reference)


def entry(outcome: str, version: int, sha256: str) -> Entry:
    """Return a decision of which the rest does not matter."""
    return Entry(
        dataset="tiny",
        name="TinyPredictor",
        outcome=outcome,
        version=version,
        sha256=sha256,
        bundle_sha256="",
        data_hash="",
        champion_before=None,
        champion=version,
        reason="a test",
        git_commit=None,
    )


def three_lines() -> list[str]:
    """Return three lines of a promotion log as text."""
    lines: list[Line] = []
    for number in (1, 2, 3):
        decision = entry(promotion_log.PROMOTED, number, str(number))
        lines.append(promotion_log.next_line(lines, decision))
    return [line.text for line in lines]


def content(folder=".") -> dict:
    """Return every file below a folder with its bytes and the time of its last change."""
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in Path(folder).rglob("*")
        if path.is_file()
    }
