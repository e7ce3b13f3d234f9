"""The record: each result has its run in the store, written once.

A stage writes its files and then calls `record`; `make sync` calls `sync_runs` for whatever the
store lacks, so that a store that was lost is written again from the files.
"""

import os
import sys
from collections.abc import Iterable
from typing import Any

from pipeline.project import files, paths
from pipeline.project.errors import PipelineError
from pipeline.project.params import Params
from pipeline.tracking import comparisons, store
from pipeline.tracking.runs import Run, finished_runs, write_run
from pipeline.tracking.stage_runs import RUNS, STAGES

# stages that are recorded with a later one under `dvc repro`: MLflow takes longer to start than
# they take to run
RECORDED_WITH = {"train": ("generate", "prepare"), "validate": ("drift", "compare")}
RECORDED_LATER = {stage for stages in RECORDED_WITH.values() for stage in stages}


def record(dataset: str, stage: str, settings: Params) -> None:
    """Write the runs of a stage that the store lacks.

    A store that cannot be written is reported on standard error and stops nothing: the files are
    the result, and `make sync` writes the rest.
    """
    if stage in RECORDED_LATER and "DVC_STAGE" in os.environ:
        return
    stages = (*RECORDED_WITH.get(stage, ()), stage)
    try:
        write_missing({dataset: stages}, settings)
    except PipelineError:
        raise
    # MLflow, SQLAlchemy, a server or a full disk, each with errors of its own
    except Exception as error:
        print(
            f"{stage} {dataset}: not recorded in {store.tracking_uri()} ({store.cause(error)}); "
            f"the files are written, fix the store and run `make sync`",
            file=sys.stderr,
        )


def sync_runs(datasets: Iterable[str], settings: Params) -> dict[tuple[str, str], int]:
    """Write what the store lacks of any stage; return {(dataset, stage): runs written}."""
    return write_missing(dict.fromkeys(datasets, STAGES), settings)


def write_missing(
    stages: dict[str, tuple[str, ...]], settings: Params
) -> dict[tuple[str, str], int]:
    """Write the runs of the datasets' stages that the store lacks.

    Return {(dataset, stage): runs written}, without those of which none was missing.
    """
    written: dict[tuple[str, str], int] = {}
    with store.open_store() as mlflow:
        for dataset, names in stages.items():
            runs = [run for stage in names for run in RUNS[stage](dataset, settings)]
            if not runs:
                continue
            experiment = settings.dataset(dataset).experiment
            for run in _write_missing(mlflow, dataset, experiment, runs):
                written[dataset, run.stage] = written.get((dataset, run.stage), 0) + 1
    return written


def _write_missing(mlflow: Any, dataset: str, experiment_name: str, runs: list[Run]) -> list[Run]:
    """Write those runs of one dataset that the store lacks, and return them."""
    experiment_id = mlflow.set_experiment(experiment_name).experiment_id
    run_ids = finished_runs(mlflow, experiment_id, dataset)
    missing = []
    for run in runs:
        if run.identity not in run_ids:
            run_ids[run.identity] = write_run(mlflow, run).run_id
            missing.append(run)
    addresses = {f"{run.stage}/{run.name}": run_ids[run.identity] for run in runs}
    note_addresses(dataset, experiment_id, addresses)
    if any(run.stage == "compare" for run in runs):
        comparisons.note(mlflow, dataset, experiment_name)
    return missing


def note_addresses(dataset: str, experiment_id: str, run_ids: dict[str, str]) -> None:
    """Note where `mlflow ui` shows runs, for pages that link to them without asking the store."""
    path = paths.mlflow_runs(dataset)
    addresses = files.read_json(path, made_by="make sync") if path.is_file() else {}
    experiment = f"{store.ui_address()}/#/experiments/{experiment_id}"
    for name, run_id in run_ids.items():
        addresses[name] = f"{experiment}/runs/{run_id}"
    files.write_json(path, dict(sorted(addresses.items())))


def identities(settings: Params) -> set[str]:
    """Return the identities of all runs that the store should hold; the store is not asked."""
    return {
        run.identity
        for dataset in settings.datasets
        for runs_of_stage in RUNS.values()
        for run in runs_of_stage(dataset, settings)
    }
