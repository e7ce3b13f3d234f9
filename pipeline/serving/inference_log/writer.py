"""The writer of the inference log: appends what is served, off the path of the requests.

It collects rows in memory and appends them every half second, whole lines in one write, under a
lock that all writers of the dataset share. One that was killed in the middle of a write leaves a
broken last line, which the next write cuts off. The current file is logs/inference/D.jsonl; full
ones lie beside it as D.<time>.jsonl, so that their names sort by age.
"""

import errno
import os
import random
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock

from pipeline.project import paths
from pipeline.serving.inference_log import lines
from pipeline.serving.inference_log.lines import Entry

SECONDS_BETWEEN_WRITES = 0.5
# rows in memory; a request that comes when so many wait is not logged
MOST_WAITING = 20_000
SECONDS_FOR_LOCK = 10
# bytes looked at for the end of the last whole line
BLOCK = 2**20


def _count_nothing(outcome: str, rows: int) -> None:
    pass


def _no_shadow(entries: list[Entry]) -> list[Entry]:
    return []


class Writer:
    """Appends the requests of one dataset to its log, from a thread of its own.

    `sample` is the share of requests that is logged, `redact` names features that are left out, and
    a new file is begun before one is larger than `file_size` bytes. `count(outcome, rows)` hears of
    rows that were "written", or lost because the memory ("full") or the disk ("disk") was full.
    `shadow(entries)` may give further entries for a batch, those of a shadow-tested model.
    """

    def __init__(
        self,
        dataset: str,
        sample: float,
        redact: Iterable[str],
        file_size: int,
        count: Callable[[str, int], None] = _count_nothing,
        shadow: Callable[[list[Entry]], list[Entry]] = _no_shadow,
    ) -> None:
        self.path = paths.inference_log(dataset)
        self.sample = sample
        self.redact = frozenset(redact)
        self.file_size = file_size
        self.count = count
        self.shadow = shadow
        self._waiting: deque[Entry] = deque()
        # rows so far, each counted by one thread alone
        self._rows_put = 0
        self._rows_taken = 0
        self._reported: str | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inference-log", daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> None:
        """Take a request to be logged; returns at once."""
        if self.sample < 1 and random.random() >= self.sample:
            return
        waiting = self._rows_put - self._rows_taken
        if waiting and waiting + len(entry.rows) > MOST_WAITING:
            self.count("full", len(entry.rows))
            return
        self._rows_put += len(entry.rows)
        self._waiting.append(entry)

    def close(self) -> None:
        """Write what waits and end."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(SECONDS_BETWEEN_WRITES):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        entries = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not entries:
            return
        rows = _rows_in(entries)
        self._rows_taken += rows
        try:
            entries += self.shadow(entries)
            rows = _rows_in(entries)
            text = b"".join(lines.as_lines(entry, self.redact) for entry in entries)
            append(self.path, text, self.file_size)
        except Exception as error:
            # whatever it is, serving goes on and the rows are counted
            self.count("disk", rows)
            reason = getattr(error, "strerror", None) or error
            self._report(f"{self.path}: {reason}; nothing is logged until that is fixed")
        else:
            self.count("written", rows)
            self._report(None)

    def _report(self, fault: str | None) -> None:
        """Say on standard error when the log stops and when it goes on."""
        if fault != self._reported:
            print(f"serve: {fault or f'{self.path}: logged again'}", file=sys.stderr, flush=True)
        self._reported = fault


def _rows_in(entries: list[Entry]) -> int:
    return sum(len(entry.rows) for entry in entries)


def append(path: Path, text: bytes, file_size: int) -> None:
    """Append whole lines to a log, in a new file where this one would exceed `file_size` bytes.

    All of them or none: what a full disk took in part is cut off again, and OSError is raised.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock"), timeout=SECONDS_FOR_LOCK):
        size = path.stat().st_size if path.exists() else 0
        if size and size + len(text) > file_size:
            now = datetime.now(timezone.utc)
            os.rename(path, path.with_name(f"{path.stem}.{now:%Y%m%dT%H%M%S%f}.jsonl"))
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        file = os.open(path, flags, 0o644)
        try:
            end = _cut_broken_line(file)
            _write_all_or_nothing(file, text, end, path)
        finally:
            os.close(file)


def _write_all_or_nothing(file: int, text: bytes, end: int, path: Path) -> None:
    """Write a text at the `end` of a file; cut the file there again where the disk is full."""
    try:
        if os.write(file, text) != len(text):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    except OSError:
        os.ftruncate(file, end)
        raise


def _cut_broken_line(file: int) -> int:
    """Cut off what a killed writer left after the last whole line; return where the file ends."""
    place = end = os.lseek(file, 0, os.SEEK_END)
    while place:
        start = max(0, place - BLOCK)
        os.lseek(file, start, os.SEEK_SET)
        newline = os.read(file, place - start).rfind(b"\n")
        if newline >= 0:
            place = start + newline + 1
            break
        place = start
    if place < end:
        os.ftruncate(file, place)
    return place
