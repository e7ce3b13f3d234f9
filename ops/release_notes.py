"""Print the changelog's section on a version.

    python -m ops.release_notes v1.2.0

Reads   CHANGELOG.md
Writes  nothing
"""

import re
from pathlib import Path

from pipeline import command
from pipeline.project.errors import DataError

CHANGELOG = Path("CHANGELOG.md")


def section(text: str, version: str) -> str:
    """Return what stands under the heading of a version, `## 1.2.0` or `## v1.2.0 (2026-01-31)`."""
    for part in re.split(r"^## ", text, flags=re.M)[1:]:
        title, _, body = part.partition("\n")
        if (
            title.split()
            and title.split()[0].strip("[]").removeprefix("v") == version.removeprefix("v")
            and body.strip()
        ):
            return body.strip() + "\n"
    raise DataError(
        f"{CHANGELOG}: nothing on {version}; write a section `## {version.removeprefix('v')}`"
    )


def main(argv=None):
    parser = command.parser(__doc__)
    parser.add_argument("version", help="as in the tag")
    args = parser.parse_args(argv)
    print(section(CHANGELOG.read_text(encoding="utf-8"), args.version), end="")


if __name__ == "__main__":
    command.run(main)
