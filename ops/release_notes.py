"""Print the changelog's section on a version.

    python -m ops.release_notes v1.2.0

Reads   CHANGELOG.md
Writes  nothing
"""

import re
from collections.abc import Sequence
from pathlib import Path

from pipeline import command
from pipeline.project.errors import DataError

CHANGELOG = Path("CHANGELOG.md")


def section(text: str, version: str) -> str:
    """Return what stands under the heading of a version, `## 1.2.0` or `## v1.2.0 (2026-01-31)`.

    Raises DataError where there is no such section, or an empty one.
    """
    wanted = version.removeprefix("v")
    for part in re.split(r"^## ", text, flags=re.M)[1:]:
        title, _, body = part.partition("\n")
        words = title.split()
        if words and words[0].strip("[]").removeprefix("v") == wanted and body.strip():
            return body.strip() + "\n"
    raise DataError(f"{CHANGELOG}: nothing on {version}; write a section `## {wanted}`")


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument("version", help="as in the tag")
    args = parser.parse_args(argv)
    print(section(CHANGELOG.read_text(encoding="utf-8"), args.version), end="")


if __name__ == "__main__":
    command.run(main)
