"""The promotion log: a line for each decision on a version, chained by hashes.

Each line carries the sha256 of the line before, so that a line that was changed, removed or put in
shows. The registry holds the same lines as tags, see recovery.py.
"""

import getpass
import hashlib
import json
import os
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pipeline.project import files, paths
from pipeline.project.errors import DataError

PROMOTED, REFUSED, UNDECIDED, ROLLED_BACK = "promoted", "refused", "no decision", "rolled back"
ALIASES = ("champion", "production", "previous", "challenger")
BEFORE_THE_FIRST = "0" * 64  # stands for the sha256 of the line before the first


@dataclass(frozen=True)
class Entry:
    """A decision on a version, with what it was decided by.

    `champion_before` and `champion` are the numbers of the version in use before and after it. A
    rollback has neither a rule nor figures.
    """

    dataset: str
    name: str
    outcome: str
    version: int
    sha256: str
    bundle_sha256: str
    data_hash: str
    champion_before: int | None
    champion: int | None
    reason: str
    git_commit: str | None
    rule: str | None = None
    figures: dict[str, Any] | None = None


@dataclass(frozen=True)
class Line:
    """An entry in its place in the log; `before` is the sha256 of the line before."""

    number: int
    time: str
    who: str
    entry: Entry
    before: str

    @property
    def text(self) -> str:
        """The line as the log holds it; its keys stand in this order, and are hashed in it."""
        entry = self.entry
        evidence = {} if entry.rule is None else {"rule": entry.rule, "figures": entry.figures}
        content = {
            "number": self.number,
            "time": self.time,
            "who": self.who,
            "dataset": entry.dataset,
            "name": entry.name,
            "outcome": entry.outcome,
            "version": entry.version,
            "sha256": entry.sha256,
            "bundle_sha256": entry.bundle_sha256,
            "data_hash": entry.data_hash,
            "from": entry.champion_before,
            "to": entry.champion,
            "reason": entry.reason,
            **evidence,
            "git_commit": entry.git_commit,
            "before": self.before,
        }
        return json.dumps(content, ensure_ascii=False, allow_nan=False)

    @property
    def sha256(self) -> str:
        """The sha256 that the next line carries."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_log(dataset: str) -> list[Line]:
    """Return the lines of a dataset's log, oldest first; DataError names the first broken one."""
    path = paths.promotions(dataset)
    if not path.is_file():
        return []
    return checked_lines(path.read_text(encoding="utf-8").splitlines(), path)


def write_log(dataset: str, lines: list[Line]) -> None:
    """Write the log atomically."""
    files.write_text(paths.promotions(dataset), "".join(f"{line.text}\n" for line in lines))


def checked_lines(texts: list[str], origin: str | Path) -> list[Line]:
    """Return the lines that texts hold, once each carries the sha256 of the one before.

    Raises DataError with the number of the first that does not.
    """
    lines: list[Line] = []
    for number, text in enumerate(texts, start=1):
        before = lines[-1].sha256 if lines else BEFORE_THE_FIRST
        line = _parsed(text, f"{origin}: line {number}")
        if line is None or line.text != text or (line.number, line.before) != (number, before):
            raise DataError(
                f"{origin}: line {number} does not follow from the one before, whose sha256 is "
                f"{before}: a line was changed, removed or put in; restore the file from a copy"
            )
        lines.append(line)
    return lines


def _parsed(text: str, origin: str) -> Line | None:
    """Return the line that a text holds; None where it lacks a key."""
    try:
        content = json.loads(text)
    except ValueError:
        raise DataError(
            f"{origin} is not a whole JSON object; restore the file from a copy"
        ) from None
    try:
        entry = Entry(
            dataset=content["dataset"],
            name=content["name"],
            outcome=content["outcome"],
            version=content["version"],
            sha256=content["sha256"],
            bundle_sha256=content["bundle_sha256"],
            data_hash=content["data_hash"],
            champion_before=content["from"],
            champion=content["to"],
            reason=content["reason"],
            git_commit=content["git_commit"],
            rule=content.get("rule"),
            figures=content.get("figures"),
        )
        return Line(content["number"], content["time"], content["who"], entry, content["before"])
    except (KeyError, TypeError, AttributeError):
        return None


def next_line(lines: list[Line], entry: Entry) -> Line:
    """Return an entry as the line that follows the others."""
    return Line(
        number=len(lines) + 1,
        time=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        who=who(),
        entry=entry,
        before=lines[-1].sha256 if lines else BEFORE_THE_FIRST,
    )


def who() -> str:
    """Return the user's name, or that of whoever started a run of GitHub Actions."""
    try:
        return os.environ.get("GITHUB_ACTOR") or getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in a container
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def summary(entry: Entry) -> str:
    """Return a decision in one line, with what a person may do where it is not a promotion."""
    text = f"{entry.name} version {entry.version}, {entry.outcome}: {entry.reason}"
    if entry.outcome in (REFUSED, UNDECIDED):
        command = f"python rollback.py --dataset {entry.dataset} --to {entry.version}"
        text += f"; to put it in use all the same: `{command} --reason ...`"
    return text


def last_decision(lines: list[Line], sha256: str) -> Entry | None:
    """Return the last decision on a model; None where there is none."""
    decisions = [line.entry for line in lines if line.entry.sha256 == sha256]
    return decisions[-1] if decisions else None


def is_settled(lines: list[Line], sha256: str) -> bool:
    """Return whether a model needs no decision any more: a comparison or a person has decided.

    Too few rows, or a comparison that calls it not ready, may be no longer so next time.
    """
    last = last_decision(lines, sha256)
    if last is None:
        return False
    return last.outcome in (PROMOTED, ROLLED_BACK) or "difference" in (last.figures or {})


def judged_by(lines: list[Line], split_hash: str) -> int:
    """Return how many models were compared with another on the rows of a test split."""
    figures = [line.entry.figures or {} for line in lines]
    return sum("difference" in one and one.get("split_hash") == split_hash for one in figures)


def aliases_after(lines: list[Line]) -> dict[str, str]:
    """Return {alias: sha256} after the lines.

    They are the champion, the one before it, and the last that was not promoted since. There is no
    champion before the first promotion.
    """
    champion = previous = challenger = None
    for line in lines:
        sha256, outcome = line.entry.sha256, line.entry.outcome
        if outcome in (PROMOTED, ROLLED_BACK):
            champion, previous = sha256, champion
            if outcome == PROMOTED or challenger == champion:
                challenger = None
        else:
            challenger = sha256
    models = zip(ALIASES, (champion, champion, previous, challenger))
    return {alias: sha256 for alias, sha256 in models if sha256}
