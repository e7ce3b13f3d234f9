"""The writer of the inference log: what was answered half a second ago is in the file.

Lines wait in memory for a tenth of a second; then a thread appends them all in one write, under a
lock that all writers of the dataset share. Where that thread comes too late, since the machine or
Python's other threads are busy, requests have the lines written before they are answered. So a
kill loses only what was answered within the last half second, whatever the load.

A writer that was killed in the middle of a write leaves a broken last line, which the next write
cuts off. The current file is logs/inference/D.jsonl; full ones lie beside it as D.<time>.jsonl, so
that their names sort by age.
"""

import errno
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock

from pipeline.project import paths
from pipeline.serving.inference_log import lines
from pipeline.serving.inference_log.lines import Entry

# answered rows are in the file by then; all below adds up to less
SECONDS_TO_FILE = 0.5
SECONDS_BETWEEN_WRITES = 0.1
# lines wait longer, or are more bytes: requests write them before they are answered
SECONDS_BEHIND = 0.2
BYTES_BEHIND = 500_000
# rows in memory while the file cannot be written; a request that comes then is not logged
MOST_WAITING = 20_000
SECONDS_FOR_LOCK = 10
# a writer that finds the lock taken looks again
SECONDS_BETWEEN_LOOKS = 0.002
# bytes looked at for the end of the last whole line
BLOCK = 2**20


def _count_nothing(outcome: str, rows: int) -> None:
    pass


@dataclass
class _Batch:
    """Lines that wait, their rows and bytes, and the moment from which the first one has waited."""

    since: float = 0.0
    rows: int = 0
    size: int = 0
    texts: list[bytes] = field(default_factory=list)


class Writer:
    """Appends the requests of one dataset to its log.

    `sample` is the share of requests that is logged, `redact` names features that are left out, and
    a new file is begun before one is larger than `file_size` bytes. `fsync` has the operating
    system put each write on the disk, so that a power failure loses no more than a kill.
    `count(outcome, rows)` hears of rows that were "written", or lost because the file could not be
    written ("disk") and then the memory was full ("full").
    """

    def __init__(
        self,
        dataset: str,
        sample: float,
        redact: Iterable[str],
        file_size: int,
        fsync: bool = False,
        count: Callable[[str, int], None] = _count_nothing,
    ) -> None:
        self.path = paths.inference_log(dataset)
        self.sample = sample
        self.redact = frozenset(redact)
        self.file_size = file_size
        self.fsync = fsync
        self.count = count
        self._lock = threading.Lock()
        self._waiting = _Batch()
        # what is being written just now
        self._in_writing = _Batch()
        self._writing = threading.Lock()
        self._fault: str | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inference-log", daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> bool:
        """Take a request that is about to be answered; return whether it is in the sample."""
        if self.sample < 1 and random.random() >= self.sample:
            return False
        self.add(entry)
        return True

    def add(self, entry: Entry) -> None:
        """Take a request whatever the sample; returns at once."""
        text = lines.as_lines(entry, self.redact)
        rows = len(entry.rows)
        with self._lock:
            waiting = self._waiting
            lost = self._fault is not None and waiting.rows + rows > MOST_WAITING
            if not lost:
                if not waiting.texts:
                    waiting.since = time.monotonic()
                waiting.texts.append(text)
                waiting.rows += rows
                waiting.size += len(text)
        if lost:
            self.count("full", rows)

    def is_behind(self) -> bool:
        """Say whether flush() has to come before the next answer.

        Never while the file cannot be written: serving goes on, and the lost rows are counted.
        """
        with self._lock:
            oldest = self._in_writing if self._in_writing.texts else self._waiting
            if self._fault is not None or not oldest.texts:
                return False
            if self._waiting.size > BYTES_BEHIND:
                return True
            return time.monotonic() - oldest.since > SECONDS_BEHIND

    def flush(self) -> None:
        """Write what waits: when this returns it is in the file, or counted as lost."""
        with self._writing:
            with self._lock:
                self._in_writing, self._waiting = self._waiting, _Batch()
            if self._in_writing.texts:
                self._write(self._in_writing)
            with self._lock:
                self._in_writing = _Batch()

    def close(self) -> None:
        """Write what waits and end."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(SECONDS_BETWEEN_WRITES):
            self.flush()
        self.flush()

    def _write(self, batch: _Batch) -> None:
        try:
            append(self.path, b"".join(batch.texts), self.file_size, self.fsync)
        except Exception as error:
            # whatever it is, serving goes on and the rows are counted
            self.count("disk", batch.rows)
            self._report(f"{self.path}: {_reason(error)}; nothing is logged until that is fixed")
        else:
            self.count("written", batch.rows)
            self._report(None)

    def _report(self, fault: str | None) -> None:
        """Say on standard error when the log stops and when it goes on."""
        if fault != self._fault:
            print(f"serve: {fault or f'{self.path}: logged again'}", file=sys.stderr, flush=True)
        self._fault = fault


def _reason(error: Exception) -> str:
    """Return what went wrong: the system's own words, or those of another fault with its type."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}"


def append(path: Path, text: bytes, file_size: int, fsync: bool = False) -> None:
    """Append whole lines to a log, in a new file where this one would exceed `file_size` bytes.

    All of them or none: what a full disk took in part is cut off again, and OSError is raised. With
    `fsync` they are on the disk when this returns.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(
        path.with_suffix(".lock"), SECONDS_FOR_LOCK, poll_interval=SECONDS_BETWEEN_LOOKS
    )
    with lock:
        size = path.stat().st_size if path.exists() else 0
        if size and size + len(text) > file_size:
            now = datetime.now(timezone.utc)
            os.rename(path, path.with_name(f"{path.stem}.{now:%Y%m%dT%H%M%S%f}.jsonl"))
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        file = os.open(path, flags, 0o644)
        try:
            end = _cut_broken_line(file)
            _write_all_or_nothing(file, text, end, path, fsync)
            if fsync and not end:
                _sync_folder(path.parent)
        finally:
            os.close(file)


def _write_all_or_nothing(file: int, text: bytes, end: int, path: Path, fsync: bool) -> None:
    """Write a text at the `end` of a file; cut the file there again where the disk is full."""
    try:
        if os.write(file, text) != len(text):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        if fsync:
            os.fsync(file)
    except OSError:
        os.ftruncate(file, end)
        raise


def _sync_folder(folder: Path) -> None:
    """Put a folder's entries on the disk; Windows does that by itself and cannot be asked."""
    if os.name == "nt":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _cut_broken_line(file: int) -> int:
    """Cut off what a killed writer left after the last whole line; return where the file ends."""
    place = end = os.lseek(file, 0, os.SEEK_END)
    # nearly always the last byte alone shows that nothing is broken
    size = 1
    while place:
        start = max(0, place - size)
        os.lseek(file, start, os.SEEK_SET)
        newline = os.read(file, place - start).rfind(b"\n")
        if newline >= 0:
            place = start + newline + 1
            break
        place = start
        size = BLOCK
    if place < end:
        os.ftruncate(file, place)
    return place
