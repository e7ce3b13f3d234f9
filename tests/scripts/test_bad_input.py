"""Bad input, through the scripts: one line on standard error, the exit status, and earlier outputs as they were."""

import importlib
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import generate_data
import prepare_data
import train
from pipeline import command
from pipeline.project import params
from support.processes import ROOT, script
from support.projects import PARAMS, SOLD, content, edit, sales

STAGES = [generate_data.generate, prepare_data.prepare, train.train]
SCRIPTS = ["generate_data", "prepare_data", "train"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
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
def here(trained, tmp_path, monkeypatch):
    """The test's own copy of it, as the working directory."""
    folder = shutil.copytree(trained, tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def refused(here, monkeypatch, capsys):
    """Run a script that must fail; check that it says one line and leaves every file as it is; return status and line."""

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


def csv(table: pd.DataFrame, **options) -> bytes:
    return table.to_csv(index=False, **options).encode()


def with_values(column: str, values) -> pd.DataFrame:
    """Return the table with other values in the first rows of a column."""
    table = sales().astype({column: object})
    table.loc[table.index[: len(values)], column] = values
    return table


# what the file holds, the script that refuses it, and what its line says after the file's name
FILES = {
    "empty file": (b"", "generate_data", "an empty file; give a CSV with a header line"),
    "header without rows": (
        csv(sales()[:0]),
        "generate_data",
        "a header and no rows; give a file with data",
    ),
    "header with a name twice": (
        b"size,size,sold\n1,2,Yes\n",
        "generate_data",
        "the header names 'size' more than once; rename the columns",
    ),
    "wrong delimiter": (
        csv(sales(), sep=";"),
        "generate_data",
        "one column only, but its header holds ';'; set data.separator: ';' in params.yaml",
    ),
    "latin-1": (
        b"size,sold\n1,Yes\n2,Entr\xe9e\n",
        "generate_data",
        "line 3 is not utf-8; save the file as CSV in UTF-8, or set data.encoding",
    ),
    "a row with more fields": (
        b"size,sold\n1,Yes\n2,No,3\n",
        "generate_data",
        "not a table (Expected 2 fields in line 3, saw 3); fix that line or set data.separator",
    ),
    "every row with more fields": (
        b"size,sold\n0,1,Yes\n1,2,No\n",
        "generate_data",
        "the first row has 3 fields, the header names 2 columns; fix either",
    ),
    "unclosed quote": (
        b'size,sold\n1,"Yes\n2,No\n',
        "generate_data",
        "not a table (EOF inside string starting at row 1)",
    ),
    "missing target column": (
        csv(sales().drop(columns="sold")),
        "prepare_data",
        "no column 'sold', which params.yaml names; the file has: 'size', 'town', 'age', 'price'",
    ),
    "rows without a target": (
        csv(with_values("sold", ["Yes", None, " ", None])),
        "prepare_data",
        "sold: no target in line 3 and 2 more: fill it in or remove the rows",
    ),
    "constant target": (
        csv(sales().assign(sold="Yes")),
        "prepare_data",
        "sold: the same target in every row: nothing to learn, choose another target",
    ),
    "no positive class": (
        csv(sales().replace({"sold": {"Yes": "Oui"}})),
        "prepare_data",
        "no row of 'sold' is 'Yes', which data.positive names; found: 'No', 'Oui'",
    ),
    "text in a column of numbers": (
        csv(with_values("age", [3, "old", 4, "young"])),
        "prepare_data",
        "age: 'old' in line 3 and 1 more, in a column of numbers: fix it, or name the column in data.categorical or data.drop",
    ),
    "infinite value": (
        csv(with_values("price", [np.inf])),
        "prepare_data",
        "price: 'inf' in line 2, in a column of numbers: fix it",
    ),
    "column without a value": (
        csv(sales().assign(note=" ")),
        "prepare_data",
        "note: no value at all: name it in data.drop",
    ),
    "two faults at once": (
        csv(with_values("age", ["old"]).assign(note=None)),
        "prepare_data",
        "age: 'old' in line 2, in a column of numbers: fix it, or name the column in data.categorical or data.drop; note: ",
    ),
    "copy of the target": (
        csv(sales().assign(twin=sales()["sold"])),
        "prepare_data",
        "predicts sold all alone, as a leak of the answer does: twin (score 1.0); name it in data.drop, or in prepare.allow_",
    ),
    "perfect predictor": (
        csv(sales().assign(fee=(sales()["sold"] == "Yes") * 9.5)),
        "prepare_data",
        "predicts sold all alone, as a leak of the answer does: fee (score 1.0)",
    ),
    "a class of one row": (
        csv(with_values("sold", ["Maybe"])),
        "prepare_data",
        "class 'Maybe' of 'sold' has 1 row",
    ),
    "a class with fewer rows than folds": (
        csv(with_values("sold", ["Maybe", "Maybe"])),
        "train",
        "class 'Maybe' of 'sold' has",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_bad_file_is_refused_in_one_line_with_status_1(here, refused, case):
    held, name, message = FILES[case]
    (here / "sold.csv").write_bytes(held)
    for stage in STAGES[: SCRIPTS.index(name)]:
        stage("sold", params.load())
    status, line = refused(name, "--dataset", "sold")
    file = "sold.csv" if name == "generate_data" else "data/sold_data.csv"
    assert status == 1 and line.startswith(f"{name}.py: error: {file}: {message}"), line


def test_columns_that_params_name_and_the_file_lacks_are_named_together(here, refused):
    edit(here, 'positive: "Yes"}', 'positive: "Yes", drop: [id, zip], numeric: [rooms]}')
    status, line = refused("prepare_data", "--dataset", "sold")
    assert (
        status == 1
        and "data/sold_data.csv: no column 'id', 'zip', 'rooms', which params.yaml names" in line
    )


@pytest.mark.parametrize(
    "source, message",
    [
        (
            "none.csv",
            "none.csv: no such file; a source is synthetic, sklearn, openml:NAME, a URL or the path of a CSV or Parquet file",
        ),
        ("broken.parquet", "broken.parquet: not a whole Parquet file ("),
        (
            "http://127.0.0.1:9/sold.csv",
            "http://127.0.0.1:9/sold.csv: cannot be fetched (<urlopen error ",
        ),
    ],
)
def test_source_that_cannot_be_read_is_refused_with_status_1(
    here, refused, monkeypatch, source, message
):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (here / "broken.parquet").write_bytes(b"PAR1")
    status, line = refused("generate_data", "--dataset", "sold", "--source", source)
    assert (status, message in line) == (1, True), line


@pytest.mark.parametrize(
    "name, options, message",
    [
        (
            "generate_data",
            ["--dataset", "nope"],
            "unknown dataset 'nope'; params.yaml has: iris, tiny, sold",
        ),
        (
            "prepare_data",
            ["--dataset", "nope"],
            "unknown dataset 'nope'; params.yaml has: iris, tiny, sold",
        ),
        (
            "train",
            ["--dataset", "nope"],
            "unknown dataset 'nope'; params.yaml has: iris, tiny, sold",
        ),
        (
            "evaluate",
            ["--dataset", "nope"],
            "unknown dataset 'nope'; params.yaml has: iris, tiny, sold",
        ),
        ("train", ["--dataset", "sold", "--model", "nope"], "nope"),
        ("train", ["--dataset", "sold", "--model", "ridge"], "ridge"),
        (
            "train",
            ["--dataset", "sold", "--model", "catboost"],
            "--model catboost: params.yaml lists for sold: dummy; add it there",
        ),
        ("train", ["--dataset", "sold", "--workers", "0"], "--workers 0: give 1 or more"),
        (
            "evaluate",
            ["--dataset", "sold", "--model", "nope"],
            "--model nope: no stored model of sold; there are: dummy",
        ),
        ("generate_data", ["--dataset", "sold", "--rows", "-1"], "--rows -1: give 1 or more"),
    ],
)
def test_unknown_name_or_wrong_option_is_refused_with_status_2(refused, name, options, message):
    status, line = refused(name, *options)
    assert (status, message in line) == (2, True), line


@pytest.mark.parametrize(
    "old, new, name, message",
    [
        ("seed: 42", "seed: -1", "generate_data", "params.yaml: seed: "),
        (
            "workers: 2",
            "workers: 0",
            "train",
            "params.yaml: workers: must be -1 (all cores) or 1 and more (found 0)",
        ),
        (
            "test_size: 0.25",
            "test_size: 1.5",
            "prepare_data",
            "params.yaml: datasets.tiny.prepare.test_size: ",
        ),
        (
            "roc_auc, cv_folds: 3",
            "roc_auc, cv_folds: 1",
            "train",
            "params.yaml: datasets.sold.train.cv_folds: ",
        ),
        (
            "primary_metric: roc_auc",
            "primary_metric: rmse",
            "train",
            "params.yaml: datasets.sold.train.primary_metric: 'rmse' is no",
        ),
        ("models: [dummy]}", "models: [dummy, nope]}", "train", "nope"),
        ("models: [dummy]}", "models: [lasso]}", "train", "lasso"),
        (
            'positive: "Yes"',
            "sepparator: ;",
            "generate_data",
            "params.yaml: datasets.sold.data.sepparator: unknown key",
        ),
        (
            'positive: "Yes"',
            "encoding: utf-9",
            "generate_data",
            "params.yaml: data.encoding: unknown encoding 'utf-9'; utf-8",
        ),
        (
            "allow_leakage: []",
            "allow_leakage: [x]",
            "prepare_data",
            "prepare.allow_leakage: no feature 'x' in data/sold_data.csv",
        ),
        ("seed: 42", "seed: [", "generate_data", "params.yaml is not valid YAML: line "),
    ],
)
def test_wrong_setting_is_refused_with_its_key_and_status_2(here, refused, old, new, name, message):
    edit(here, old, new)
    status, line = refused(name, "--dataset", "sold")
    assert (status, message in line) == (2, True), line


def test_hyperparameter_out_of_range_is_refused_with_its_model(here, refused):
    edit(here, "models: [dummy]}", "models: {decision_tree: {max_depth: -3}}}")
    status, line = refused("train", "--dataset", "sold")
    assert status in (1, 2) and "decision_tree" in line and "max_depth" in line


def test_scripts_end_with_the_line_and_the_status_that_the_shell_sees(here):
    (here / "sold.csv").write_bytes(b"")
    done = script("generate_data", "--dataset", "sold", cwd=here)
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr
        == "generate_data.py: error: sold.csv: an empty file; give a CSV with a header line\n"
    )
    done = script("prepare_data", "--dataset", "nope", cwd=here)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == "prepare_data.py: error: unknown dataset 'nope'; params.yaml has: iris, tiny, sold\n"
    )
    done = script("train", "--dataset", "sold", "--model", cwd=here)
    assert (
        done.returncode == 2
        and done.stderr.splitlines()[-1]
        == "train.py: error: argument --model: expected one argument"
    )


ON_A_DISK = """\
mount -t tmpfs -o size=20m tmpfs "$DISK" && cp -a . "$DISK" && cd "$DISK" || exit 99
case $KIND in
full) cat /dev/zero > filler 2> /dev/null; truncate -s -8K filler ;;
read-only) mount -o remount,ro "$DISK" || exit 99 ;;
esac
"$PYTHON" "$SCRIPT" --dataset sold
status=$?
rm -f filler
cp -a . "$AFTER"
exit $status
"""


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize(
    "kind, message",
    [
        ("full", "No space left on device; free some space and run again"),
        ("read-only", "Read-only file system; make the folder writable or run elsewhere"),
    ],
)
def test_full_disk_and_read_only_folder_are_told_in_one_line_and_spoil_nothing(
    here, tmp_path, kind, message, name
):
    disk, after = tmp_path / "disk", tmp_path / "after"
    disk.mkdir()
    after.mkdir()
    if (
        shutil.which("unshare") is None
        or subprocess.run(
            ["unshare", "-Urm", "mount", "-t", "tmpfs", "tmpfs", disk], capture_output=True
        ).returncode
    ):
        pytest.skip("this system lets a user mount no file system of their own (unshare -Urm)")
    (here / "sold.csv").write_bytes(csv(sales(3000)))
    for stage in STAGES[: SCRIPTS.index(name)]:
        stage("sold", params.load())
    before = content(here)
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", ON_A_DISK],
        capture_output=True,
        text=True,
        cwd=here,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DISK": str(disk),
            "AFTER": str(after),
            "KIND": kind,
            "PYTHON": sys.executable,
            "SCRIPT": str(ROOT / f"{name}.py"),
        },
    )
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert (
        done.stderr.startswith(f"{name}.py: error: ")
        and done.stderr.count("\n") == 1
        and message in done.stderr
    )
    place = {"generate_data": "sold_data.csv", "prepare_data": "data/processed/", "train": "sold"}[
        name
    ]
    assert place in done.stderr
    assert content(after) == before
