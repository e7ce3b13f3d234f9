"""Where the best model does worse, and where not: its scores on parts of the table."""

from dataclasses import dataclass

from pipeline.report.comparison import SliceResult
from pipeline.report.sections.subject import Subject


@dataclass(frozen=True)
class Slices:
    """The slices that params.yaml names, then those that a search found."""

    slices: list[SliceResult]


def figures(subject: Subject) -> Slices | None:
    slices = subject.result.slices
    return Slices(slices) if slices else None
