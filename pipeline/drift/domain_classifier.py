"""The domain classifier: from which of two tables a row comes, by bins of its values.

It weighs bins of values by how much more often current rows lie in them, less what is chance (the
nearest shrunken centroids of Tibshirani et al. 2002). Learning anew takes some milliseconds, where
trees take seconds.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.drift.unexplained import unexplained_parts

FOLDS = 5
# the quantiles between bins of numbers, close at the ends, where odd values lie
EDGES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998)
# bin 0 holds missing values
N_BINS = len(EDGES) + 2
# a difference of so many standard errors is taken for chance
CHANCE = 1.5


@dataclass(frozen=True)
class Features:
    """What the classifier sees of the rows of both tables, those of the reference first.

    `bins` holds the bin of each row in each feature, of shape (rows, features); each feature's bins
    have numbers of their own. `owners` are the features' columns; `ordered` says whether the bins
    of a feature have an order.
    """

    bins: np.ndarray
    owners: list[str]
    ordered: np.ndarray


@dataclass(frozen=True)
class Order:
    """The rows by how typical of the current table each is, judged by what the other folds taught.

    `rank` lies between 0 and 1, `fold` is the row's, and `scores` of shape (folds, features * bins)
    holds what each bin adds to a row's score.
    """

    rank: np.ndarray
    fold: np.ndarray
    scores: np.ndarray


# what the classifier sees


def features_of(both: pd.DataFrame) -> Features:
    """Return the bins of the rows of both tables; which table a row is from plays no part."""
    numbers = both.select_dtypes("number")
    categories = both[[name for name in both if name not in numbers]]
    bins = [_category_bins(categories[name]) for name in categories]
    owners, ordered = list(categories), [False] * len(bins)
    values = [(name, numbers[name].to_numpy()) for name in numbers]
    for name, column in values + unexplained_parts(numbers, categories):
        bins.append(_number_bins(column))
        owners.append(name)
        ordered.append(True)
    numbered = np.column_stack(bins) + N_BINS * np.arange(len(bins))
    return Features(numbered, owners, np.array(ordered))


def _category_bins(values: pd.Series) -> np.ndarray:
    """Return the bin of each value: the common ones have their own, the rest shares the last."""
    counts = values.value_counts()
    common = sorted(counts.index, key=lambda value: (-counts[value], str(value)))[: N_BINS - 2]
    places = {value: place for place, value in enumerate(common, start=1)}
    bins = values.map(places).to_numpy(dtype=float, na_value=N_BINS - 1)
    bins[values.isna()] = 0
    return bins.astype(np.int64)


def _number_bins(values: np.ndarray) -> np.ndarray:
    """Return the bin of each number, between quantiles."""
    there = ~np.isnan(values)
    bins = np.zeros(len(values), dtype=np.int64)
    edges = np.quantile(values[there], EDGES)
    bins[there] = np.searchsorted(edges, values[there]) + 1
    return bins


# the classifier


def cross_fitted(features: Features, is_current: np.ndarray, rng: np.random.Generator) -> Order:
    """Return the order of the rows, each by the bins' scores that the other folds gave."""
    fold = np.empty(len(is_current), dtype=int)
    for side in (is_current, ~is_current):
        fold[side] = rng.permutation(side.sum()) % FOLDS
    by_fold = _counts(features, is_current, fold)
    total = by_fold.sum(axis=0)
    rank = np.empty(len(is_current))
    # rows that score alike are in random order
    chance = rng.random(len(is_current))
    scores = []
    for number in range(FOLDS):
        score = _bin_scores(total - by_fold[number], features.ordered).ravel()
        here = np.flatnonzero(fold == number)
        sums = score[features.bins[here]].sum(axis=1)
        places = np.argsort(np.lexsort((chance[here], sums)))
        rank[here] = (places + chance[here]) / len(here)
        scores.append(score)
    return Order(rank, fold, np.array(scores))


def _counts(features: Features, is_current: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Return the rows of each fold and table in each bin: (folds, 2, features, bins)."""
    n_bins = len(features.owners) * N_BINS
    group = 2 * fold + is_current
    numbered = features.bins + n_bins * group[:, None]
    counts = np.bincount(numbered.ravel(), minlength=2 * FOLDS * n_bins)
    return counts.reshape(FOLDS, 2, len(features.owners), N_BINS)


def _bin_scores(counts: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """Return what each bin says for the current table, of shape (features, bins).

    Of ordered bins each threshold has its say as well: a value below it, or not.
    """
    rows = counts.sum(axis=2, keepdims=True)[:, :1]
    scores = _shrunken(counts, rows)
    below = np.cumsum(counts[:, ordered, 1:], axis=2)
    thresholds = _shrunken(below, rows)
    # a value lies below all thresholds from its own bin on
    scores[ordered, 1:] += np.cumsum(thresholds[:, ::-1], axis=1)[:, ::-1]
    return scores


def _shrunken(counts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the difference of shares beyond chance, over the variance of being counted."""
    shares = counts / rows
    pooled = counts.sum(axis=0) / rows.sum()
    variance = pooled * (1 - pooled)
    error = np.sqrt(variance * (1 / rows).sum())
    difference = shares[1] - shares[0]
    beyond = np.sign(difference) * np.maximum(np.abs(difference) - CHANCE * error, 0)
    return np.divide(beyond, variance, out=np.zeros_like(beyond), where=variance > 0)
