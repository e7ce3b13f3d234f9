"""The data of a dataset: origin, size, target, and how the classes share the rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.data import quality
from pipeline.project import errors, files, paths
from pipeline.report.sections.subject import MOST_CLASSES, Subject


@dataclass(frozen=True)
class ClassShare:
    """How many rows a class has, and their share of all."""

    label: str
    rows: int
    share: float


@dataclass(frozen=True)
class TheData:
    """Where the table comes from, what reading changed or left out, and its classes.

    `kinds` names the dates, the texts, and the user's file that makes the features. The classes are
    the most frequent first.
    """

    origin: str
    reading: list[str]
    kinds: list[str]
    classes: list[ClassShare]


def figures(subject: Subject) -> TheData:
    result = subject.result
    origin = "synthetic, made by this project" if result.synthetic else result.source
    found = _quality(subject.dataset)
    return TheData(
        origin,
        quality.reading_lines(found),
        kinds(found),
        _class_shares(result.class_counts or {}),
    )


def kinds(found: Mapping[str, Any]) -> list[str]:
    """Return in words which features are dates or texts, and which file makes features."""
    lines = []
    for key, name in (("dates", "dates"), ("text", "free text")):
        if columns := found.get(key):
            lines.append(f"{name}: {errors.listed(columns)}")
    if own := found.get("own_features"):
        added, left_out = len(own["added"]), len(own["left_out"])
        lines.append(f"{own['file']} adds {added} and leaves out {left_out}")
    return lines


def _quality(dataset: str) -> dict[str, Any]:
    """Return the content of quality.json; nothing before prepare has run."""
    path = paths.metrics(dataset, "quality")
    if not path.is_file():
        return {}
    return files.read_json(path, f"python prepare_data.py --dataset {dataset}")


def _class_shares(counts: dict[str, int]) -> list[ClassShare]:
    total = sum(counts.values()) or 1
    most_frequent = sorted(counts, key=lambda label: (-counts[label], label))[:MOST_CLASSES]
    return [ClassShare(label, counts[label], counts[label] / total) for label in most_frequent]
