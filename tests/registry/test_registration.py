"""register_model.py: the request that it writes, and what it refuses before anything is written."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import register_model
from pipeline.project import paths
from pipeline.project.errors import DataError
from support.processes import ROOT
from support.registered import log


def test_request_repeats_and_holds_nothing_of_this_machine(register, states):
    register("first")
    request = paths.registration("tiny").read_bytes()
    paths.registration("tiny").unlink()
    register("first")
    assert paths.registration("tiny").read_bytes() == request
    assert json.loads(request)["gates"][0]["metric"] == "r2"


def test_model_whose_gates_fail_is_not_registered(register):
    with pytest.raises(
        DataError,
        match=r"validation/tiny.json: dummy fails its gates \(test r2 -?[\d.e-]+\) and is not",
    ):
        register("failing")
    assert not paths.registration("tiny").exists() and not Path("mlruns").exists()


def test_verdict_on_another_model_is_refused(first, states):
    shutil.copy(states / "better/metrics/validation/tiny.json", "metrics/validation/tiny.json")
    before = paths.registration("tiny").read_bytes()
    with pytest.raises(
        DataError,
        match="its verdict is on another model than metrics/best/tiny.json; run `python compare",
    ):
        register_model.main(["--dataset", "tiny"])
    assert paths.registration("tiny").read_bytes() == before and len(log()) == 1


def test_gates_of_other_datasets_are_not_looked_at(register):
    assert "promoted" in register("first")  # iris is in params.yaml, and has no verdict at all
    with pytest.raises(
        DataError,
        match="metrics/best/iris.json is not there; run `python compare_results.py` first",
    ):
        register_model.main(["--dataset", "iris"])


def test_store_that_cannot_be_written_is_reported_in_one_line_and_decides_nothing(become):
    become("first")
    Path("mlflow.db").write_text("no database")
    done = subprocess.run(
        [sys.executable, ROOT / "register_model.py", "--dataset", "tiny"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert (
        done.stderr.splitlines()[-1].startswith("register_model.py: error: ")
        and "make sync" in done.stderr
    )
    assert paths.registration("tiny").is_file() and not paths.promotions("tiny").exists()


def test_a_model_decided_on_costs_a_stage_no_mlflow(first):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", ROOT / "register_model.py", "--dataset", "tiny"],
        capture_output=True,
        text=True,
        env={**os.environ, "DVC_STAGE": "register@tiny"},
    )
    assert done.returncode == 0 and "decided on before" in done.stdout
    assert "pipeline.registry.promotion" in done.stderr and "mlflow" not in done.stderr
