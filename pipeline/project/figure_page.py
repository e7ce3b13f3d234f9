"""A page of figures that plotly draws, in one file that opens offline and runs nothing else."""

from dataclasses import dataclass
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from pipeline.project import markup, paths

PLOTLY_FILE = "plotly.min.js"  # beside pages that share it


@dataclass(frozen=True)
class Link:
    """A link to a page that lies near."""

    title: str
    href: str


@dataclass(frozen=True)
class FigurePage:
    """A page: its title, what stands in its body, and plotly's figures by the name of their place.

    A place is an element of the body with that name as its `data-figure`. `back` are the pages from
    which a reader comes.
    """

    title: str
    body: Markup
    figures: dict[str, dict[str, Any]]
    back: tuple[Link, ...] = ()


def back_from_stage(dataset: str) -> tuple[Link, ...]:
    """Return the links from a page in a stage's folder of reports to those that list it."""
    comparison = f"../../{paths.COMPARISON_REPORT.name}#{paths.part_of_page(dataset)}"
    index = f"../{paths.REPORTS_INDEX.name}"
    return (
        Link("Model comparison", comparison),
        Link(f"All reports on {dataset}", index),
    )


def html(page: FigurePage, plotly_beside: bool = False) -> str:
    """Return the page; plotly itself is in it, or in PLOTLY_FILE beside it."""
    templates = markup.templates("pipeline.project")
    scripts = []
    if page.figures:
        draw = _source(templates, "draw.js")
        scripts = [draw] if plotly_beside else [plotly_program(), draw]
    text = templates.get_template("page.html.j2").render(
        page=page,
        policy=markup.security_policy(*scripts, beside=plotly_beside),
        style=Markup(_source(templates, "page.css")),
        data=markup.script_data(page.figures),
        beside=PLOTLY_FILE if plotly_beside else None,
        scripts=[Markup(script) for script in scripts],
    )
    return markup.storable(text)


def _source(templates: Environment, name: str) -> str:
    assert templates.loader is not None
    return templates.loader.get_source(templates, name)[0]


def plotly_program() -> str:
    """Return plotly's own script."""
    from plotly.offline import get_plotlyjs

    return get_plotlyjs()
