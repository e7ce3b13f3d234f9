"""The files of .github as they are read: workflows by name, jobs by workflow and name."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from support.processes import ROOT


def read(path: Path) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(path.read_text())


FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github/actions").glob("*/action.yml"))
WORKFLOWS = {path.stem: read(path) for path in FILES}
JOBS = {
    (name, job): content
    for name, workflow in WORKFLOWS.items()
    for job, content in workflow["jobs"].items()
}
