"""What the rules of the advice look at, and how grave a piece of advice is."""

from dataclasses import dataclass

from pipeline.report.comparison import DatasetResult
from pipeline.report.stage_figures import DriftFigures

STOP, WATCH, INFO = "stop", "watch", "info"


@dataclass(frozen=True)
class Evidence:
    """What the rules look at: a dataset's figures, and those of its drift stage if it has run."""

    dataset: str
    result: DatasetResult
    drift: DriftFigures | None
