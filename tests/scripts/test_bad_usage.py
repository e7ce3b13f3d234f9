"""Wrong options and settings, through the scripts: one line, status 2, earlier outputs as they
were.
"""

import pytest

from support.processes import script
from support.projects import edit


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
