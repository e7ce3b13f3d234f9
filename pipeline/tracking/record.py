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
from pipeline.tracking.logged_models import delete_left_behind
from pipeline.tracking.recorded.pipeline_runs import PIPELINE, pipeline_runs
from pipeline.tracking.recorded.stage_runs import STAGE_RUNS
from pipeline.tracking.runs import DESCRIPTION, RecordedRun, Run, finished_runs, nest, write_run

# what is recorded, in this order: a pipeline's run is that of the stages before it
RUNS = {**STAGE_RUNS, PIPELINE: pipeline_runs}
# stages that are recorded with a later one under `dvc repro`: MLflow takes longer to start than
# they take to run
RECORDED_WITH = {"train": ("generate", "prepare"), "validate": ("drift", "compare")}
ABOUT_EXPERIMENT = (
    "One run per model, search and stage of a dataset. Open the run `pipeline` to see the runs of "
    "one `make pipeline`. To compare models, select their runs and click Compare: all have the "
    "same metrics. `cv_` is the mean over the folds, `oof_` out of fold, `test_` on the test rows; "
    "`_low` and `_high` are the ends of its 95 % interval."
)
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
    return write_missing(dict.fromkeys(datasets, tuple(RUNS)), settings)


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
    experiment_id = open_experiment(mlflow, experiment_name)
    recorded = finished_runs(mlflow, experiment_id, dataset)
    missing = []
    for run in runs:
        if run.identity not in recorded:
            recorded[run.identity] = RecordedRun(write_run(mlflow, run).run_id, parent=None)
            missing.append(run)
        nest(mlflow, run, recorded)
    delete_left_behind(mlflow, experiment_id)
    addresses = {f"{run.stage}/{run.name}": recorded[run.identity].run_id for run in runs}
    note_addresses(dataset, experiment_id, addresses)
    if any(run.stage == "compare" for run in runs):
        comparisons.note(mlflow, dataset, experiment_name)
    return missing


def open_experiment(mlflow: Any, name: str) -> str:
    """Return the id of an experiment, to which runs are written from now on.

    One without a description gets ours; what a person wrote stays.
    """
    experiment = mlflow.set_experiment(name)
    if DESCRIPTION not in experiment.tags:
        mlflow.set_experiment_tag(DESCRIPTION, ABOUT_EXPERIMENT)
    return experiment.experiment_id


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
