"""Results travel through a DVC remote, and a merge of two branches ends with one whole dvc.lock."""

import json
import os
import subprocess

import pytest

from support.processes import shell
from support.projects import link_environment
from support.s3_server import BUCKET


def done(command: str, folder) -> subprocess.CompletedProcess:
    finished = shell(command, folder)
    assert finished.returncode == 0, f"{command}\n{finished.stdout}{finished.stderr}"
    return finished


@pytest.mark.parametrize("kind", ["s3", pytest.param("folder", marks=pytest.mark.slow)])
def test_clone_elsewhere_restores_everything_runs_nothing_and_records_the_runs(
    pipeline_run, tmp_path, request, kind
):
    if kind == "s3":
        address = request.getfixturevalue("s3_server")
        done(
            f"dvc remote add --default store s3://{BUCKET}/iris "
            f"&& dvc remote modify store endpointurl {address}",
            pipeline_run,
        )
    else:
        done(f"dvc remote add --default store '{tmp_path}/store'", pipeline_run)
    done("git add -A && git commit -qm results && dvc push", pipeline_run)
    clone = tmp_path / "clone"
    done(f"git clone -q '{pipeline_run}' '{clone}'", tmp_path)
    link_environment(clone)
    done("make restore", clone)
    for folder in ("data", "models", "reports"):
        names = [
            path.relative_to(pipeline_run)
            for path in (pipeline_run / folder).rglob("*")
            if path.is_file() and path != pipeline_run / "reports/comparison_report.html"
        ]  # shows this run's times
        assert names and all(
            (clone / name).read_bytes() == (pipeline_run / name).read_bytes() for name in names
        ), folder
    assert (clone / "reports/comparison_report.html").is_file() and "up to date" in done(
        "dvc status", clone
    ).stdout
    assert "Running" not in done("dvc repro", clone).stdout
    assert "everything is up to date" in done("python -m ops.repro", clone).stdout
    assert not done("git status --porcelain", clone).stdout
    assert "runs written to" in done("make sync", clone).stdout
    assert "holds every run already" in done("make sync", clone).stdout
    assert not os.path.exists(clone / "results") and "ok" in done("make doctor", clone).stdout


def test_restore_without_a_remote_takes_what_the_cache_has(pipeline_run):
    link_environment(pipeline_run)
    done("rm -rf models/tiny data/processed && make restore", pipeline_run)
    assert (pipeline_run / "models/tiny/train/ridge").is_dir() and (
        pipeline_run / "data/processed/tiny"
    ).is_dir()
    done(
        "rm -rf models/tiny .dvc/cache && make restore", pipeline_run
    )  # nowhere: left for the pipeline to make


@pytest.mark.slow
def test_conflict_in_the_lock_is_settled_by_running(pipeline_run):
    """The recipe of docs/remote.md on two branches, each of which moved another gate."""
    params = (pipeline_run / "params.yaml").read_text()
    done("git add -A && git commit -qm base", pipeline_run)
    for branch, old, new in (
        ("one", "{min: 0.80}", "{min: 0.79}"),
        ("two", "{min: 0.5}", "{min: 0.4}"),
    ):
        done(f"git checkout -qb {branch} main", pipeline_run)
        (pipeline_run / "params.yaml").write_text(params.replace(old, new))
        done("python -m ops.repro && git add -A && git commit -qm change", pipeline_run)
    assert shell("git merge one", pipeline_run).returncode != 0
    assert "both sides of a merge" in shell("python -m ops.doctor", pipeline_run).stdout
    done(
        "git checkout --ours dvc.lock metrics && python -m ops.repro "
        "&& git add -A && git commit -qm merged",
        pipeline_run,
    )
    verdicts = [
        json.loads((pipeline_run / f"metrics/validation/{name}.json").read_text())
        for name in ("iris", "tiny")
    ]
    assert [verdict["gates"][0]["min"] for verdict in verdicts] == [0.79, 0.4]
    assert "up to date" in done("dvc status", pipeline_run).stdout
