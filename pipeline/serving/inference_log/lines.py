"""The lines of the inference log: one JSON object for each row that a model was asked for.

    {"time": "2026-01-31T12:00:00.123456Z", "request_id": "<uuid hex>", "row": 0,
     "model": "IrisClassifier", "model_version": 3, "features": {"petal length": 1.4, ...},
     "prediction": "setosa", "probabilities": {"setosa": 0.9, ...}}

`features` are the model's inputs. Regression has a number as prediction and no probabilities. The
line of a model that is only shadow-tested has "shadow": true besides.
"""

from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any, NotRequired, TypedDict

import orjson

# {input: value}, a number, a text or None
Row = dict[str, Any]

FIELDS: dict[str, type | tuple[type, ...]] = {
    "time": str,
    "request_id": str,
    "row": int,
    "model": str,
    "model_version": int,
    "features": dict,
    "prediction": (str, int, float),
}


class Answer(TypedDict):
    """What is answered for one row; only classifiers have probabilities, {class label: share}."""

    prediction: float | str
    probabilities: NotRequired[dict[str, float]]


class Line(TypedDict):
    """A line that was read."""

    time: str
    request_id: str
    row: int
    model: str
    model_version: int
    features: Row
    prediction: float | str
    probabilities: dict[str, float]
    shadow: NotRequired[bool]


@dataclass(frozen=True)
class Entry:
    """A request that was answered: its rows and what was answered for each.

    `first` is the number of the first row, where a long request is written in parts.
    """

    nanoseconds: int
    request_id: str
    model: str
    version: int
    rows: list[Row]
    answers: list[Answer]
    shadow: bool = False
    first: int = 0


def as_lines(entry: Entry, redact: frozenset[str] = frozenset()) -> bytes:
    """Return the lines of a request, one for each row, without the features in `redact`."""
    time = _timestamp(entry.nanoseconds)
    written = []
    for number, (row, answer) in enumerate(zip(entry.rows, entry.answers), start=entry.first):
        line = {
            "time": time,
            "request_id": entry.request_id,
            "row": number,
            "model": entry.model,
            "model_version": entry.version,
            "features": _without(row, redact) if redact else row,
            **answer,
        }
        if entry.shadow:
            line["shadow"] = True
        written.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    return b"".join(written)


def _timestamp(nanoseconds: int) -> str:
    """Return a moment since the epoch in UTC, to the microsecond."""
    seconds, rest = divmod(nanoseconds, 10**9)
    return f"{_second(seconds)}.{rest // 1000:06}Z"


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


def _without(row: Row, names: frozenset[str]) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def parsed(text: bytes) -> Line | None:
    """Return the line that a text holds; None where it is not a whole one of this format."""
    try:
        content = orjson.loads(text)
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    content.setdefault("row", 0)
    content.setdefault("probabilities", {})
    for field, kind in FIELDS.items():
        value = content.get(field)
        if not isinstance(value, kind) or isinstance(value, bool):
            return None
    if not _are_probabilities(content["probabilities"]):
        return None
    return content  # type: ignore[return-value]


def _are_probabilities(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return all(isinstance(share, float | int) for share in value.values())
