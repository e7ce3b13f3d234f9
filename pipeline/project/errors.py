"""The errors a user can fix, each in one line: what was found, where, and what to do."""

from collections.abc import Iterable


class PipelineError(Exception):
    """A failed check: exit status 1."""

    status = 1


class DataError(PipelineError):
    """The data are not what params.yaml says, or a file that a stage needs is missing."""


class UsageError(PipelineError):
    """A wrong option, name or setting: exit status 2."""

    status = 2


def listed(names: Iterable[object], most: int = 8) -> str:
    """Return names quoted in one line, the first `most` of them."""
    quoted = [repr(str(name)) for name in names]
    line = ", ".join(quoted[:most])
    further = len(quoted) - most
    return f"{line} and {further} more" if further > 0 else line
