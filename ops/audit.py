"""Look the pinned packages up in the database of known vulnerabilities, by pip-audit.

    python -m ops.audit

A package that the index does not know, as one of your own, cannot be judged: it is listed, and the
others are judged all the same. Exit status 1 where a package has a known vulnerability, or where
none could be looked up.

Reads   constraints.txt, https://pypi.org (or PIP_AUDIT_SERVICE's)
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline import command
from pipeline.project.errors import DataError, listed

PINS = "constraints.txt"
MOST_NAMES = 5


@dataclass(frozen=True)
class Audit:
    """What pip-audit found: packages that were judged, those that were not, and faults by line."""

    judged: list[str]
    unknown: list[str]
    faults: list[str]


def audited(content: dict[str, Any]) -> Audit:
    """Return what pip-audit's JSON says."""
    packages = content["dependencies"]
    judged = [package for package in packages if "skip_reason" not in package]
    return Audit(
        judged=[package["name"] for package in judged],
        unknown=[package["name"] for package in packages if "skip_reason" in package],
        faults=[line for package in judged for line in faults_of(package)],
    )


def faults_of(package: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each known vulnerability of a package, with what to do."""
    for fault in package["vulns"]:
        versions = fault["fix_versions"]
        remedy = f"take {' or '.join(versions)}" if versions else "no version without it yet"
        yield f"{package['name']} {package['version']}: {fault['id']}; {remedy}"


def look_up() -> Audit:
    """Run pip-audit on the pins; raise DataError with its last line where it cannot look up any."""
    options = ("--requirement", PINS, "--no-deps", "--disable-pip", "--format", "json")
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    try:
        return audited(json.loads(done.stdout))
    except ValueError:
        said = done.stderr.strip().splitlines() or ["pip-audit said nothing"]
        raise DataError(f"nothing was looked up: {said[-1]}") from None


def main(argv: list[str] | None = None) -> None:
    command.parser(__doc__).parse_args(argv)
    audit = look_up()
    if audit.unknown:
        names = listed(audit.unknown, MOST_NAMES)
        print(f"audit: not judged, as the index does not know them: {names}")
    if not audit.judged:
        raise DataError("no package could be judged")
    for line in audit.faults:
        print(line)
    if audit.faults:
        count = len(audit.faults)
        raise DataError(f"{count} known {'vulnerability' if count == 1 else 'vulnerabilities'}")
    print(f"audit: no known vulnerability in {len(audit.judged)} packages")


if __name__ == "__main__":
    command.run(main)
