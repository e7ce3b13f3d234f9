"""The inference log: what a served model was asked and what it answered, one JSON object a line for each row.

    {"time": "2026-01-31T12:00:00.123456Z", "request_id": "<uuid hex>", "row": 0, "model": "IrisClassifier", "model_version": 3,
     "features": {"petal length": 1.4, ...}, "prediction": "setosa", "probabilities": {"setosa": 0.9, ...}}

Regression has a number as prediction and no probabilities; a line of a model that only runs along has "shadow": true besides. The
current file is logs/inference/D.jsonl; full ones lie beside it as D.<time>.jsonl, so that their names sort by age.

A Writer collects rows in memory and appends them every half second, whole lines in one write, under a lock that all writers of
the dataset share. One that was killed in the middle of a write leaves a broken last line, which the next write cuts off.
"""

import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.project import paths
from pipeline.project.errors import DataError
from pipeline.serving import inference_log

ROTATED = (
    r"\.\d{8}T\d{12}\.jsonl"  # after the dataset's name: the UTC time at which the file was full
)
ROWS_AT_A_TIME = 10_000  # parsed rows that are kept as Python objects, before they become columns
TYPES = {
    "time": str,
    "request_id": str,
    "row": int,
    "model": str,
    "model_version": int,
    "features": dict,
    "prediction": (str, int, float),
}


@dataclass(frozen=True)
class LoggedRows:
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


def read_log(
    dataset: str, rows: int | None = None, version: int | None = None, shadow: bool = False
) -> LoggedRows:
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
    known, features, probabilities = (
        pd.concat(frames[::-1], ignore_index=True) for frames in zip(*parts)
    )
    return LoggedRows(
        model,
        version,
        known,
        features,
        probabilities if probabilities.shape[1] else None,
        broken,
        dict(others),
    )


def rotated_files(dataset: str) -> list[Path]:
    """Return the full files of a dataset's log, the newest first, without the current one."""
    current = paths.inference_log(dataset)
    return sorted(
        (
            path
            for path in current.parent.glob(f"{dataset}.*.jsonl")
            if re.fullmatch(re.escape(dataset) + ROTATED, path.name)
        ),
        reverse=True,
    )


def _lines(dataset: str):
    """Yield the lines of a dataset's log, the newest first."""
    current = paths.inference_log(dataset)
    seen = None
    if current.is_file():
        with open(current, "rb") as stream:
            seen = os.fstat(stream.fileno())
            yield from _backwards(stream)
    for path in rotated_files(dataset):
        with open(path, "rb") as stream:
            if seen is None or not os.path.samestat(
                seen, os.fstat(stream.fileno())
            ):  # else it was rotated meanwhile
                yield from _backwards(stream)


def _backwards(stream):
    """Yield the lines of a file that are not empty, the last first."""
    place, pieces = stream.seek(0, os.SEEK_END), []
    while place:
        size = min(inference_log.BLOCK, place)
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
    whole = all(
        isinstance(row.get(key), kind) and not isinstance(row[key], bool)
        for key, kind in TYPES.items()
    )
    probabilities = row.setdefault("probabilities", {})
    return (
        row
        if whole
        and isinstance(probabilities, dict)
        and all(isinstance(value, float | int) for value in probabilities.values())
        else None
    )


def _columns(rows: list[dict]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return rows that were read backwards as columns: what is known of each, its features and its probabilities."""
    rows = rows[::-1]
    known = pd.DataFrame(
        {key: [row[key] for row in rows] for key in ("time", "request_id", "row", "prediction")}
    )
    return known, *(
        pd.DataFrame([row[key] for row in rows], index=known.index)
        for key in ("features", "probabilities")
    )


def _nothing(dataset: str, version: int | None, broken: int, others: dict[int, int]) -> str:
    path = paths.inference_log(dataset)
    if not path.is_file() and not rotated_files(dataset):
        return f"{path}: no such file; serve the model first: it logs each row it serves"
    found = [f"{broken} lines that cannot be read"] if broken else []
    found += [f"{count} rows of version {number}" for number, count in sorted(others.items())]
    what = "no row" if version is None else f"no row that version {version} served"
    return f"{path}: {what}; it holds {', '.join(found) or 'nothing'}"
