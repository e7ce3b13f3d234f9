"""The doubtful columns of a dataset: what may be read otherwise than it was meant, what to set."""

from dataclasses import dataclass

from pipeline.data import doubts
from pipeline.data.doubts import Doubt
from pipeline.project import files, paths
from pipeline.report.sections.subject import Subject

MOST_SHOWN = 30


@dataclass(frozen=True)
class DoubtfulColumns:
    """The first doubtful columns, how many more there are, and the file that has all of them."""

    shown: list[Doubt]
    further: int
    file: str


def figures(subject: Subject) -> DoubtfulColumns | None:
    """Return the doubts of a dataset; None without any, or before prepare has run."""
    path = paths.metrics(subject.dataset, "quality")
    if not path.is_file():
        return None
    quality = files.read_json(path, made_by=f"python prepare_data.py --dataset {subject.dataset}")
    found = doubts.in_figures(quality)
    if not found:
        return None
    return DoubtfulColumns(found[:MOST_SHOWN], max(0, len(found) - MOST_SHOWN), path.as_posix())
