"""The tutorial's commands, run one after another by a shell in a fresh copy, as a reader would."""

import re
import subprocess

import pytest

from support.documents import page
from support.processes import free_port
from support.projects import copy_project, link_environment


def commands(port: int) -> str:
    """Return what the tutorial has one type, as one script, with another port to serve at."""
    blocks = re.findall(r"```console\n(.*?)```", page("docs/tutorial.md"), re.S)
    typed = re.sub(r"^\$ ", "", "".join(blocks), flags=re.M)
    typed = typed.replace("serve.py --dataset tumours", f"serve.py --dataset tumours --port {port}")
    return typed.replace(":8000", f":{port}")


@pytest.mark.slow
def test_every_command_of_the_tutorial_works(tmp_path):
    folder = copy_project(tmp_path / "clone", page("params.yaml"))
    link_environment(folder)
    done = subprocess.run(
        ["bash", "-e", "-c", commands(free_port())], capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "PASS tumours" in done.stdout and '"predictions":[{"prediction":' in done.stdout
    predictions = (folder / "predictions.csv").read_text(encoding="utf-8").splitlines()
    assert len(predictions) == 1 + 569
