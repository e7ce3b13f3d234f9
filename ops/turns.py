"""Turns: the stages of a folder are run by one process at a time; the next one waits for it."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from ops import dvc_marks
from pipeline.project.files import write_text

# the system unlocks it when the process ends, however it ends
LOCK = Path(".dvc/tmp/repro.lock")
HOLDER = Path(".dvc/tmp/repro.json")
SECONDS_BETWEEN_LOOKS = 0.2

Tell = Callable[[str], None]


@contextmanager
def turn(tell: Tell) -> Iterator[None]:
    """Wait until nobody else runs stages in this folder, telling for whom, and keep others out."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        tell(f"waiting for {holder()}")
        lock.acquire()
    try:
        write_text(HOLDER, json.dumps({"pid": os.getpid()}))
        wait_for_dvc(tell)
        yield
    finally:
        lock.release()


def holder() -> str:
    """Return who runs the stages now: the number of the process, its command and since when."""
    try:
        pid = json.loads(HOLDER.read_text(encoding="utf-8"))["pid"]
        return described(pid)
    except (OSError, ValueError, psutil.Error):  # it has only just begun, or ended
        return "another `python -m ops.repro` in this folder"


def described(pid: int) -> str:
    """Return a process in words; raise psutil.Error where it is gone."""
    process = psutil.Process(pid)
    since = time.strftime("%H:%M:%S", time.localtime(process.create_time()))
    return f"process {pid} (`{' '.join(process.cmdline())}`), at work here since {since}"


def wait_for_dvc(tell: Tell) -> None:
    """Wait for what a person, or a run that was killed, still has DVC do in this folder."""
    told: set[int] = set()
    while marks := dvc_marks.at_work():
        for mark in marks:
            if mark.pid not in told:
                told.add(mark.pid)
                tell(f"waiting for process {mark.pid}: {mark.command}")
        time.sleep(SECONDS_BETWEEN_LOOKS)
