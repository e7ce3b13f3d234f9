"""The inference log: what a served model was asked and what it answered, one JSON object a line for each row.

    {"time": "2026-01-31T12:00:00.123456Z", "request_id": "<uuid hex>", "row": 0, "model": "IrisClassifier", "model_version": 3,
     "features": {"petal length": 1.4, ...}, "prediction": "setosa", "probabilities": {"setosa": 0.9, ...}}

Regression has a number as prediction and no probabilities; a line of a model that only runs along has "shadow": true besides. The
current file is logs/inference/D.jsonl; full ones lie beside it as D.<time>.jsonl, so that their names sort by age.

A Writer collects rows in memory and appends them every half second, whole lines in one write, under a lock that all writers of
the dataset share. One that was killed in the middle of a write leaves a broken last line, which the next write cuts off.
"""

import errno
import os
import random
import sys
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock

from pipeline.project import paths

BLOCK = 2**20  # bytes read at a time
SECONDS_BETWEEN_WRITES = 0.5
MOST_WAITING = 20_000  # rows in memory; a request that comes when so many wait is not logged
SECONDS_FOR_LOCK = 10


@dataclass(frozen=True)
class Entry:
    """A request that was answered: its rows as {feature: value}, and for each what was answered as {"prediction": ...}."""

    nanoseconds: int
    request_id: str
    model: str
    version: int
    rows: list[dict]
    answers: list[dict]
    shadow: bool = False
    first: int = 0  # the number of the first row, where a long request is written in parts


class Writer:
    """Appends what is served to a dataset's log, off the path of the requests.

    `count(outcome, rows)` hears of rows that were "written", or lost because the memory ("full") or the disk ("disk") was full.
    `beside(entries)` may give further entries for a batch, those of a model that runs along.
    """

    def __init__(
        self,
        dataset: str,
        sample: float,
        redact: list[str],
        file_size: int,
        count=lambda outcome, rows: None,
        beside=lambda entries: [],
    ):
        self.path = paths.inference_log(dataset)
        self.sample, self.redact, self.file_size, self.count, self.beside = (
            sample,
            frozenset(redact),
            file_size,
            count,
            beside,
        )
        self._waiting, self._told = deque(), None
        self._put = self._taken = 0  # rows so far, each counted by one thread alone
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inference-log", daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> None:
        """Take a request to be logged; returns at once."""
        if self.sample < 1 and random.random() >= self.sample:
            return
        waiting = self._put - self._taken
        if waiting and waiting + len(entry.rows) > MOST_WAITING:
            self.count("full", len(entry.rows))
            return
        self._put += len(entry.rows)
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
        self._taken += sum(len(entry.rows) for entry in entries)
        rows = sum(len(entry.rows) for entry in entries)
        try:
            entries += self.beside(entries)
            rows = sum(len(entry.rows) for entry in entries)
            append(
                self.path,
                b"".join(log_lines(entry, self.redact) for entry in entries),
                self.file_size,
            )
        except Exception as error:  # whatever it is, serving goes on and the rows are counted
            self.count("disk", rows)
            self._tell(
                f"{self.path}: {getattr(error, 'strerror', None) or error}; nothing is logged until that is mended"
            )
        else:
            self.count("written", rows)
            self._tell(None)

    def _tell(self, fault: str | None) -> None:
        """Say on standard error when the log stops and when it goes on."""
        if fault != self._told:
            print(f"serve: {fault or f'{self.path}: logged again'}", file=sys.stderr, flush=True)
        self._told = fault


def append(path: Path, text: bytes, file_size: int) -> None:
    """Append whole lines to a log, in a new file where they would make this one larger than `file_size`.

    All of them or none: what a full disk took in part is cut off again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock"), timeout=SECONDS_FOR_LOCK):
        size = path.stat().st_size if path.exists() else 0
        if size and size + len(text) > file_size:
            os.rename(
                path,
                path.with_name(f"{path.stem}.{datetime.now(timezone.utc):%Y%m%dT%H%M%S%f}.jsonl"),
            )
        file = os.open(
            path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644
        )
        try:
            end = _cut_broken_line(file)
            try:
                if os.write(file, text) != len(text):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            except OSError:
                os.ftruncate(file, end)
                raise
        finally:
            os.close(file)


def _cut_broken_line(file: int) -> int:
    """Cut off what a killed writer left after the last whole line; return where the file ends."""
    place = end = os.lseek(file, 0, os.SEEK_END)
    while place:
        start = max(0, place - BLOCK)
        os.lseek(file, start, os.SEEK_SET)
        newline = os.read(file, place - start).rfind(b"\n")
        place = start if newline < 0 else start + newline + 1
        if newline >= 0:
            break
    if place < end:
        os.ftruncate(file, place)
    return place


def log_lines(entry: Entry, redact: frozenset[str] = frozenset()) -> bytes:
    """Return the lines of a request, one for each row."""
    import orjson

    seconds, rest = divmod(entry.nanoseconds, 10**9)
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    same = {
        "time": f"{moment:%Y-%m-%dT%H:%M:%S}.{rest // 1000:06}Z",
        "request_id": entry.request_id,
    }
    written = []
    for number, (row, answer) in enumerate(zip(entry.rows, entry.answers), start=entry.first):
        kept = {name: value for name, value in row.items() if name not in redact} if redact else row
        line = {
            **same,
            "row": number,
            "model": entry.model,
            "model_version": entry.version,
            "features": kept,
            **answer,
        }
        written.append(
            orjson.dumps(
                line | {"shadow": True} if entry.shadow else line, option=orjson.OPT_APPEND_NEWLINE
            )
        )
    return b"".join(written)
