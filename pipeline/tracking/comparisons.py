"""Past comparisons: what each chose, as the store recorded it."""

from dataclasses import asdict, dataclass
from typing import Any

from pipeline.project import files, paths
from pipeline.project.params import Params
from pipeline.tracking import store

HASH_DIGITS = 7  # of a commit and of a table that are shown


@dataclass(frozen=True)
class RecordedComparison:
    """The best candidate of one dataset at one time; `low` and `high` bound its test score."""

    time: str
    commit: str
    data: str
    best: str
    metric: str
    cv: float | None
    test: float | None
    low: float | None
    high: float | None


def recorded_comparisons(settings: Params) -> dict[str, list[RecordedComparison]]:
    """Return the recorded comparisons of each dataset, the newest first."""
    with store.open_store() as mlflow:
        return {
            name: _comparisons(mlflow, name, dataset.experiment)
            for name, dataset in settings.datasets.items()
        }


def note(mlflow: Any, dataset: str, experiment_name: str) -> None:
    """Note a dataset's recorded comparisons, for pages that show them without asking the store."""
    recorded = _comparisons(mlflow, dataset, experiment_name)
    files.write_json(
        paths.mlflow_comparisons(dataset), {"comparisons": [asdict(one) for one in recorded]}
    )


def noted(dataset: str) -> list[RecordedComparison]:
    """Return what was noted of a dataset's comparisons when last one was recorded."""
    path = paths.mlflow_comparisons(dataset)
    if not path.is_file():
        return []
    content = files.read_json(path, made_by="make sync")
    return [RecordedComparison(**one) for one in content["comparisons"]]


def _comparisons(mlflow: Any, dataset: str, experiment_name: str) -> list[RecordedComparison]:
    experiment = mlflow.get_experiment_by_name(experiment_name)
    if experiment is None:
        return []
    runs = mlflow.search_runs(
        [experiment.experiment_id],
        f"tags.dataset = '{dataset}' AND tags.stage = 'compare'",
        order_by=["start_time DESC"],
        output_format="list",
    )
    return [_comparison(run) for run in runs if run.info.status == "FINISHED"]


def _comparison(run: Any) -> RecordedComparison:
    tags, figures = run.data.tags, run.data.metrics
    metric = run.data.params["primary_metric"]
    commit = tags.get("git_commit", "")[:HASH_DIGITS]
    if tags.get("git_dirty") == "true":
        commit += "*"  # tracked files differed from it
    return RecordedComparison(
        time=tags["timestamp"],
        commit=commit,
        data=tags["data_hash"][:HASH_DIGITS],
        best=run.data.params["best"],
        metric=metric,
        cv=figures.get(f"cv_{metric}"),
        test=figures.get(f"test_{metric}"),
        low=figures.get(f"test_{metric}_low"),
        high=figures.get(f"test_{metric}_high"),
    )
