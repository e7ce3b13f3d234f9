"""The verdict on labelled rows: by the score to expect, on enough rows of each class."""

import numpy as np

from pipeline.monitoring import performance
from pipeline.monitoring.performance import ServedPerformance
from pipeline.scoring import metrics, thresholds
from pipeline.scoring.definitions.classification import COST
from pipeline.scoring.rows import Rows
from support.predicted import binary

CLASSES = ["no", "yes"]


def labelled(positives: int, rows: int = 600) -> Rows:
    """Return rows whose answers say little about them."""
    rng = np.random.default_rng(0)
    y = (np.arange(rows) < positives).astype(int)
    chance = np.clip(0.4 + 0.05 * y + rng.normal(0, 0.2, rows), 0.01, 0.99)
    return thresholds.decided(Rows(y, binary(chance)), 0.5)


def judged(rows: Rows, out_of_fold: float, expected: float) -> ServedPerformance:
    found = ServedPerformance("ridge", "roc_auc", {"roc_auc": out_of_fold}, expected, {})
    return performance._judged(found, rows, CLASSES, seed=0)


def test_model_does_worse_where_the_score_to_expect_lies_above_the_whole_interval():
    found = judged(labelled(200), out_of_fold=0.9, expected=0.9)
    assert found.worse and found.too_few is None


def test_score_out_of_fold_that_flatters_is_not_what_is_expected():
    rows = labelled(200)
    assert not judged(rows, 0.9, expected=metrics.value("roc_auc", rows)).worse


def test_too_few_labels_of_a_class_are_not_judged_and_said():
    found = judged(labelled(49), out_of_fold=0.9, expected=0.9)
    assert not found.worse and found.too_few == "49 labelled rows of class yes"
    assert found.interval is not None
    assert performance.lines(found, 600)[-1] == (
        "  roc_auc: too few to judge: 49 labelled rows of class yes, 50 are needed"
    )
    assert judged(labelled(50), 0.9, 0.9).worse


def test_metric_of_costs_is_not_judged_on_served_rows_and_said():
    found = ServedPerformance("ridge", COST, {COST: 90.0}, 80.0, {"f1": 0.5})
    judged_found = performance._judged(found, labelled(200), CLASSES, seed=0)
    assert judged_found == found and not found.worse
    assert performance.lines(found, 600) == [
        "  cost_per_1000: not measured on served rows: it is of costs or of code of your own"
    ]
