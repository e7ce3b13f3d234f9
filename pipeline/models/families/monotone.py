"""Monotone constraints: columns along which a model's output may only rise, or only fall.

Where there are two classes, the output is the probability of the positive one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data.kinds import NUMBER
from pipeline.models import catalogue
from pipeline.models.fitted import Fitted
from pipeline.models.preprocessing import output_columns
from pipeline.models.spec import ModelSpec
from pipeline.project import paths
from pipeline.project.errors import DataError, UsageError, listed

# that each constrained column is walked for, and values of a walk: quantiles of the training rows
ROWS, VALUES = 200, 25
# of the range of outputs: what sums of rounded numbers may differ by
TOLERANCE = 1e-6
UNAFFECTED = "dummy"  # ignores all columns


@dataclass(frozen=True)
class Walk:
    """How many rows were walked over how many values of a column, without a step against it.

    `direction` is 1 where the output may only rise with the column, -1 where it may only fall.
    """

    direction: int
    rows: int
    values: int


def check_models(names: Iterable[str], where: str) -> None:
    """Raise UsageError where a model has no monotone constraints."""
    able = [name for name, family in catalogue.FAMILIES.items() if family.monotone]
    free = [name for name in names if name not in (UNAFFECTED, *able)]
    if free:
        raise UsageError(
            f"{paths.PARAMS}: {where}: {', '.join(free)} cannot keep train.monotone; take it out "
            f"of the models, or remove train.monotone; with constraints: {', '.join(able)}"
        )


def check_columns(constraints: Mapping[str, int], kinds: Mapping[str, str], where: str) -> None:
    """Raise UsageError where a constrained column is not a feature, or not one of numbers."""
    unknown = [column for column in constraints if column not in kinds]
    if unknown:
        raise UsageError(
            f"{paths.PARAMS}: {where}: no feature {listed(unknown)}; there are: "
            f"{listed(kinds, most=100)}"
        )
    others = [column for column in constraints if kinds[column] != NUMBER]
    if others:
        raise UsageError(
            f"{paths.PARAMS}: {where}: {listed(others)} holds no numbers but "
            f"{kinds[others[0]]}, which has no order; remove it there"
        )


def constrained(spec: ModelSpec, settings: dict[str, Any], preprocessing: Any) -> dict[str, Any]:
    """Return a model's settings with the constraints of its spec, a number for each table column.

    A column of numbers is one column of the preprocessed table in every encoding that a family with
    constraints takes.
    """
    family = spec.family
    if not spec.monotone or family.monotone is None:
        return settings
    directions = [spec.monotone.get(owner, 0) for owner in output_columns(preprocessing)]
    # XGBoost takes no list, the others no tuple
    as_taken = tuple(directions) if family.library == "xgboost" else directions
    return {**settings, family.monotone: as_taken}


def walk(model: Fitted, X: pd.DataFrame, values: pd.Series, direction: int) -> Walk:
    """Walk rows over a column's values, all else as it is; `values` are those of training rows.

    Raises DataError where the output steps against the direction.
    """
    rows = X.iloc[:ROWS]
    grid = np.unique(values.dropna().quantile(np.linspace(0, 1, VALUES)))
    outputs = []
    for value in grid:
        output = model.output(rows.assign(**{str(values.name): value}))
        outputs.append(output if output.ndim == 1 else output[:, 1])
    steps = direction * np.diff(np.array(outputs), axis=0)
    worst = float(-steps.min(initial=0))
    if worst > TOLERANCE * float(np.ptp(outputs)):
        place, row = np.unravel_index(np.argmin(steps), steps.shape)
        raise DataError(
            f"{model.spec.name}: train.monotone {values.name}: {direction} does not hold: from "
            f"{grid[place]:g} to {grid[place + 1]:g} the output of row {rows.index[row]} goes the "
            f"other way by {worst:.3g}; check the model's own settings of its constraints"
        )
    return Walk(direction, len(rows), len(grid))


def proven(model: Fitted, X: pd.DataFrame, training: pd.DataFrame) -> dict[str, Walk]:
    """Return a walk for each constraint of a model, on some rows; raises as `walk` does."""
    return {
        column: walk(model, X, training[column], direction)
        for column, direction in model.spec.monotone.items()
    }
