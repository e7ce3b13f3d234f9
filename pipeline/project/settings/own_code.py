"""The user's own code: files in features/, what they define, classes of models and metrics."""

from typing import Annotated, Any, Literal, NamedTuple

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


class OwnClass(NamedTuple):
    """The class of a model that is not in the catalogue: a dotted name, or FILE:NAME."""

    path: str
    encoding: str


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
    """Its direction."""
    of: Literal["decisions", "probabilities"] = "decisions"
    """What a classifier's predictions are handed over as; a regression's are numbers."""
