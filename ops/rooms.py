"""The rooms of pipeline/ and what each imports from the others, read from the code."""

import ast
from pathlib import Path

PACKAGE = Path("pipeline")


def rooms(package: Path = PACKAGE) -> list[str]:
    """Return the names of the rooms: the folders of the package that say what they know."""
    return sorted(path.parent.name for path in package.glob("*/__init__.py"))


def modules_imported(path: Path) -> set[str]:
    """Return the dotted names of the modules that a file imports, at its top or in a function."""
    return imported_by(ast.parse(path.read_text(encoding="utf-8")))


def imported_by(tree: ast.AST) -> set[str]:
    """Return the dotted names of the modules that a part of a file imports.

    Raises ValueError for a relative import: a module is imported by its whole name.
    """
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level or not node.module:
                raise ValueError(f"line {node.lineno}: import by the whole name")
            imported.add(node.module)
            imported |= {f"{node.module}.{alias.name}" for alias in node.names}
    return imported


def rooms_of_file(path: Path, package: Path = PACKAGE) -> set[str]:
    """Return the rooms that a file imports from."""
    parts = [name.split(".") for name in modules_imported(path)]
    named = {part[1] for part in parts if part[0] == "pipeline" and len(part) > 1}
    return named & set(rooms(package))


def imports_of(room: str, package: Path = PACKAGE) -> set[str]:
    """Return the rooms that a room imports from, without itself."""
    imported: set[str] = set()
    for path in (package / room).rglob("*.py"):
        imported |= rooms_of_file(path, package)
    return imported - {room}


def all_imports(package: Path = PACKAGE) -> dict[str, set[str]]:
    """Return the rooms that each room imports from, from the ground up.

    Raises ValueError where rooms import from each other in a circle.
    """
    imports = {room: imports_of(room, package) for room in rooms(package)}
    ordered: dict[str, set[str]] = {}
    while len(ordered) < len(imports):
        ready = [room for room in imports if room not in ordered and imports[room] <= set(ordered)]
        if not ready:
            raise ValueError(f"the rooms {sorted(set(imports) - set(ordered))} stand in a circle")
        ordered |= {room: imports[room] for room in ready}
    return ordered


def direct_arrows(imports: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Return the arrows (room, room it imports from) but those that follow from others."""
    below: dict[str, set[str]] = {}
    arrows = []
    for room, direct in imports.items():
        implied: set[str] = set()
        for other in direct:
            implied |= below[other]
        arrows += [(room, other) for other in sorted(direct - implied)]
        below[room] = direct | implied
    return arrows
