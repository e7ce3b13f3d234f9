"""MLflow's Model Registry: versions of each dataset's model, the aliases that name the one in use, and their files.

With tracking.py the only importer of MLflow. A version is known by its model's sha256 and holds one folder: the stored model as
`models.load` takes it, train_stats.json, the model card, and what a promotion and a rollback check.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline.project import files, paths
from pipeline.project.params import Params
from pipeline.registry import bundles, registration, versions
from pipeline.registry.versions import Version
from pipeline.tracking.git import git


def register_again(mlflow, dataset: str, settings: Params, lines: list[dict]) -> list[Version]:
    """Register the lines' models that the registry lacks, tell of each on standard error, and return their versions.

    Each has the number that it had, unless MLflow remembers that as one of a deleted version: then the next.
    """
    name = settings.dataset(dataset).registration.name
    present, found = (
        {version.sha256 for version in versions.versions_of(mlflow.MlflowClient(), name)},
        [],
    )
    for sha256, line in {
        line["sha256"]: line for line in lines if line["sha256"] not in present
    }.items():
        number = line["version"]
        with tempfile.TemporaryDirectory() as temporary:
            if _find(line, Path(temporary) / "model"):
                found.append(
                    registration.register_bundle(
                        mlflow, Path(temporary) / "model", settings, least=number
                    )
                )
                renumbered = (
                    f", as version {found[-1].version}" if found[-1].version != number else ""
                )
                print(f"{name}: version {number} registered again{renumbered}", file=sys.stderr)
            else:
                print(
                    f"{name}: version {number} is lost: no model with its sha256 {sha256} lies in {paths.ARTIFACTS}, "
                    f"{paths.models(dataset, '')} or, of a commit, in DVC's cache",
                    file=sys.stderr,
                )
    return found


def _find(line: dict, folder: Path) -> bool:
    """Write the bundle of a model that a line of the log is about into a folder; tell whether its files were found."""
    for path in sorted(
        paths.ARTIFACTS.glob(f"*/models/*/artifacts/{versions.MODEL_FOLDER}/request.json")
    ):
        if (
            line["sha256"] in path.read_text(encoding="utf-8")
            and files.digest(path.parent) == line["bundle_sha256"]
        ):
            shutil.copytree(path.parent, folder)
            return True
    request = requested(line["dataset"])
    if request and request["model_sha256"] == line["sha256"]:
        bundles.write(folder, request)
        return True
    return _find_committed(line, folder)


def _find_committed(line: dict, folder: Path) -> bool:
    """Write the bundle of a model that a commit asked for, its files from DVC's cache or remote; tell whether they were found."""
    asked = paths.registration(line["dataset"])
    for commit in (git("log", "--format=%H", "--", str(asked)) or "").split():
        request = json.loads(git("show", f"{commit}:./{asked.as_posix()}") or "{}")
        if request.get("model_sha256") != line["sha256"]:
            continue
        with tempfile.TemporaryDirectory() as root:
            for output in (
                paths.models(line["dataset"], request["stage"]),
                paths.processed(line["dataset"]),
                paths.metrics(line["dataset"], "quality"),
            ):
                (Path(root) / output).parent.mkdir(parents=True, exist_ok=True)
                _fetch(output, commit, Path(root) / output)
            if (Path(root) / paths.processed(line["dataset"])).is_dir():
                bundles.write(folder, request, Path(root))
                return True
    return False


def _fetch(output: Path, commit: str, target: Path) -> None:
    """Write an output as a commit had it, from DVC's cache or remote; nothing where it is in neither."""
    get = [sys.executable, "-m", "dvc", "get", ".", output.as_posix(), "--rev", commit]
    subprocess.run([*get, "-o", str(target)], capture_output=True)


def requested(dataset: str) -> dict | None:
    """Return what metrics/registration/ asks for, None where that, or the model itself, is not there."""
    path = paths.registration(dataset)
    request = (
        files.read_json(path, made_by=f"python register_model.py --dataset {dataset}")
        if path.is_file()
        else None
    )
    if request is None:
        return None
    metadata = paths.models(dataset, request["stage"]) / request["candidate"] / "metadata.json"
    there = (
        metadata.is_file()
        and files.read_json(metadata, bundles.MADE_BY).get("model_sha256")
        == request["model_sha256"]
    )
    return request if there else None
