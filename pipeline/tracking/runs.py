"""The MLflow record of what the stages' files say; with registry.py the only importer of MLflow.

A stage writes its files and calls `record`; `make sync` calls the same for whatever the store lacks. A run is known by its
identity, a hash of what it records, so that writing a result twice makes no second run, and a store that was lost is written anew
from the files. No stage decides by what the store says.
"""

import hashlib
import json
import os
import re
import socket
import time
from datetime import datetime, timezone
from pathlib import Path

import psutil

from pipeline.project.params import Params
from pipeline.tracking import git, store

HOURS_TO_WRITE_A_RUN = 24  # after which another machine's unfinished run is taken to be given up


def recorded_runs(mlflow, experiment_id: str, dataset: str) -> dict[str, str]:
    """Return {identity: run id} of the dataset's finished runs; a run that was cut short is deleted, to be written again."""
    client, identities, token = mlflow.MlflowClient(), {}, None
    shared = mlflow.get_tracking_uri() != store.own_store()
    while True:
        page = client.search_runs(
            [experiment_id],
            f"tags.dataset = '{dataset}' AND tags.identity != ''",
            max_results=1000,
            page_token=token,
        )
        for run in page:
            if run.info.status == "FINISHED":
                identities[run.data.tags.get("identity")] = run.info.run_id
            elif not (shared and being_written(run)):
                for child in client.search_runs(
                    [experiment_id], f"tags.mlflow.parentRunId = '{run.info.run_id}'"
                ):
                    client.delete_run(child.info.run_id)
                client.delete_run(run.info.run_id)
        token = page.token
        if not token:
            return identities


def being_written(run) -> bool:
    """Tell whether a process may still be writing an unfinished run of a store that others write to as well.

    On this machine that is known; a run of another machine is given time. In a project's own store nobody else writes while its
    lock is held.
    """
    if run.info.status != "RUNNING":  # its writer said that it failed or was stopped
        return False
    if run.data.tags.get("host") != socket.gethostname():
        return time.time() - run.info.start_time / 1000 < HOURS_TO_WRITE_A_RUN * 3600
    writer = int(run.data.tags["pid"])
    return writer != os.getpid() and psutil.pid_exists(writer)


def identity_of(run: dict) -> str:
    """Return the hash of all that a run records but the commit and the moment, which differ when it is written again."""
    content = {
        key: run[key] for key in ("stage", "dataset", "name", "params", "metrics", "tags", "hashes")
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def write_run(mlflow, run: dict, settings: Params) -> str:
    """Write one run, with what its `log` adds, into the experiment that is set; return its id."""
    tags = {
        "dataset": run["dataset"],
        "stage": run["stage"],
        **run["tags"],
        "timestamp": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **git.git_tags(),
        "identity": identity_of(run),
        "host": socket.gethostname(),
        "pid": str(os.getpid()),
    }
    with mlflow.start_run(
        run_name=run["name"], tags=tags
    ) as parent:  # from the first moment it is known whose it is
        mlflow.log_params(run["params"])
        mlflow.log_metrics(run["metrics"])
        for path in run["artifacts"]:
            if path.is_dir():
                mlflow.log_artifacts(str(path), path.name)
            elif path.is_file():
                mlflow.log_artifact(str(path))
        if run.get("log"):
            run["log"](mlflow, settings)
        for child in run["children"]:
            _write_child(mlflow, parent, child)
    return parent.info.run_id


def _write_child(mlflow, parent, child: dict) -> None:
    """Write a run below another, with as few calls as there can be: a search has many."""
    from mlflow.entities import Metric, Param

    client, now = mlflow.MlflowClient(), int(time.time() * 1000)
    tags = {
        "mlflow.parentRunId": parent.info.run_id,
        "mlflow.user": parent.info.user_id,
        **child["tags"],
    }
    run = client.create_run(
        parent.info.experiment_id,
        start_time=now - child["milliseconds"],
        tags=tags,
        run_name=child["name"],
    )
    run_id = run.info.run_id
    client.log_batch(
        run_id,
        [Metric(key, value, now, step) for key, step, value in child["metrics"]],
        [Param(key, str(value)) for key, value in child["params"].items()],
    )
    client.set_terminated(run_id, child["status"], end_time=now)


def new_run(
    dataset: str,
    stage: str,
    name: str,
    metrics: dict,
    artifacts: list[Path],
    *,
    params: dict | None = None,
    tags: dict | None = None,
    hashes: dict | None = None,
    log=None,
    children: list[dict] = (),
) -> dict:
    """Return a run to be recorded, its figures flat and without those that are not defined, and the runs below it."""
    return {
        "dataset": dataset,
        "stage": stage,
        "name": name,
        "params": {key: str(value) for key, value in (params or {}).items()},
        "metrics": {key: float(value) for key, value in metrics.items() if value is not None},
        "artifacts": artifacts,
        "tags": {key: str(value) for key, value in (tags or {}).items() if value is not None},
        "hashes": hashes or {},
        "log": log,
        "children": children,
    }


def metric_name(name: str) -> str:
    """Return a name that MLflow takes: a column's may hold other characters than it allows."""
    return re.sub(r"[^\w\-./ ]", "_", name, flags=re.ASCII)
