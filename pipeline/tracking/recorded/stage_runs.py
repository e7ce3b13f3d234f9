"""What is recorded of each stage: the one place that flattens the JSON file of a stage into runs.

It reads plain JSON: the typed readers stand in rooms above this one, and a run holds nearly every
figure of its file as text or number. A stage that has not run, or of which a clone has the figures
but not the files, gives no runs.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.drift import verdicts
from pipeline.drift.roles import CURRENT, REFERENCE
from pipeline.project import files, paths
from pipeline.project.params import Params
from pipeline.tracking.logged_models import log_trained_model
from pipeline.tracking.recorded.tuning_runs import search_run
from pipeline.tracking.runs import Run, defined_metrics, defined_tags, params_text

Figures = dict[str, Any]  # of a stage, or of a candidate in it, as its JSON file holds them


def read_figures(path: Path) -> Figures | None:
    """Return a stage's figures; None where the stage has not run."""
    return files.read_json(path, made_by="dvc repro") if path.is_file() else None


def _data_tags(figures: Figures) -> Figures:
    """Return what every run says of its data."""
    return {"data_hash": figures["data_hash"], "synthetic": figures["synthetic"]}


def generate_runs(dataset: str, settings: Params) -> list[Run]:
    """Return the run of the table that was generated or fetched."""
    path = paths.metrics(dataset, "generate")
    figures = read_figures(path)
    if figures is None:
        return []
    run = Run(
        dataset,
        "generate",
        "generate",
        params=params_text({"source": figures["source"], "random_state": settings.seed}),
        metrics=defined_metrics({"rows": figures["rows"], "columns": figures["columns"]}),
        tags=defined_tags(_data_tags(figures)),
        artifacts=[path],
    )
    return [run]


def prepare_runs(dataset: str, settings: Params) -> list[Run]:
    """Return the run of the split, with the quality of its data."""
    path = paths.metrics(dataset, "quality")
    figures = read_figures(path)
    if figures is None:
        return []
    split = figures["split"]
    metrics = {
        "rows": figures["rows"],
        "columns": figures["columns"],
        "features": figures["features"],
        "missing_share": figures["missing_share"],
        "duplicates": figures["duplicates"],
        "outliers": sum(figures["outliers"].values()),
        "train_rows": split["train"],
        "test_rows": split["test"],
    }
    run = Run(
        dataset,
        "prepare",
        "prepare",
        params=params_text({"split": split["by"], "random_state": settings.seed}),
        metrics=defined_metrics(metrics),
        tags=defined_tags(_data_tags(figures)),
        hashes={"split": figures["split_hash"]},
        artifacts=[path],
    )
    return [run]


def train_runs(dataset: str, settings: Params) -> list[Run]:
    """Return a run for each trained model that is stored here."""
    figures = read_figures(paths.metrics(dataset, "train"))
    return candidate_runs(dataset, "train", figures, settings) if figures else []


def tune_runs(dataset: str, settings: Params) -> list[Run]:
    """Return the run of the search, its trials below it, and those of the models it led to."""
    figures = read_figures(paths.metrics(dataset, "tune"))
    trials = paths.models(dataset, "tune") / "trials.csv"
    if figures is None or not trials.is_file() or not paths.reports(dataset, "tune").is_dir():
        return []
    search = search_run(dataset, figures, trials, settings.seed)
    return [search, *candidate_runs(dataset, "tune", figures, settings)]


def candidate_runs(dataset: str, stage: str, figures: Figures, settings: Params) -> list[Run]:
    """Return the runs of a stage's candidates whose models are stored here."""
    table = settings.dataset(dataset).data.file
    return [
        candidate_run(dataset, stage, name, figures, table)
        for name in figures["candidates"]
        if (paths.models(dataset, stage) / name).is_dir()
    ]


def candidate_run(dataset: str, stage: str, name: str, figures: Figures, table: str) -> Run:
    """Return the run of one candidate: its scores, figures, and the model itself."""
    candidate = figures["candidates"][name]
    models = paths.models(dataset, stage)
    folder = models / name
    return Run(
        dataset,
        stage,
        name,
        params=params_text({**candidate["params"], "cv_folds": figures["cv_folds"]}),
        metrics=candidate_metrics(candidate),
        tags=defined_tags(
            {
                **_data_tags(figures),
                "model_type": candidate["params"]["model_type"],
                "model_sha256": candidate["model_sha256"],
                "primary_metric": figures["primary_metric"],
                "metrics_code": _code_text(figures.get("metrics_code")),
            }
        ),
        hashes={"split": figures["split_hash"]},
        artifacts=[
            *files.folder_files(paths.reports(dataset, stage) / name),
            folder / "metadata.json",
            models / "train_stats.json",
        ],
        log=partial(log_trained_model, dataset=dataset, folder=folder, table=table),
    )


def _code_text(code: dict[str, str] | None) -> str | None:
    """Return the files of the user's own metrics with their sha256; None where there are none."""
    return ", ".join(f"{path} {sha256}" for path, sha256 in code.items()) if code else None


def candidate_metrics(candidate: Figures) -> dict[str, float]:
    """Return a candidate's scores by part: cv_rmse, cv_rmse_std, oof_, train_ and test_rmse."""
    metrics = cv_metrics(candidate["cv"])
    for metric, score in candidate["cv"].items():
        metrics[f"cv_{metric}_std"] = score["std"]
    for metric, value in candidate["cv_oof"].items():
        metrics[f"oof_{metric}"] = value
    for metric, value in candidate["train"].items():
        metrics[f"train_{metric}"] = value
    metrics |= interval_metrics(candidate["test"])
    metrics["threshold"] = candidate.get("threshold")
    return defined_metrics(metrics)


def cv_metrics(scores: dict[str, Figures]) -> dict[str, float | None]:
    """Return the means over the folds: cv_rmse."""
    return {f"cv_{metric}": score["mean"] for metric, score in scores.items()}


def interval_metrics(scores: dict[str, Figures]) -> dict[str, float | None]:
    """Return the test scores with their intervals: test_rmse, test_rmse_low, test_rmse_high."""
    metrics = {}
    for metric, score in scores.items():
        metrics[f"test_{metric}"] = score["value"]
        metrics[f"test_{metric}_low"] = score.get("low")
        metrics[f"test_{metric}_high"] = score.get("high")
    return metrics


def drift_runs(dataset: str, settings: Params) -> list[Run]:
    """Return the run of the comparison of new rows with the training rows."""
    path, reports = paths.metrics(dataset, "drift"), paths.reports(dataset, "drift")
    figures = read_figures(path)
    quality = read_figures(paths.metrics(dataset, "quality"))
    if figures is None or quality is None or not reports.is_dir():
        return []
    run = Run(
        dataset,
        "drift",
        "drift",
        params=params_text(
            {"candidate": figures["performance"]["candidate"], **figures["thresholds"]}
        ),
        metrics=drift_metrics(figures),
        tags=defined_tags(
            {
                **_data_tags(quality),
                "verdict": figures["verdict"],
                "recommendation": figures["recommendation"],
            }
        ),
        hashes={"split": quality["split_hash"]},
        artifacts=[path, *files.folder_files(reports)],
    )
    return [run]


def drift_metrics(figures: Figures) -> dict[str, float]:
    """Return how much drifted: the columns, the target, the predictions and the scores."""
    metrics = {
        "drift_share": figures["drift_share"],
        "drift_score": figures["drift_score"],
        "drifted_columns": len(figures["drifted"]),
        "missing_share": figures["quality"][CURRENT]["missing_share"],
        "data_quality_good": figures["quality"]["verdict"] == verdicts.GOOD,
    }
    for part in ("target", "prediction"):
        metrics[f"{part}_drift"] = figures[part]["verdict"] == verdicts.DRIFT
        metrics[f"{part}_drift_score"] = figures[part]["drift_score"]
    for side, mean in figures["target"]["mean"].items():
        metrics[f"target_mean_{side}"] = mean
    for side in (REFERENCE, CURRENT):
        for metric, value in figures["performance"][side].items():
            metrics[f"{side}_{metric}"] = value
    for name, column in figures["columns"].items():
        metrics[f"drift_score__{name}"] = column["drift_score"]
    return defined_metrics(metrics)


def compare_runs(dataset: str, settings: Params) -> list[Run]:
    """Return the run of the comparison: the best candidate and its score."""
    path = paths.best(dataset)
    figures, comparison = read_figures(path), read_figures(paths.COMPARISON)
    if figures is None or comparison is None or not paths.PICTURES.is_file():
        return []
    result, metric = comparison["datasets"][dataset], figures["primary_metric"]
    best = result["candidates"][figures["candidate"]]
    metrics = {
        f"cv_{metric}": figures["cv"],
        f"test_{metric}": figures["test"],
        f"test_{metric}_low": figures["test_low"],
        f"test_{metric}_high": figures["test_high"],
    }
    for label, score in result.get("constant_decisions", {}).items():
        metrics[f"test_cost_per_1000_of_always__{label}"] = score["value"]
    run = Run(
        dataset,
        "compare",
        "compare",
        params=params_text({"best": figures["candidate"], "primary_metric": metric}),
        metrics=defined_metrics(metrics),
        tags=defined_tags({**_data_tags(result), "model_sha256": best["model_sha256"]}),
        artifacts=[path, paths.COMPARISON_REPORT],
    )
    return [run]


def validate_runs(dataset: str, settings: Params) -> list[Run]:
    """Return the run of the gates' verdicts on the best candidate."""
    path = paths.validation(dataset)
    figures = read_figures(path)
    if figures is None:
        return []
    metrics = {}
    for gate in figures["gates"]:
        by = gate.get("by", "value")
        end = "" if by == "value" else f"_{by}"
        metrics[f"gate_{gate['on']}_{gate['metric']}{end}"] = gate["value"]
    tags = {
        **_data_tags(figures),
        "verdict": "PASS" if figures["passed"] else "FAIL",
        "model_sha256": figures["model_sha256"],
    }
    run = Run(
        dataset,
        "validate",
        "validate",
        params=params_text({"candidate": figures["candidate"]}),
        metrics=defined_metrics({**metrics, "passed": figures["passed"]}),
        tags=defined_tags(tags),
        artifacts=[path],
    )
    return [run]


# each stage in the order of the graph, and what gives its runs
STAGE_RUNS: dict[str, Callable[[str, Params], list[Run]]] = {
    "generate": generate_runs,
    "prepare": prepare_runs,
    "train": train_runs,
    "tune": tune_runs,
    "drift": drift_runs,
    "compare": compare_runs,
    "validate": validate_runs,
}
