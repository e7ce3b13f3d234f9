"""The project's own imports, read from its code: which room leans on which."""

from functools import cache
from pathlib import Path

from ops import rooms
from ops.rooms import imported_by, modules_imported
from support.processes import ROOT

__all__ = ["imported_by", "modules_imported"]  # handed on to the tests
PACKAGE = ROOT / "pipeline"
ROOMS = rooms.rooms(PACKAGE)


def own_room(path: Path) -> set[str]:
    """Return the room that a file stands in; a script stands in none."""
    return {part.name for part in path.parents if part.parent == PACKAGE} & set(ROOMS)


def rooms_imported(path: Path) -> set[str]:
    """Return the rooms that a file imports from by itself, its own one left out."""
    return rooms.rooms_of_file(path, PACKAGE) - own_room(path)


@cache
def rooms_below(room: str, closed: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the rooms that a room stands on, directly or through others but the closed ones."""
    if room in closed:
        return frozenset()
    direct = set().union(*(rooms_imported(path) for path in (PACKAGE / room).rglob("*.py")))
    return frozenset(direct.union(*(rooms_below(below, closed) for below in direct)))


def rooms_behind(path: Path, closed: frozenset[str] = frozenset()) -> set[str]:
    """Return the rooms that a file needs, its own and those below them included.

    What only the `closed` rooms stand on is left out.
    """
    direct = rooms_imported(path) | own_room(path)
    return direct.union(*(rooms_below(room, closed) for room in direct))
