"""Runs that are killed, runs at the same time, and what a killed DVC leaves."""

import json
import os
import signal
import subprocess
import sys

import psutil
import pytest

from ops import dvc_marks
from support.processes import ROOT, script, shell, until
from support.toy_stages import stage, write

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
GONE = 2**22 + 1  # more than Linux gives


def start(folder, *command: str) -> subprocess.Popen:
    """Start a command as a terminal does, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env=ENVIRONMENT,
    )


def at_work(folder) -> list[int]:
    """Return the processes whose working directory is the folder, without this one."""
    running = psutil.process_iter(["pid", "cwd"])
    here = [process.pid for process in running if process.info["cwd"] == str(folder.resolve())]
    return [pid for pid in here if pid != os.getpid()]


def test_killed_run_takes_its_stages_with_it_and_the_next_one_goes_on(toy):
    write(toy, {"a": stage("a", seconds=60), "b": stage("b", seconds=60)})
    killed = start(toy, "ops.repro")
    until(lambda: (toy / "a.begun").exists() and (toy / "b.begun").exists())
    assert len(at_work(toy)) > 4
    os.killpg(killed.pid, signal.SIGKILL)
    until(lambda: not at_work(toy), what="the end of the stages")
    killed.communicate()
    write(toy, {"a": stage("a"), "b": stage("b")})
    again = script("ops.repro", cwd=toy)
    assert again.returncode == 0 and "2 stages" in again.stdout, again.stderr
    assert "error" not in again.stderr  # DVC warns of the marks that it forgets


def test_second_run_waits_and_says_for_whom(toy):
    write(toy, {"a": stage("a", seconds=3)})
    first = start(toy, "ops.repro", "a")
    until(lambda: (toy / "a.begun").exists())
    second = script("ops.repro", cwd=toy)
    assert (second.returncode, second.stdout) == (0, "repro: everything is up to date\n")
    assert f"waiting for process {first.pid} (`{sys.executable} -m ops.repro a`)" in second.stderr
    assert "made a" in first.communicate()[0] and first.returncode == 0


def test_run_waits_for_a_dvc_that_was_started_by_hand(toy):
    write(toy, {"a": stage("a", seconds=3)})
    by_hand = start(toy, "dvc", "repro", "a")
    until(lambda: (toy / "a.begun").exists())
    done = script("ops.repro", cwd=toy)
    by_hand.communicate()
    assert by_hand.returncode == 0
    assert (done.returncode, done.stdout) == (0, "repro: everything is up to date\n")
    assert f"waiting for process {by_hand.pid}: " in done.stderr


@pytest.mark.parametrize("content", ["", '{"write": {"da', "[]", '{"write": {"a": 1}}'])
def test_marks_that_were_cut_off_are_removed_and_told(toy, content):
    write(toy, {"a": stage("a")})
    (toy / ".dvc/tmp").mkdir(exist_ok=True)
    (toy / dvc_marks.RWLOCK).write_text(content)
    done = script("ops.repro", cwd=toy)
    assert done.returncode == 0 and "made a" in done.stdout
    assert "rwlock is cut off" in done.stderr and "removed it" in done.stderr
    assert not any(json.loads((toy / dvc_marks.RWLOCK).read_text()).values())


def marked(folder, pid: int) -> None:
    """Leave the mark of a process that writes `a`."""
    (folder / ".dvc/tmp").mkdir(exist_ok=True)
    mark = {"pid": pid, "cmd": "/bin/dvc repro a"}
    (folder / dvc_marks.RWLOCK).write_text(json.dumps({"write": {str(folder / "a"): mark}}))


def test_mark_whose_number_another_program_has_is_removed(toy):
    """DVC alone would refuse the stage, and advise to remove the file by hand."""
    write(toy, {"a": stage("a")})
    marked(toy, os.getpid())
    assert "is busy" in shell("dvc repro", toy).stderr
    done = script("ops.repro", cwd=toy)
    assert done.returncode == 0 and "which is another program now; removed it" in done.stderr


def test_mark_of_a_process_that_is_gone_is_left_to_dvc(toy):
    write(toy, {"a": stage("a")})
    marked(toy, GONE)
    assert dvc_marks.fault() == ""
    done = script("ops.repro", cwd=toy)
    assert done.returncode == 0 and "Auto removed it" in done.stderr
