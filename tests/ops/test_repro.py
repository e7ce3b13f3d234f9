"""ops.repro: what `dvc repro` does, with independent stages side by side."""

import os
import re
import signal
import subprocess
import sys

import psutil
import pytest

from support.processes import ROOT, script, shell, until, with_ctrl_c
from support.projects import copy_project
from support.toy_stages import stage, write


@pytest.mark.slow
def test_fresh_folder_ends_with_the_lock_of_dvc_repro(finished, tmp_path):
    """Results depend neither on the folder nor on what ran beside what."""
    folder = copy_project(tmp_path / "elsewhere")
    done = shell("python -m ops.repro", folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "dvc.lock").read_text() == (finished / "dvc.lock").read_text()
    for name in (
        "metrics/comparison_results.json",
        "metrics/best/tiny.json",
        "metrics/validation/iris.json",
    ):
        assert (folder / name).read_bytes() == (finished / name).read_bytes()
    lines = done.stdout.splitlines()
    seconds = [float(line.split()[1]) for line in lines if line.startswith("[")]
    stages = re.findall(r"^  (\S+):$", (folder / "dvc.lock").read_text(), re.M)
    assert len(seconds) == len(stages) and lines[-1].startswith(f"repro: {len(stages)} stages in ")
    assert sum(seconds) > 1.3 * float(lines[-1].split()[-2])
    again = shell("python -m ops.repro", folder)
    assert (again.returncode, again.stdout) == (0, "repro: everything is up to date\n")
    assert "up to date" in shell("dvc status", folder).stdout


def test_gate_that_fails_is_told_as_validate_tells_it(pipeline_run):
    text = (pipeline_run / "params.yaml").read_text()
    (pipeline_run / "params.yaml").write_text(text.replace("r2: {min: 0.5}", "r2: {min: 0.999}"))
    done = shell("python -m ops.repro", pipeline_run)
    assert done.returncode == 1
    # a slow machine also says what is running
    others = ("running: ", "NOTE ")
    passed, failed, error = [
        line for line in done.stderr.splitlines() if not line.startswith(others)
    ]
    assert passed.startswith("PASS iris") and failed.startswith("FAIL tiny")
    assert error.startswith(
        "repro.py: error: validate failed: validate_metrics.py: error: "
        "1 gate failed: tiny ridge: test r2"
    )


def test_stages_share_the_cores_and_one_alone_has_them_all(toy):
    note = "open('cores-{out}', 'w').write(os.environ['LOKY_MAX_CPU_COUNT'])"
    write(
        toy,
        {
            "a": stage("a", rest=note),
            "b": stage("b", rest=note),
            "end": stage("end", "a", "b", rest=note),
        },
    )
    done = script("ops.repro", cwd=toy)
    assert done.returncode == 0, done.stderr
    assert [(toy / f"cores-{name}").read_text() for name in ("a", "b", "end")] == ["1", "1", "2"]


def test_independent_stages_run_at_the_same_time(toy):
    meet = (
        "[time.sleep(0.1) for _ in range(60) if not os.path.exists('ab'[('{out}' == 'a')])]; "
        "open('met-{out}', 'w').write(str(os.path.exists('ab'[('{out}' == 'a')])))"
    )
    write(toy, {"a": stage("a", rest=meet), "b": stage("b", rest=meet)})
    assert script("ops.repro", cwd=toy).returncode == 0
    assert [(toy / f"met-{name}").read_text() for name in "ab"] == ["True", "True"]


def test_first_failure_is_told_at_once_lets_the_others_end_and_starts_no_more(toy):
    write(
        toy,
        {
            "bad": stage("bad", rest="sys.exit('train.py: error: no such column')"),
            "slow": stage("slow", seconds=3),
            "after": stage("after", "slow"),
        },
    )
    done = script("ops.repro", cwd=toy)
    assert done.returncode == 1 and "made slow" in done.stdout
    assert done.stderr.splitlines() == [
        "bad failed: train.py: error: no such column",
        "waiting for slow",
        "repro.py: error: bad failed: train.py: error: no such column",
    ]
    assert not (toy / "after").exists()
    write(
        toy,
        {"bad": stage("bad"), "slow": stage("slow", seconds=3), "after": stage("after", "slow")},
    )
    done = script("ops.repro", cwd=toy)
    assert done.returncode == 0 and "made slow" not in done.stdout and "2 stages" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_run_ends_every_process_and_goes_on_later(toy, number):
    write(
        toy,
        {
            "quick": stage("quick"),
            "long": stage("long", "quick", seconds=60),
            "other": stage("other", seconds=60),
        },
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "ops.repro"],
        cwd=toy,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=with_ctrl_c,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    until(lambda: (toy / "long.begun").exists() and (toy / "other.begun").exists())
    assert "made quick" in process.stdout.readline()
    process.send_signal(number)
    told = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert told.splitlines() == [
        "repro.py: error: stopped; what was finished is kept, the same command goes on from there"
    ]
    at_work = [
        running.pid
        for running in psutil.process_iter(["cwd"])
        if running.info["cwd"] == str(toy.resolve())
    ]
    assert at_work == [os.getpid()]  # this test's own process
    write(toy, {"quick": stage("quick"), "long": stage("long", "quick"), "other": stage("other")})
    again = script("ops.repro", cwd=toy)
    assert again.returncode == 0 and "2 stages" in again.stdout


def test_unchanged_result_stops_there_and_a_restored_one_says_so(toy):
    (toy / "source").write_text("1")
    write(toy, {"first": stage("first", "source"), "second": stage("second", "first")})
    assert script("ops.repro", cwd=toy).returncode == 0
    (toy / "source").write_text("2")
    told = [line.split("s  ")[1] for line in script("ops.repro", cwd=toy).stdout.splitlines()[:2]]
    assert told == ["made first", "second: unchanged"]
    (toy / "source").write_text("1")
    told = [line.split("s  ")[1] for line in script("ops.repro", cwd=toy).stdout.splitlines()[:2]]
    assert told == ["first: restored from the cache", "second: unchanged"]


def test_named_stage_runs_with_what_it_needs_alone(toy):
    write(toy, {"a": stage("a"), "b": stage("b", "a"), "c": stage("c")})
    assert script("ops.repro", "b", cwd=toy).returncode == 0
    assert sorted(name for name in "abc" if (toy / name).exists()) == ["a", "b"]


def test_unknown_stage_and_wrong_number_are_wrong_usage(toy):
    write(toy, {"a": stage("a")})
    unknown = script("ops.repro", "nope", cwd=toy)
    assert (
        unknown.returncode == 2
        and "nope" in unknown.stderr
        and len(unknown.stderr.splitlines()) == 1
    )
    assert script("ops.repro", "-j", "0", cwd=toy).returncode == 2


def test_check_names_what_is_stale_and_takes_no_offence_at_missing_results(toy):
    (toy / "source").write_text("1")
    write(toy, {"first": stage("first", "source"), "second": stage("second", "first")})
    assert script("ops.repro", cwd=toy).returncode == 0
    shell("rm -rf first second .dvc/cache", toy)
    done = script("ops.repro", "--check", cwd=toy)
    assert (done.returncode, done.stdout) == (0, "")
    (toy / "source").write_text("2")
    done = script("ops.repro", "--check", cwd=toy)
    assert (
        done.returncode == 1
        and "out of date: first; run `make pipeline`" in done.stderr
        and not (toy / "first").exists()
    )
