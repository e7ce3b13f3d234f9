"""The threshold is the best there is, and a fold's decisions are made without its own targets."""

import numpy as np
import pytest

from pipeline.scoring import metrics, thresholds
from pipeline.scoring.definitions.classification import COST
from pipeline.scoring.rows import PLAIN, OutOfFold, Rows, Terms
from support.predicted import binary, classification, regression


def quality(metric, y, decisions, weight):
    hits, errors = (weight * y * decisions).sum(), weight[y != decisions].sum()
    if metric == "accuracy":
        return 1 - errors / weight.sum()
    return 2 * hits / (2 * hits + errors) if hits + errors else 0


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("metric", ["f1", "accuracy"])
def test_threshold_is_the_best_of_all(metric, weighted):
    for seed in range(200):
        rng = np.random.default_rng(seed)
        rows = rng.integers(2, 25)
        y = (rng.random(rows) < rng.random()).astype(int)
        scores = (rng.random(rows) * (0.3 + 0.7 * y)).round(rng.integers(1, 4))
        if len(set(scores)) == 1:
            continue
        weight = rng.exponential(size=rows) if weighted else np.ones(rows)
        terms = Terms(weight=weight) if weighted else PLAIN

        def of(cut, y=y, scores=scores, weight=weight):
            return quality(metric, y, (scores >= cut).astype(int), weight)

        chosen = thresholds.best_threshold(y, binary(scores), metric, terms)
        assert of(chosen) == pytest.approx(max(map(of, [*scores, 2])), abs=1e-12)
        assert chosen not in scores or chosen == 0


def test_threshold_lies_halfway_between_two_rows():
    assert thresholds.best_threshold(
        np.array([0, 0, 1, 1]), binary([0.1, 0.2, 0.4, 0.9]), "f1"
    ) == pytest.approx(0.3)


def test_threshold_may_call_every_row_positive_or_none():
    y = np.array([1, 1, 0, 1, 1, 1])
    everything = thresholds.best_threshold(y, binary([0.6, 0.6, 0.6, 0.9, 0.9, 0.9]), "accuracy")
    assert thresholds.decide(binary([0.6, 0.9]), everything).tolist() == [1, 1]
    nothing = thresholds.best_threshold(1 - y, binary([0.2, 0.2, 0.1, 1.0, 0.9, 0.2]), "accuracy")
    assert thresholds.decide(binary([0.2, 1.0]), nothing).tolist() == [0, 0]


def test_threshold_is_one_half_for_equal_scores_and_none_for_three_classes():
    assert thresholds.best_threshold(np.array([0, 1, 1]), binary([0.3, 0.3, 0.3]), "f1") == 0.5
    assert thresholds.best_threshold(np.array([0, 1, 2]), np.eye(3), "f1") is None


@pytest.mark.parametrize("metric", ["f1", "accuracy"])
def test_decisions_of_a_fold_are_made_without_its_own_targets(metric):
    # each fold is separable, but by a threshold that is wrong for the other: a choice on the own
    # fold would be right in all rows
    y, fold = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    probabilities = binary([0.1, 0.2, 0.8, 0.9])
    decisions = thresholds.cross_fitted_decisions(OutOfFold(y, probabilities, fold), metric)
    assert decisions.tolist() == [0, 0, 1, 1]
    own = [
        thresholds.decide(
            probabilities[fold == k],
            thresholds.best_threshold(y[fold == k], probabilities[fold == k], metric),
        )
        for k in (0, 1)
    ]
    assert np.concatenate(own).tolist() == y.tolist()


def test_targets_of_a_fold_do_not_change_its_decisions():
    rows = classification(2, seed=4)
    fold = np.arange(len(rows)) % 3
    before = thresholds.cross_fitted_decisions(OutOfFold(rows.y, rows.output, fold), "f1")
    flipped = np.where(fold == 1, 1 - rows.y, rows.y)
    after = thresholds.cross_fitted_decisions(OutOfFold(flipped, rows.output, fold), "f1")
    assert (before[fold == 1] == after[fold == 1]).all()
    assert (before[fold != 1] != after[fold != 1]).any()


def test_rows_that_no_fold_predicts_are_not_looked_at():
    y, fold = np.array([1, 1, 0, 1, 0, 1]), np.array([-1, -1, 0, 0, 1, 1])
    probabilities = binary([np.nan, np.nan, 0.2, 0.8, 0.3, 0.7])
    decisions = thresholds.cross_fitted_decisions(OutOfFold(y, probabilities, fold), "f1")
    assert decisions.tolist() == [0, 0, 0, 1, 0, 1]


def test_decisions_are_for_classes_alone():
    assert thresholds.decided(regression(), None).decisions is None
    rows = classification(2)
    expected = thresholds.decide(rows.output, 0.3)
    assert (thresholds.decided(rows, 0.3).decisions == expected).all()


def test_threshold_costs_least_of_all():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        rows = rng.integers(2, 25)
        y = rng.integers(0, 2, rows)
        output = binary(rng.random(rows).round(rng.integers(1, 4)))
        terms = Terms(costs=rng.normal(size=(rows, 2)), metrics=(COST,))
        scores = output[:, 1]
        if len(set(scores)) == 1:
            continue

        def cost(cut):
            return metrics.value(COST, thresholds.decided(Rows(y, output, terms=terms), cut))

        chosen = thresholds.best_threshold(y, output, COST, terms)
        assert cost(chosen) == pytest.approx(min(map(cost, [*scores, 2])), abs=1e-9)


def test_class_of_least_expected_cost_is_decided_for():
    costs = [[0, 1, 5], [3, 0, 2], [20, 6, 0]]
    probabilities = np.array([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.1, 0.2, 0.7]])
    expected = [
        min(range(3), key=lambda decided: sum(p * costs[i][decided] for i, p in enumerate(row)))
        for row in probabilities
    ]
    assert expected == [1, 1, 2] != probabilities.argmax(axis=1).tolist()
    assert thresholds.decide(probabilities, costs).tolist() == expected
    stored = thresholds.rule_as_json(costs)
    assert thresholds.rule_of_json(stored) == costs and stored["threshold"] is None


def test_rule_of_several_classes_is_their_mean_costs_by_weight():
    y = np.array([0, 0, 1, 2])
    costs = np.array([[0, 1, 1], [0, 3, 1], [4, 0, 4], [1, 1, 0]])
    terms = Terms(weight=np.array([3.0, 1, 1, 1]), costs=costs, metrics=(COST,))
    rule = thresholds.best_rule(y, np.full((4, 3), 1 / 3), COST, terms)
    assert rule == [[0, 1.5, 1], [4, 0, 4], [1, 1, 0]]


def test_costs_of_a_folds_own_rows_do_not_decide_them():
    y, fold = np.array([0, 1, 0, 1] * 5), np.arange(20) % 2
    output = binary(np.random.default_rng(0).random(20))

    def decisions(costs):
        terms = Terms(costs=costs, metrics=(COST,))
        return thresholds.cross_fitted_decisions(OutOfFold(y, output, fold, terms), COST)

    costs = np.where(y[:, None] == 1, [9.0, 0.0], [0.0, 1.0])
    dearer = np.where((fold == 1)[:, None], [0.0, 50.0], costs)
    before, after = decisions(costs), decisions(dearer)
    assert (before[fold == 1] == after[fold == 1]).all()
    assert (before[fold == 0] != after[fold == 0]).any()
