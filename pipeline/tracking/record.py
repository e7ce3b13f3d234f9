"""The MLflow record of what the stages' files say; with registry.py the only importer of MLflow.

A stage writes its files and calls `record`; `make sync` calls the same for whatever the store lacks. A run is known by its
identity, a hash of what it records, so that writing a result twice makes no second run, and a store that was lost is written anew
from the files. No stage decides by what the store says.
"""

import os
import sys
from urllib.parse import urlsplit, urlunsplit

from pipeline.project import files, params, paths
from pipeline.project.errors import PipelineError
from pipeline.project.params import Params
from pipeline.tracking import stage_runs, store
from pipeline.tracking.runs import identity_of, recorded_runs, write_run

RECORDED_WITH = {"train": ("generate", "prepare"), "validate": ("drift", "compare")}


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
    except (
        Exception
    ) as error:  # MLflow, SQLAlchemy, a server or a full disk, each with errors of its own
        print(
            f"{stage} {dataset}: not recorded in {store.tracking_uri()} ({store.cause(error)}); the files are written, mend the store and "
            f"run `make sync`",
            file=sys.stderr,
        )


def sync_runs() -> dict[tuple[str, str], int]:
    """Write whatever the store lacks of any stage of any dataset; return {(dataset, stage): runs written}."""
    settings = params.load()
    return write_missing({dataset: stage_runs.STAGES for dataset in settings.datasets}, settings)


def write_missing(
    stages: dict[str, tuple[str, ...]], settings: Params
) -> dict[tuple[str, str], int]:
    """Write the runs of the datasets' stages that the store does not hold; return {(dataset, stage): runs written}."""
    written = {}
    with store.open_store() as mlflow:
        for dataset, names in stages.items():
            wanted = {
                stage: {identity_of(run): run for run in stage_runs.RUNS[stage](dataset, settings)}
                for stage in names
            }
            if not any(wanted.values()):
                continue
            experiment = mlflow.set_experiment(settings.dataset(dataset).experiment)
            present = recorded_runs(mlflow, experiment.experiment_id, dataset)
            for stage, runs in wanted.items():
                missing = {
                    identity: run for identity, run in runs.items() if identity not in present
                }
                for identity, run in missing.items():
                    present[identity] = write_run(mlflow, run, settings)
                if missing:
                    written[dataset, stage] = len(missing)
            _note_addresses(
                dataset,
                experiment.experiment_id,
                {
                    f"{stage}/{run['name']}": present[identity]
                    for stage, runs in wanted.items()
                    for identity, run in runs.items()
                },
            )
    return written


def _note_addresses(dataset: str, experiment_id: str, runs: dict[str, str]) -> None:
    """Note where `mlflow ui` shows the runs, for pages that link to them without asking the store."""
    path = paths.mlflow_runs(dataset)
    noted = files.read_json(path, made_by="make sync") if path.is_file() else {}
    server = urlsplit(store.tracking_uri())
    base = store.LOCAL_UI
    if server.scheme in (
        "http",
        "https",
    ):  # without a name and password, which do not belong in a page
        base = urlunsplit(
            server._replace(netloc=server.netloc.rpartition("@")[2], query="", fragment="")
        ).rstrip("/")
    noted |= {
        name: f"{base}/#/experiments/{experiment_id}/runs/{run_id}" for name, run_id in runs.items()
    }
    files.write_json(path, dict(sorted(noted.items())))


def identities(settings: Params) -> set[str]:
    """Return the identities of all runs that the store should hold; MLflow is not asked."""
    return {
        identity_of(run)
        for dataset in settings.datasets
        for stage in stage_runs.STAGES
        for run in stage_runs.RUNS[stage](dataset, settings)
    }
