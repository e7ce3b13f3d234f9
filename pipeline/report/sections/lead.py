"""The first paragraph on a dataset: its best model and the score in words."""

from dataclasses import dataclass

from pipeline.report.best import DUMMY
from pipeline.report.sections.subject import Subject


@dataclass(frozen=True)
class Lead:
    """How many candidates there are, and the name of what the best one is compared with."""

    candidates: int
    better_than: str | None


def figures(subject: Subject) -> Lead:
    improvement = subject.result.best.improvement
    better_than = improvement.over if improvement else None
    if better_than == DUMMY:
        better_than = "guessing"
    return Lead(len(subject.result.candidates), better_than)
