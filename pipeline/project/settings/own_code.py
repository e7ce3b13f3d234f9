"""The user's own code: files in features/, what they define, classes of models and metrics."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from pipeline.project.settings.base import PlainValue, Settings

# of a model's entry, beside its hyperparameters
OWN_MODEL_KEYS = ("class", "encoding")
ENCODINGS = ("scaled", "filled", "native", "integer")


def _own_file(path: str) -> str:
    parts = path.split("/")
    if parts[0] == "features" and ".." not in parts and path.endswith(".py"):
        return path
    raise ValueError(
        "must be a Python file in features/, the folder that every prepare stage of dvc.yaml "
        "depends on, such as features/flights.py"
    )


def _own_place(place: str) -> str:
    path, _, name = place.partition(":")
    if not name.isidentifier():
        raise ValueError("must name a file and what it defines, such as features/flights.py:Means")
    _own_file(path)
    return place


OwnFile = Annotated[str, AfterValidator(_own_file)]
OwnPlace = Annotated[str, AfterValidator(_own_place)]
Hyperparameters = dict[str, PlainValue]


@dataclass(frozen=True)
class OwnEstimator:
    """A model of the user's choice that is not in the catalogue.

    `class_path` is the dotted name of a class with scikit-learn's interface, or `path:name` of one
    in a file of the user's own; `encoding` is how the table is prepared for it.
    """

    class_path: str
    encoding: str

    @property
    def file(self) -> str | None:
        """The file of the user's own that the class stands in; None where it is installed."""
        return self.class_path.partition(":")[0] if ":" in self.class_path else None


def _own_class(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a model's entry; raises ValueError where it names its class in no known way."""
    path, encoding = entry.get("class"), entry.get("encoding", "scaled")
    if "encoding" in entry and path is None:
        raise ValueError("has an encoding, which goes with a class; add the class or remove it")
    if encoding not in ENCODINGS:
        raise ValueError(f"encoding {encoding!r} must be one of {', '.join(ENCODINGS)}")
    if path is None:
        return entry
    if not isinstance(path, str) or "." not in path:
        raise ValueError(f"class {path!r} must be a dotted name, such as sklearn.svm.SVC")
    if ":" in path:
        _own_place(path)
    return entry


ModelEntry = Annotated[Hyperparameters, AfterValidator(_own_class)]


class OwnMetric(Settings):
    """A metric of the user's own."""

    function: OwnPlace
    """The function, as `features/FILE.py:NAME`."""
    greater_is_better: bool
    """Whether higher values are better."""
    of: Literal["decisions", "probabilities"] = "decisions"
    """What the function gets from a classifier; from a regression it gets numbers."""
