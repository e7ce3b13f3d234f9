"""The commands of the stages, as dvc.yaml has them."""

import shlex
import sys
from pathlib import Path

from ruamel.yaml import YAML

DVC_YAML = Path(__file__).resolve().parent.parent / "dvc.yaml"


def stage_commands(dataset: str) -> dict[str, list[str]]:
    """Return the command of each stage for one dataset, in dvc.yaml's order, run by this Python."""
    stages = YAML(typ="safe").load(DVC_YAML.read_text(encoding="utf-8"))["stages"]
    commands = {}
    for name, stage in stages.items():
        text = stage.get("do", stage)["cmd"].replace("${key}", dataset)
        _, *rest = shlex.split(text)
        commands[name] = [sys.executable, *rest]
    return commands
