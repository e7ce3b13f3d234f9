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
import re
import sys
import threading
from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import pandas as pd
from filelock import FileLock

from pipeline import paths, tables
from pipeline.errors import DataError

ROTATED = r"\.\d{8}T\d{12}\.jsonl"      # after the dataset's name: the UTC time at which the file was full
BLOCK = 2**20                           # bytes read at a time
ROWS_AT_A_TIME = 10_000                 # parsed rows that are kept as Python objects, before they become columns
SECONDS_BETWEEN_WRITES = 0.5
MOST_WAITING = 20_000                   # rows in memory; a request that comes when so many wait is not logged
SECONDS_FOR_LOCK = 10
TYPES = {"time": str, "request_id": str, "row": int, "model": str, "model_version": int, "features": dict,
         "prediction": (str, int, float)}


@dataclass(frozen=True)
class Served:
    """Rows that one version of a model served, the oldest first, as they were logged.

    `rows` has time, request_id, row and prediction; `features` and `probabilities` (of classifiers, else None) have the same
    index. `broken` lines could not be read; `others` counts the rows of other versions met on the way.
    """

    model: str
    version: int
    rows: pd.DataFrame
    features: pd.DataFrame
    probabilities: pd.DataFrame | None
    broken: int
    others: dict[int, int]


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
    first: int = 0              # the number of the first row, where a long request is written in parts


class Writer:
    """Appends what is served to a dataset's log, off the path of the requests.

    `count(outcome, rows)` hears of rows that were "written", or lost because the memory ("full") or the disk ("disk") was full.
    `beside(entries)` may give further entries for a batch, those of a model that runs along.
    """

    def __init__(self, dataset: str, sample: float, redact: list[str], file_size: int, count=lambda outcome, rows: None,
                 beside=lambda entries: []):
        self.path = paths.inference_log(dataset)
        self.sample, self.redact, self.file_size, self.count, self.beside = sample, frozenset(redact), file_size, count, beside
        self._waiting, self._told = deque(), None
        self._put = self._taken = 0         # rows so far, each counted by one thread alone
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
            append(self.path, b"".join(lines(entry, self.redact) for entry in entries), self.file_size)
        except Exception as error:          # whatever it is, serving goes on and the rows are counted
            self.count("disk", rows)
            self._tell(f"{self.path}: {getattr(error, 'strerror', None) or error}; nothing is logged until that is mended")
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
            os.rename(path, path.with_name(f"{path.stem}.{datetime.now(timezone.utc):%Y%m%dT%H%M%S%f}.jsonl"))
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)
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


def lines(entry: Entry, redact: frozenset[str] = frozenset()) -> bytes:
    """Return the lines of a request, one for each row."""
    import orjson
    seconds, rest = divmod(entry.nanoseconds, 10**9)
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    same = {"time": f"{moment:%Y-%m-%dT%H:%M:%S}.{rest // 1000:06}Z", "request_id": entry.request_id}
    written = []
    for number, (row, answer) in enumerate(zip(entry.rows, entry.answers), start=entry.first):
        kept = {name: value for name, value in row.items() if name not in redact} if redact else row
        line = {**same, "row": number, "model": entry.model, "model_version": entry.version, "features": kept, **answer}
        written.append(orjson.dumps(line | {"shadow": True} if entry.shadow else line, option=orjson.OPT_APPEND_NEWLINE))
    return b"".join(written)


def read(dataset: str, rows: int | None = None, version: int | None = None, shadow: bool = False) -> Served:
    """Return the newest `rows` rows (None: all) that a model version served; without `version` that of the newest row.

    The files are read from their ends in blocks, so that a large log costs what is taken from it. Lines that are no whole JSON
    object of the format are counted and skipped. `shadow` takes the rows of a model that only runs along in place of the others.
    Raises DataError where the log is missing or holds no such row.
    """
    broken, others, model, taken, parts = 0, Counter(), None, [], []
    for line in _lines(dataset):
        row = _parsed(line)
        if row is None:
            broken += 1
            continue
        if bool(row.get("shadow")) != shadow:
            continue
        version = row["model_version"] if version is None else version
        if row["model_version"] != version:
            others[row["model_version"]] += 1
            continue
        model = model or row["model"]
        taken.append(row)
        if len(taken) == ROWS_AT_A_TIME:
            parts.append(_columns(taken))
            taken = []
        if rows is not None and len(parts) * ROWS_AT_A_TIME + len(taken) >= rows:
            break
    if model is None:
        raise DataError(_nothing(dataset, version, broken, others))
    parts += [_columns(taken)] if taken else []
    known, features, probabilities = (pd.concat(frames[::-1], ignore_index=True) for frames in zip(*parts))
    return Served(model, version, known, features, probabilities if probabilities.shape[1] else None, broken, dict(others))


def files_of(dataset: str) -> list[Path]:
    """Return the full files of a dataset's log, the newest first, without the current one."""
    current = paths.inference_log(dataset)
    return sorted((path for path in current.parent.glob(f"{dataset}.*.jsonl")
                   if re.fullmatch(re.escape(dataset) + ROTATED, path.name)), reverse=True)


def _lines(dataset: str):
    """Yield the lines of a dataset's log, the newest first."""
    current = paths.inference_log(dataset)
    seen = None
    if current.is_file():
        with open(current, "rb") as stream:
            seen = os.fstat(stream.fileno())
            yield from _backwards(stream)
    for path in files_of(dataset):
        with open(path, "rb") as stream:
            if seen is None or not os.path.samestat(seen, os.fstat(stream.fileno())):       # else it was rotated meanwhile
                yield from _backwards(stream)


def _backwards(stream):
    """Yield the lines of a file that are not empty, the last first."""
    place, pieces = stream.seek(0, os.SEEK_END), []
    while place:
        size = min(BLOCK, place)
        place -= size
        stream.seek(place)
        first, *lines = stream.read(size).split(b"\n")
        if lines:
            lines[-1] = b"".join([lines[-1], *reversed(pieces)])
            yield from filter(None, reversed(lines))
            pieces = []
        pieces.append(first)
    yield from filter(None, [b"".join(reversed(pieces))])


def _parsed(line: bytes) -> dict | None:
    """Return a row of the log, None where the line is no whole one."""
    import orjson
    try:
        row = orjson.loads(line)
    except ValueError:
        return None
    if not isinstance(row, dict):
        return None
    row.setdefault("row", 0)
    whole = all(isinstance(row.get(key), kind) and not isinstance(row[key], bool) for key, kind in TYPES.items())
    probabilities = row.setdefault("probabilities", {})
    return row if whole and isinstance(probabilities, dict) and all(
        isinstance(value, float | int) for value in probabilities.values()) else None


def _columns(rows: list[dict]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return rows that were read backwards as columns: what is known of each, its features and its probabilities."""
    rows = rows[::-1]
    known = pd.DataFrame({key: [row[key] for row in rows] for key in ("time", "request_id", "row", "prediction")})
    return known, *(pd.DataFrame([row[key] for row in rows], index=known.index) for key in ("features", "probabilities"))


def _nothing(dataset: str, version: int | None, broken: int, others: dict[int, int]) -> str:
    path = paths.inference_log(dataset)
    if not path.is_file() and not files_of(dataset):
        return f"{path}: no such file; serve the model first: it logs each row it serves"
    found = [f"{broken} lines that cannot be read"] if broken else []
    found += [f"{count} rows of version {number}" for number, count in sorted(others.items())]
    what = "no row" if version is None else f"no row that version {version} served"
    return f"{path}: {what}; it holds {', '.join(found) or 'nothing'}"


def read_labels(path: str | Path) -> pd.DataFrame:
    """Return the true answers that came later, request_id, row and label, from a CSV or Parquet file.

    `row` may be left out where each request has one. Raises DataError where a column is missing or a row is answered twice.
    """
    frame = tables.read(path)
    missing = [column for column in ("request_id", "label") if column not in frame]
    if missing:
        raise DataError(f"{path}: no column {tables.listed(missing)}; the labels are to have request_id, label and, for requests "
                        f"of several rows, row")
    place, fault = tables.as_numbers(frame["row"]) if "row" in frame else (pd.Series(0.0, index=frame.index), "")
    if fault:
        raise DataError(f"{path}: row: {fault}; give the number of the row in its request, from 0 on")
    labels = pd.DataFrame({"request_id": tables.as_text(frame["request_id"]), "row": place.fillna(0).astype(int),
                           "label": tables.blank_to_missing(frame["label"])}).dropna()
    twice = labels[labels.duplicated(["request_id", "row"])]
    if len(twice):
        raise DataError(f"{path}: request {twice['request_id'].iloc[0]!r}, row {twice['row'].iloc[0]}, is answered more than "
                        f"once; keep one")
    return labels
