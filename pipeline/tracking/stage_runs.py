"""The MLflow record of what the stages' files say; with registry.py the only importer of MLflow.

A stage writes its files and calls `record`; `make sync` calls the same for whatever the store lacks. A run is known by its
identity, a hash of what it records, so that writing a result twice makes no second run, and a store that was lost is written anew
from the files. No stage decides by what the store says.
"""

import re
from pathlib import Path

from pipeline.drift import verdicts
from pipeline.project import files, paths
from pipeline.project.params import Params
from pipeline.tracking import logged_models
from pipeline.tracking.runs import metric_name, new_run

STAGES = (
    "generate",
    "prepare",
    "train",
    "tune",
    "drift",
    "compare",
    "validate",
)  # in the order of the graph


def _read(path: Path) -> dict | None:
    """Return a stage's figures; None where the stage has not run, so that there is nothing to record."""
    return files.read_json(path, made_by="dvc repro") if path.is_file() else None


def _generate_runs(dataset: str, settings: Params) -> list[dict]:
    path = paths.metrics(dataset, "generate")
    figures = _read(path)
    if figures is None:
        return []
    return [
        new_run(
            dataset,
            "generate",
            "generate",
            {"rows": figures["rows"], "columns": figures["columns"]},
            [path],
            params={"source": figures["source"], "random_state": settings.seed},
            tags={"data_hash": figures["data_hash"], "synthetic": figures["synthetic"]},
        )
    ]


def _prepare_runs(dataset: str, settings: Params) -> list[dict]:
    path = paths.metrics(dataset, "quality")
    figures = _read(path)
    if figures is None:
        return []
    metrics = {
        "rows": figures["rows"],
        "columns": figures["columns"],
        "features": figures["features"],
        "missing_share": figures["missing_share"],
        "duplicates": figures["duplicates"],
        "outliers": sum(figures["outliers"].values()),
        "train_rows": figures["split"]["train"],
        "test_rows": figures["split"]["test"],
    }
    return [
        new_run(
            dataset,
            "prepare",
            "prepare",
            metrics,
            [path],
            params={"split": figures["split"]["by"], "random_state": settings.seed},
            hashes={"split": figures["split_hash"]},
            tags={"data_hash": figures["data_hash"], "synthetic": figures["synthetic"]},
        )
    ]


def _train_runs(dataset: str, settings: Params) -> list[dict]:
    figures = _read(paths.metrics(dataset, "train"))
    if figures is None:
        return []
    return [
        candidate_run(dataset, "train", name, candidate, figures)
        for name, candidate in figures["candidates"].items()
        if (paths.models(dataset, "train") / name).is_dir()
    ]


TRIAL_STATES = {"finished": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}


def _tune_runs(dataset: str, settings: Params) -> list[dict]:
    """Return the run of the search, with one per trial below it, and the runs of the models that came out of it."""
    folder, reports = paths.models(dataset, "tune"), paths.reports(dataset, "tune")
    figures = _read(paths.metrics(dataset, "tune"))
    if figures is None or not (folder / "trials.csv").is_file() or not reports.is_dir():
        return []
    name, metric = figures["best"], figures["primary_metric"]
    best, over = figures["candidates"][name], figures["improvement"][name]["best_of_train"]
    metrics = {
        f"trials_{state}": figures["trials"][state]
        for state in ("total", "finished", "pruned", "failed")
    }
    metrics |= {
        f"cv_{metric}": best["cv"][metric]["mean"],
        f"test_{metric}": best["test"][metric]["value"],
    }
    metrics |= {
        f"test_gain_{part}": over["test"][part] for part in ("absolute", "low", "high", "percent")
    }
    shown = [path for path in files.folder_files(reports) if path.parent == reports]
    search = new_run(
        dataset,
        "tune",
        "tune",
        metrics,
        [folder / "trials.csv", folder / "best_params.json", *shown],
        params={
            "best": name,
            "primary_metric": metric,
            "baseline": over["over"],
            "random_state": settings.seed,
        },
        tags={"data_hash": figures["data_hash"], "synthetic": figures["synthetic"]},
        hashes={"split": figures["split_hash"], "trials": files.digest(folder / "trials.csv")},
        children=_trial_runs(dataset, folder / "trials.csv", metric),
    )
    return [
        search,
        *(
            candidate_run(dataset, "tune", name, candidate, figures)
            for name, candidate in figures["candidates"].items()
            if (folder / name).is_dir()
        ),
    ]


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
        runs.append(
            {
                "name": f"trial_{row['trial']}",
                "status": TRIAL_STATES[row["state"]],
                "metrics": metrics,
                "milliseconds": int(1000 * (taken or 0)),
                "params": {
                    "model_type": model,
                    **{
                        key.removeprefix(f"{model}."): value
                        for key, value in row.items()
                        if key.startswith(f"{model}.") and value
                    },
                },
                "tags": {
                    "dataset": dataset,
                    "stage": "tune",
                    "trial": row["trial"],
                    "origin": row["origin"],
                    "state": row["state"],
                }
                | ({"reason": row["reason"]} if row["reason"] else {}),
            }
        )
    return runs


def candidate_run(dataset: str, stage: str, name: str, candidate: dict, figures: dict) -> dict:
    """Return the run of one trained model: its scores, figures, and the model itself."""
    metrics = {f"cv_{metric}": value["mean"] for metric, value in candidate["cv"].items()}
    metrics |= {f"cv_{metric}_std": value["std"] for metric, value in candidate["cv"].items()}
    metrics |= {f"oof_{metric}": value for metric, value in candidate["cv_oof"].items()}
    metrics |= {f"train_{metric}": value for metric, value in candidate["train"].items()}
    for metric, value in candidate["test"].items():
        metrics |= {f"test_{metric}": value["value"]} | {
            f"test_{metric}_{bound}": value.get(bound) for bound in ("low", "high")
        }
    metrics["threshold"] = candidate.get("threshold")
    folder = paths.models(dataset, stage) / name

    def log(mlflow, settings):
        logged_models.log_dataset_and_model(mlflow, dataset, folder, settings)

    return new_run(
        dataset,
        stage,
        name,
        metrics,
        [
            *files.folder_files(paths.reports(dataset, stage) / name),
            folder / "metadata.json",
            paths.models(dataset, stage) / "train_stats.json",
        ],
        params={**candidate["params"], "cv_folds": figures["cv_folds"]},
        tags={
            "data_hash": figures["data_hash"],
            "synthetic": figures["synthetic"],
            "model_type": candidate["params"]["model_type"],
            "model_sha256": candidate["model_sha256"],
            "primary_metric": figures["primary_metric"],
        },
        hashes={"split": figures["split_hash"]},
        log=log,
    )


def _drift_runs(dataset: str, settings: Params) -> list[dict]:
    path = paths.metrics(dataset, "drift")
    figures, quality = _read(path), _read(paths.metrics(dataset, "quality"))
    if (
        figures is None or quality is None or not paths.reports(dataset, "drift").is_dir()
    ):  # a clone has figures alone
        return []
    metrics = {
        "drift_share": figures["drift_share"],
        "drift_score": figures["drift_score"],
        "drifted_columns": len(figures["drifted"]),
        "missing_share": figures["quality"]["current"]["missing_share"],
        "data_quality_good": figures["quality"]["verdict"] == verdicts.GOOD,
    }
    for part in ("target", "prediction"):
        metrics |= {
            f"{part}_drift": figures[part]["verdict"] == verdicts.DRIFT,
            f"{part}_drift_score": figures[part]["drift_score"],
        }
    metrics |= {f"target_mean_{side}": value for side, value in figures["target"]["mean"].items()}
    metrics |= {
        f"{side}_{metric}": value
        for side in ("reference", "current")
        for metric, value in figures["performance"][side].items()
    }
    metrics |= {
        f"drift_score__{name}": column["drift_score"] for name, column in figures["columns"].items()
    }
    return [
        new_run(
            dataset,
            "drift",
            "drift",
            {metric_name(name): value for name, value in metrics.items()},
            [path, *files.folder_files(paths.reports(dataset, "drift"))],
            params={"candidate": figures["performance"]["candidate"], **figures["thresholds"]},
            tags={
                "verdict": figures["verdict"],
                "recommendation": figures["recommendation"],
                "data_hash": quality["data_hash"],
                "synthetic": quality["synthetic"],
            },
            hashes={"split": quality["split_hash"]},
        )
    ]


def _compare_runs(dataset: str, settings: Params) -> list[dict]:
    path, comparison = paths.best(dataset), _read(paths.COMPARISON)
    figures = _read(path)
    if (
        figures is None or comparison is None or not paths.PICTURES.is_file()
    ):  # a clone has figures alone
        return []
    result = comparison["datasets"][dataset]
    metrics = {f"{part}_{figures['primary_metric']}": figures[part] for part in ("cv", "test")}
    metrics |= {
        f"test_{figures['primary_metric']}_{bound}": figures[f"test_{bound}"]
        for bound in ("low", "high")
    }
    return [
        new_run(
            dataset,
            "compare",
            "compare",
            metrics,
            [path, paths.COMPARISON_REPORT],
            params={"best": figures["candidate"], "primary_metric": figures["primary_metric"]},
            tags={
                "data_hash": result["data_hash"],
                "synthetic": result["synthetic"],
                "model_sha256": result["candidates"][figures["candidate"]]["model_sha256"],
            },
        )
    ]


def _validate_runs(dataset: str, settings: Params) -> list[dict]:
    path = paths.validation(dataset)
    figures = _read(path)
    if figures is None:
        return []
    metrics = {f"gate_{gate['on']}_{gate['metric']}": gate["value"] for gate in figures["gates"]}
    return [
        new_run(
            dataset,
            "validate",
            "validate",
            {**metrics, "passed": figures["passed"]},
            [path],
            params={"candidate": figures["candidate"]},
            tags={
                "verdict": "PASS" if figures["passed"] else "FAIL",
                "synthetic": figures["synthetic"],
                "data_hash": figures["data_hash"],
                "model_sha256": figures["model_sha256"],
            },
        )
    ]


def register_run(request: dict, folder: Path, log) -> dict:
    """Return the run of a model that is registered from a bundle, see bundles.py; `log` adds the model."""
    metrics = {f"cv_{metric}": value["mean"] for metric, value in request["cv"].items()}
    for metric, value in request["test"].items():
        metrics |= {f"test_{metric}": value["value"]} | {
            f"test_{metric}_{bound}": value.get(bound) for bound in ("low", "high")
        }
    return new_run(
        request["dataset"],
        "register",
        "register",
        metrics,
        [folder / name for name in ("request.json", "model_card.md", "model_card.json")],
        params={"candidate": request["candidate"]},
        tags={
            key: request[key]
            for key in ("data_hash", "synthetic", "primary_metric", "model_sha256")
        },
        log=log,
    )


RUNS = {
    "generate": _generate_runs,
    "prepare": _prepare_runs,
    "train": _train_runs,
    "tune": _tune_runs,
    "drift": _drift_runs,
    "compare": _compare_runs,
    "validate": _validate_runs,
}
