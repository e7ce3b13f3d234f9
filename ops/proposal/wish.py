"""The wish for a new dataset: what the command line says of it, which goes before what is found."""

from dataclasses import dataclass

from pipeline.project.errors import UsageError

TASKS = ("regression", "classification")
TAB = ("\\t", "tab")


@dataclass(frozen=True)
class Wish:
    """The name, source and target of a new dataset, and how its file is to be read."""

    name: str
    source: str
    target: str
    separator: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    task: str | None = None


def separator_of(text: str | None) -> str | None:
    """Return the separator that an option names: a shell passes a tab as the two signs of \\t."""
    if text is None or len(text) == 1:
        return text
    if text in TAB:
        return "\t"
    raise UsageError(f"--separator {text!r}: give one character, or tab")
