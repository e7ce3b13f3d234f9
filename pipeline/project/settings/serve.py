"""How a model answers requests."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from pipeline.project.settings.base import Settings

HostName = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])$")]


class Serve(Settings):
    """How a dataset's model answers requests, and what is logged."""

    unseen: Literal["accept", "refuse"] = "accept"
    """Unseen categories: accept or refuse them."""
    allowed_hosts: list[HostName] = []
    """Host names, besides localhost, by which the server may be called without a token."""
    max_body: int = Field(default=1_000_000, ge=1_000)
    """Maximum size of a request in bytes."""
    reload_seconds: float = Field(default=2.0, ge=0.1)
    """Seconds between checks of the champion's alias."""
    shadow: bool = False
    """Whether the challenger predicts too, for the log only."""
    log_sample: float = Field(default=1.0, ge=0, le=1)
    """Share of the requests that are logged."""
    log_redact: list[str] = []
    """Features that are not logged."""
    log_file_size: int = Field(default=50_000_000, ge=10_000)
    """Bytes at which a new log file begins."""
    log_fsync: bool = False
    """Whether each log write is synced to disk, to survive a power failure."""
