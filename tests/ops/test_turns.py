"""Runs that are killed, runs at the same time, and what a killed DVC leaves."""

import json
import os
import re
import signal
import subprocess
import sys

import psutil
import pytest

from ops import dvc_marks
from support.processes import ROOT, script, shell, until
from support.projects import link_environment
from support.toy_stages import stage, write

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
UNTIL_GO = "[time.sleep(0.05) for _ in iter(lambda: os.path.exists('go'), True)]"
GONE = 2**22 + 1  # more than Linux gives


def start(folder, *command: str) -> subprocess.Popen:
    """Start a module as a terminal does, in a process group of its own."""
    return start_command(folder, sys.executable, "-m", *command)


def start_command(folder, *command: str) -> subprocess.Popen:
    """Start a command as a terminal does, in a process group of its own."""
    return subprocess.Popen(
        command,
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


def test_make_that_is_killed_alone_takes_its_run_with_it(toy):
    write(toy, {"a": stage("a", seconds=60)})
    link_environment(toy)
    for name in ("requirements.txt", "constraints.txt"):
        (toy / name).touch()
    (toy / ".venv/.ready").touch()
    killed = start_command(toy, "make", "--silent", f"--file={ROOT / 'Makefile'}", "pipeline")
    until(lambda: (toy / "a.begun").exists())
    killed.kill()
    until(lambda: not at_work(toy), what="the end of the run")
    assert "stopped; what was finished is kept" in killed.communicate()[1]


def test_lock_has_its_order_also_after_a_run_that_was_killed(toy):
    write(toy, {"a": stage("a", seconds=60), "b": stage("b")})
    killed = start(toy, "ops.repro")
    lock = toy / "dvc.lock"
    until(lambda: lock.is_file() and "  b:" in lock.read_text(), what="the end of b")
    os.killpg(killed.pid, signal.SIGKILL)
    until(lambda: not at_work(toy), what="the end of the stages")
    killed.communicate()
    write(toy, {"a": stage("a"), "b": stage("b")})
    assert script("ops.repro", cwd=toy).returncode == 0
    assert re.findall(r"^  (\S+):$", lock.read_text(), re.M) == ["a", "b"]


def waits_and_then_finds_nothing_to_do(toy, first: subprocess.Popen) -> str:
    """Start a second run while the first one is held up; return for whom it says that it waits."""
    until(lambda: (toy / "a.begun").exists())
    second = start(toy, "ops.repro")
    told = second.stderr.readline()
    (toy / "go").touch()
    assert first.wait(60) == 0
    assert second.communicate()[0] == "repro: everything is up to date\n"
    assert second.returncode == 0
    return told


def test_second_run_waits_and_says_for_whom(toy):
    write(toy, {"a": stage("a", rest=UNTIL_GO)})
    first = start(toy, "ops.repro", "a")
    told = waits_and_then_finds_nothing_to_do(toy, first)
    assert f"waiting for process {first.pid} (`{sys.executable} -m ops.repro a`)" in told


def test_run_waits_for_a_dvc_that_was_started_by_hand(toy):
    write(toy, {"a": stage("a", rest=UNTIL_GO)})
    by_hand = start(toy, "dvc", "repro", "a")
    told = waits_and_then_finds_nothing_to_do(toy, by_hand)
    assert told.startswith(f"repro: waiting for process {by_hand.pid}: ")


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
