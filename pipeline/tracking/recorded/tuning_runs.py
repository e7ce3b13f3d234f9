"""The run of a search, and the runs of its trials below it."""

import csv
import re
from pathlib import Path
from typing import Any

from pipeline.project import files, paths
from pipeline.tracking.runs import (
    ChildRun,
    Point,
    Run,
    defined_metrics,
    defined_tags,
    params_text,
)

# a trial's state in trials.csv, and MLflow's status of its run
STATUS = {"finished": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}


def search_run(dataset: str, figures: dict[str, Any], trials: Path, seed: int) -> Run:
    """Return the run of a search from tune.json and trials.csv: what it tried and gained."""
    best, metric = figures["best"], figures["primary_metric"]
    reports = paths.reports(dataset, "tune")
    # a folder below is that of a model, which has a run of its own
    figures_of_search = [path for path in files.folder_files(reports) if path.parent == reports]
    params = {
        "best": best,
        "primary_metric": metric,
        "baseline": figures["improvement"][best]["best_of_train"]["over"],
        "random_state": seed,
    }
    tags = {"data_hash": figures["data_hash"], "synthetic": figures["synthetic"]}
    return Run(
        dataset,
        "tune",
        "tune",
        params=params_text(params),
        metrics=search_metrics(figures),
        tags=defined_tags(tags),
        hashes={"split": figures["split_hash"], "trials": files.digest(trials)},
        artifacts=[trials, trials.with_name("best_params.json"), *figures_of_search],
        children=trial_runs(dataset, trials, metric),
    )


def search_metrics(figures: dict[str, Any]) -> dict[str, float]:
    """Return how many trials a search had, its best score, and the gain over train's best model."""
    best, metric = figures["best"], figures["primary_metric"]
    candidate = figures["candidates"][best]
    metrics = {
        f"trials_{state}": figures["trials"][state]
        for state in ("total", "finished", "pruned", "failed")
    }
    metrics[f"cv_{metric}"] = candidate["cv"][metric]["mean"]
    metrics[f"test_{metric}"] = candidate["test"][metric]["value"]
    gain = figures["improvement"][best]["best_of_train"]["test"]
    for part in ("absolute", "low", "high", "percent"):
        metrics[f"test_gain_{part}"] = gain[part]
    return defined_metrics(metrics)


def trial_runs(dataset: str, trials: Path, metric: str) -> list[ChildRun]:
    """Return a run for each trial; their durations are known where they were measured."""
    timings = paths.timings(dataset, "tune")
    seconds = files.read_json(timings, made_by="dvc repro")["trials"] if timings.is_file() else {}
    with trials.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    return [trial_run(dataset, row, metric, seconds.get(row["trial"])) for row in rows]


def trial_run(dataset: str, row: dict[str, str], metric: str, seconds: float | None) -> ChildRun:
    """Return the run of a trial from its row of trials.csv, in which an empty cell is no value."""
    tags = {
        "dataset": dataset,
        "stage": "tune",
        "trial": row["trial"],
        "origin": row["origin"],
        "state": row["state"],
        "reason": row["reason"] or None,
    }
    return ChildRun(
        name=f"trial_{row['trial']}",
        status=STATUS[row["state"]],
        milliseconds=int(1000 * (seconds or 0)),
        params={"model_type": row["model"], **hyperparameters(row)},
        points=trial_points(row, metric, seconds),
        tags=defined_tags(tags),
    )


def hyperparameters(row: dict[str, str]) -> dict[str, str]:
    """Return a trial's hyperparameters: columns named after its model, such as ridge.alpha."""
    prefix = f"{row['model']}."
    return {
        column.removeprefix(prefix): value
        for column, value in row.items()
        if column.startswith(prefix) and value
    }


def trial_points(row: dict[str, str], metric: str, seconds: float | None) -> list[Point]:
    """Return a trial's score on each fold, over the folds, and how long it took."""
    folds = [row[column] for column in row if re.fullmatch(r"fold_\d+", column) and row[column]]
    points = [Point(f"fold_{metric}", step, float(score)) for step, score in enumerate(folds)]
    if row["value"]:
        points.append(Point(f"cv_{metric}", 0, float(row["value"])))
    if seconds is not None:
        points.append(Point("seconds", 0, seconds))
    return points
