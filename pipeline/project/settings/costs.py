"""What decisions cost: by outcome of two classes, or in a table by actual and decided class."""

import math
from typing import Any

from pipeline.project.settings.base import fault

# where the costs of two classes stand in a table: [actual][decided], the positive class last
OUTCOMES = {
    "true_negative": (0, 0),
    "false_positive": (0, 1),
    "false_negative": (1, 0),
    "true_positive": (1, 1),
}
Cost = float | str


def costs_checked(value: dict[Any, Any]) -> dict[str, Any]:
    """Return train.costs with class labels as text; raises the fault of a key below it."""
    if not any(isinstance(cost, dict) for cost in value.values()):
        return _outcomes_checked(value)
    checked: dict[str, Any] = {}
    for actual, row in value.items():
        if not isinstance(row, dict):
            raise fault(str(actual), "must be a table, {DECIDED: COST}, as the others are")
        checked[str(actual)] = {str(decided): cost for decided, cost in row.items()}
        for decided, cost in checked[str(actual)].items():
            _check_cost(cost, f"{actual}.{decided}")
        _check_right_one_is_cheapest(checked[str(actual)], str(actual), str(actual))
    return checked


def _outcomes_checked(costs: dict[Any, Any]) -> dict[str, Any]:
    for outcome, cost in costs.items():
        if outcome not in OUTCOMES:
            allowed = f"{', '.join(OUTCOMES)}, or a table {{ACTUAL: {{DECIDED: COST}}}}"
            raise fault(str(outcome), f"unknown; allowed: {allowed}")
        _check_cost(cost, outcome)
    if costs:
        for right, wrong in (
            ("true_negative", "false_positive"),
            ("true_positive", "false_negative"),
        ):
            row = {name: costs.get(name, 0) for name in (right, wrong)}
            _check_right_one_is_cheapest(row, right, wrong)
    return costs


def _check_cost(cost: object, key: str) -> None:
    if isinstance(cost, str) and cost:
        return
    is_number = isinstance(cost, int | float) and not isinstance(cost, bool)
    if not is_number or not math.isfinite(cost):  # type: ignore[arg-type]
        raise fault(key, f"must be a number or the name of a column (found {cost!r})")


def _check_right_one_is_cheapest(row: dict[str, Any], right: str, key: str) -> None:
    """Raise the fault of an actual class of which no error costs more than the right decision.

    The amounts of columns are not known here.
    """
    costs = {right: 0, **row}
    if any(isinstance(cost, str) for cost in costs.values()):
        return
    errors = [cost for decided, cost in costs.items() if decided != right]
    if not errors or min(errors) < costs[right] or max(errors) == costs[right]:
        shown = ", ".join(f"{decided} {cost:g}" for decided, cost in costs.items())
        raise fault(key, f"an error must cost more than the right decision (found {shown})")
