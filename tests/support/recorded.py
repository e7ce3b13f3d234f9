"""The runs that a project's store holds."""

import itertools
from pathlib import Path
from typing import Any

fresh = itertools.count(1)


def recorded(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the runs of a folder's store as {identity: run} by experiment."""
    import mlflow

    # MLflow keeps the connection to an address, to a deleted store too
    same_file = "./" * next(fresh)
    client = mlflow.MlflowClient(f"sqlite:///{folder}/{same_file}mlflow.db")
    return {
        experiment.name: {
            run.data.tags["identity"]: run
            for run in client.search_runs([experiment.experiment_id])
            if "identity" in run.data.tags
        }
        for experiment in client.search_experiments()
        if experiment.name != "Default"
    }
