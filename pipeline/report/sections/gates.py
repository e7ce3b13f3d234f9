"""The gates of a dataset, each with the value that it looks at."""

from dataclasses import dataclass

from pipeline.report.sections.subject import Subject
from pipeline.scoring.gates import Verdict


@dataclass(frozen=True)
class Gates:
    """The verdicts on the best model, in the order of params.yaml."""

    verdicts: list[Verdict]

    @property
    def on_test(self) -> bool:
        """Whether one of them chose by the test rows."""
        return any(verdict.on == "test" for verdict in self.verdicts)


def figures(subject: Subject) -> Gates | None:
    verdicts = subject.result.gates
    return Gates(verdicts) if verdicts else None
