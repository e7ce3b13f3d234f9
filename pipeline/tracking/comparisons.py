"""The MLflow record of what the stages' files say; with registry.py the only importer of MLflow.

A stage writes its files and calls `record`; `make sync` calls the same for whatever the store lacks. A run is known by its
identity, a hash of what it records, so that writing a result twice makes no second run, and a store that was lost is written anew
from the files. No stage decides by what the store says.
"""

from pipeline.project.params import Params
from pipeline.tracking import store


def recorded_comparisons(settings: Params) -> dict[str, list[dict]]:
    """Return what the recorded comparisons of each dataset chose, the newest first."""
    found = {}
    with store.open_store() as mlflow:
        client = mlflow.MlflowClient()
        for dataset, spec in settings.datasets.items():
            experiment = client.get_experiment_by_name(spec.experiment)
            runs = (
                []
                if experiment is None
                else client.search_runs(
                    [experiment.experiment_id],
                    f"tags.dataset = '{dataset}' AND tags.stage = 'compare'",
                    order_by=["start_time DESC"],
                )
            )
            found[dataset] = [_comparison(run) for run in runs if run.info.status == "FINISHED"]
    return found


def _comparison(run) -> dict:
    metric, tags, figures = run.data.params["primary_metric"], run.data.tags, run.data.metrics
    commit = tags.get("git_commit", "")[:7] + "*" * (
        tags.get("git_dirty") == "true"
    )  # * : with changes beside it
    return {
        "time": tags["timestamp"],
        "commit": commit,
        "data": tags["data_hash"][:7],
        "best": run.data.params["best"],
        "metric": metric,
        "cv": figures.get(f"cv_{metric}"),
        "test": figures.get(f"test_{metric}"),
        "low": figures.get(f"test_{metric}_low"),
        "high": figures.get(f"test_{metric}_high"),
    }
