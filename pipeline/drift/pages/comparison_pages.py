"""The four pages of a comparison: drift, target drift, data quality and the model's performance.

Tables hold the verdicts and scores of all rows, as drift.json does; figures draw a sample.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pipeline.data.typed_tables import shared_columns
from pipeline.drift import verdicts
from pipeline.drift.data_quality import MOST_CORRELATED
from pipeline.drift.pages import column_table, evidently_figures
from pipeline.drift.pages.column_table import Row
from pipeline.drift.pages.evidently_figures import Figure
from pipeline.drift.results import TableComparison, columns_line
from pipeline.drift.roles import CURRENT, REFERENCE, Sides
from pipeline.project import figure_page, markup
from pipeline.project.figure_page import FigurePage, Link
from pipeline.project.rounding import number_text

MOST_FIGURES = 100  # columns that are drawn, those nearest to drift first
# the verdicts of the page on the model's performance
WORSE, NOT_WORSE, NOT_JUDGED = "worse", "not clearly worse", "not judged"


@dataclass(frozen=True)
class Compared:
    """A comparison, what was compared in words, and the figures of its columns."""

    found: TableComparison
    subject: str
    synthetic: bool
    figures: dict[str, Figure]
    back: tuple[Link, ...] = ()

    def figures_of(self, rows: list[Row]) -> dict[str, Figure]:
        """Return the figures of these columns, of those that have one."""
        return {row.name: self.figures[row.name] for row in rows if row.name in self.figures}


@dataclass(frozen=True)
class Content:
    """What stands on a page: its title, its verdict and its figures by what is drawn in them.

    `shown` is what its template needs beside these.
    """

    title: str
    verdict: str
    figures: dict[str, Figure]
    shown: dict[str, Any]

    @property
    def colour(self) -> str:
        """The class of the verdict's colour."""
        return column_table.COLOURS.get(self.verdict, "watch")

    @property
    def places(self) -> dict[str, str]:
        """The place of each figure by what is drawn in it."""
        return {name: f"figure-{number}" for number, name in enumerate(self.figures, start=1)}


@dataclass(frozen=True)
class ScoreRow:
    """A metric on the reference and the current rows, and as it was estimated without labels."""

    metric: str
    reference: float | None
    current: float | None
    estimated: dict[str, float] | None


def pages(
    found: TableComparison, subject: str, synthetic: bool = False, back: tuple[Link, ...] = ()
) -> dict[str, str]:
    """Return {name: HTML} of the pages that there is something to show on.

    `subject` names what was compared, as "iris" or "old.csv -> new.csv"; `back` are links to pages
    that list these.
    """
    figures = evidently_figures.distributions(found.samples, _drawn_columns(found))
    compared = Compared(found, subject, synthetic, figures, back)
    made = {}
    for name, content_of in CONTENTS.items():
        content = content_of(compared)
        if content is not None:
            made[name] = _html(name, content, compared)
    return made


def _drawn_columns(found: TableComparison) -> dict[str, str]:
    """Return {column: kind} of the tested columns that have values in both samples.

    Evidently fails on an empty column.
    """
    reference, current = found.samples.reference, found.samples.current
    there = set(shared_columns(reference, current))
    drawn = {}
    for row in column_table.answer_rows(found) + column_table.feature_rows(found):
        if not row.column.is_tested or row.name not in there:
            continue
        if reference[row.name].notna().any() and current[row.name].notna().any():
            drawn[row.name] = row.column.kind
    return dict(list(drawn.items())[:MOST_FIGURES])


def _html(name: str, content: Content, compared: Compared) -> str:
    templates = markup.templates("pipeline.drift.pages")
    templates.globals.update(
        number=number_text,
        columns_line=columns_line,
        most_figures=MOST_FIGURES,
        most_correlated=MOST_CORRELATED,
    )
    body = templates.get_template(f"{name}.html.j2").render(
        content=content, compared=compared, found=compared.found, **content.shown
    )
    title = f"{content.title}, {compared.subject}: {content.verdict}"
    by_place = {content.places[drawn]: figure for drawn, figure in content.figures.items()}
    return figure_page.html(FigurePage(title, Markup(body), by_place, compared.back))


# what stands on each page


def _drift(compared: Compared) -> Content:
    rows = column_table.feature_rows(compared.found)
    verdict = compared.found.verdict
    return Content("Drift", verdict, compared.figures_of(rows), {"rows": rows})


def _target_drift(compared: Compared) -> Content | None:
    rows = column_table.answer_rows(compared.found)
    if not rows:
        return None
    found = {row.column.verdict for row in rows}
    # the gravest of them
    ordered = (verdicts.DRIFT, verdicts.NOT_ENOUGH_DATA, verdicts.NO_DRIFT, verdicts.NOT_COMPARED)
    verdict = next(one for one in ordered if one in found)
    title = "Drift of target and prediction"
    return Content(title, verdict, compared.figures_of(rows), {"rows": rows})


def _quality(compared: Compared) -> Content:
    found = compared.found
    rows = column_table.feature_rows(found)
    summaries = [
        column_table.summary(
            name, Sides(found.samples.reference[name], found.samples.current[name])
        )
        for name in compared.figures_of(rows)
    ]
    shown = {"rows": rows, "summaries": summaries}
    return Content("Data quality", found.quality.verdict, compared.figures_of(rows), shown)


def _performance(compared: Compared) -> Content | None:
    found = compared.found
    scores = found.performance or {}
    if not scores.get(CURRENT) and not scores.get("estimated"):
        return None
    shown = {
        "rows": _score_rows(scores),
        "candidate": scores.get("candidate"),
        "metric": scores.get("metric"),
    }
    figures = {}
    if scores.get(REFERENCE) and scores.get(CURRENT):
        figures = evidently_figures.performance_figures(found.samples, found.roles)
    verdict = NOT_JUDGED
    if scores.get(CURRENT) and "worse" in scores:
        verdict = WORSE if scores["worse"] else NOT_WORSE
    return Content("Performance of the model", verdict, figures, shown)


def _score_rows(scores: dict[str, Any]) -> list[ScoreRow]:
    """Return a row for each metric, the primary one first."""
    reference, current = scores.get(REFERENCE) or {}, scores.get(CURRENT) or {}
    estimated = scores.get("estimated") or {}
    primary = scores.get("metric")
    names = sorted(dict.fromkeys([*reference, *current]), key=lambda name: name != primary)
    return [
        ScoreRow(name, reference.get(name), current.get(name), estimated.get(name))
        for name in names
    ]


CONTENTS: dict[str, Callable[[Compared], Content | None]] = {
    "drift": _drift,
    "quality": _quality,
    "target_drift": _target_drift,
    "performance": _performance,
}
