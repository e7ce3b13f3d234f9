"""A run: what is recorded of one result, the identity by which it is known, and how it is written.

The same result has the same identity, so that writing it twice makes no second run.
"""

import hashlib
import json
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

import psutil

from pipeline.tracking import git, names, store

Value = TypeVar("Value")

PARENT = "mlflow.parentRunId"
DESCRIPTION = "mlflow.note.content"
# what MLflow shows on top of a run
DESCRIPTIONS = {
    "generate": "The table, as it was fetched or generated: `generate_data.py`.",
    "prepare": "The checked rows and their split, and the quality of the data: `prepare_data.py`.",
    "train": "A model as it was configured, with its scores: `train.py`.",
    "tune": "A search for hyperparameters, or a model that it found: `tune_hyperparameters.py`.",
    "drift": "Whether the test rows differ from the training rows: `detect_drift.py`.",
    "compare": "The best model of all, and the page that compares them: `compare_results.py`.",
    "validate": "The gates, and whether the best model passes them: `validate_metrics.py`.",
    "register": "The model of a registered version: `register_model.py`.",
    "pipeline": "A run of `make pipeline`: its commit, settings and seconds; its stages lie below.",
}
HOURS_TO_WRITE_A_RUN = 24  # after which another machine's unfinished run counts as given up


@dataclass(frozen=True)
class Point:
    """A value of a metric at a step."""

    metric: str
    step: int
    value: float


@dataclass(frozen=True)
class ChildRun:
    """A run below another: a trial of a search. `status` is one of MLflow's."""

    name: str
    status: str
    milliseconds: int
    params: dict[str, str]
    points: list[Point]
    tags: dict[str, str]


@dataclass(frozen=True)
class Run:
    """What is recorded of one result of a stage.

    Names are true ones; the store holds them as tracking.names spells them.
    `hashes` are of what it was computed from. `artifacts` are files and folders that go with it.
    `log`, called with mlflow while the run is open, adds a model and returns MLflow's ModelInfo.
    `children` are written with it; `below` are the identities of runs that lie below it, too.
    """

    dataset: str
    stage: str
    name: str
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    hashes: dict[str, str] = field(default_factory=dict)
    artifacts: Sequence[Path] = ()
    log: Callable[[Any], Any] | None = None
    children: Sequence[ChildRun] = ()
    below: Sequence[str] = ()

    @property
    def identity(self) -> str:
        """The sha256 of what is recorded, without the commit and the time of the writing."""
        content = {
            "stage": self.stage,
            "dataset": self.dataset,
            "name": self.name,
            "params": self.params,
            "metrics": self.metrics,
            "tags": self.tags,
            "hashes": self.hashes,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class RecordedRun:
    """A run of the store, by its id, and the id of the run that it lies below."""

    run_id: str
    parent: str | None


@dataclass(frozen=True)
class WrittenRun:
    """The id that MLflow gave a run, and the ModelInfo of the model that went into it."""

    run_id: str
    model: Any


def params_text(params: Mapping[str, object]) -> dict[str, str]:
    """Return parameters as MLflow holds them."""
    return {name: str(value) for name, value in params.items()}


def defined_metrics(values: Mapping[str, float | None]) -> dict[str, float]:
    """Return the metrics that are defined."""
    return {name: float(value) for name, value in values.items() if value is not None}


def defined_tags(values: Mapping[str, object]) -> dict[str, str]:
    """Return the tags that are set, as text."""
    return {name: str(value) for name, value in values.items() if value is not None}


def finished_runs(mlflow: Any, experiment_id: str, dataset: str) -> dict[str, RecordedRun]:
    """Return a dataset's finished runs by identity; delete those that were cut short."""
    runs = mlflow.search_runs(
        [experiment_id],
        f"tags.dataset = '{dataset}' AND tags.identity != ''",
        output_format="list",
    )
    finished = {}
    for run in runs:
        if run.info.status == "FINISHED":
            tags = run.data.tags
            finished[tags["identity"]] = RecordedRun(run.info.run_id, tags.get(PARENT))
        elif not may_be_being_written(run):
            _delete(mlflow, experiment_id, run.info.run_id)
    return finished


def may_be_being_written(run: Any) -> bool:
    """Say whether another process may still be writing an unfinished run.

    Never in the project's own store, whose lock this process holds. On this machine the process is
    looked for; a run of another machine is given time.
    """
    if store.uses_own_store() or run.info.status != "RUNNING":
        return False
    if run.data.tags.get("host") != socket.gethostname():
        seconds = time.time() - run.info.start_time / 1000
        return seconds < HOURS_TO_WRITE_A_RUN * 3600
    writer = int(run.data.tags["pid"])
    return writer != os.getpid() and psutil.pid_exists(writer)


def _delete(mlflow: Any, experiment_id: str, run_id: str) -> None:
    """Delete a run and its children; a result with an identity of its own is no child."""
    below = mlflow.search_runs([experiment_id], f"tags.{PARENT} = '{run_id}'", output_format="list")
    client = mlflow.MlflowClient()
    for run in below:
        if "identity" not in run.data.tags:
            client.delete_run(run.info.run_id)
    client.delete_run(run_id)


def nest(mlflow: Any, run: Run, recorded: Mapping[str, RecordedRun]) -> None:
    """Put the recorded runs that belong below a run there, but for those that lie below another."""
    run_ids = {one.run_id for one in recorded.values()}
    client = mlflow.MlflowClient()
    for identity in run.below:
        child = recorded.get(identity)
        if child and child.parent not in run_ids:
            client.set_tag(child.run_id, PARENT, recorded[run.identity].run_id)


def write_run(mlflow: Any, run: Run) -> WrittenRun:
    """Write a run, its artifacts, its model and its children into the experiment that is set."""
    # the tags go in with the start, so that it is known from the first moment whose run it is
    with mlflow.start_run(run_name=run.name, tags=_tags(run)) as started:
        mlflow.log_params(_as_stored(run.params))
        mlflow.log_metrics(_as_stored(run.metrics))
        true_names = names.changed_names([*run.params, *run.metrics, *run.tags])
        if true_names:
            mlflow.log_dict(true_names, names.TRUE_NAMES)
        for path in run.artifacts:
            if path.is_dir():
                mlflow.log_artifacts(str(path), path.name)
            elif path.is_file():
                mlflow.log_artifact(str(path))
        model = run.log(mlflow) if run.log else None
        for child in run.children:
            _write_child(mlflow, started, child)
    return WrittenRun(started.info.run_id, model)


def _as_stored(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return values under the names that the store takes."""
    return {names.stored_name(name): value for name, value in values.items()}


def _tags(run: Run) -> dict[str, str]:
    """Return a run's tags: its own, and who writes it when at which commit."""
    return {
        "dataset": run.dataset,
        "stage": run.stage,
        DESCRIPTION: DESCRIPTIONS[run.stage],
        **_as_stored(run.tags),
        "timestamp": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **git.git_tags(),
        "identity": run.identity,
        "host": socket.gethostname(),
        "pid": str(os.getpid()),
    }


def _write_child(mlflow: Any, parent: Any, child: ChildRun) -> None:
    """Write a run below another with as few calls as there can be: a search has many trials."""
    from mlflow.entities import Metric, Param

    client = mlflow.MlflowClient()
    now = int(time.time() * 1000)
    tags = {
        PARENT: parent.info.run_id,
        "mlflow.user": parent.info.user_id,
        **_as_stored(child.tags),
    }
    run = client.create_run(
        parent.info.experiment_id,
        start_time=now - child.milliseconds,
        tags=tags,
        run_name=child.name,
    )
    metrics = [
        Metric(names.stored_name(point.metric), point.value, now, point.step)
        for point in child.points
    ]
    params = [Param(name, value) for name, value in _as_stored(child.params).items()]
    client.log_batch(run.info.run_id, metrics, params)
    client.set_terminated(run.info.run_id, child.status, end_time=now)
