"""Gates: bounds that params.yaml sets to the scores of the best model, and whether they hold."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.project import files, paths
from pipeline.project.params import Gate
from pipeline.project.rounding import number_text


@dataclass(frozen=True)
class Verdict:
    """Whether a gate holds.

    `value` is the score it looks at, None where that is not defined; `min` and `max` are bounds.
    """

    metric: str
    on: str
    value: float | None
    min: float | None
    max: float | None
    passed: bool


@dataclass(frozen=True)
class Validation:
    """The verdict on the best model of a dataset, as metrics/validation/<dataset>.json holds it."""

    dataset: str
    candidate: str
    synthetic: bool
    data_hash: str
    model_sha256: str
    passed: bool
    gates: list[Verdict]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read_validation(dataset: str) -> Validation:
    """Return what validate wrote on a dataset; raises DataError where it has not run."""
    command = f"python validate_metrics.py --dataset {dataset}"
    content = files.read_json(paths.validation(dataset), made_by=command)
    verdicts = [Verdict(**verdict) for verdict in content.pop("gates")]
    return Validation(gates=verdicts, **content)


def verdicts(
    gates: Mapping[str, Gate],
    on_test: Mapping[str, float | None],
    out_of_fold: Mapping[str, float | None],
) -> list[Verdict]:
    """Return the verdict of each gate on a candidate's scores by metric."""
    return [
        verdict(metric, gate, (out_of_fold if gate.on == "oof" else on_test).get(metric))
        for metric, gate in gates.items()
    ]


def verdict(metric: str, gate: Gate, value: float | None) -> Verdict:
    """Return the verdict of a gate on a value."""
    return Verdict(
        metric=metric,
        on=gate.on,
        value=value,
        min=gate.min,
        max=gate.max,
        passed=_holds(gate, value),
    )


def _holds(gate: Gate, value: float | None) -> bool:
    """Return whether a value is within the bounds; one that is not defined is not."""
    if value is None:
        return False
    enough = gate.min is None or value >= gate.min
    return enough and (gate.max is None or value <= gate.max)


def bounds_text(verdict: Verdict) -> str:
    """Return the bounds of a gate as pages and documents show them: ≥ 0.7 and ≤ 0.9."""
    return _joined(verdict, "≥", "≤", number_text)


def demand_text(verdict: Verdict) -> str:
    """Return the bounds of a gate as terminal and log show them: must be >= 0.7 and <= 0.9."""
    return f"must be {_joined(verdict, '>=', '<=', '{:g}'.format)}"


def _joined(verdict: Verdict, at_least: str, at_most: str, as_text: Callable[[float], str]) -> str:
    parts = []
    if verdict.min is not None:
        parts.append(f"{at_least} {as_text(verdict.min)}")
    if verdict.max is not None:
        parts.append(f"{at_most} {as_text(verdict.max)}")
    return " and ".join(parts)
