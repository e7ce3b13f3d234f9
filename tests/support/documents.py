"""The documents' pages, and what they set in code."""

import re
from pathlib import Path

from support.processes import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"```[a-z]*\n(.*?)```", re.S)
SPAN = re.compile(r"`([^`\n]+)`")


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def spans(text: str) -> list[str]:
    """Return what a page's text sets in `code` outside of blocks."""
    return SPAN.findall(BLOCK.sub("", text))


def code(path: Path) -> str:
    """Return what a page sets in code: blocks and spans."""
    text = path.read_text(encoding="utf-8")
    return "\n".join([*BLOCK.findall(text), *spans(text)])


def rows(text: str) -> list[list[str]]:
    """Return the cells of every row of a page's tables."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names_setting(text: str, key: str) -> bool:
    """Return whether a page names a setting in a code span: `key`, `block.key` or `key: value`.

    Its letters elsewhere, in a sentence or as a part of another name, do not count.
    """
    setting = re.compile(rf"(?:[a-z_]+\.)*{re.escape(key)}(?:: .*)?")
    return any(setting.fullmatch(span) for span in spans(text))


def has_row(text: str, *cells: str) -> bool:
    """Return whether a table of a page has a row that begins with these cells."""
    return any(row[: len(cells)] == list(cells) for row in rows(text))
