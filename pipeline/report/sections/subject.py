"""What a section of the page is about: one dataset with its results."""

from dataclasses import dataclass
from typing import Any

from pipeline.project import files, paths
from pipeline.report.comparison import DatasetResult
from pipeline.report.history import PastResult
from pipeline.report.pictures import Pictures
from pipeline.report.stage_figures import DriftFigures
from pipeline.scoring import metrics

COLOUR_STEPS = 5  # of a table's cells, .h1 to .h5 in comparison.css
OPENED = 6  # datasets that are unfolded at first; more would be a wall
MOST_CLASSES = 12  # that are shown


@dataclass(frozen=True)
class Subject:
    """A dataset, its part of the comparison, its drift if it was looked for, and its pictures.

    `past` are earlier results on it, the oldest first.
    """

    dataset: str
    result: DatasetResult
    drift: DriftFigures | None
    pictures: Pictures
    past: tuple[PastResult, ...] = ()

    @property
    def id(self) -> str:
        """The id of the dataset's part of the page; those of its headings begin with it."""
        return paths.part_of_page(self.dataset)

    @property
    def direction(self) -> str:
        """Whether lower or higher values of the primary metric are better."""
        greater = metrics.lookup(self.result.primary_metric).greater_is_better
        return "higher" if greater else "lower"


def mlflow_runs(dataset: str) -> dict[str, str]:
    """Return the addresses of the runs, {stage/candidate: URL}; none where nothing is recorded."""
    path = paths.mlflow_runs(dataset)
    return files.read_json(path, made_by="make sync") if path.is_file() else {}


def seconds(dataset: str, name: str) -> dict[str, Any]:
    """Return a file of durations, which this machine may not have."""
    path = paths.timings(dataset, name)
    return files.read_json(path, made_by="dvc repro") if path.is_file() else {}
