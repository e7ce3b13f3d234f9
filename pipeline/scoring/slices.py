"""Where a model does worse: parts of a table that params.yaml names, and those that a shallow tree finds.

A slice is a list of conditions `[column, operator, value]` that all hold. Slices are looked for on the training rows, by the
errors of the models that had not seen them; the test rows then tell, with an interval, whether the finding holds. They choose
nothing.
"""

import numpy as np
import pandas as pd

from pipeline.project import rounding
from pipeline.project.params import Slices
from pipeline.scoring import bootstrap, metrics, thresholds

WORST = 3  # slices of the tree that are shown
MOST_VALUES = 10  # of a named column; and of a column that the tree may split by
FEWEST_TEST_ROWS = 10  # to score a slice on the test split
RESAMPLES = 200  # of the bootstrap: half the digits of the headline's are enough here
LEAST_GAIN = 0.005  # of the errors' variance that a split explains
MISSING = "(missing)"
LEAST_PROBABILITY = 0.001  # of the true class that an error counts: one row does not make a slice


def find(X: pd.DataFrame, error: np.ndarray, settings: Slices) -> list[tuple[str, list]]:
    """Return (origin, conditions) of the slices that params.yaml names and of the worst ones that a tree finds."""
    named = [
        ("params.yaml", rule)
        for column in settings.columns
        for rule in of_column(X[column], settings.min_rows)
    ]
    return named + [("search", rule) for rule in _worst_leaves(X, error, settings)]


def of_column(values: pd.Series, min_rows: int) -> list[list]:
    """Return one slice per frequent category, or per quarter of a column of numbers."""
    if not pd.api.types.is_numeric_dtype(values):
        counts = _as_label(values).value_counts()
        return [
            [[values.name, "=", label]]
            for label in sorted(counts[counts >= min_rows].index[:MOST_VALUES])
        ]
    edges = sorted({_readable(edge) for edge in values.quantile([0.25, 0.5, 0.75]).dropna()})
    bounds = [None, *edges, None]
    rules = [
        [
            [values.name, operator, bound]
            for operator, bound in ((">", low), ("≤", high))
            if bound is not None
        ]
        for low, high in zip(bounds, bounds[1:])
    ]
    return [rule for rule in rules if rule and mask(rule, values.to_frame()).sum() >= min_rows]


def mask(rule: list, X: pd.DataFrame) -> np.ndarray:
    """Tell which rows meet all conditions; a missing number counts as low."""
    kept = np.ones(len(X), dtype=bool)
    for column, operator, value in rule:
        if operator in ("=", "≠"):
            kept &= (_as_label(X[column]) == value).to_numpy() == (operator == "=")
        else:
            kept &= (X[column] > value).to_numpy() == (operator == ">")
    return kept


def words(rule: list) -> str:
    """Return the conditions as they are read."""
    return " and ".join(
        f"{column} {operator} {f'{value:,.6g}' if isinstance(value, float) else value}"
        for column, operator, value in rule
    )


def errors(task: str, y: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Return each row's error: the distance of a number, the log loss of a class."""
    if task == "regression":
        return np.abs(y - output)
    return -np.log(np.clip(output[np.arange(len(y)), y], LEAST_PROBABILITY, 1))


def score(
    task: str,
    metric: str,
    rule: list,
    X: pd.DataFrame,
    y: np.ndarray,
    output: np.ndarray,
    threshold: float | None,
    overall: float | None,
    seed: int,
) -> dict:
    """Return rows, value and interval of the metric on the rows of a slice, and whether it is worse than overall beyond doubt."""
    kept = mask(rule, X)
    y, output = y[kept], output[kept]
    result = {"rows": int(kept.sum()), "value": None, "low": None, "high": None, "worse": False}
    if len(y) < FEWEST_TEST_ROWS:
        return result
    decisions = thresholds.decide(output, threshold) if task == "classification" else None
    classes = (
        [str(number) for number in range(output.shape[1])] if task == "classification" else None
    )
    result["value"] = rounding.significant(
        metrics.score(task, y, output, decisions, classes)[metric]
    )
    if result["value"] is not None:
        bounds = bootstrap.intervals(task, y, output, decisions, seed, RESAMPLES)[metric]
        result |= dict(zip(("low", "high"), map(rounding.significant, bounds)))
        result["worse"] = overall is not None and all(
            metrics.is_better(metric, overall, bound) for bound in bounds
        )
    return result


def _as_label(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), MISSING).astype(str)


def _readable(number: float) -> float:
    return rounding.to_digits(number, 4)


def _worst_leaves(X: pd.DataFrame, error: np.ndarray, settings: Slices) -> list[list]:
    """Return the leaves of a shallow tree, grown on the errors, whose mean error is above the whole table's; the worst first."""
    if not settings.depth or len(X) < 2 * settings.min_rows:
        return []
    from sklearn.tree import DecisionTreeRegressor

    table, meanings = _indicators(X)
    if not meanings:
        return []
    tree = DecisionTreeRegressor(
        max_depth=settings.depth,
        min_samples_leaf=max(settings.min_rows, len(X) // 50),
        min_impurity_decrease=LEAST_GAIN * error.var(),
        random_state=0,
    )
    nodes = tree.fit(table, error).tree_
    leaves, waiting = [], [(0, [])]
    while waiting:
        node, rule = waiting.pop()
        if nodes.children_left[node] < 0:
            leaves.append((float(nodes.value[node].ravel()[0]), rule))
            continue
        column, label = meanings[nodes.feature[node]]
        value = _readable(nodes.threshold[node]) if label is None else label
        waiting += [
            (nodes.children_left[node], rule + [[column, "≤" if label is None else "≠", value]]),
            (nodes.children_right[node], rule + [[column, ">" if label is None else "=", value]]),
        ]
    worst = sorted(
        (leaf for leaf in leaves if leaf[0] > error.mean() and leaf[1]),
        key=lambda leaf: (-leaf[0], str(leaf[1])),
    )
    return [_simplified(rule) for _, rule in worst[:WORST]]


def _indicators(X: pd.DataFrame) -> tuple[np.ndarray, list[tuple[str, str | None]]]:
    """Return numbers, missing ones below all others, and one column per frequent category; and what each stands for."""
    columns, meanings = [], []
    for name in X.columns:
        if pd.api.types.is_numeric_dtype(X[name]):
            values = X[name].to_numpy(dtype=float)
            if np.isfinite(values).any():
                columns.append(np.where(np.isnan(values), np.nanmin(values) - 1, values))
                meanings.append((name, None))
        else:
            labels = _as_label(X[name])
            for label in sorted(labels.value_counts().index[:MOST_VALUES]):
                columns.append((labels == label).to_numpy(dtype=float))
                meanings.append((name, label))
    return (np.column_stack(columns) if columns else np.empty((len(X), 0))), meanings


def _simplified(rule: list) -> list:
    """Return the conditions without those that another one of the same column implies."""
    kept = []
    for column, operator, value in rule:
        same = [
            other
            for _, other_operator, other in filter(lambda one: one[0] == column, rule)
            if other_operator == operator
        ]
        implied = (
            operator == "≤"
            and value > min(same)
            or operator == ">"
            and value < max(same)
            or operator == "≠"
            and any(one[:2] == [column, "="] for one in rule)
        )
        if not implied and [column, operator, value] not in kept:
            kept.append([column, operator, value])
    return kept
