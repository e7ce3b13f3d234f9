"""The gates of a dataset, each with the value that it looks at."""

from dataclasses import dataclass

from pipeline.report.sections.subject import Subject
from pipeline.scoring.gates import Verdict


@dataclass(frozen=True)
class Gates:
    """The verdicts on the best model, in the order of params.yaml."""

    verdicts: list[Verdict]


def figures(subject: Subject) -> Gates | None:
    verdicts = subject.result.gates
    return Gates(verdicts) if verdicts else None
