"""Promotion: the evidence on a challenger and the champion, the rule that it is held against, and the log of what was decided.

Each line of the log carries the sha256 of the line before, so that a line that was changed, removed or put in shows. The
registry holds the same lines: a decision is written there first and here last, so that what stands here has been carried out, and
either restores the other.
"""

import getpass
import hashlib
import json
import os
from datetime import datetime, timezone

from pipeline.project import files, paths
from pipeline.project.errors import DataError

PROMOTED, REFUSED, UNDECIDED, ROLLED_BACK = "promoted", "refused", "no decision", "rolled back"
ALIASES = ("champion", "production", "previous", "challenger")
FIRST = "0" * 64  # stands before the first line


# the log


def read_log(dataset: str) -> list[dict]:
    """Return the lines of a dataset's log, oldest first; DataError names the first that does not follow from the one before."""
    path = paths.promotions(dataset)
    if not path.is_file():
        return []
    return checked_lines(path.read_text(encoding="utf-8").splitlines(), path)


def checked_lines(texts: list[str], origin) -> list[dict]:
    """Return the lines that texts hold, once each is found to carry the sha256 of the one before."""
    lines, before = [], FIRST
    for number, text in enumerate(texts, start=1):
        try:
            line = json.loads(text)
        except ValueError:
            raise DataError(
                f"{origin}: line {number} is no whole JSON object; restore the file from a copy"
            ) from None
        if text_of(line) != text or (line.get("number"), line.get("before")) != (number, before):
            raise DataError(
                f"{origin}: line {number} does not follow from the one before, whose sha256 is {before}: a line was "
                f"changed, removed or put in; restore the file from a copy"
            )
        before = digest(line)
        lines.append(line)
    return lines


def next_line(lines: list[dict], entry: dict) -> dict:
    """Return an entry as the line that follows the others."""
    return {
        "number": len(lines) + 1,
        "time": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "who": who(),
        **entry,
        "before": digest(lines[-1]) if lines else FIRST,
    }


def write_log(dataset: str, lines: list[dict]) -> None:
    """Write the log; the file is whole at any moment."""
    files.write_text(paths.promotions(dataset), "".join(f"{text_of(line)}\n" for line in lines))


def text_of(line: dict) -> str:
    return json.dumps(line, ensure_ascii=False, allow_nan=False)


def digest(line: dict) -> str:
    return hashlib.sha256(text_of(line).encode()).hexdigest()


def who() -> str:
    """Return the user's name, or that of whoever started a run of GitHub Actions."""
    try:
        return os.environ.get("GITHUB_ACTOR") or getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in a container
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def last_decision(lines: list[dict], sha256: str) -> dict | None:
    """Return the last line about a model; None where nothing was decided on it."""
    return next((line for line in reversed(lines) if line["sha256"] == sha256), None)


def aliases_after(lines: list[dict]) -> dict[str, str]:
    """Return {alias: sha256} after the lines: the champion, the one before it, and the last that is not yet champion."""
    champion = previous = challenger = None
    for line in lines:
        if line["outcome"] in (PROMOTED, ROLLED_BACK):
            champion, previous = line["sha256"], champion
            if line["outcome"] == PROMOTED or challenger == champion:
                challenger = None
        else:
            challenger = line["sha256"]
    return {
        alias: sha256
        for alias, sha256 in zip(ALIASES, (champion, champion, previous, challenger))
        if sha256
    }
