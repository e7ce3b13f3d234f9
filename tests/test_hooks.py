"""The hooks of git: they stop what would not pass, and let the rest through."""

import pytest
from conftest import ROOT, copy_project, link_environment, shell


def test_settings_of_the_hooks_are_valid():
    assert shell("pre-commit validate-config .pre-commit-config.yaml", ROOT).returncode == 0


@pytest.mark.slow       # it fetches two packages from PyPI
def test_commit_is_stopped_by_bad_code_a_large_file_and_a_notebook_with_outputs(tmp_path):
    folder = copy_project(tmp_path / "project")
    link_environment(folder)
    assert shell("pre-commit install", folder).returncode == 0
    (folder / "notes.md").write_text("fine\n")
    done = shell("git add -A && git commit -qm fine", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "bad.py").write_text("import os\n")
    (folder / "large.bin").write_bytes(bytes(2_000_000))
    (folder / "bad.ipynb").write_text('{"cells": [{"cell_type": "code", "execution_count": 1, "metadata": {}, "source": [], '
                                      '"id": "a", '
                                      '"outputs": [{"output_type": "stream", "name": "stdout", "text": ["1"]}]}], '
                                      '"metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    done = shell("git add -A && git commit -qm bad", folder)
    told = done.stdout + done.stderr
    assert done.returncode != 0 and "bad.py:1:1: F401" in told and "large.bin" in told
    assert '"outputs": []' in (folder / "bad.ipynb").read_text()
    assert shell("git log --oneline", folder).stdout.count("\n") == 2
