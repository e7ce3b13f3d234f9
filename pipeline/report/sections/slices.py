"""Where the best model does worse, and where not: its scores on parts of the table."""

from dataclasses import dataclass

from pipeline.report.comparison import SliceResult
from pipeline.report.sections.subject import Subject


@dataclass(frozen=True)
class Slices:
    """The slices that params.yaml names, then those that a search found."""

    slices: list[SliceResult]

    @property
    def worse(self) -> int:
        """How many are clearly worse than all rows together."""
        return sum(part.test.worse for part in self.slices)

    @property
    def remark(self) -> str:
        """What the folded section says."""
        if not self.worse:
            return f"none of {len(self.slices)} is clearly worse"
        return f"worse on {self.worse} of {len(self.slices)}"


def figures(subject: Subject) -> Slices | None:
    slices = subject.result.slices
    return Slices(slices) if slices else None
