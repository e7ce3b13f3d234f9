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


def contents(names: list[str]) -> list[str | None]:
    """Return the content of files of commits, each named `commit:path`; None for one that is not.

    One process reads them all (https://git-scm.com/docs/git-cat-file#_batch_output).
    """
    asked = "".join(f"{name}\n" for name in names).encode()
    try:
        done = subprocess.run(["git", "cat-file", "--batch"], input=asked, capture_output=True)
    except FileNotFoundError:
        return [None] * len(names)
    found: list[str | None] = []
    rest = done.stdout
    for _ in names:
        head_line, _, rest = rest.partition(b"\n")
        if not head_line or head_line.endswith(b" missing"):
            found.append(None)
            continue
        size = int(head_line.split()[-1])
        found.append(rest[:size].decode("utf-8"))
        rest = rest[size + 1 :]
    return found


def git_tags() -> dict[str, str]:
    """Return the commit and whether tracked files differ from it; nothing outside a repository."""
    commit = head()
    if commit is None:
        return {}
    changes = git("status", "--porcelain", "--untracked-files=no")
    return {"git_commit": commit, "git_dirty": "true" if changes else "false"}
