"""Bring back data, models and reports as dvc.lock has them: from the DVC remote where there is one, else from the cache here.

    python -m ops.restore

What neither holds whole stays as it is.

Reads   dvc.lock, the remote, DVC's cache
Writes  data/, models/, reports/
"""

import json
import subprocess
import sys
from pathlib import Path

from pipeline import command
from pipeline.project.errors import DataError

MOST_NAMES, MOST_CHARACTERS = 3, 400


def outputs() -> dict[str, bool]:
    """Return {path: whether DVC's cache holds it whole} of the outputs that DVC keeps; DataError where DVC cannot tell."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            return {
                str(out): whole(repo.cache.local, out.hash_info.value)
                for out in repo.index.outs
                if out.use_cache and out.hash_info
            }
    except DvcException as error:
        raise DataError(
            f"DVC: {error}; mend that, or run `git checkout dvc.yaml dvc.lock`"
        ) from None


def whole(cache, md5: str) -> bool:
    """Tell whether the cache holds a file, or a folder's list of files with all that it names."""
    path = Path(cache.oid_to_path(md5))
    if not path.is_file():
        return False
    return not md5.endswith(".dir") or all(
        whole(cache, file["md5"]) for file in json.loads(path.read_text(encoding="utf-8"))
    )


def dvc(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def said(done: subprocess.CompletedProcess) -> str:
    """Return DVC's own reason for a failure, in one line."""
    reason = " ".join(done.stderr.partition("ERROR: ")[2].split())
    return (
        f"{reason[:MOST_CHARACTERS]} ..."
        if len(reason) > MOST_CHARACTERS
        else reason or "no reason given"
    )


def listed(names: list) -> str:
    rest = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(str(name) for name in names[:MOST_NAMES]) + rest


def main(argv=None):
    command.parser(__doc__).parse_args(argv)
    if dvc("remote", "list").stdout.strip():
        fetched = dvc("fetch")
        if fetched.returncode:
            print(f"restore: the remote did not give everything: {said(fetched)}", file=sys.stderr)
    found = outputs()
    held = [path for path, there in found.items() if there]
    if held:  # without a target DVC would take all, and remove what it cannot bring back
        done = dvc("checkout", *held)
        if done.returncode:
            raise DataError(
                f"DVC: {said(done)}; there is no copy of what it names: move it away and run `make restore` again"
            )
    missing = [path for path in found if path not in held and not Path(path).exists()]
    left = len(found) - len(held) - len(missing)
    print(
        f"restore: {len(held)} of {len(found)} outputs are here as dvc.lock has them"
        + (f"; {left} that no cache holds stay as they are" if left else "")
        + (f"; nowhere: {listed(missing)}; `make pipeline` makes them" if missing else "")
    )


if __name__ == "__main__":
    command.run(main)
