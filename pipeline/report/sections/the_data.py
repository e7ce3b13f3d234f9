"""The data of a dataset: origin, size, target, and how the classes share the rows."""

from dataclasses import dataclass

from pipeline.data import quality
from pipeline.project import files, paths
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

    The classes are the most frequent first.
    """

    origin: str
    reading: list[str]
    classes: list[ClassShare]


def figures(subject: Subject) -> TheData:
    result = subject.result
    origin = "synthetic, made by this project" if result.synthetic else result.source
    return TheData(origin, reading(subject.dataset), _class_shares(result.class_counts or {}))


def reading(dataset: str) -> list[str]:
    """Return in words what reading changed or left out; nothing before prepare has run."""
    path = paths.metrics(dataset, "quality")
    if not path.is_file():
        return []
    return quality.reading_lines(
        files.read_json(path, f"python prepare_data.py --dataset {dataset}")
    )


def _class_shares(counts: dict[str, int]) -> list[ClassShare]:
    total = sum(counts.values()) or 1
    most_frequent = sorted(counts, key=lambda label: (-counts[label], label))[:MOST_CLASSES]
    return [ClassShare(label, counts[label], counts[label] / total) for label in most_frequent]
