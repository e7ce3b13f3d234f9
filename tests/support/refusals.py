"""A dataset after the first stages, and scripts that must refuse what is wrong with it."""

import importlib
import shutil
import sys

import pytest

import generate_data
import prepare_data
import train
from pipeline import command
from pipeline.project import params
from support.projects import PARAMS, SOLD, content, sales

STAGES = [generate_data.generate, prepare_data.prepare, train.train]


@pytest.fixture(scope="session")
def trained_on_sales(tmp_path_factory):
    """A folder in which the dataset `sold` went through the three stages, without a record."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "params.yaml").write_text(
        PARAMS.replace("\nmodels:\n", f"\n{SOLD}\nmodels:\n"), encoding="utf-8"
    )
    sales().to_csv(folder / "sold.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for stage in STAGES:
            stage("sold", params.load())
    return folder


@pytest.fixture
def here(trained_on_sales, tmp_path, monkeypatch):
    """The test's own copy of it, as the working directory."""
    folder = shutil.copytree(trained_on_sales, tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def refused(here, monkeypatch, capsys):
    """Run a script that must fail; check that it says one line and leaves every file as it is;
    return status and line.
    """

    def run(name: str, *options: str) -> tuple[int, str]:
        before = content(here)
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *options])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            command.run(importlib.import_module(name).main)
        printed = capsys.readouterr()
        assert (
            printed.err.startswith(f"{name}.py: error: ")
            and printed.err.count("\n") == 1
            and printed.out == ""
        )
        assert content(here) == before
        return end.value.code, printed.err

    return run
