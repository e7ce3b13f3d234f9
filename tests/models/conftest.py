"""What the tests of models share: every family, fitted and stored by two processes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.model_cases import CASES
from support.processes import ROOT


@pytest.fixture(scope="session")
def processes(tmp_path_factory):
    """The folders of two processes that fitted and saved the same.

    Their hashes of text differ, as from run to run.
    """
    folders = [tmp_path_factory.mktemp("process") for _ in range(2)]
    for number, folder in enumerate(folders, start=1):
        code = (
            "import pathlib; from support import model_cases; "
            f"model_cases.fit_and_save_all(pathlib.Path({str(folder)!r}))"
        )
        environment = {
            **os.environ,
            "PYTHONHASHSEED": str(number),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
        }
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            cwd=folder,
        )
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert sorted(os.listdir(folder)) == sorted(CASES)  # no library left files of its own
    return folders


@pytest.fixture
def stored(processes, tmp_path):
    """Return a function that copies a stored model, to be damaged."""
    return lambda case: Path(shutil.copytree(processes[0] / case / "first", tmp_path / case))
