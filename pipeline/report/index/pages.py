"""Index pages: what reports there are on each dataset, with its verdict on top.

They are views and no outputs of DVC, as the comparison page is: they list what is on this machine.
"""

import html
import re
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from pipeline.project import figure_page, files, markup, paths
from pipeline.project.figure_page import FigurePage, Link
from pipeline.project.rounding import number_text
from pipeline.report import advice
from pipeline.report.comparison import Comparison, DatasetResult

TITLE = re.compile(r"<title>(.*?)</title>", re.S)
HEAD = 8192  # characters of a page within which its title stands
STAGES = {
    "drift": "Drift: test rows against training rows",
    "served": "Drift: served rows against training rows",
    "tune": "Search for hyperparameters",
    "train": "Models of train",
}
PICTURES = "*/*.png"  # of each model of a stage


@dataclass(frozen=True)
class Group:
    """The reports of one stage on a dataset."""

    title: str
    links: list[Link]


@dataclass(frozen=True)
class Entry:
    """A dataset on the index of all."""

    dataset: str
    result: DatasetResult
    verdict: str
    part: str
    index: str


def write(comparison: Comparison) -> None:
    """Write the index of all reports, and that of each dataset beside the reports on it."""
    entries = [_entry(dataset, result) for dataset, result in comparison.datasets.items()]
    body = _body("all", entries=entries, comparison=paths.COMPARISON_REPORT.name)
    files.write_text(paths.REPORTS_INDEX, figure_page.html(FigurePage("Reports", body, {})))
    for entry in entries:
        files.write_text(paths.dataset_index(entry.dataset), _of_dataset(entry))


def _entry(dataset: str, result: DatasetResult) -> Entry:
    return Entry(
        dataset,
        result,
        verdict=advice.verdict_words(result),
        part=f"{paths.COMPARISON_REPORT.name}#{paths.part_of_page(dataset)}",
        index=f"{dataset}/{paths.REPORTS_INDEX.name}",
    )


def _of_dataset(entry: Entry) -> str:
    body = _body("dataset", entry=entry, groups=groups(entry.dataset))
    back = (
        Link("Model comparison", f"../{entry.part}"),
        Link("All reports", f"../{paths.REPORTS_INDEX.name}"),
    )
    title = f"Reports on {entry.dataset}: {entry.verdict}"
    return figure_page.html(FigurePage(title, body, {}, back))


def _body(name: str, **shown: object) -> Markup:
    templates = markup.templates("pipeline.report.index")
    templates.globals.update(number=number_text)
    return Markup(templates.get_template(f"{name}.html.j2").render(**shown))


def groups(dataset: str) -> list[Group]:
    """Return the reports on a dataset that are on this machine, by the stage that made them."""
    folder = paths.dataset_index(dataset).parent
    found = []
    for stage, title in STAGES.items():
        pages = [
            Link(page_title(path), path.relative_to(folder).as_posix())
            for path in sorted((folder / stage).glob("*.html"))
        ]
        pictures = [
            Link(f"{path.parent.name}: {_words(path.stem)}", path.relative_to(folder).as_posix())
            for path in sorted((folder / stage).glob(PICTURES))
        ]
        if pages or pictures:
            found.append(Group(title, pages + pictures))
    return found


def page_title(path: Path) -> str:
    """Return the title of a page, which says its verdict; the name of its file if it has none."""
    with open(path, encoding="utf-8") as stream:
        found = TITLE.search(stream.read(HEAD))
    return html.unescape(found[1]) if found else path.stem


def _words(name: str) -> str:
    return name.replace("_", " ")
