"""Gates: bounds that params.yaml sets to the scores of the best model, and whether they hold."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from pipeline.project import files, paths
from pipeline.project.rounding import number_text
from pipeline.project.settings.judging import Gate


@dataclass(frozen=True)
class Verdict:
    """Whether a gate holds.

    `value` is the score it looks at, or with `by` the low or high end of its interval; None where
    that is not defined. `min` and `max` are bounds.
    """

    metric: str
    on: str
    value: float | None
    min: float | None
    max: float | None
    passed: bool
    by: str = "value"


@dataclass(frozen=True)
class Validation:
    """The verdict on the best model of a dataset, as metrics/validation/<dataset>.json holds it.

    `passed` is whether all gates hold; `not_ready` what the comparison says against using the model
    at all, for which it is not promoted.
    """

    dataset: str
    candidate: str
    synthetic: bool
    data_hash: str
    model_sha256: str
    passed: bool
    gates: list[Verdict]
    not_ready: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read_validation(dataset: str) -> Validation:
    """Return what validate wrote on a dataset; raises DataError where it has not run."""
    command = f"python validate_metrics.py --dataset {dataset}"
    content = files.read_json(paths.validation(dataset), made_by=command)
    verdicts = [Verdict(**verdict) for verdict in content.pop("gates")]
    return Validation(gates=verdicts, **content)


class Bounded(Protocol):
    """A score on the test rows with the ends of its interval."""

    @property
    def value(self) -> float | None: ...

    @property
    def low(self) -> float | None: ...

    @property
    def high(self) -> float | None: ...


def verdicts(
    gates: Mapping[str, Gate],
    on_test: Mapping[str, Bounded],
    out_of_fold: Mapping[str, float | None],
) -> list[Verdict]:
    """Return the verdict of each gate on a candidate's scores by metric."""
    results = []
    for metric, gate in gates.items():
        if gate.on == "oof":
            value = out_of_fold.get(metric)
        else:
            value = _end_of(on_test.get(metric), gate.by)
        results.append(verdict(metric, gate, value))
    return results


def _end_of(score: Bounded | None, by: str) -> float | None:
    """Return the value of a score, or the end of its interval that a gate goes by."""
    if score is None:
        return None
    ends = {"value": score.value, "low": score.low, "high": score.high}
    return ends[by]


def verdict(metric: str, gate: Gate, value: float | None) -> Verdict:
    """Return the verdict of a gate on a value."""
    return Verdict(
        metric=metric,
        on=gate.on,
        value=value,
        min=gate.min,
        max=gate.max,
        passed=_holds(gate, value),
        by=gate.by,
    )


def _holds(gate: Gate, value: float | None) -> bool:
    """Return whether a value is within the bounds; one that is not defined is not."""
    if value is None:
        return False
    enough = gate.min is None or value >= gate.min
    return enough and (gate.max is None or value <= gate.max)


def score_text(verdict: Verdict) -> str:
    """Return what a gate looks at: `test f1`, or `test roc_auc, low end of the interval,`."""
    end = "" if verdict.by == "value" else f", {verdict.by} end of the interval,"
    return f"{verdict.on} {verdict.metric}{end}"


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
