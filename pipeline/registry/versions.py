"""MLflow's Model Registry: versions of each dataset's model, the aliases that name the one in use, and their files.

With tracking.py the only importer of MLflow. A version is known by its model's sha256 and holds one folder: the stored model as
`models.load` takes it, train_stats.json, the model card, and what a promotion and a rollback check.
"""

import json
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlparse

from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.project.params import Params
from pipeline.registry import bundles
from pipeline.tracking import store

CHAMPION = "champion"
MODEL_FOLDER = "data/model"  # of a version's artifacts: its bundle
NOT_FOUND = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


@dataclass(frozen=True)
class Version:
    """A version of a registered model; `folder` holds its verified bundle where that was asked for."""

    name: str
    version: int
    sha256: str
    data_hash: str
    aliases: tuple[str, ...]
    tags: dict = field(repr=False)
    folder: Path | None = None


# reading


def resolve(dataset: str, settings: Params, reference: str | int = CHAMPION) -> Version:
    """Return the version that an alias or a number names, with its files, each found to be what was registered.

    Raises DataError where there is no such version, or a file of it was changed or is not there.
    """
    client = store.client()
    return with_files(client, version_of(named_version(client, dataset, settings, reference)))


def version_number(dataset: str, settings: Params, alias: str = CHAMPION) -> int:
    """Return the number of the version that an alias names: one query, to be asked every second."""
    return int(named_version(store.client(), dataset, settings, alias).version)


def list_versions(dataset: str, settings: Params) -> list[Version]:
    """Return the versions of a dataset's model, the oldest first."""
    client, name = store.client(), settings.dataset(dataset).registration.name
    if registered_model(client, name) is None:
        raise DataError(
            f"{name}: not in {store.tracking_uri()}; run `python register_model.py --dataset {dataset}`"
        )
    return versions_of(client, name)


def registered_model(client, name: str):
    """Return MLflow's entry of a registered model, None where there is none."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code not in NOT_FOUND:
            raise
        return None


def versions_of(client, name: str) -> list[Version]:
    aliases = registered_model(client, name).aliases  # a search for versions gives none
    found = [version_of(entry) for entry in client.search_model_versions(f"name = '{name}'")]
    return [
        replace(
            version,
            aliases=tuple(
                sorted(alias for alias, number in aliases.items() if int(number) == version.version)
            ),
        )
        for version in sorted(found, key=lambda version: version.version)
    ]


def named_version(client, dataset: str, settings: Params, reference: str | int):
    """Return MLflow's entry of the version that an alias or a number names."""
    from mlflow.exceptions import MlflowException

    name = settings.dataset(dataset).registration.name
    try:
        if str(reference).isdigit():
            return client.get_model_version(name, str(reference))
        return client.get_model_version_by_alias(name, str(reference))
    except MlflowException as error:
        if error.error_code not in NOT_FOUND:
            raise
        what = f"version {reference}" if str(reference).isdigit() else f"@{reference}"
        raise DataError(
            f"{name}: no {what} in {store.tracking_uri()}; `python rollback.py --dataset {dataset} --list` shows "
            f"what there is, `python register_model.py --dataset {dataset}` registers the best model"
        ) from None


def version_of(entry) -> Version:
    return Version(
        entry.name,
        int(entry.version),
        entry.tags.get("sha256", ""),
        entry.tags.get("data_hash", ""),
        tuple(sorted(entry.aliases)),
        dict(entry.tags),
    )


def with_files(client, version: Version) -> Version:
    """Return a version with its bundle, where MLflow keeps it or a copy of what lies elsewhere, once its sha256 are verified."""
    origin = f"{version.name} version {version.version}"
    if not version.sha256:
        raise DataError(
            f"{origin}: has no sha256: it was not registered by register_model.py; take another version"
        )
    location = client.get_model_version_download_uri(version.name, str(version.version))
    parsed = urlparse(location)
    if parsed.scheme in ("", "file"):
        folder = Path(unquote(parsed.path)) / MODEL_FOLDER
    else:
        folder = paths.downloaded(version.sha256)
        if not folder.is_dir():
            _download(f"{location}/{MODEL_FOLDER}", folder)
    if not folder.is_dir():
        raise DataError(
            f"{origin}: {folder} is not there: the project was moved, or {paths.ARTIFACTS} cleaned; delete "
            f"{paths.STORE}, keep {paths.ARTIFACTS}, and run `make sync`"
        )
    bundles.verify(folder, json.loads(version.tags["files_sha256"]))
    found = files.read_json(folder / "metadata.json", bundles.MADE_BY)["model_sha256"]
    if found != version.sha256:
        raise DataError(
            f"{folder / 'metadata.json'}: model_sha256 {found} is not the registered {version.sha256}; take another "
            f"version"
        )
    return replace(version, folder=folder)


def _download(location: str, folder: Path) -> None:
    import mlflow

    with files.replacing(folder) as partial, tempfile.TemporaryDirectory() as elsewhere:
        fetched = mlflow.artifacts.download_artifacts(
            artifact_uri=location, dst_path=elsewhere, tracking_uri=store.tracking_uri()
        )
        shutil.copytree(fetched, partial)
