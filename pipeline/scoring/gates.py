"""Gates: bounds that params.yaml sets to the scores of the best model, and whether they hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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


def verdicts(gates: dict[str, Gate], candidate: Mapping[str, Any]) -> list[Verdict]:
    """Return the verdict of each gate on a candidate, given as train.json and tune.json hold it."""
    return [_verdict(metric, gate, candidate) for metric, gate in gates.items()]


def _verdict(metric: str, gate: Gate, candidate: Mapping[str, Any]) -> Verdict:
    if gate.on == "oof":
        value = candidate["cv_oof"].get(metric)
    else:
        value = candidate["test"].get(metric, {}).get("value")
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
