"""A DVC project of stages that take no time, or as long as a test wants."""

import json

import pytest

from support.processes import shell

NOTE = (
    "import os, sys, time; open('{out}.begun', 'w'); time.sleep({seconds}); "
    "open('{out}', 'w').write('{out}'); {rest}"
)


def stage(out: str, *deps: str, seconds: float = 0, rest: str = "print('made {out}')") -> dict:
    """Return a stage of dvc.yaml that writes a file."""
    code = NOTE.format(seconds=seconds, out=out, rest=rest.format(out=out))
    return {"cmd": f'python -c "{code}"', "deps": list(deps), "outs": [out]}


def write(folder, stages: dict) -> None:
    (folder / "dvc.yaml").write_text(json.dumps({"stages": stages}))


@pytest.fixture
def toy(project):
    """A project of which the stages take no time; the test writes its dvc.yaml."""
    assert (
        shell("git init -q . && dvc init -q && dvc config core.analytics false", project).returncode
        == 0
    )
    return project
