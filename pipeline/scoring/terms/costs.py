"""What each decision on a row costs, by train.costs; a cost below 0 is a gain."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.project import paths
from pipeline.project.errors import DataError, UsageError, listed
from pipeline.project.settings.costs import OUTCOMES, Cost
from pipeline.scoring.terms.columns import lines_in_file, numbers

Cells = list[list[Cost]]  # [actual][decided]: a number, or the column that holds it


def costs_of_rows(
    cells: Cells, y: np.ndarray, frame: pd.DataFrame, classes: list[str], origin: str
) -> np.ndarray:
    """Return what it costs to decide for each class, given each row's own, shape (rows, classes).

    Raises DataError where a column of amounts is not there, is not one of numbers, or has gaps, or
    where an error costs less than the right decision on the same row.
    """
    costs = np.zeros((len(y), len(classes)))
    for actual, row in enumerate(cells):
        here = y == actual
        for decided, cost in enumerate(row):
            if isinstance(cost, str):
                costs[here, decided] = numbers(frame, cost, "train.costs", origin)[here]
            else:
                costs[here, decided] = cost
    _check_errors_cost_more(costs, y, frame, origin)
    return costs


def cells_of(costs: Mapping[str, Any], classes: list[str], key: str) -> Cells:
    """Return the settings as a table of the classes; what is not named costs nothing.

    Raises UsageError where they name other classes than the target has.
    """
    if not any(isinstance(cost, Mapping) for cost in costs.values()):
        return _cells_of_outcomes(costs, classes, key)
    named = set(costs) | {label for row in costs.values() for label in row}
    unknown = sorted(named - set(classes))
    if unknown:
        raise UsageError(
            f"{paths.PARAMS}: {key}: no class {listed(unknown)}; the target has: {listed(classes)}"
        )
    cells: Cells = []
    for actual in classes:
        row = costs.get(actual, {})
        cells.append([row.get(decided, 0.0) for decided in classes])
    return cells


def _cells_of_outcomes(costs: Mapping[str, Any], classes: list[str], key: str) -> Cells:
    if len(classes) != 2:
        raise UsageError(
            f"{paths.PARAMS}: {key}: {', '.join(costs)} are of two classes, and the target has "
            f"{len(classes)}; write a table: {{ACTUAL: {{DECIDED: COST}}}} with {listed(classes)}"
        )
    cells: Cells = [[0.0, 0.0], [0.0, 0.0]]
    for outcome, cost in costs.items():
        actual, decided = OUTCOMES[outcome]
        cells[actual][decided] = cost
    return cells


def _check_errors_cost_more(
    costs: np.ndarray, y: np.ndarray, frame: pd.DataFrame, origin: str
) -> None:
    right = costs[np.arange(len(y)), y]
    cheaper = costs.min(axis=1) < right
    if cheaper.any():
        line = lines_in_file(frame.index[cheaper])
        raise DataError(
            f"{origin}: by train.costs a wrong decision costs less than the right one in {line}; "
            f"check the amounts and their signs: a cost is above 0, a gain below"
        )
