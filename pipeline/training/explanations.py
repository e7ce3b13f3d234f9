"""Explanations of a model: what it loses without a column, and what each column adds to its output.

Both work on the table as the estimator takes it, `Z`. `owners` names, for each column of `Z`, the
column of the user's table that it comes from. All columns of one owner move together, so that a
category counts as one however it is encoded. `seconds` has the other owner of the columns that come
from two, such as the days between two dates, {place in `Z`: owner}.

Own code, because the bytes of train.json must repeat, and because it predicts many shuffled tables
at a time: on 1,000 rows of 30 columns the importances take 2 (random forest) to 7 times
(gradient boosting) less than sklearn.inspection.permutation_importance. The Shapley values are in
the unit of the output, also for a blend; shap's exact ones of trees are in log odds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import DATE, NUMBER
from pipeline.project import rounding
from pipeline.scoring import metrics, thresholds
from pipeline.scoring.rows import PLAIN, Rows, Terms
from pipeline.scoring.thresholds import Rule
from pipeline.training.results.content import Contribution

# one prediction of many rows is much faster than many predictions of a few
ROWS_AT_A_TIME = 50_000
VALUES_AT_A_TIME = 20_000_000  # of these rows, so that a wide table does not fill the memory
MOST_OWNERS = 200  # that are looked at: each costs predictions of whole rows, however wide
OTHERS = "\0"  # the owner that stands for all others: no column has this name
EVALUATIONS = 60_000  # predictions that the Shapley values of one model may take
DRAWS = 8  # of an order and a background row, for each explained row
MOST_ROWS = 200  # that are explained
FEWEST_ROWS = 20

Predict = Callable[[Any], np.ndarray]


@dataclass(frozen=True)
class Shuffle:
    """An owner whose columns are shuffled, and the order that their rows then have."""

    owner: str
    order: np.ndarray


def owners_looked_at(Z: Any, owners: list[str], output: np.ndarray) -> list[str]:
    """Return the owners that are looked at, in their order: all, or MOST_OWNERS of a wide table.

    Of a wide table they are those with a column that goes most with the model's output, by the
    squared correlation, which takes time in proportion to the columns.
    """
    names = list(dict.fromkeys(owners))
    if len(names) <= MOST_OWNERS:
        return names
    strengths = _squared_correlations(np.asarray(Z, dtype=np.float64), output)
    strongest = pd.Series(strengths).groupby(np.array(owners, dtype=object), sort=False).max()
    looked_at = set(strongest.nlargest(MOST_OWNERS).index)
    return [name for name in names if name in looked_at]


def _squared_correlations(values: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Return the largest squared correlation of each column with an output; 0 where undefined."""
    there = ~np.isnan(values)
    means = np.where(there, values, 0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    centred = np.where(there, values - means, 0)
    outputs = output.reshape(len(output), -1)
    outputs = outputs - outputs.mean(axis=0)
    products = centred.T @ outputs
    scales = np.outer((centred**2).sum(axis=0), (outputs**2).sum(axis=0))
    shares = np.divide(products**2, scales, out=np.zeros_like(products), where=scales > 0)
    return shares.max(axis=1)


def _rows_at_a_time(columns: int) -> int:
    """Return how many rows of so many columns are predicted at a time."""
    return min(ROWS_AT_A_TIME, VALUES_AT_A_TIME // max(1, columns))


def permutation_importance(
    predict: Predict,
    Z: Any,
    owners: list[str],
    y: np.ndarray,
    metric: str,
    seed: int,
    repeats: int = 3,
    rule: Rule = None,
    terms: Terms = PLAIN,
    seconds: Mapping[int, str] = MappingProxyType({}),
) -> dict[str, float]:
    """Return how much worse the metric gets when an owner's columns are shuffled.

    Of a wide table only the `owners_looked_at` are. Metrics of labels are of the decisions by the
    model's rule. The mean over repeats, by Breiman, Random Forests, Machine Learning 45 (2001).
    """
    rng = np.random.default_rng(seed)
    values, sign = np.asarray(Z), -metrics.sign(metric)
    output = predict(Z)
    base = _value(metric, Rows(y, output, terms=terms), rule)
    places = _places(owners, seconds)
    looked_at = owners_looked_at(Z, owners, output)
    orders = range(len(looked_at) * repeats)
    shuffles = [Shuffle(looked_at[n // repeats], rng.permutation(len(values))) for n in orders]
    losses: dict[str, list[float]] = {owner: [] for owner in looked_at}
    at_a_time = max(1, _rows_at_a_time(values.shape[1]) // len(values))
    for start in range(0, len(shuffles), at_a_time):
        block = shuffles[start : start + at_a_time]
        tables = np.tile(values, (len(block), 1, 1))
        for table, shuffle in zip(tables, block):
            columns = places[shuffle.owner]
            table[:, columns] = values[shuffle.order][:, columns]
        outputs = predict(_like(Z, tables.reshape(-1, values.shape[1])))
        for shuffle, output in zip(block, np.split(outputs, len(block))):
            shuffled = Rows(y, output, terms=terms)
            loss = sign * (_value(metric, shuffled, rule) - base)
            losses[shuffle.owner].append(loss)
    return {owner: float(np.mean(losses[owner])) for owner in looked_at}


def _value(metric: str, rows: Rows, rule: Rule) -> float:
    """Return the metric of a model's output, decided as the model decides."""
    if metrics.lookup(metric).of == "labels":
        rows = thresholds.decided(rows, rule)
    return metrics.value(metric, rows)


def _places(owners: list[str], seconds: Mapping[int, str]) -> dict[str, list[int]]:
    """Return the places in `Z` of each owner's columns; a column of two owners is among both's."""
    places: dict[str, list[int]] = {}
    for place, owner in enumerate(owners):
        places.setdefault(owner, []).append(place)
    for place, owner in seconds.items():
        places.setdefault(owner, []).append(place)
    return places


def _like(Z: Any, values: np.ndarray) -> Any:
    """Return values as the kind of table that Z is: CatBoost takes a frame with integer columns."""
    if not hasattr(Z, "columns"):
        return values
    return Z.__class__(values, columns=Z.columns).astype(Z.dtypes)


@dataclass(frozen=True)
class Paths:
    """Ways from a background row to an explained row, on which one owner after the other moves.

    `rows` and `starts` are the places of the explained and of the background row of each path, and
    `turns[path, owner]` says as which step the owner's columns take the row's values.
    """

    rows: np.ndarray
    starts: np.ndarray
    turns: np.ndarray

    def part(self, block: slice) -> "Paths":
        """Return some of the paths."""
        return Paths(self.rows[block], self.starts[block], self.turns[block])


def shapley(
    predict: Predict,
    Z: Any,
    owners: list[str],
    background: Any,
    seed: int,
    draws: int = DRAWS,
    seconds: Mapping[int, str] = MappingProxyType({}),
) -> np.ndarray:
    """Return what each owner adds to the output of each row: shape (rows, owners[, classes]).

    Shapley values by sampling (Strumbelj and Kononenko, Knowledge and Information Systems 41, 2014;
    SHAP of the background's marginal distribution): on the way from a background row to the row,
    the owners take the row's values one after the other in a random order, and each is credited
    with the step that the output makes. A row's values add up to its output less the mean output
    of the background rows it met.
    """
    names = list(dict.fromkeys(owners))
    # a column of two owners moves once both have, so that either is credited half the time
    second_owners = [seconds.get(place, owner) for place, owner in enumerate(owners)]
    owner_of, second_of = _numbers_of(owners, names), _numbers_of(second_owners, names)
    values, others = np.asarray(Z), np.asarray(background)
    paths = _random_paths(len(values), len(others), len(names), draws, seed)
    at_a_time = max(1, _rows_at_a_time(values.shape[1]) // (len(names) + 1))
    total = np.zeros(0)
    for first in range(0, len(paths.rows), at_a_time):
        part = paths.part(slice(first, first + at_a_time))
        ends, starts = values[part.rows], others[part.starts]
        taken = np.maximum(part.turns[:, owner_of], part.turns[:, second_of])
        outputs = _outputs_along(predict, Z, ends, starts, part.turns, taken)
        steps = np.diff(outputs, axis=1)
        turns = part.turns
        if steps.ndim == 3:  # a step for each class
            turns = turns[:, :, None]
        credits = np.take_along_axis(steps, turns, axis=1)
        if not total.size:
            total = np.zeros((len(values), *credits.shape[1:]))
        np.add.at(total, part.rows, credits)
    return total / draws


def _numbers_of(owners: list[str], names: list[str]) -> np.ndarray:
    number_of = {name: number for number, name in enumerate(names)}
    return np.array([number_of[owner] for owner in owners])


def _random_paths(rows: int, others: int, owners: int, draws: int, seed: int) -> Paths:
    """Return so many paths to each row, each from a random background row in a random order."""
    rng = np.random.default_rng(seed)
    starts = rng.integers(others, size=(rows, draws)).ravel()
    turns = np.argsort(rng.random((rows * draws, owners)), axis=1)
    return Paths(np.repeat(np.arange(rows), draws), starts, turns)


def _outputs_along(
    predict: Predict,
    Z: Any,
    ends: np.ndarray,
    starts: np.ndarray,
    turns: np.ndarray,
    taken: np.ndarray,
) -> np.ndarray:
    """Return the outputs along each path, from its start on.

    Their shape is (paths, owners + 1[, classes]). `ends` and `starts` are the rows' values, of
    shape (paths, columns), and `taken` says as which step a column takes the row's value. A step
    that changes nothing needs no prediction: in a table with many categories that is every other
    one.
    """
    both_missing = (ends != ends) & (starts != starts)
    differs = (ends != starts) & ~both_missing
    path, column = np.nonzero(differs)
    n_paths, n_owners = turns.shape
    moved = np.zeros((n_paths, n_owners + 1), dtype=bool)
    moved[:, 0] = True
    moved[path, taken[path, column] + 1] = True
    path, step = np.nonzero(moved)
    on_the_way = np.where(taken[path] < step[:, None], ends[path], starts[path])
    outputs = predict(_like(Z, on_the_way))
    last_predicted = np.cumsum(moved) - 1
    return outputs[last_predicted].reshape(*moved.shape, *outputs.shape[1:])


def rows_to_explain(columns: int, available: int, models: int = 1) -> int:
    """Return how many rows to explain, so that a wide table takes no longer than a narrow one.

    Nor does a blend of so many models take longer than one of them, down to FEWEST_ROWS.
    """
    affordable = EVALUATIONS // (DRAWS * (columns + 1) * models)
    wanted = max(FEWEST_ROWS, min(MOST_ROWS, affordable))
    return min(available, wanted)


def summary(
    contributions: np.ndarray, X: pd.DataFrame, columns: list[str], most: int
) -> dict[str, Contribution]:
    """Return the columns that add most, the first first: how much, and which way it goes.

    `contributions` has shape (rows, columns) or (rows, columns, classes). `direction` is the rank
    correlation of a column of numbers or dates with what it adds: near 1, high values raise the
    output. None for categories, texts, more than two classes, and where either does not vary.
    """
    sizes = np.abs(contributions)
    if sizes.ndim == 3:
        sizes = sizes.mean(axis=2)
    mean = sizes.mean(axis=0)
    order = sorted(range(len(columns)), key=lambda place: (-mean[place], columns[place]))
    chosen: dict[str, Contribution] = {}
    for place in order[:most]:
        name = columns[place]
        direction = None
        values = X[name].reset_index(drop=True)
        if contributions.ndim == 2 and kinds.kind_of(values) in (NUMBER, DATE):
            direction = _direction(values.rank(), contributions[:, place])
        chosen[name] = {"mean_abs": rounding.significant(mean[place]), "direction": direction}
    return chosen


def _direction(values: pd.Series, added: np.ndarray) -> float | None:
    """Return the rank correlation of a column and what it adds; None where either is constant."""
    varies = values.nunique() > 1 and np.ptp(added) > 0
    if not varies:
        return None
    return rounding.significant(values.corr(pd.Series(added), method="spearman"))
