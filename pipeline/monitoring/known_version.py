"""What is known of a version that served rows: its metadata and, while they are at hand, the figures of its training."""

from dataclasses import dataclass

from pipeline.drift.roles import Roles, roles_of_model


@dataclass(frozen=True)
class KnownVersion:
    """What is known of a served version: its metadata, and of its training, where that is still at hand, its scores (`candidate`)
    and the metric by which it was chosen."""

    metadata: dict
    candidate: dict | None
    primary_metric: str | None

    @property
    def classes(self) -> list[str] | None:
        return self.metadata["classes"]

    @property
    def roles(self) -> Roles:
        return roles_of_model(self.metadata["task"], self.metadata["target"], self.classes)
