"""What a fitted model must know beside its preprocessing and estimator, to say its output in the user's terms."""

from dataclasses import asdict, dataclass
from typing import Any

SCHEMA = 2  # of metadata.json; 1 had neither inputs nor the kinds of columns that stand here


@dataclass(frozen=True)
class Member:
    """One model of a blend, and its weight in the mean."""

    name: str
    target_transform: str
    weight: float


@dataclass(frozen=True)
class ModelSpec:
    """The model's name, its columns, its target and how an output becomes a decision.

    `inputs` are the columns that a user sends and `features` those that are fitted, each as
    {column: kind}, see data/kinds.py. `classes` are in the order of the class probabilities, the
    positive one last; None for regression. A blend has `members`.
    """

    name: str
    task: str
    inputs: dict[str, str]
    features: dict[str, str]
    target: str
    target_transform: str
    classes: list[str] | None
    threshold: float | None
    members: tuple[Member, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the spec as metadata.json holds it; only a blend has members."""
        content = asdict(self)
        members = content.pop("members")
        return content | ({"members": list(members)} if members else {})


REQUIRED = (
    "name",
    "task",
    "inputs",
    "features",
    "target",
    "target_transform",
    "classes",
    "threshold",
)


def from_json(content: dict[str, Any]) -> ModelSpec:
    """Return the spec that metadata.json holds; its keys are those of REQUIRED, and members."""
    members = tuple(Member(**member) for member in content.get("members", ()))
    return ModelSpec(**{key: content[key] for key in REQUIRED}, members=members)
