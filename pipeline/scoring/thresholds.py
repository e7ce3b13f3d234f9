"""The rule by which probabilities become decisions: a threshold, or what each decision costs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.scoring import metrics
from pipeline.scoring.definitions.classification import COST
from pipeline.scoring.rows import PLAIN, OutOfFold, Rows, Terms

# from which probability on a row counts as positive; or costs[i][j] of deciding for class j where
# the row is of class i: the decision of least expected cost (Elkan, The Foundations of
# Cost-Sensitive Learning, IJCAI 2001); None: the likeliest class
Rule = float | Sequence[Sequence[float]] | None
MOST_TRIED = 100
DECIDING = ("f1", "accuracy", COST)  # the built-in metrics that can choose a rule


def rule_as_json(rule: Rule) -> dict[str, Any]:
    """Return what JSON files hold of a rule: a threshold, and costs where they decide."""
    if isinstance(rule, Sequence):
        return {"threshold": None, "decision_costs": [list(costs) for costs in rule]}
    return {"threshold": rule}


def rule_of_json(content: Mapping[str, Any]) -> Rule:
    """Return the rule that a JSON file holds; None, the likeliest class, where it has none."""
    costs = content.get("decision_costs")
    return content.get("threshold") if costs is None else costs


def decide(probabilities: np.ndarray, rule: Rule) -> np.ndarray:
    """Return the class code of each row by a rule.

    `probabilities` have shape (rows, classes), the codes shape (rows,).
    """
    if rule is None:
        return probabilities.argmax(axis=1)
    if isinstance(rule, Sequence):
        return (probabilities @ np.asarray(rule)).argmin(axis=1)
    return (probabilities[:, 1] >= rule).astype(int)


def decided(rows: Rows, rule: Rule) -> Rows:
    """Return the rows with the decisions of a rule; those of regression as they are."""
    if rows.task == "regression":
        return rows
    return replace(rows, decisions=decide(rows.output, rule))


def best_rule(y: np.ndarray, probabilities: np.ndarray, metric: str, terms: Terms = PLAIN) -> Rule:
    """Return the best rule by a metric: the threshold of two classes, the costs of several."""
    if probabilities.shape[1] == 2:
        return best_threshold(y, probabilities, metric, terms)
    return class_costs(y, terms) if metric == COST else None


def decides(metric: str) -> bool:
    """Return whether a metric can choose the rule of decisions."""
    return metric in DECIDING or (metric in metrics.OWN and metrics.OWN[metric].of == "labels")


def best_threshold(
    y: np.ndarray, probabilities: np.ndarray, metric: str, terms: Terms = PLAIN
) -> float | None:
    """Return the threshold that is best by F1, accuracy, cost or a metric of the user's own.

    None unless there are two classes. Of an own metric, which is called for each of them,
    MOST_TRIED thresholds are tried, evenly by the number of rows that they call positive.

    It lies halfway between two rows' probabilities, so that no row of these lies on it, or beyond
    them all where calling every row positive, or none, is best. 0.5 where all are equal.
    """
    if probabilities.shape[1] != 2:
        return None
    scores = probabilities[:, 1]
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    steps = np.flatnonzero(np.diff(ranked) < 0) + 1
    if not len(steps):
        return 0.5
    # so many rows can be called positive: none, all, or all above a step
    called = np.r_[0, steps, len(y)]
    if metric in DECIDING:
        quality = _quality(y[order] == 1, metric, terms[order])[called]
    else:
        some = np.linspace(0, len(called) - 1, min(len(called), MOST_TRIED)).round().astype(int)
        called = called[some]
        rows = Rows(y, probabilities, terms=terms)
        quality = np.array([_own_quality(metric, rows, order[:count]) for count in called])
    return _halfway(ranked, called[np.argmax(quality)])


def _own_quality(metric: str, rows: Rows, called: np.ndarray) -> float:
    """Return how good it is by the user's own metric to call some of the rows positive."""
    decisions = np.zeros(len(rows), dtype=int)
    decisions[called] = 1
    return metrics.sign(metric) * metrics.value(metric, replace(rows, decisions=decisions))


def _quality(positive: np.ndarray, metric: str, terms: Terms) -> np.ndarray:
    """Return how good it is to call the first 0, 1, ... all of some rows positive."""
    weight = np.ones(len(positive), dtype=int) if terms.weight is None else terms.weight
    if metric == COST:
        if terms.costs is None:
            raise ValueError("these rows have no costs")
        return -_so_far(weight * (terms.costs[:, 1] - terms.costs[:, 0]))
    called, hits = _so_far(weight), _so_far(weight * positive)
    if metric == "f1":
        divisor = called + hits[-1]
        return 2 * hits / np.where(divisor > 0, divisor, 1)
    negatives_left = (called[-1] - hits[-1]) - (called - hits)
    return (hits + negatives_left) / called[-1]


def _so_far(values: np.ndarray) -> np.ndarray:
    """Return the sums of the first 0, 1, ... all values."""
    return np.r_[0, np.cumsum(values)]


def _halfway(ranked: np.ndarray, called: int) -> float:
    """Return a threshold that calls so many of the rows positive, ranked from the highest."""
    # a threshold above 1 calls no row positive
    bounds = np.r_[np.nextafter(1, 2), ranked, 0]
    above, below = bounds[called], bounds[called + 1]
    middle = (above + below) / 2
    return float(middle if middle > below else above)


def class_costs(y: np.ndarray, terms: Terms) -> list[list[float]]:
    """Return the mean cost of each decision over the rows of each class, costs[actual][decided]."""
    if terms.costs is None:
        raise ValueError("these rows have no costs")
    weight = np.ones(len(y)) if terms.weight is None else terms.weight
    means = []
    for code in range(terms.costs.shape[1]):
        of_class = y == code
        total = weight[of_class].sum()
        sums = weight[of_class] @ terms.costs[of_class]
        means.append((sums / total if total > 0 else sums).tolist())
    return means


def cross_fitted_decisions(out_of_fold: OutOfFold, metric: str) -> np.ndarray:
    """Return out-of-fold decisions, shape (rows,): a fold's by the best rule of the others.

    A threshold that was chosen on the very rows it is scored on flatters the score. Rows with fold
    -1 have no prediction and keep the decision 0.
    """
    y, output, fold = out_of_fold.y, out_of_fold.output, out_of_fold.fold
    if output.shape[1] != 2 and metric != COST:
        return output.argmax(axis=1)
    decisions = np.zeros(len(y), dtype=int)
    for number in out_of_fold.folds:
        here, others = fold == number, out_of_fold.predicted & (fold != number)
        rule = best_rule(y[others], output[others], metric, out_of_fold.terms[others])
        decisions[here] = decide(output[here], rule)
    return decisions
