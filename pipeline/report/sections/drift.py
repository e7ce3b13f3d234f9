"""The drift of a dataset's test rows: the verdict, and the columns nearest to drift."""

from dataclasses import dataclass, replace

from pipeline.drift import verdicts
from pipeline.project import paths
from pipeline.report.sections.subject import Subject
from pipeline.report.stage_figures import DriftFigures, DriftTest

MOST_COLUMNS = 8
PAGES = {
    "drift": "drift of the features",
    "target_drift": "of the target and the predictions",
    "performance": "performance",
    "quality": "data quality",
}


@dataclass(frozen=True)
class Row:
    """One test: its effect size against the threshold."""

    name: str
    role: str
    verdict: str
    effect: str | None
    effect_size: float | None
    threshold: float | None
    p_adjusted: float | None
    drift_score: float | None


@dataclass(frozen=True)
class Link:
    """A page of the drift stage."""

    title: str
    href: str


@dataclass(frozen=True)
class Drift:
    """The drift stage's figures, the rows of the table, and its pages if they are here."""

    figures: DriftFigures
    rows: list[Row]
    pages: list[Link]

    @property
    def asks_for_attention(self) -> bool:
        """Whether the rows drifted."""
        return self.figures.verdict == verdicts.DRIFT


def figures(subject: Subject) -> Drift | None:
    if subject.drift is None:
        return None
    return Drift(subject.drift, rows(subject.drift), _pages(subject.dataset))


def rows(drift: DriftFigures | None) -> list[Row]:
    """Return the target, the predictions and the columns nearest to drift."""
    if drift is None:
        return []
    table = []
    for role, test in (("target", drift.target), ("prediction", drift.prediction)):
        if test is not None and test.column is not None:
            table.append(_row(test.column, role, test))
    nearest = sorted(
        drift.columns, key=lambda name: (-(drift.columns[name].drift_score or 0), name)
    )
    for name in nearest[:MOST_COLUMNS]:
        row = _row(name, "feature", drift.columns[name])
        if name in drift.drifted_ignored:
            row = replace(row, verdict=verdicts.IGNORED_DRIFT)
        table.append(row)
    return table


def _row(name: str, role: str, test: DriftTest) -> Row:
    return Row(
        name,
        role,
        test.verdict,
        test.effect,
        test.effect_size,
        test.threshold,
        test.p_adjusted,
        test.drift_score,
    )


def _pages(dataset: str) -> list[Link]:
    folder = paths.reports(dataset, "drift")
    links = []
    for name, title in PAGES.items():
        if (folder / f"{name}_report.html").is_file():
            links.append(Link(title, f"{dataset}/drift/{name}_report.html"))
    return links
