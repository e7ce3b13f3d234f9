"""The spec of a fitted model: what it must know beside its preprocessing and estimator.

With it a model takes rows as a user sends them and says its output in the user's terms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from pipeline.data import kinds
from pipeline.models.catalogue import Family
from pipeline.models.estimators import family_of
from pipeline.project.errors import DataError
from pipeline.project.settings.own_code import OwnEstimator
from pipeline.scoring.thresholds import Rule

# of metadata.json; 1 had neither inputs nor the kinds of columns that stand here
SCHEMA = 2


@dataclass(frozen=True)
class Member:
    """One model of a blend, and its weight in the mean; `estimator` is as in ModelSpec.

    `preprocessing` names that of the blend whose table it takes; None where it is the first of the
    encoding of the model's family.
    """

    name: str
    target_transform: str
    weight: float
    estimator: OwnEstimator | None = None
    preprocessing: str | None = None

    @property
    def family(self) -> Family:
        """The family that the model is of."""
        return family_of(self.name, self.estimator)


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
    decision_costs    [actual][decided], where the class of least expected cost is predicted
    monotone          {column: 1 or -1}: along which the output only rises, or only falls
    date_formats      {column: formats} of the dates that rows may hold beside ISO 8601
    seasonal          the dates that order the rows, of which the season alone is a feature
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
    decision_costs: Sequence[Sequence[float]] | None = None
    date_formats: dict[str, list[str]] = field(default_factory=dict)
    seasonal: tuple[str, ...] = ()
    monotone: dict[str, int] = field(default_factory=dict)
    own: OwnParts = OwnParts()
    estimator: OwnEstimator | None = None

    @property
    def family(self) -> Family:
        """The family that the model is of; a blend has those of its members."""
        return family_of(self.name, self.estimator)

    @property
    def rule(self) -> Rule:
        """The rule by which probabilities become decisions."""
        return self.threshold if self.decision_costs is None else self.decision_costs

    def as_json(self) -> dict[str, Any]:
        """Return the spec as metadata.json holds it, what is optional only where there is some."""
        content = asdict(self)
        members, formats = content.pop("members"), content.pop("date_formats")
        own, estimator = content.pop("own"), content.pop("estimator")
        if members:
            content["members"] = [_member_json(member) for member in members]
        if self.decision_costs is None:
            del content["decision_costs"]
        if formats:
            content["date_formats"] = formats
        for optional in ("monotone", "seasonal"):
            if not content[optional]:
                del content[optional]
        if self.own != OwnParts():
            content["own"] = {**own, "transformers": list(self.own.transformers)}
        if estimator:
            content["estimator"] = estimator
        return content

    def typed(self, frame: pd.DataFrame, origin: str = "the input") -> pd.DataFrame:
        """Return the inputs of rows as a user has them, typed; raises as `kinds.conform` does."""
        return kinds.conform(frame, self.inputs, origin, self.date_formats)


def _member_json(member: dict[str, Any]) -> dict[str, Any]:
    """Return a member as metadata.json holds it: most have neither of its optional parts."""
    return {key: value for key, value in member.items() if value is not None}


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
    return ModelSpec(
        **own,
        members=tuple(members),
        decision_costs=content.get("decision_costs"),
        date_formats=content.get("date_formats", {}),
        seasonal=tuple(content.get("seasonal", ())),
        monotone=content.get("monotone", {}),
        own=_own_parts(content.get("own", {})),
        estimator=_estimator(content),
    )


def _own_parts(content: dict[str, Any]) -> OwnParts:
    return OwnParts(**{**content, "transformers": tuple(content.get("transformers", ()))})


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
        content["name"],
        content["target_transform"],
        content["weight"],
        _estimator(content),
        content.get("preprocessing"),
    )
