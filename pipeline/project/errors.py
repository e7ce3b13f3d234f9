"""The errors a user can mend, each told in one line: what was found, where, and what to do."""


class PipelineError(Exception):
    """A failed check: exit status 1."""

    status = 1


class DataError(PipelineError):
    """The data are not what params.yaml says, or a file that a stage needs is missing."""


class UsageError(PipelineError):
    """A wrong option, name or setting: exit status 2."""

    status = 2


def listed(names, most: int = 8) -> str:
    """Return names quoted in one line, the first `most` of them."""
    names = [repr(str(name)) for name in names]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
