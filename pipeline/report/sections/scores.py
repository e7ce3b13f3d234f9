"""All scores of the best model: out of fold and on the test rows."""

from dataclasses import dataclass

from pipeline.report import best
from pipeline.report.comparison import BoundedScore
from pipeline.report.sections.subject import Subject


@dataclass(frozen=True)
class Row:
    """One metric."""

    metric: str
    oof: float | None
    expected: float | None
    test: BoundedScore


@dataclass(frozen=True)
class Scores:
    """The metrics over all classes; those of a single class are in the JSON file alone."""

    rows: list[Row]


def figures(subject: Subject) -> Scores:
    chosen, expected = subject.result.chosen, subject.result.expected
    rows = []
    for metric in best.overall_metrics(subject.result):
        rows.append(Row(metric, chosen.cv_oof[metric], expected[metric], chosen.test[metric]))
    return Scores(rows)
