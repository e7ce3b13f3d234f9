"""The project's own imports, read from its code: which room leans on which."""

import ast
from functools import cache
from pathlib import Path

from support.processes import ROOT

PACKAGE = ROOT / "pipeline"
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def modules_imported(path: Path) -> set[str]:
    """Return the dotted names of the modules that a file imports, at its top or in a function."""
    return imported_by(ast.parse(path.read_text(encoding="utf-8")))


def imported_by(tree: ast.AST) -> set[str]:
    """Return the dotted names of the modules that a part of a file imports."""
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: import by the whole name"
            imported |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return imported


def rooms_imported(path: Path) -> set[str]:
    """Return the rooms that a file imports from by itself, its own one left out."""
    parts = [name.split(".") for name in modules_imported(path)]
    rooms = {part[1] for part in parts if part[0] == "pipeline" and len(part) > 1}
    return (rooms & set(ROOMS)) - {path.parent.name}


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
    direct = rooms_imported(path)
    if path.parent.parent == PACKAGE:
        direct = direct | {path.parent.name}
    return direct.union(*(rooms_below(room, closed) for room in direct))
