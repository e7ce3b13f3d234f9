"""What git says of the working tree: the one place that runs it."""

import subprocess


def git(*arguments: str) -> str | None:
    """Return what git prints, without blanks around it; None where it fails or is not installed."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, encoding="utf-8")
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def head() -> str | None:
    """Return the commit of the working tree; None outside a git repository."""
    return git("rev-parse", "HEAD")


def git_tags() -> dict[str, str]:
    """Return the commit and whether tracked files differ from it; nothing outside a repository."""
    commit = head()
    if commit is None:
        return {}
    changes = git("status", "--porcelain", "--untracked-files=no")
    return {"git_commit": commit, "git_dirty": "true" if changes else "false"}
