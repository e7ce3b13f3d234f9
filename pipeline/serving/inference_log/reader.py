"""The reader of the inference log: the newest rows that one version of a model served.

The files are read from their ends in blocks, so that a large log costs what is taken from it.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from pipeline.project import paths
from pipeline.project.errors import DataError
from pipeline.serving.inference_log import lines
from pipeline.serving.inference_log.lines import Line

# after the dataset's name: the UTC time at which the file was full
ROTATED = r"\.\d{8}T\d{12}\.jsonl"
# lines that are kept as Python objects before they become columns
ROWS_AT_A_TIME = 10_000
# bytes read at a time
BLOCK = 2**20


@dataclass(frozen=True)
class LoggedRows:
    """Rows that one version of a model served, the oldest first, as they were logged.

    `rows` has time, request_id, row and prediction; `features` and `probabilities` (of classifiers,
    else None) have the same index. `broken` lines could not be read; `others` counts the rows of
    other versions met on the way, {version: rows}.
    """

    model: str
    version: int
    rows: pd.DataFrame
    features: pd.DataFrame
    probabilities: pd.DataFrame | None
    broken: int
    others: dict[int, int]


@dataclass(frozen=True)
class _Part:
    """Some of the rows as tables of one index, the oldest first."""

    rows: pd.DataFrame
    features: pd.DataFrame
    probabilities: pd.DataFrame


@dataclass
class _Taken:
    """What was taken from the lines so far, which come newest first.

    The version is that of the newest row where None is asked for.
    """

    version: int | None
    shadow: bool
    model: str | None = None
    broken: int = 0
    others: Counter[int] = field(default_factory=Counter)
    parts: list[_Part] = field(default_factory=list)
    waiting: list[Line] = field(default_factory=list)

    def add(self, line: Line | None) -> None:
        """Take a line, or count why not; None is a broken one."""
        if line is None:
            self.broken += 1
            return
        if bool(line.get("shadow")) != self.shadow:
            return
        if self.version is None:
            self.version = line["model_version"]
        if line["model_version"] != self.version:
            self.others[line["model_version"]] += 1
            return
        if self.model is None:
            self.model = line["model"]
        self.waiting.append(line)
        if len(self.waiting) == ROWS_AT_A_TIME:
            self.tabulate()

    def tabulate(self) -> None:
        """Turn the lines that wait into tables, which take less memory."""
        if self.waiting:
            self.parts.append(_tables(self.waiting[::-1]))
            self.waiting = []

    def __len__(self) -> int:
        return len(self.parts) * ROWS_AT_A_TIME + len(self.waiting)


def read_log(
    dataset: str, rows: int | None = None, version: int | None = None, shadow: bool = False
) -> LoggedRows:
    """Return the newest `rows` rows (None: all) that a version of a dataset's model served.

    Without `version` it is that of the newest row. `shadow` takes the rows of shadow-tested models
    in place of the others. Lines that are not whole ones of the format are counted and skipped.
    Raises DataError where the log is missing or holds no such row.
    """
    taken = _Taken(version, shadow)
    for text in _lines(dataset):
        taken.add(lines.parsed(text))
        if rows is not None and len(taken) >= rows:
            break
    if taken.model is None or taken.version is None:
        raise DataError(_nothing_found(dataset, taken))
    taken.tabulate()
    oldest_first = taken.parts[::-1]
    probabilities = pd.concat([part.probabilities for part in oldest_first], ignore_index=True)
    return LoggedRows(
        taken.model,
        taken.version,
        pd.concat([part.rows for part in oldest_first], ignore_index=True),
        pd.concat([part.features for part in oldest_first], ignore_index=True),
        probabilities if probabilities.shape[1] else None,
        taken.broken,
        dict(taken.others),
    )


def rotated_files(dataset: str) -> list[Path]:
    """Return the full files of a dataset's log, the newest first, without the current one."""
    folder = paths.inference_log(dataset).parent
    pattern = re.escape(dataset) + ROTATED
    full = [path for path in folder.glob(f"{dataset}.*.jsonl") if re.fullmatch(pattern, path.name)]
    return sorted(full, reverse=True)


def _lines(dataset: str) -> Iterator[bytes]:
    """Yield the lines of a dataset's log, the newest first."""
    current = paths.inference_log(dataset)
    seen = None
    if current.is_file():
        with open(current, "rb") as stream:
            seen = os.fstat(stream.fileno())
            yield from _backwards(stream)
    for path in rotated_files(dataset):
        with open(path, "rb") as stream:
            # the current file may have been rotated meanwhile: it was read already
            if seen is None or not os.path.samestat(seen, os.fstat(stream.fileno())):
                yield from _backwards(stream)


def _backwards(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file that are not empty, the last first."""
    place = stream.seek(0, os.SEEK_END)
    # of the line whose start is not read yet, the last piece first
    pieces: list[bytes] = []
    while place:
        size = min(BLOCK, place)
        place -= size
        stream.seek(place)
        first, *whole = stream.read(size).split(b"\n")
        if whole:
            whole[-1] = b"".join([whole[-1], *reversed(pieces)])
            yield from filter(None, reversed(whole))
            pieces = []
        pieces.append(first)
    yield from filter(None, [b"".join(reversed(pieces))])


def _tables(taken: list[Line]) -> _Part:
    """Return lines, the oldest first, as tables."""
    columns = ("time", "request_id", "row", "prediction")
    rows = pd.DataFrame(taken, columns=columns)
    features = pd.DataFrame([line["features"] for line in taken], index=rows.index)
    probabilities = pd.DataFrame([line["probabilities"] for line in taken], index=rows.index)
    return _Part(rows, features, probabilities)


def _nothing_found(dataset: str, taken: _Taken) -> str:
    """Return why no row was taken: what the log holds instead."""
    path = paths.inference_log(dataset)
    if not path.is_file() and not rotated_files(dataset):
        return f"{path}: no such file; serve the model first: it logs each row it serves"
    holds = []
    if taken.broken:
        holds.append(f"{taken.broken} lines that cannot be read")
    for version, count in sorted(taken.others.items()):
        holds.append(f"{count} rows of version {version}")
    wanted = "no row"
    if taken.version is not None:
        wanted = f"no row that version {taken.version} served"
    return f"{path}: {wanted}; it holds {', '.join(holds) or 'nothing'}"
