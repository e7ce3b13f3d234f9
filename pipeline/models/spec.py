"""The spec of a fitted model: what it must know beside its preprocessing and estimator.

With it a model takes rows as a user sends them and says its output in the user's terms.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.models.catalogue import FAMILIES, Family, OwnEstimator
from pipeline.project.errors import DataError

# of metadata.json; 1 had neither inputs nor the kinds of columns that stand here
SCHEMA = 2


@dataclass(frozen=True)
class Member:
    """One model of a blend, and its weight in the mean; `estimator` is as in ModelSpec."""

    name: str
    target_transform: str
    weight: float
    estimator: OwnEstimator | None = None

    @property
    def family(self) -> Family:
        """The family that the model is of."""
        return _family(self.name, self.estimator)


@dataclass(frozen=True)
class OwnParts:
    """What of a model is the user's own code.

    features      the file, see own/features.py, whose function makes the features of the inputs;
                  None where these are the same
    transformers  `path:name` of each class that is fitted on the features, see own/transformers.py
    code          {path: sha256} of all files that the model was made with
    """

    features: str | None = None
    transformers: tuple[str, ...] = ()
    code: Mapping[str, str] = field(default_factory=dict)

    @property
    def makes_columns(self) -> bool:
        """Whether the columns that are encoded are other ones than the inputs."""
        return self.features is not None or bool(self.transformers)


@dataclass(frozen=True)
class ModelSpec:
    """The model's name, its columns, its target and how an output becomes a decision.

    name              its family, see models/catalogue.py, or "blend"
    task              regression or classification
    inputs            the columns that a user sends, {column: kind}, see data/kinds.py: requests,
                      examples, the MLflow signature, the inference log and drift speak of them
    features          the columns that are fitted, {column: kind}
    target            the column that is predicted
    target_transform  none, or log1p: the estimator then learns the logarithm of the target
    classes           in the order of the class probabilities, the positive one last; None for
                      regression
    threshold         the probability of the positive class from which on a row counts as positive;
                      None where the likeliest class is predicted
    members           of a blend
    own               what of the model is the user's own code
    estimator         of a model that is not in the catalogue
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
    own: OwnParts = OwnParts()
    estimator: OwnEstimator | None = None

    @property
    def family(self) -> Family:
        """The family that the model is of; a blend has those of its members."""
        return _family(self.name, self.estimator)

    def as_json(self) -> dict[str, Any]:
        """Return the spec as metadata.json holds it: of what few models have, only what is set."""
        content = asdict(self)
        members, own = content.pop("members"), content.pop("own")
        if members:
            content["members"] = [_member_json(member) for member in members]
        if self.own != OwnParts():
            content["own"] = {**own, "transformers": list(self.own.transformers)}
        return content if self.estimator else _without(content, "estimator")


def _member_json(member: dict[str, Any]) -> dict[str, Any]:
    return member if member["estimator"] else _without(member, "estimator")


def _without(content: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name != key}


def _family(name: str, estimator: OwnEstimator | None) -> Family:
    return FAMILIES[name] if estimator is None else estimator.family


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


def from_json(content: dict[str, Any], origin: str = "metadata.json") -> ModelSpec:
    """Return the spec that the content of a metadata.json holds; other keys are left alone.

    Raises DataError, with the name of the file and the key, where one is missing or of an earlier
    schema.
    """
    if content.get("schema", SCHEMA) != SCHEMA:
        raise DataError(
            f"{origin}: schema {content['schema']} is of an earlier version of this project, "
            f"which now reads {SCHEMA}; run `dvc repro`, and register the model again"
        )
    for key in REQUIRED:
        if key not in content:
            raise DataError(
                f"{origin}: no key {key!r}; restore it with `dvc checkout` or train again"
            )
    own = {key: content[key] for key in REQUIRED}
    members = [_member(member, origin) for member in content.get("members", ())]
    parts = content.get("own", {})
    return ModelSpec(
        **own,
        members=tuple(members),
        own=OwnParts(**{**parts, "transformers": tuple(parts.get("transformers", ()))}),
        estimator=_estimator(content),
    )


def _estimator(content: dict[str, Any]) -> OwnEstimator | None:
    return OwnEstimator(**content["estimator"]) if content.get("estimator") else None


def _member(content: dict[str, Any], origin: str) -> Member:
    """Return one model of a blend; raises DataError as `from_json` does."""
    for key in ("name", "target_transform", "weight"):
        if key not in content:
            raise DataError(
                f"{origin}: a member has no key {key!r}; restore it with `dvc checkout` or train "
                f"again"
            )
    return Member(
        content["name"], content["target_transform"], content["weight"], _estimator(content)
    )
