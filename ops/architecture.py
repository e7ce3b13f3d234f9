"""The blocks of docs/ARCHITECTURE.md: the graph of stages and the floor plan of the rooms."""

import ast
import re
import subprocess
import sys
from pathlib import Path

from ops import rooms
from pipeline.project.errors import DataError

DOCUMENT = Path("docs/ARCHITECTURE.md")
BEGIN, END = "<!-- {}, made by `make results`: -->\n", "<!-- end of {} -->\n"


def architecture(text: str) -> str:
    """Return the document with its blocks made anew."""
    text = with_block(text, "graph", graph(dag()))
    return with_block(text, "rooms", floor_plan(rooms.PACKAGE))


def with_block(text: str, name: str, lines: list[str]) -> str:
    """Return a document with the lines between the marks of that name."""
    begin, end = BEGIN.format(name), END.format(name)
    first, last = text.find(begin), text.find(end)
    if not 0 <= first < last:
        raise DataError(
            f"{DOCUMENT}: the marks {begin.strip()} and {end.strip()} are not there; put them back"
        )
    return text[: first + len(begin)] + "\n".join(lines) + "\n" + text[last:]


def dag() -> str:
    """Return what `dvc dag --mermaid` prints."""
    command = [sys.executable, "-m", "dvc", "dag", "--mermaid"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1]
        raise DataError(f"dvc.yaml: `dvc dag --mermaid` failed: {reason}")
    return done.stdout


def graph(mermaid: str) -> list[str]:
    """Return `dvc dag --mermaid` with one node per stage in place of one per dataset."""
    names = {}
    for node, name in re.findall(r'(node\d+)\["(.+?)"\]', mermaid):
        names[node] = re.sub(r"@.*", "@dataset", name)
    edges = set()
    for one, other in re.findall(r"(node\d+)-->(node\d+)", mermaid):
        edges.add((names[one], names[other]))
    if not edges:
        raise DataError(
            "dvc.yaml: `dvc dag --mermaid` shows no stages; run from the project's root"
        )
    nodes = {_stage(name): name for name in names.values()}
    arrows = [(_stage(one), _stage(other)) for one, other in edges]
    return flowchart("LR", nodes, arrows)


def _stage(name: str) -> str:
    return name.partition("@")[0]


def flowchart(direction: str, nodes: dict[str, str], arrows: list[tuple[str, str]]) -> list[str]:
    """Return a Mermaid flowchart of nodes, {id: label}, and arrows, by name."""
    return [
        "```mermaid",
        f"flowchart {direction}",
        *(f'    {node}["{label}"]' for node, label in sorted(nodes.items())),
        *(f"    {one} --> {other}" for one, other in sorted(arrows)),
        "```",
    ]


def floor_plan(package: Path) -> list[str]:
    """Return the rooms as a flowchart, then each with its sentence and the table of its modules."""
    imports = rooms.all_imports(package)
    nodes = {room: f"{room}/" for room in imports}
    lines = flowchart("TD", nodes, rooms.direct_arrows(imports))
    for room in imports:
        folder = package / room
        lines += ["", f"### `{package.name}/{room}/`", "", said(folder / "__init__.py"), ""]
        lines += modules(folder)
    return lines


def modules(folder: Path) -> list[str]:
    """Return the table of the modules in a room with what each says of itself."""
    lines = ["| module | what it knows |", "| --- | --- |"]
    for path in sorted(folder.rglob("*.py")):
        if path.name != "__init__.py":
            name = path.relative_to(folder.parent.parent).as_posix()
            lines.append(f"| `{name}` | {said(path).rstrip(':')} |")
    return lines


def said(path: Path) -> str:
    """Return what a module says of itself: the first paragraph of its docstring, in one line."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.partition("\n\n")[0].split())
