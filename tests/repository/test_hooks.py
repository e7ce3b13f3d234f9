"""The hooks of git: they stop what would not pass, and let the rest through."""

import pytest

from support.processes import ROOT, shell
from support.projects import copy_project, link_environment


def test_settings_of_the_hooks_are_valid():
    assert shell("pre-commit validate-config .pre-commit-config.yaml", ROOT).returncode == 0


def test_bad_code_is_no_commit_and_results_of_other_settings_are_no_push(
    pipeline_run, tmp_path, monkeypatch
):
    monkeypatch.setenv(
        "PRE_COMMIT_HOME", str(tmp_path / "empty")
    )  # where the two hooks are that PyPI gives
    monkeypatch.setenv("SKIP", "large-files,notebooks")
    link_environment(pipeline_run)
    assert shell("git add -A && git commit -qm results && make hooks", pipeline_run).returncode == 0
    bare = pipeline_run.parent / "bare"
    push = f"git init -q --bare '{bare}' && git push -q '{bare}' HEAD:main"
    assert shell(push, pipeline_run).returncode == 0
    (pipeline_run / "bad.py").write_text("import os\n")
    done = shell("git add bad.py && git commit -qm bad", pipeline_run)
    assert done.returncode != 0 and "bad.py:1:1: F401" in done.stdout + done.stderr
    text = (pipeline_run / "params.yaml").read_text()
    (pipeline_run / "params.yaml").write_text(text.replace("{min: 0.5}", "{min: 0.6}"))
    shell("git reset -q && git add params.yaml && git commit -qm 'Another gate'", pipeline_run)
    done = shell(push, pipeline_run)
    assert (
        done.returncode != 0
        and "out of date: compare, validate; run `make pipeline`" in done.stdout + done.stderr
    )


def test_audit_that_cannot_look_anything_up_fails_in_one_line(tmp_path, monkeypatch):
    folder = copy_project(tmp_path / "project")
    link_environment(folder)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    done = shell("make --silent audit", folder)
    assert done.returncode != 0 and done.stdout == ""
    told = done.stderr.splitlines()[0]
    assert told.startswith("audit.py: error: nothing was looked up: ") and "pypi.org" in told


@pytest.mark.slow  # it fetches two packages from PyPI
def test_commit_is_stopped_by_bad_code_a_large_file_and_a_notebook_with_outputs(tmp_path):
    folder = copy_project(tmp_path / "project")
    link_environment(folder)
    assert shell("pre-commit install", folder).returncode == 0
    (folder / "notes.md").write_text("fine\n")
    done = shell("git add -A && git commit -qm fine", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "bad.py").write_text("import os\n")
    (folder / "large.bin").write_bytes(bytes(2_000_000))
    (folder / "bad.ipynb").write_text(
        '{"cells": [{"cell_type": "code", "execution_count": 1, "metadata": {}, "source": [], '
        '"id": "a", '
        '"outputs": [{"output_type": "stream", "name": "stdout", "text": ["1"]}]}], '
        '"metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    )
    done = shell("git add -A && git commit -qm bad", folder)
    told = done.stdout + done.stderr
    assert done.returncode != 0 and "bad.py:1:1: F401" in told and "large.bin" in told
    assert '"outputs": []' in (folder / "bad.ipynb").read_text()
    assert shell("git log --oneline", folder).stdout.count("\n") == 2
