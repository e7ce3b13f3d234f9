"""generate_data.py: where a table comes from, what is written, and what a choice by hand says."""

import json
import os
import shutil
import subprocess
import sys

import pandas as pd
import pytest

import generate_data
from pipeline.data import sources
from pipeline.data.sources import Wanted
from pipeline.data.written import write_csv
from pipeline.project import files, params
from pipeline.project.errors import UsageError
from support.processes import ROOT, kill_while_writing, script
from support.projects import HOUSING, add, content


@pytest.fixture
def housing(project):
    add(project, HOUSING)
    return project


def test_main_writes_the_table_and_what_it_is_made_of_and_records_it(project, capsys, monkeypatch):
    monkeypatch.setenv(
        "MLFLOW_TRACKING_URI", ""
    )  # MLflow leaves its last one in the environment of the process
    generate_data.main(["--dataset", "tiny"])
    assert (project / "data/tiny_data.csv").read_bytes() == (project / "tiny.csv").read_bytes()
    figures = json.loads((project / "metrics/datasets/tiny/generate.json").read_text())
    assert figures == {
        "schema": 1,
        "dataset": "tiny",
        "source": "tiny.csv",
        "synthetic": False,
        "rows": 200,
        "columns": 5,
        "data_hash": files.digest(project / "tiny.csv", "md5"),
    }
    assert (
        capsys.readouterr().out
        == "generate tiny: 200 rows x 5 columns from tiny.csv -> data/tiny_data.csv\n"
    )
    assert (project / "mlflow.db").is_file()


def test_a_choice_by_hand_says_that_dvc_repro_restores_params(project, capsys, monkeypatch):
    monkeypatch.setenv(
        "MLFLOW_TRACKING_URI", ""
    )  # MLflow leaves its last one in the environment of the process
    (project / "other.csv").write_text("id,size,price\n1,2,3\n")
    generate_data.main(["--dataset", "tiny", "--source", "other.csv"])
    assert (
        "the next `dvc repro` makes this table as params.yaml says again" in capsys.readouterr().out
    )
    assert (project / "data/tiny_data.csv").read_text() == "id,size,price\n1,2,3\n"


def test_synthetic_table_is_the_same_at_every_run_and_another_with_another_seed(housing):
    settings = params.load()
    generate_data.generate("housing", settings)
    first = (housing / "data/housing_data.csv").read_bytes()
    assert len(pd.read_csv("data/housing_data.csv")) == 300
    generate_data.generate("housing", settings)
    assert (housing / "data/housing_data.csv").read_bytes() == first
    generate_data.generate("housing", settings.model_copy(update={"seed": 7}))
    assert (housing / "data/housing_data.csv").read_bytes() != first


def test_rows_of_the_option_come_before_those_of_params(housing):
    assert generate_data.generate("housing", params.load(), rows=70).rows == 70
    assert generate_data.generate("housing", params.load(), source="synthetic", rows=80).rows == 80


def test_a_real_source_by_hand_is_taken_whole_whatever_rows_params_name(housing):
    made = generate_data.generate("housing", params.load(), source="tiny.csv")
    assert (made.rows, made.source, made.synthetic) == (200, "tiny.csv", False)


@pytest.mark.parametrize(
    "options, message",
    [
        (
            ["--dataset", "tiny", "--rows", "10"],
            "tiny: the number of rows is chosen for synthetic data only; tiny.csv has",
        ),
        (
            ["--dataset", "housing", "--source", "tiny.csv", "--rows", "10"],
            "chosen for synthetic data only; tiny.csv has",
        ),
        (
            ["--dataset", "all", "--rows", "10"],
            "iris: the number of rows is chosen for synthetic data only; sklearn has",
        ),
        (
            ["--dataset", "tiny", "--source", "synthetic"],
            "'tiny.csv' is not a module that makes synthetic data; see pipeline/builtin/",
        ),
        (["--dataset", "tiny", "--source", "sklearn"], "scikit-learn holds no table for 'tiny'"),
        (["--source", "tiny.csv"], "--source is for one dataset; add --dataset NAME"),
        (["--rows", "0"], "--rows 0: give 1 or more"),
        (["--new", "mine"], "--new NAME needs --source FILE and --target COLUMN"),
    ],
)
def test_options_that_make_no_sense_are_wrong_usage_and_write_nothing(housing, options, message):
    before = content(housing)
    with pytest.raises(UsageError, match=message):
        generate_data.main(options)
    assert content(housing) == before


@pytest.mark.parametrize(
    "module",
    ["pipeline/builtin/nope.py", "pipeline/builtin/external.py", "pipeline/params.py", "../x.csv"],
)
def test_a_module_that_makes_no_table_is_named(module):
    with pytest.raises(
        UsageError, match=f"data.depends_on: '{module}' is not a module that makes synthetic data"
    ):
        sources.check(Wanted("x", "synthetic", module))


def test_a_number_of_rows_that_a_module_cannot_make_is_wrong_usage():
    wanted = Wanted("x", "synthetic", "pipeline/builtin/iris.py", rows=10)
    with pytest.raises(
        UsageError, match="pipeline/builtin/iris.py: iris is a real, fixed table of 150 rows"
    ):
        write_csv(wanted, "data/x.csv")


def test_killed_in_the_middle_it_leaves_the_earlier_table_and_the_next_run_is_an_unbroken_one(
    housing,
):
    settings = params.load()
    generate_data.generate("housing", settings)
    before = content(housing / "data") | content(housing / "metrics")
    kill_while_writing(
        "generate_data", housing / "data", "--dataset", "housing", "--rows", "100000"
    )
    after = content(housing / "data") | content(housing / "metrics")
    assert {name: after.pop(name) for name in before} == before
    assert all(name.endswith(".partial") for name in after)

    generate_data.generate("housing", settings, rows=5000)
    broken_once = content(housing / "data") | content(housing / "metrics")
    for folder in ("data", "metrics"):
        shutil.rmtree(housing / folder)
    generate_data.generate("housing", settings, rows=5000)
    assert broken_once == content(housing / "data") | content(housing / "metrics")


def test_memory_stays_within_a_few_times_the_table(housing):
    program = """\
import resource, sys
import pandas, generate_data
from pipeline.project import params
from pipeline.builtin import housing
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
generate_data.generate("housing", params.load(), rows=200_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    peak = int(done.stdout) * (1 if sys.platform == "darwin" else 1024)
    table = pd.read_csv("data/housing_data.csv").memory_usage(deep=True).sum()
    assert peak < 5 * table


def test_scripts_error_is_one_line_with_its_status(project):
    done = script("generate_data", "--dataset", "tiny", "--source", "none.csv", cwd=project)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "generate_data.py: error: none.csv: no such file; "
        "a source is synthetic, sklearn, openml:NAME, a URL or the path of a file\n"
    )
