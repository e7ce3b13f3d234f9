"""What follows from the figures of a dataset: the advice."""

from dataclasses import dataclass

from pipeline.report import advice
from pipeline.report.sections.subject import Subject

# what a screen reader says in place of a colour
SPOKEN = {advice.STOP: "Stop", advice.WATCH: "Watch", advice.INFO: "Note"}


@dataclass(frozen=True)
class Item:
    """A piece of advice."""

    level: str
    spoken: str
    what: str
    do: str


@dataclass(frozen=True)
class WhatFollows:
    """The pieces of advice, the gravest first."""

    items: list[Item]


def figures(subject: Subject) -> WhatFollows:
    items = []
    for piece in subject.result.advice:
        items.append(Item(piece.level, SPOKEN[piece.level], piece.what, piece.do))
    return WhatFollows(items)
