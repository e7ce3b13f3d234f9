"""What a model relies on: by permutation, how much worse it gets without a column; by Shapley values, what each column adds.

Both work on the table as the estimator takes it, `Z`. `owners` names the table's column that each of its columns comes from: all
columns of one owner move together, so that a category counts as one however it is encoded.
"""

import numpy as np

from pipeline.project import rounding
from pipeline.scoring import metrics
from pipeline.scoring.rows import Rows

ROWS_AT_A_TIME = 50_000  # that are predicted
EVALUATIONS = 60_000  # predictions that the Shapley values of one model may take
DRAWS = 8  # of an order and a background row, for each explained row
MOST_ROWS = 200  # that are explained


def permutation_importance(
    task: str,
    predict,
    Z,
    owners: list[str],
    y: np.ndarray,
    metric: str,
    seed: int,
    repeats: int = 3,
) -> dict[str, float]:
    """Return how much worse the metric gets when a column of the table is shuffled (Breiman 2001), mean over repeats.

    `Z` is the table as the estimator takes it and `owners` the table's column that each of its columns comes from: all columns
    of one owner are shuffled together.
    """
    rng = np.random.default_rng(seed)
    of_labels = metrics.lookup(metric).of == "labels"
    sign = -metrics.sign(metric)

    def measure(output: np.ndarray) -> float:
        # a shuffled table has no threshold of its own: labels are those of the likeliest class
        decisions = output.argmax(axis=1) if of_labels else None
        return metrics.value(metric, Rows(y, output, decisions))

    base, values = measure(predict(Z)), np.asarray(Z)
    places = {
        owner: [number for number, name in enumerate(owners) if name == owner]
        for owner in dict.fromkeys(owners)
    }
    shuffles = [(owner, rng.permutation(len(values))) for owner in places for _ in range(repeats)]
    losses = {owner: [] for owner in places}
    at_a_time = max(
        1, ROWS_AT_A_TIME // len(values)
    )  # one prediction of many rows is much faster than many of a few
    for start in range(0, len(shuffles), at_a_time):
        block = shuffles[start : start + at_a_time]
        tables = np.tile(values, (len(block), 1, 1))
        for table, (owner, order) in zip(tables, block):
            table[:, places[owner]] = values[order][:, places[owner]]
        outputs = predict(_like(Z, tables.reshape(-1, values.shape[1])))
        for (owner, _), output in zip(block, np.split(outputs, len(block))):
            losses[owner].append(sign * (measure(output) - base))
    return {owner: float(np.mean(values)) for owner, values in losses.items()}


def _like(Z, values: np.ndarray):
    """Return values as the kind of table that Z is: CatBoost takes a DataFrame with integer columns."""
    return (
        Z.__class__(values, columns=Z.columns).astype(Z.dtypes) if hasattr(Z, "columns") else values
    )


def shapley(predict, Z, owners: list[str], background, seed: int, draws: int = DRAWS) -> np.ndarray:
    """Return what each column adds to the output of each row: shape (rows, owners) or (rows, owners, classes).

    Shapley values by sampling (Strumbelj and Kononenko 2014; SHAP of the background's marginal distribution): on the way from a
    background row to the row, the columns take the row's values one after the other in a random order, and each is credited with
    the step that the output makes. A row's values add up to its output less the mean output of the background rows it met.
    """
    rng, names = np.random.default_rng(seed), list(dict.fromkeys(owners))
    owner = np.array([names.index(name) for name in owners])
    values, others = np.asarray(Z), np.asarray(background)
    total, path = None, len(names) + 1  # a path from a background row to a row, in so many steps
    at_a_time = max(1, ROWS_AT_A_TIME // path)
    starts = rng.integers(len(others), size=(len(values), draws)).ravel()
    turns = np.argsort(
        rng.random((len(values) * draws, len(names))), axis=1
    )  # [path, owner] -> its turn
    rows = np.repeat(np.arange(len(values)), draws)
    for first in range(0, len(rows), at_a_time):
        block = slice(first, first + at_a_time)
        taken, one, other = (
            turns[block][:, owner],
            values[rows[block]],
            others[starts[block]],
        )  # [path, column]
        # a step that changes nothing needs no prediction: of a table with many categories that is every other one
        moved = np.zeros((len(taken), path), dtype=bool)
        moved[:, 0] = True
        changed = np.nonzero(
            (one != other) & ~((one != one) & (other != other))
        )  # missing in both is no change
        moved[changed[0], taken[changed] + 1] = True
        paths, steps = np.nonzero(moved)
        outputs = predict(
            _like(Z, np.where(taken[paths] < steps[:, None], one[paths], other[paths]))
        )
        outputs = outputs[np.cumsum(moved) - 1].reshape(-1, path, *outputs.shape[1:])
        if total is None:
            total = np.zeros((len(values), len(names), *outputs.shape[2:]))
        turn = turns[block].reshape(*turns[block].shape, *[1] * (outputs.ndim - 2))
        np.add.at(total, rows[block], np.take_along_axis(np.diff(outputs, axis=1), turn, axis=1))
    return total / draws


def rows_to_explain(columns: int, available: int) -> int:
    """Return how many rows the Shapley values are taken of, so that a wide table takes no longer than a narrow one."""
    return min(available, max(20, min(MOST_ROWS, EVALUATIONS // (DRAWS * (columns + 1)))))


def summary(contributions: np.ndarray, X, columns: list[str], most: int) -> dict[str, dict]:
    """Return the columns that add most, each with the mean size of what it adds and which way it goes.

    `direction` is the rank correlation of a numeric column's values with what it adds: near 1, high values raise the output.
    None for categories, with more than two classes, and where either does not vary.
    """
    import pandas as pd

    sizes = np.abs(contributions)
    mean = (sizes if sizes.ndim == 2 else sizes.mean(axis=2)).mean(axis=0)
    found = {}
    for place in sorted(range(len(columns)), key=lambda place: (-mean[place], columns[place]))[
        :most
    ]:
        direction = None
        if contributions.ndim == 2 and pd.api.types.is_numeric_dtype(X[columns[place]]):
            values = X[columns[place]].reset_index(drop=True)
            if values.nunique() > 1 and np.ptp(contributions[:, place]) > 0:
                direction = rounding.significant(
                    values.corr(pd.Series(contributions[:, place]), method="spearman")
                )
        found[columns[place]] = {
            "mean_abs": rounding.significant(mean[place]),
            "direction": direction,
        }
    return found
