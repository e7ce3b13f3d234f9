"""The versions of a registered model: MLflow's entries of them, and their verified files.

A version is known by its model's sha256, and its files are a bundle. The aliases name the version
in use, the one before it and the last that was not promoted.
"""

import json
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.project.params import Params
from pipeline.registry import bundles, registration
from pipeline.registry.registration import Request
from pipeline.tracking import git, logged_models, runs, store
from pipeline.tracking.recorded import stage_runs

CHAMPION, PREVIOUS = "champion", "previous"
NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # MLflow's error codes
LONGEST_DESCRIPTION = 5000  # characters that every store takes


@dataclass(frozen=True)
class Version:
    """A version of a registered model, as its entry in MLflow describes it."""

    name: str
    version: int
    sha256: str
    data_hash: str
    aliases: tuple[str, ...]
    tags: dict[str, str] = field(repr=False)


@dataclass(frozen=True)
class ResolvedVersion(Version):
    """A version whose verified bundle lies in `folder`."""

    folder: Path


@dataclass(frozen=True)
class RegisteredModel:
    """A dataset's model in the registry: its name, and the client that reads and writes it."""

    client: Any
    dataset: str
    name: str

    def entry(self) -> Any:
        """Return MLflow's entry of the model; None where there is none."""
        from mlflow.exceptions import MlflowException

        try:
            return self.client.get_registered_model(self.name)
        except MlflowException as error:
            if error.error_code not in NOT_THERE:
                raise
            return None

    def versions(self) -> list[Version]:
        """Return the versions, the oldest first; DataError where the model is not registered."""
        entry = self.entry()
        if entry is None:
            raise DataError(
                f"{self.name}: not in {store.tracking_uri()}; run "
                f"`python register_model.py --dataset {self.dataset}`"
            )
        found = self.client.search_model_versions(f"name = '{self.name}'")
        versions = sorted((_version(one) for one in found), key=lambda version: version.version)
        # a search gives no aliases
        return [
            replace(version, aliases=_aliases_of(entry.aliases, version.version))
            for version in versions
        ]

    def version(self, reference: str | int) -> Version:
        """Return the version that an alias or a number names; DataError where there is none."""
        from mlflow.exceptions import MlflowException

        is_number = str(reference).isdigit()
        try:
            if is_number:
                return _version(self.client.get_model_version(self.name, str(reference)))
            return _version(self.client.get_model_version_by_alias(self.name, str(reference)))
        except MlflowException as error:
            if error.error_code not in NOT_THERE:
                raise
        what = f"version {reference}" if is_number else f"@{reference}"
        raise DataError(
            f"{self.name}: no {what} in {store.tracking_uri()}; `python rollback.py --dataset "
            f"{self.dataset} --list` shows what there is, `python register_model.py --dataset "
            f"{self.dataset}` registers the best model"
        )

    def bundle(self, version: Version) -> Path:
        """Return the folder of a version's files: MLflow's own, or a copy of what lies elsewhere.

        Raises DataError where a file of it is not the one that was registered.
        """
        origin = f"{version.name} version {version.version}"
        if not version.sha256:
            raise DataError(
                f"{origin}: has no sha256: it was not registered by register_model.py; take "
                f"another version"
            )
        folder = self._fetched(version)
        if not folder.is_dir():
            raise DataError(
                f"{origin}: {folder} is not there: the project was moved, or {paths.ARTIFACTS} "
                f"cleaned; delete {paths.STORE}, keep {paths.ARTIFACTS}, and run `make sync`"
            )
        bundles.verify(folder, json.loads(version.tags["files_sha256"]))
        metadata = folder / "metadata.json"
        sha256 = files.read_json(metadata, bundles.MADE_BY)["model_sha256"]
        if sha256 != version.sha256:
            raise DataError(
                f"{metadata}: model_sha256 {sha256} is not the registered {version.sha256}; take "
                f"another version"
            )
        return folder

    def _fetched(self, version: Version) -> Path:
        """Return where a version's bundle lies on this machine; another machine's is downloaded."""
        location = self.client.get_model_version_download_uri(version.name, str(version.version))
        address = urlparse(location)
        if address.scheme in ("", "file"):
            return Path(unquote(address.path)) / bundles.IN_ARTIFACTS
        folder = paths.downloaded(version.sha256)
        if not folder.is_dir():
            _download(f"{location}/{bundles.IN_ARTIFACTS}", folder)
        return folder


def registered_model(client: Any, dataset: str, settings: Params) -> RegisteredModel:
    """Return a dataset's model in the registry, whether it is there yet or not."""
    return RegisteredModel(client, dataset, settings.dataset(dataset).registration.name)


def resolve(dataset: str, settings: Params, reference: str | int = CHAMPION) -> ResolvedVersion:
    """Return the version that an alias or a number names, with its verified files.

    Raises DataError where there is no such version, or a file of it was changed or is gone.
    """
    model = registered_model(store.client(), dataset, settings)
    version = model.version(reference)
    return ResolvedVersion(**vars(version), folder=model.bundle(version))


def version_number(dataset: str, settings: Params, alias: str = CHAMPION) -> int:
    """Return the number of the version that an alias names, in one query, for use every second."""
    return registered_model(store.client(), dataset, settings).version(alias).version


def list_versions(dataset: str, settings: Params) -> list[Version]:
    """Return the versions of a dataset's model, the oldest first."""
    return registered_model(store.client(), dataset, settings).versions()


def _version(entry: Any) -> Version:
    """Return the version that an entry of MLflow's is of."""
    return Version(
        name=entry.name,
        version=int(entry.version),
        sha256=entry.tags.get("sha256", ""),
        data_hash=entry.tags.get("data_hash", ""),
        aliases=tuple(sorted(entry.aliases)),
        tags=dict(entry.tags),
    )


def _aliases_of(aliases: dict[str, str], number: int) -> tuple[str, ...]:
    return tuple(sorted(alias for alias, version in aliases.items() if int(version) == number))


def _download(location: str, folder: Path) -> None:
    import mlflow

    with files.replacing(folder) as partial, tempfile.TemporaryDirectory() as elsewhere:
        downloaded = mlflow.artifacts.download_artifacts(
            artifact_uri=location, dst_path=elsewhere, tracking_uri=store.tracking_uri()
        )
        shutil.copytree(downloaded, partial)


def create_version(
    mlflow: Any, model: RegisteredModel, experiment: str, folder: Path, lowest: int = 1
) -> Version:
    """Write the run of a bundle, and make it a version whose number is not below `lowest`."""
    request = registration.read_request(folder / "request.json", bundles.MADE_BY)
    experiment_id = mlflow.set_experiment(experiment).experiment_id
    cut_short = mlflow.search_runs(
        [experiment_id],
        f"tags.stage = 'register' AND tags.model_sha256 = '{request.model_sha256}'",
        output_format="list",
    )
    for run in cut_short:  # before it became a version
        model.client.delete_run(run.info.run_id)
    logged = runs.write_run(mlflow, register_run(request, folder)).model
    card = (folder / "model_card.md").read_text(encoding="utf-8")
    while True:
        entry = model.client.create_model_version(
            model.name,
            logged.model_uri,
            run_id=logged.run_id,
            tags=version_tags(request, folder),
            description=card[:LONGEST_DESCRIPTION],
            model_id=logged.model_id,
        )
        if int(entry.version) >= lowest:
            return _version(entry)
        model.client.delete_model_version(model.name, entry.version)


def register_run(request: Request, folder: Path) -> runs.Run:
    """Return the run of a model that is registered from a bundle."""

    def log(mlflow: Any) -> Any:
        model = logged_models.read_stored_model(folder, bundles.MADE_BY)
        return logged_models.log_model(mlflow, model, bundles.smoke_rows(folder))

    metrics = {
        **stage_runs.cv_metrics(request.cv),
        **stage_runs.interval_metrics(request.test),
    }
    tags = {
        "data_hash": request.data_hash,
        "synthetic": request.synthetic,
        "primary_metric": request.primary_metric,
        "model_sha256": request.model_sha256,
    }
    return runs.Run(
        request.dataset,
        "register",
        "register",
        params=runs.params_text({"candidate": request.candidate}),
        metrics=runs.defined_metrics(metrics),
        tags=runs.defined_tags(tags),
        artifacts=[folder / name for name in ("request.json", "model_card.md", "model_card.json")],
        log=log,
    )


def version_tags(request: Request, folder: Path) -> dict[str, str]:
    """Return the tags of a version: what it comes from, its scores, and the sha256 of its files."""
    return {
        "dataset": request.dataset,
        "candidate": request.candidate,
        "data_hash": request.data_hash,
        "split_hash": request.split_hash,
        "synthetic": str(request.synthetic),
        "primary_metric": request.primary_metric,
        **git.git_tags(),
        **registration.score_texts(request),
        "sha256": request.model_sha256,
        "dvc_stage": f"{request.stage}@{request.dataset}",
        "files_sha256": json.dumps(bundles.hashes(folder)),
        "bundle_sha256": files.digest(folder),
    }
