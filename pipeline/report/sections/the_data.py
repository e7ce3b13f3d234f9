"""The data of a dataset: origin, size, target, and how the classes share the rows."""

from dataclasses import dataclass

from pipeline.report.sections.subject import MOST_CLASSES, Subject


@dataclass(frozen=True)
class ClassShare:
    """How many rows a class has, and their share of all."""

    label: str
    rows: int
    share: float


@dataclass(frozen=True)
class TheData:
    """Where the table comes from, and its classes, the most frequent first."""

    origin: str
    classes: list[ClassShare]


def figures(subject: Subject) -> TheData:
    result = subject.result
    origin = "synthetic, made by this project" if result.synthetic else result.source
    return TheData(origin, _class_shares(result.class_counts or {}))


def _class_shares(counts: dict[str, int]) -> list[ClassShare]:
    total = sum(counts.values()) or 1
    most_frequent = sorted(counts, key=lambda label: (-counts[label], label))[:MOST_CLASSES]
    return [ClassShare(label, counts[label], counts[label] / total) for label in most_frequent]
