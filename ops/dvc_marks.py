"""DVC's marks in .dvc/tmp/rwlock: which process reads and writes what, while a stage runs.

DVC forgets the marks of processes that are gone by itself. It does not forget those whose number
another process has now, and it refuses every command where the file was cut off.
"""

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

RWLOCK = Path(".dvc/tmp/rwlock")


@dataclass(frozen=True)
class Mark:
    """A process that reads or writes outputs, by its number and the command that it runs."""

    pid: int
    command: str

    def is_at_work(self) -> bool:
        """Return whether the process is there and still the one that left the mark."""
        try:
            running = " ".join(psutil.Process(self.pid).cmdline())
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:  # another user's
            return True
        options = self.command.partition(" ")[2]  # DVC names its program by another path
        return "dvc" in running and running.endswith(options)


def read() -> dict[str, Any]:
    """Return what the file holds; raise ValueError where that is not what DVC writes."""
    if not RWLOCK.is_file():
        return {}
    content = json.loads(RWLOCK.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError("not an object")
    return content


def marks() -> set[Mark]:
    """Return all marks; raise ValueError where the file is cut off or holds something else."""
    content = read()
    try:
        found = list(content.get("write", {}).values())
        for readers in content.get("read", {}).values():
            found += readers
        return {Mark(int(mark["pid"]), str(mark["cmd"])) for mark in found}
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not marks of DVC: {error}") from None


def at_work() -> list[Mark]:
    """Return the marks of the processes that work in this folder now; none of a file cut off."""
    try:
        found = marks()
    except ValueError:
        return []
    return sorted(filter(Mark.is_at_work, found), key=lambda mark: mark.pid)


def fault() -> str:
    """Return what about the file keeps DVC from working; empty where nothing does."""
    if not RWLOCK.is_file():
        return ""
    with _nobody_writes():
        return _fault()


def heal() -> str:
    """Remove a file that keeps DVC from working; return what was wrong with it, or nothing."""
    if not RWLOCK.is_file():
        return ""
    with _nobody_writes():
        found = _fault()
        if found:
            RWLOCK.unlink()
        return found


def _nobody_writes() -> AbstractContextManager[Any]:
    """Return DVC's own lock on the file, which is cut off for a moment while it is written."""
    from dvc.lock import make_lock

    return make_lock(f"{RWLOCK}.lock", tmp_dir=str(RWLOCK.parent))


def _fault() -> str:
    try:
        found = marks()
    except ValueError:
        return f"{RWLOCK} is cut off, as a DVC that was killed leaves it"
    if any(mark.is_at_work() for mark in found):
        return ""
    others = [mark.pid for mark in found if psutil.pid_exists(mark.pid)]
    if others:
        return f"{RWLOCK} names process {others[0]}, which is another program now"
    return ""
