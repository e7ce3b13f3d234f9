"""Bring back data, models and reports as dvc.lock has them, from the DVC remote or the cache here.

    python -m ops.restore

What neither holds whole stays as it is.

Reads   dvc.lock, the remote, DVC's cache
Writes  data/, models/, reports/
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from pipeline import command
from pipeline.project.errors import DataError, listed

MOST_NAMES, MOST_CHARACTERS = 3, 400
# DVC's, to lose what has no copy, by an option that `make restore` does not have
ADVICE = re.compile(r" *Use `(-f|--force)` to force\.")


def outputs() -> dict[str, bool]:
    """Return {path: whether DVC's cache holds it whole} of the outputs that DVC keeps.

    Raises DataError where DVC cannot read its files.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            return {
                str(out): is_whole(repo.cache.local, out.hash_info.value)
                for out in repo.index.outs
                if out.use_cache and out.hash_info
            }
    except DvcException as error:
        raise DataError(
            f"DVC: {error}; fix that, or run `git checkout dvc.yaml dvc.lock`"
        ) from None


def is_whole(cache: Any, md5: str) -> bool:
    """Return whether the cache holds a file, or a folder's list of files with all that it names."""
    path = Path(cache.oid_to_path(md5))
    if not path.is_file():
        return False
    if not md5.endswith(".dir"):
        return True
    content = json.loads(path.read_text(encoding="utf-8"))
    return all(is_whole(cache, file["md5"]) for file in content)


def dvc(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run DVC; return its status and output."""
    return subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def reason(done: subprocess.CompletedProcess[str]) -> str:
    """Return DVC's own reason for a failure, in one line."""
    words = " ".join(done.stderr.partition("ERROR: ")[2].split())
    words = ADVICE.sub("", words)
    if len(words) > MOST_CHARACTERS:
        return f"{words[:MOST_CHARACTERS]} ..."
    return words or "no reason given"


def fetch() -> None:
    """Fetch what the remote has into the cache; what it lacks is reported on standard error."""
    if not dvc("remote", "list").stdout.strip():
        return
    done = dvc("fetch")
    if done.returncode:
        print(f"restore: the remote did not give everything: {reason(done)}", file=sys.stderr)


def checkout(cached: list[str]) -> None:
    """Put outputs that the cache holds whole into the working tree."""
    if not cached:  # without a target DVC would take all, and remove what it cannot bring back
        return
    done = dvc("checkout", *cached)
    if done.returncode:
        raise DataError(
            f"DVC: {reason(done)}; there is no copy of what it names: move it away and run `make "
            f"restore` again"
        )


def main(argv: list[str] | None = None) -> None:
    command.parser(__doc__).parse_args(argv)
    fetch()
    is_cached = outputs()
    cached = [path for path, whole in is_cached.items() if whole]
    checkout(cached)

    others = [path for path in is_cached if path not in cached]
    missing = [path for path in others if not Path(path).exists()]
    parts = [f"restore: {len(cached)} of {len(is_cached)} outputs are here as dvc.lock has them"]
    if len(others) > len(missing):
        parts.append(f"{len(others) - len(missing)} that no cache holds stay as they are")
    if missing:
        parts.append(f"nowhere: {listed(missing, MOST_NAMES)}; `make pipeline` makes them")
    print("; ".join(parts))


if __name__ == "__main__":
    command.run(main)
