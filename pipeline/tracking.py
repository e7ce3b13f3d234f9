"""The MLflow record of what the stages' files say; with registry.py the only importer of MLflow.

A stage writes its files and calls `record`; `make sync` calls the same for whatever the store lacks. A run is known by its
identity, a hash of what it records, so that writing a result twice makes no second run, and a store that was lost is written anew
from the files. No stage decides by what the store says.
"""

import hashlib
import importlib
import json
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil

from pipeline import files, params, paths
from pipeline.errors import DataError, PipelineError
from pipeline.params import Params

STAGES = ("generate", "prepare", "train", "tune", "drift", "compare", "validate")        # in the order of the graph
RECORDED_WITH = {"train": ("generate", "prepare"), "validate": ("drift", "compare")}
MODEL_LIBRARIES = {"lightgbm": "lightgbm", "xgboost": "xgboost", "catboost": "catboost"}
LOADING_LIBRARIES = ("numpy", "pandas", "scikit-learn", "skops", "pydantic", "ruamel.yaml", "psutil")
EXAMPLE_ROWS = 5
TRACKING_URI = "MLFLOW_TRACKING_URI"
LOCAL_UI = "http://127.0.0.1:5000"      # where `make ui` shows the local store
SQLITE = "sqlite:///"
HOURS_TO_WRITE_A_RUN = 24               # after which another machine's unfinished run is taken to be given up


def record(dataset: str, stage: str, settings: Params) -> None:
    """Write the runs of a stage that the store does not hold.

    Under `dvc repro` a short stage is recorded with the next long one: MLflow takes longer to start than it takes to run. A store
    that cannot be written is told on standard error and ends nothing: the files are the result, and `make sync` writes the rest.
    """
    waits = {short: long for long, shorts in RECORDED_WITH.items() for short in shorts}
    if stage in waits and "DVC_STAGE" in os.environ:
        return
    try:
        write_missing({dataset: (*RECORDED_WITH.get(stage, ()), stage)}, settings)
    except PipelineError:
        raise
    except Exception as error:          # MLflow, SQLAlchemy, a server or a full disk, each with errors of its own
        print(f"{stage} {dataset}: not recorded in {tracking_uri()} ({cause(error)}); the files are written, mend the store and "
              f"run `make sync`", file=sys.stderr)


def cause(error: Exception) -> str:
    """Return the first line of an error of MLflow's or of a library below it; its name where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def sync() -> dict[tuple[str, str], int]:
    """Write whatever the store lacks of any stage of any dataset; return {(dataset, stage): runs written}."""
    settings = params.load()
    return write_missing({dataset: STAGES for dataset in settings.datasets}, settings)


def write_missing(stages: dict[str, tuple[str, ...]], settings: Params) -> dict[tuple[str, str], int]:
    """Write the runs of the datasets' stages that the store does not hold; return {(dataset, stage): runs written}."""
    written = {}
    with store() as mlflow:
        for dataset, names in stages.items():
            wanted = {stage: {_identity(run): run for run in RUNS[stage](dataset, settings)} for stage in names}
            if not any(wanted.values()):
                continue
            experiment = mlflow.set_experiment(settings.dataset(dataset).experiment)
            present = _recorded(mlflow, experiment.experiment_id, dataset)
            for stage, runs in wanted.items():
                missing = {identity: run for identity, run in runs.items() if identity not in present}
                for identity, run in missing.items():
                    present[identity] = write_run(mlflow, run, settings)
                if missing:
                    written[dataset, stage] = len(missing)
            _note_addresses(dataset, experiment.experiment_id, {
                f"{stage}/{run['name']}": present[identity] for stage, runs in wanted.items()
                for identity, run in runs.items()})
    return written


def _note_addresses(dataset: str, experiment_id: str, runs: dict[str, str]) -> None:
    """Note where `mlflow ui` shows the runs, for pages that link to them without asking the store."""
    path = paths.mlflow_runs(dataset)
    noted = files.read_json(path, made_by="make sync") if path.is_file() else {}
    server = urlsplit(tracking_uri())
    base = LOCAL_UI
    if server.scheme in ("http", "https"):          # without a name and password, which do not belong in a page
        base = urlunsplit(server._replace(netloc=server.netloc.rpartition("@")[2], query="", fragment="")).rstrip("/")
    noted |= {name: f"{base}/#/experiments/{experiment_id}/runs/{run_id}" for name, run_id in runs.items()}
    files.write_json(path, dict(sorted(noted.items())))


def comparisons(settings: Params) -> dict[str, list[dict]]:
    """Return what the recorded comparisons of each dataset chose, the newest first."""
    found = {}
    with store() as mlflow:
        client = mlflow.MlflowClient()
        for dataset, spec in settings.datasets.items():
            experiment = client.get_experiment_by_name(spec.experiment)
            runs = [] if experiment is None else client.search_runs(
                [experiment.experiment_id], f"tags.dataset = '{dataset}' AND tags.stage = 'compare'",
                order_by=["start_time DESC"])
            found[dataset] = [_comparison(run) for run in runs if run.info.status == "FINISHED"]
    return found


def _comparison(run) -> dict:
    metric, tags, figures = run.data.params["primary_metric"], run.data.tags, run.data.metrics
    commit = tags.get("git_commit", "")[:7] + "*" * (tags.get("git_dirty") == "true")           # * : with changes beside it
    return {"time": tags["timestamp"], "commit": commit, "data": tags["data_hash"][:7], "best": run.data.params["best"],
            "metric": metric, "cv": figures.get(f"cv_{metric}"), "test": figures.get(f"test_{metric}"),
            "low": figures.get(f"test_{metric}_low"), "high": figures.get(f"test_{metric}_high")}


def identities(settings: Params) -> set[str]:
    """Return the identities of all runs that the store should hold; MLflow is not asked."""
    return {_identity(run) for dataset in settings.datasets for stage in STAGES for run in RUNS[stage](dataset, settings)}


def tracking_uri() -> str:
    """Return the store's address: MLFLOW_TRACKING_URI where set, else the file that a plain `mlflow ui` here opens."""
    return os.environ.get(TRACKING_URI) or _own_store()


def _own_store() -> str:
    return f"{SQLITE}{paths.STORE.resolve().as_posix()}"


@contextmanager
def store():
    """Yield mlflow, set to this project's store, while no other process writes to it: two that create it at once both fail."""
    mlflow = _mlflow()
    from filelock import FileLock
    os.environ.pop("MLFLOW_RUN_ID", None)           # that of `mlflow run`, which is none of the runs written here
    before = os.environ.get(TRACKING_URI)
    with FileLock(paths.STORE_LOCK):
        if not os.environ.get(TRACKING_URI) and not paths.STORE.exists():
            _create_store()
        mlflow.set_tracking_uri(tracking_uri())
        try:
            yield mlflow
        finally:                # MLflow writes the address into the environment, where another project's turn would find it
            mlflow.set_tracking_uri(before)
            if before is None:
                os.environ.pop(TRACKING_URI, None)


def client():
    """Return MLflow's client of the store, for reading: no lock is taken, and a store that is not there is not made."""
    uri = tracking_uri()
    if uri.startswith(SQLITE) and not Path(uri.removeprefix(SQLITE).partition("?")[0]).is_file():
        raise DataError(f"{uri}: no MLflow store; run `dvc repro`, or `make sync` where the stages have run")
    return _mlflow().MlflowClient(tracking_uri=uri)


def _mlflow():
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    import mlflow
    logging.getLogger("alembic").setLevel(logging.WARNING)          # the creation of a store is no news
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    return mlflow


def _create_store() -> None:
    """Make the store's file whole or not at all: MLflow refuses one whose creation was cut short, and for good."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    with tempfile.TemporaryDirectory() as folder, files.replacing(paths.STORE) as partial:
        made = Path(folder) / paths.STORE.name
        store = SqlAlchemyStore(f"{SQLITE}{made.as_posix()}", f"./{paths.ARTIFACTS}")   # where `mlflow ui` keeps artifacts
        store.engine.dispose()
        shutil.copyfile(made, partial)


def _recorded(mlflow, experiment_id: str, dataset: str) -> dict[str, str]:
    """Return {identity: run id} of the dataset's finished runs; a run that was cut short is deleted, to be written again."""
    client, identities, token = mlflow.MlflowClient(), {}, None
    shared = mlflow.get_tracking_uri() != _own_store()
    while True:
        page = client.search_runs([experiment_id], f"tags.dataset = '{dataset}' AND tags.identity != ''",
                                  max_results=1000, page_token=token)
        for run in page:
            if run.info.status == "FINISHED":
                identities[run.data.tags.get("identity")] = run.info.run_id
            elif not (shared and being_written(run)):
                for child in client.search_runs([experiment_id], f"tags.mlflow.parentRunId = '{run.info.run_id}'"):
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
    if run.info.status != "RUNNING":        # its writer said that it failed or was stopped
        return False
    if run.data.tags.get("host") != socket.gethostname():
        return time.time() - run.info.start_time / 1000 < HOURS_TO_WRITE_A_RUN * 3600
    writer = int(run.data.tags["pid"])
    return writer != os.getpid() and psutil.pid_exists(writer)


def _identity(run: dict) -> str:
    """Return the hash of all that a run records but the commit and the moment, which differ when it is written again."""
    content = {key: run[key] for key in ("stage", "dataset", "name", "params", "metrics", "tags", "hashes")}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def write_run(mlflow, run: dict, settings: Params) -> str:
    """Write one run, with what its `log` adds, into the experiment that is set; return its id."""
    tags = {"dataset": run["dataset"], "stage": run["stage"], **run["tags"], "timestamp": datetime.now(timezone.utc).isoformat(
        timespec="seconds"), **git_tags(), "identity": _identity(run), "host": socket.gethostname(), "pid": str(os.getpid())}
    with mlflow.start_run(run_name=run["name"], tags=tags) as parent:       # from the first moment it is known whose it is
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
    tags = {"mlflow.parentRunId": parent.info.run_id, "mlflow.user": parent.info.user_id, **child["tags"]}
    run = client.create_run(parent.info.experiment_id, start_time=now - child["milliseconds"], tags=tags, run_name=child["name"])
    run_id = run.info.run_id
    client.log_batch(run_id, [Metric(key, value, now, step) for key, step, value in child["metrics"]],
                     [Param(key, str(value)) for key, value in child["params"].items()])
    client.set_terminated(run_id, child["status"], end_time=now)


def git_tags() -> dict[str, str]:
    """Return the commit of the working tree and whether tracked files differ from it; nothing outside a git repository."""
    def git(*arguments):
        done = subprocess.run(["git", *arguments], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else None

    try:
        commit = git("rev-parse", "HEAD")
        if commit is None:
            return {}
        return {"git_commit": commit, "git_dirty": str(bool(git("status", "--porcelain", "--untracked-files=no"))).lower()}
    except FileNotFoundError:           # no git on this machine
        return {}


def _run(dataset: str, stage: str, name: str, metrics: dict, artifacts: list[Path], *, params: dict | None = None,
         tags: dict | None = None, hashes: dict | None = None, log=None, children: list[dict] = ()) -> dict:
    """Return a run to be recorded, its figures flat and without those that are not defined, and the runs below it."""
    return {"dataset": dataset, "stage": stage, "name": name,
            "params": {key: str(value) for key, value in (params or {}).items()},
            "metrics": {key: float(value) for key, value in metrics.items() if value is not None},
            "artifacts": artifacts, "tags": {key: str(value) for key, value in (tags or {}).items() if value is not None},
            "hashes": hashes or {}, "log": log, "children": children}


def _read(path: Path) -> dict | None:
    """Return a stage's figures; None where the stage has not run, so that there is nothing to record."""
    return files.read_json(path, made_by="dvc repro") if path.is_file() else None


def _generate_runs(dataset: str, settings: Params) -> list[dict]:
    path = paths.metrics(dataset, "generate")
    figures = _read(path)
    if figures is None:
        return []
    return [_run(dataset, "generate", "generate", {"rows": figures["rows"], "columns": figures["columns"]}, [path],
                 params={"source": figures["source"], "random_state": settings.seed},
                 tags={"data_hash": figures["data_hash"], "synthetic": figures["synthetic"]})]


def _prepare_runs(dataset: str, settings: Params) -> list[dict]:
    path = paths.metrics(dataset, "quality")
    figures = _read(path)
    if figures is None:
        return []
    metrics = {"rows": figures["rows"], "columns": figures["columns"], "features": figures["features"],
               "missing_share": figures["missing_share"], "duplicates": figures["duplicates"],
               "outliers": sum(figures["outliers"].values()), "train_rows": figures["split"]["train"],
               "test_rows": figures["split"]["test"]}
    return [_run(dataset, "prepare", "prepare", metrics, [path],
                 params={"split": figures["split"]["by"], "random_state": settings.seed}, hashes={"split": figures["split_hash"]},
                 tags={"data_hash": figures["data_hash"], "synthetic": figures["synthetic"]})]


def _train_runs(dataset: str, settings: Params) -> list[dict]:
    figures = _read(paths.metrics(dataset, "train"))
    if figures is None:
        return []
    return [candidate_run(dataset, "train", name, candidate, figures) for name, candidate in figures["candidates"].items()
            if (paths.models(dataset, "train") / name).is_dir()]


TRIAL_STATES = {"finished": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}


def _tune_runs(dataset: str, settings: Params) -> list[dict]:
    """Return the run of the search, with one per trial below it, and the runs of the models that came out of it."""
    folder, reports = paths.models(dataset, "tune"), paths.reports(dataset, "tune")
    figures = _read(paths.metrics(dataset, "tune"))
    if figures is None or not (folder / "trials.csv").is_file() or not reports.is_dir():
        return []
    name, metric = figures["best"], figures["primary_metric"]
    best, over = figures["candidates"][name], figures["improvement"][name]["best_of_train"]
    metrics = {f"trials_{state}": figures["trials"][state] for state in ("total", "finished", "pruned", "failed")}
    metrics |= {f"cv_{metric}": best["cv"][metric]["mean"], f"test_{metric}": best["test"][metric]["value"]}
    metrics |= {f"test_gain_{part}": over["test"][part] for part in ("absolute", "low", "high", "percent")}
    shown = [path for path in files.folder_files(reports) if path.parent == reports]
    search = _run(dataset, "tune", "tune", metrics, [folder / "trials.csv", folder / "best_params.json", *shown],
                  params={"best": name, "primary_metric": metric, "baseline": over["over"], "random_state": settings.seed},
                  tags={"data_hash": figures["data_hash"], "synthetic": figures["synthetic"]},
                  hashes={"split": figures["split_hash"], "trials": files.digest(folder / "trials.csv")},
                  children=_trial_runs(dataset, folder / "trials.csv", metric))
    return [search, *(candidate_run(dataset, "tune", name, candidate, figures)
                      for name, candidate in figures["candidates"].items() if (folder / name).is_dir())]


def _trial_runs(dataset: str, path: Path, metric: str) -> list[dict]:
    """Return a run for each row of the table of trials; their durations are known where they were measured."""
    import csv
    timings = paths.timings(dataset, "tune")
    seconds = files.read_json(timings, made_by="dvc repro")["trials"] if timings.is_file() else {}
    runs = []
    for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
        taken = seconds.get(row["trial"])
        folds = [key for key in row if re.fullmatch(r"fold_\d+", key) and row[key]]
        metrics = [(f"fold_{metric}", place, float(row[key])) for place, key in enumerate(folds)]
        metrics += [(f"cv_{metric}", 0, float(row["value"]))] if row["value"] else []
        metrics += [("seconds", 0, taken)] if taken is not None else []
        model = row["model"]
        runs.append({"name": f"trial_{row['trial']}", "status": TRIAL_STATES[row["state"]], "metrics": metrics,
                     "milliseconds": int(1000 * (taken or 0)),
                     "params": {"model_type": model, **{key.removeprefix(f"{model}."): value for key, value in row.items()
                                                        if key.startswith(f"{model}.") and value}},
                     "tags": {"dataset": dataset, "stage": "tune", "trial": row["trial"], "origin": row["origin"],
                              "state": row["state"]} | ({"reason": row["reason"]} if row["reason"] else {})})
    return runs


def candidate_run(dataset: str, stage: str, name: str, candidate: dict, figures: dict) -> dict:
    """Return the run of one trained model: its scores, figures, and the model itself."""
    metrics = {f"cv_{metric}": value["mean"] for metric, value in candidate["cv"].items()}
    metrics |= {f"cv_{metric}_std": value["std"] for metric, value in candidate["cv"].items()}
    metrics |= {f"oof_{metric}": value for metric, value in candidate["cv_oof"].items()}
    metrics |= {f"train_{metric}": value for metric, value in candidate["train"].items()}
    for metric, value in candidate["test"].items():
        metrics |= {f"test_{metric}": value["value"]} | {f"test_{metric}_{bound}": value.get(bound) for bound in ("low", "high")}
    metrics["threshold"] = candidate.get("threshold")
    folder = paths.models(dataset, stage) / name

    def log(mlflow, settings):
        _log_dataset_and_model(mlflow, dataset, folder, settings)

    return _run(dataset, stage, name, metrics,
                [*files.folder_files(paths.reports(dataset, stage) / name), folder / "metadata.json",
                 paths.models(dataset, stage) / "train_stats.json"],
                params={**candidate["params"], "cv_folds": figures["cv_folds"]},
                tags={"data_hash": figures["data_hash"], "synthetic": figures["synthetic"],
                      "model_type": candidate["params"]["model_type"], "model_sha256": candidate["model_sha256"],
                      "primary_metric": figures["primary_metric"]},
                hashes={"split": figures["split_hash"]}, log=log)


def _log_dataset_and_model(mlflow, dataset: str, folder: Path, settings: Params) -> None:
    """Log the training data by their hash, and the stored model."""
    import pandas as pd
    from mlflow.data.meta_dataset import MetaDataset
    from mlflow.data.sources import LocalArtifactDatasetSource
    metadata = files.read_json(folder / "metadata.json", made_by=f"python train.py --dataset {dataset}")
    mlflow.log_input(MetaDataset(LocalArtifactDatasetSource(settings.dataset(dataset).data.file), name=dataset,
                                 digest=metadata["data_hash"], schema=_inputs(metadata)), context="training")
    example = pd.read_parquet(paths.processed(dataset) / "train.parquet", columns=list(metadata["features"])).head(EXAMPLE_ROWS)
    log_model(mlflow, folder, metadata, example)


def _inputs(metadata: dict):
    """Return the schema of a model's features, said and not inferred: reading it off the values takes as long as a fit."""
    from mlflow.types.schema import ColSpec, Schema
    return Schema([ColSpec("double" if kind == "numeric" else "string", name) for name, kind in metadata["features"].items()])


def log_model(mlflow, folder: Path, metadata: dict, example):
    """Log a folder as a model that mlflow.pyfunc loads through pipeline.models; return what MLflow knows of it."""
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types.schema import Schema, TensorSpec
    answer = np.dtype("float64" if metadata["task"] == "regression" else "str")
    names = [member["name"] for member in metadata.get("members", [metadata])]
    libraries = dict.fromkeys(MODEL_LIBRARIES[name] for name in names if name in MODEL_LIBRARIES)
    return mlflow.pyfunc.log_model(
        name="model", loader_module="pipeline.models", data_path=str(folder), code_paths=[str(Path(__file__).parent)],
        signature=ModelSignature(_inputs(metadata), Schema([TensorSpec(answer, (-1,))])), input_example=example,
        pip_requirements=[f"{name}=={version(name)}" for name in LOADING_LIBRARIES]
        + [f"{library}=={importlib.import_module(library).__version__}" for library in libraries])


def _drift_runs(dataset: str, settings: Params) -> list[dict]:
    path = paths.metrics(dataset, "drift")
    figures, quality = _read(path), _read(paths.metrics(dataset, "quality"))
    if figures is None or quality is None or not paths.reports(dataset, "drift").is_dir():      # a clone has figures alone
        return []
    metrics = {"drift_share": figures["drift_share"], "drift_score": figures["drift_score"],
               "drifted_columns": len(figures["drifted"]), "missing_share": figures["quality"]["current"]["missing_share"],
               "data_quality_good": figures["quality"]["verdict"] == "good"}
    for part in ("target", "prediction"):
        metrics |= {f"{part}_drift": figures[part]["verdict"] == "drift", f"{part}_drift_score": figures[part]["drift_score"]}
    metrics |= {f"target_mean_{side}": value for side, value in figures["target"]["mean"].items()}
    metrics |= {f"{side}_{metric}": value for side in ("reference", "current")
                for metric, value in figures["performance"][side].items()}
    metrics |= {f"drift_score__{name}": column["drift_score"] for name, column in figures["columns"].items()}
    return [_run(dataset, "drift", "drift", {metric_name(name): value for name, value in metrics.items()},
                 [path, *files.folder_files(paths.reports(dataset, "drift"))],
                 params={"candidate": figures["performance"]["candidate"], **figures["thresholds"]},
                 tags={"verdict": figures["verdict"], "recommendation": figures["recommendation"],
                       "data_hash": quality["data_hash"], "synthetic": quality["synthetic"]},
                 hashes={"split": quality["split_hash"]})]


def metric_name(name: str) -> str:
    """Return a name that MLflow takes: a column's may hold other characters than it allows."""
    return re.sub(r"[^\w\-./ ]", "_", name, flags=re.ASCII)


def _compare_runs(dataset: str, settings: Params) -> list[dict]:
    path, comparison = paths.best(dataset), _read(paths.COMPARISON)
    figures = _read(path)
    if figures is None or comparison is None or not paths.PICTURES.is_file():          # a clone has figures alone
        return []
    result = comparison["datasets"][dataset]
    metrics = {f"{part}_{figures['primary_metric']}": figures[part] for part in ("cv", "test")}
    metrics |= {f"test_{figures['primary_metric']}_{bound}": figures[f"test_{bound}"] for bound in ("low", "high")}
    return [_run(dataset, "compare", "compare", metrics, [path, paths.COMPARISON_REPORT],
                 params={"best": figures["candidate"], "primary_metric": figures["primary_metric"]},
                 tags={"data_hash": result["data_hash"], "synthetic": result["synthetic"],
                       "model_sha256": result["candidates"][figures["candidate"]]["model_sha256"]})]


def _validate_runs(dataset: str, settings: Params) -> list[dict]:
    path = paths.validation(dataset)
    figures = _read(path)
    if figures is None:
        return []
    metrics = {f"gate_{gate['on']}_{gate['metric']}": gate["value"] for gate in figures["gates"]}
    return [_run(dataset, "validate", "validate", {**metrics, "passed": figures["passed"]}, [path],
                 params={"candidate": figures["candidate"]},
                 tags={"verdict": "PASS" if figures["passed"] else "FAIL", "synthetic": figures["synthetic"],
                       "data_hash": figures["data_hash"],
                       "model_sha256": figures["model_sha256"]})]


def register_run(request: dict, folder: Path, log) -> dict:
    """Return the run of a model that is registered from a bundle, see bundles.py; `log` adds the model."""
    metrics = {f"cv_{metric}": value["mean"] for metric, value in request["cv"].items()}
    for metric, value in request["test"].items():
        metrics |= {f"test_{metric}": value["value"]} | {f"test_{metric}_{bound}": value.get(bound) for bound in ("low", "high")}
    return _run(request["dataset"], "register", "register", metrics,
                [folder / name for name in ("request.json", "model_card.md", "model_card.json")],
                params={"candidate": request["candidate"]},
                tags={key: request[key] for key in ("data_hash", "synthetic", "primary_metric", "model_sha256")}, log=log)


RUNS = {"generate": _generate_runs, "prepare": _prepare_runs, "train": _train_runs, "tune": _tune_runs, "drift": _drift_runs,
        "compare": _compare_runs, "validate": _validate_runs}
