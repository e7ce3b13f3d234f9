"""A fault: something that keeps the project from working here, with what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """What is wrong, what to do, and how to fix it where nothing can be lost by that.

    With `wrong` false it is only a step that is still to be made, as in a fresh clone.
    """

    problem: str
    remedy: str
    fix: Callable[[], object] | None = None
    wrong: bool = True
