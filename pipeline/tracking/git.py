"""The MLflow record of what the stages' files say; with registry.py the only importer of MLflow.

A stage writes its files and calls `record`; `make sync` calls the same for whatever the store lacks. A run is known by its
identity, a hash of what it records, so that writing a result twice makes no second run, and a store that was lost is written anew
from the files. No stage decides by what the store says.
"""

import subprocess


def git_tags() -> dict[str, str]:
    """Return the commit of the working tree and whether tracked files differ from it; nothing outside a git repository."""

    def git(*arguments):
        done = subprocess.run(["git", *arguments], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else None

    try:
        commit = git("rev-parse", "HEAD")
        if commit is None:
            return {}
        return {
            "git_commit": commit,
            "git_dirty": str(bool(git("status", "--porcelain", "--untracked-files=no"))).lower(),
        }
    except FileNotFoundError:  # no git on this machine
        return {}
