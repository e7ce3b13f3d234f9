"""The user's own code: files that params.yaml names, and the versions of them in use."""

import json
from pathlib import Path

from ops.doctor_fault import Fault
from pipeline import command
from pipeline.own import named
from pipeline.project import files, paths
from pipeline.project.errors import UsageError
from pipeline.project.params import Params


def own_code() -> list[Fault]:
    """Look for files of the user's own that do not run, or that other stages ran before."""
    settings = command.settings()
    faults = []
    for dataset in settings.datasets:
        faults += of_dataset(dataset, settings)
    return faults


def of_dataset(dataset: str, settings: Params) -> list[Fault]:
    """Return the faults in the files that one dataset's settings name."""
    try:
        here = named.versions(dataset, settings)
    except UsageError as error:
        # the last part is what to do
        problem, _, remedy = str(error).rpartition("; ")
        return [Fault(problem or remedy, remedy if problem else "correct the key or the file")]
    return [*not_prepared(dataset, here), *other_models(dataset)]


def not_prepared(dataset: str, here: dict[str, str]) -> list[Fault]:
    """Return whether the prepared splits were made with other versions of the files."""
    quality = paths.metrics(dataset, "quality")
    if not quality.is_file():
        return []
    code = json.loads(quality.read_text(encoding="utf-8")).get("code", {})
    changed = [path for path, sha256 in here.items() if code.get(path) != sha256]
    return [
        Fault(
            f"{path} is not the version that {dataset} was prepared with",
            f"run `dvc repro prepare@{dataset}`, or `make pipeline DATASET={dataset}`",
            wrong=False,
        )
        for path in changed
    ]


def other_models(dataset: str) -> list[Fault]:
    """Return the files of which stored models want another version than this checkout has."""
    wanted: dict[str, str] = {}
    for file in sorted(paths.models(dataset, "train").parent.glob("*/*/metadata.json")):
        metadata = json.loads(file.read_text(encoding="utf-8"))
        wanted |= metadata.get("own", {}).get("code", {})
    faults = []
    for path, sha256 in wanted.items():
        if not Path(path).is_file() or files.digest(path) != sha256:
            problem = f"{path} is not the version that models of {dataset} were trained with"
            remedy = f"run `make pipeline DATASET={dataset}`, or check out the file's commit"
            faults.append(Fault(problem, remedy, wrong=False))
    return faults
