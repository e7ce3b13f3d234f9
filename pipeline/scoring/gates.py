"""Metrics by task, their intervals, the decision threshold, gates, and the one chooser of the best candidate.

`output` is what a model puts out: numbers of shape (rows,), or class probabilities of shape (rows, classes). Targets of
classification are class numbers, 0 to classes - 1, the positive class last. Precision, recall and F1 are those of the positive
class where there are two classes, else the unweighted mean over the classes, as is the ROC AUC (each class against the rest).
"""

from pipeline.project.params import Gate
from pipeline.project.rounding import number_text


def gate_verdicts(gates: dict[str, Gate], candidate: dict) -> list[dict]:
    """Return, for each gate, the value it looks at, its bounds, and whether it holds; an undefined value fails."""
    verdicts = []
    for metric, gate in gates.items():
        value = (
            candidate["cv_oof"].get(metric)
            if gate.on == "oof"
            else candidate["test"].get(metric, {}).get("value")
        )
        passed = (
            value is not None
            and (gate.min is None or value >= gate.min)
            and (gate.max is None or value <= gate.max)
        )
        verdicts.append(
            {
                "metric": metric,
                "on": gate.on,
                "value": value,
                "min": gate.min,
                "max": gate.max,
                "passed": passed,
            }
        )
    return verdicts


def bounds_text(gate: dict) -> str:
    """Return what a gate asks for."""
    return " and ".join(
        f"{sign} {number_text(gate[bound])}"
        for bound, sign in (("min", "≥"), ("max", "≤"))
        if gate[bound] is not None
    )
