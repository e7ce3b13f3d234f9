"""The comparison as one HTML page that needs nothing beside it.

Tables are made by Jinja, pictures are drawn by a script in the page. A section is added by a module
in sections/, its piece of HTML beside it and one line below. The page is a view and no output of
DVC: it also shows what does not repeat, such as durations and the addresses of runs, where this
machine has them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from pipeline.project import markup
from pipeline.project.rounding import number_text
from pipeline.report import advice
from pipeline.report.comparison import Comparison, MeanRank
from pipeline.report.history import PastResult
from pipeline.report.pictures import Pictures
from pipeline.report.sections import (
    all_metrics,
    candidates,
    confusion,
    costs,
    doubtful_columns,
    drift,
    gates,
    lead,
    leaderboard,
    overview,
    pictures,
    registry,
    scores,
    slices,
    the_data,
    tuning,
    what_follows,
)
from pipeline.report.sections.subject import OPENED, Subject
from pipeline.report.stage_figures import read_drift
from pipeline.scoring.gates import bounds_text, score_text

FOLDER = Path(__file__).parent
TEMPLATES, SECTIONS = FOLDER / "templates", FOLDER / "sections"
SCRIPTS = sorted((TEMPLATES / "scripts").glob("*.js"))  # in the order in which they run


class PageSection(Protocol):
    """A module on all datasets; None leaves the section out."""

    __name__: str

    def figures(self, subjects: list[Subject], ranks: list[MeanRank], /) -> object | None: ...


class DatasetSection(Protocol):
    """A module on one dataset; None leaves the section out."""

    __name__: str

    def figures(self, subject: Subject, /) -> object | None: ...


@dataclass(frozen=True)
class SideBySide:
    """Sections in two columns, below each other where the page is narrow."""

    left: tuple[DatasetSection, ...]
    right: tuple[DatasetSection, ...]


PAGE_SECTIONS: tuple[PageSection, ...] = (overview, all_metrics)
DATASET_SECTIONS: tuple[DatasetSection | SideBySide, ...] = (
    lead,
    SideBySide(left=(what_follows, gates, registry), right=(the_data, doubtful_columns)),
    leaderboard,
    candidates,
    tuning,
    pictures,
    SideBySide(left=(confusion,), right=(costs, scores)),
    slices,
    drift,
)


@dataclass(frozen=True)
class DatasetPart:
    """A dataset's part of the page: its sections as HTML."""

    subject: Subject
    verdict: str
    opened: bool
    rows: list[Markup]


def render(
    comparison: Comparison,
    drawn: dict[str, Pictures],
    past: Mapping[str, Sequence[PastResult]] = MappingProxyType({}),
) -> str:
    """Return the page of a comparison with the pictures and past results of its datasets."""
    environment = _environment()
    subjects = []
    for dataset, result in comparison.datasets.items():
        pictures_of = drawn.get(dataset, Pictures())
        results = tuple(past.get(dataset, ()))
        subjects.append(Subject(dataset, result, read_drift(dataset), pictures_of, results))
    counts = [len(result.candidates) for result in comparison.datasets.values()]
    drawings = {
        subject.dataset: pictures.drawing(subject) | {"beside": candidates.beside(subject)}
        for subject in subjects
    }
    opened = _opened(subjects)
    scripts = [_static(path) for path in SCRIPTS]
    page = environment.get_template("comparison.html.j2").render(
        candidates=sum(counts),
        page_sections=_page_sections(environment, subjects, comparison.overall),
        datasets=[_dataset_part(environment, one, one.dataset in opened) for one in subjects],
        style=_static(TEMPLATES / "comparison.css"),
        scripts=scripts,
        policy=markup.security_policy(*scripts),
        data=markup.script_data(drawings),
    )
    return markup.storable(page)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader([SECTIONS, TEMPLATES]),
        autoescape=select_autoescape(("j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(shown=number_text, bounds=bounds_text, looked_at=score_text)
    return environment


def _page_sections(
    environment: Environment, subjects: list[Subject], ranks: list[MeanRank]
) -> list[Markup]:
    rendered = []
    for section in PAGE_SECTIONS:
        figures = section.figures(subjects, ranks)
        if figures is not None:
            rendered.append(_html(environment, section.__name__, section=figures))
    return rendered


def _opened(subjects: list[Subject]) -> set[str]:
    """Return the datasets that are unfolded at first: those that ask for attention, or the one."""
    if len(subjects) == 1:
        return {subjects[0].dataset}
    for levels in ((advice.STOP, advice.WATCH), (advice.STOP,)):
        opened = {one.dataset for one in subjects if one.result.verdict in levels}
        if len(opened) <= OPENED:
            return opened
    return set()


def _dataset_part(environment: Environment, subject: Subject, opened: bool) -> DatasetPart:
    rows = []
    for section in DATASET_SECTIONS:
        if isinstance(section, SideBySide):
            html = _side_by_side(environment, section, subject)
        else:
            html = _column(environment, (section,), subject)
        if html:
            rows.append(html)
    return DatasetPart(subject, advice.verdict_words(subject.result), opened, rows)


def _side_by_side(environment: Environment, section: SideBySide, subject: Subject) -> Markup:
    columns = [
        _column(environment, section.left, subject),
        _column(environment, section.right, subject),
    ]
    filled = [column for column in columns if column]
    return Markup(environment.get_template("columns.html.j2").render(columns=filled))


def _column(
    environment: Environment, sections: tuple[DatasetSection, ...], subject: Subject
) -> Markup:
    """Return sections below each other, those that apply to the dataset."""
    rendered = []
    for section in sections:
        figures = section.figures(subject)
        if figures is not None:
            context = {"section": figures, "subject": subject, "result": subject.result}
            rendered.append(_html(environment, section.__name__, **context))
    return Markup("\n").join(rendered)


def _html(environment: Environment, module: str, **context: Any) -> Markup:
    """Return a section as HTML, by the template that is named after its module."""
    name = module.rpartition(".")[2]
    return Markup(environment.get_template(f"{name}.html.j2").render(**context))


def _static(path: Path) -> Markup:
    return Markup(path.read_text(encoding="utf-8"))
