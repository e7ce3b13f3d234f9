"""MLflow's Model Registry: versions of each dataset's model, the aliases that name the one in use, and their files.

With tracking.py the only importer of MLflow. A version is known by its model's sha256 and holds one folder: the stored model as
`models.load` takes it, train_stats.json, the model card, and what a promotion and a rollback check.
"""

import json
from pathlib import Path
from typing import Any

from pipeline.project import files
from pipeline.project.params import Params
from pipeline.registry import bundles, versions
from pipeline.registry.versions import Version
from pipeline.tracking import git, logged_models, runs, stage_runs

LONGEST_DESCRIPTION = 5000  # characters that every store takes


def register_bundle(mlflow, folder: Path, settings: Params, least: int = 1) -> Version:
    """Write the run of a bundle, and make a version of its model whose number is not below `least`."""
    client = mlflow.MlflowClient()
    request = files.read_json(folder / "request.json", bundles.MADE_BY)
    dataset, sha256 = request["dataset"], request["model_sha256"]
    name = settings.dataset(dataset).registration.name  # the request may hold an earlier one
    experiment = mlflow.set_experiment(settings.dataset(dataset).experiment)
    for run in client.search_runs(
        [experiment.experiment_id], f"tags.stage = 'register' AND tags.model_sha256 = '{sha256}'"
    ):
        client.delete_run(run.info.run_id)  # cut short before it became a version
    model = runs.write_run(mlflow, register_run(request, folder)).model
    described = (folder / "model_card.md").read_text(encoding="utf-8")[:LONGEST_DESCRIPTION]
    tags = {
        key: str(request[key])
        for key in (
            "dataset",
            "candidate",
            "data_hash",
            "split_hash",
            "synthetic",
            "primary_metric",
        )
    }
    tags |= {
        **git.git_tags(),
        **score_tags(request),
        "sha256": sha256,
        "dvc_stage": f"{request['stage']}@{dataset}",
        "files_sha256": json.dumps(bundles.hashes(folder)),
        "bundle_sha256": files.digest(folder),
    }
    while True:
        entry = client.create_model_version(
            name,
            model.model_uri,
            run_id=model.run_id,
            tags=tags,
            description=described,
            model_id=model.model_id,
        )
        if int(entry.version) >= least:
            return versions.version_of(entry)
        client.delete_model_version(name, entry.version)


def register_run(request: dict, folder: Path) -> runs.Run:
    """Return the run of a model that is registered from a bundle."""

    def log(mlflow: Any) -> Any:
        model = logged_models.read_stored_model(folder, bundles.MADE_BY)
        return logged_models.log_model(mlflow, model, bundles.smoke_rows(folder))

    metrics = {
        **stage_runs.cv_metrics(request["cv"]),
        **stage_runs.interval_metrics(request["test"]),
    }
    tags = {
        key: request[key] for key in ("data_hash", "synthetic", "primary_metric", "model_sha256")
    }
    return runs.Run(
        request["dataset"],
        "register",
        "register",
        params=runs.params_text({"candidate": request["candidate"]}),
        metrics=runs.defined_metrics(metrics),
        tags=runs.defined_tags(tags),
        artifacts=[folder / name for name in ("request.json", "model_card.md", "model_card.json")],
        log=log,
    )


def score_tags(request: dict) -> dict[str, str]:
    """Return a request's scores as text: the cross-validated ones with their deviation, those of the test rows with intervals."""

    def interval(value):
        return f" [{value['low']:.4g}, {value['high']:.4g}]" if value.get("low") is not None else ""

    texts = {
        f"cv_{metric}": f"{value['mean']:.4g} ± {value['std']:.2g}"
        for metric, value in request["cv"].items()
        if value["mean"] is not None
    }
    return texts | {
        f"test_{metric}": f"{value['value']:.4g}{interval(value)}"
        for metric, value in request["test"].items()
        if value["value"] is not None
    }
