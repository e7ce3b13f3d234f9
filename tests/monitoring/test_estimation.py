"""The estimate of a classifier's performance without labels is nearer to the truth than its
reference score, where rows shift.
"""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_predict

from pipeline.monitoring import estimation
from pipeline.scoring import metrics
from pipeline.scoring.rows import Rows

THRESHOLD = 0.4  # not 0.5, as a served threshold may be


def world(rng, rows, shift):
    """Return synthetic rows whose answers depend on them alike wherever they lie."""
    X = rng.normal(shift, 1, (rows, 4))
    p = 1 / (1 + np.exp(-(2 * X[:, 0] - 1.5 * X[:, 1] * (X[:, 0] > 0) + 0.5 * X[:, 2])))
    return X, (rng.random(rows) < p).astype(int)


def scores(y, output):
    found = metrics.score(Rows(y, output, (output[:, 1] >= THRESHOLD).astype(int)))
    return {metric: found[metric] for metric in ("accuracy", "roc_auc")}


def test_estimate_is_nearer_to_the_truth_than_the_reference_score_where_rows_shift():
    errors = {"estimate": [], "reference": []}
    for seed in range(4):
        rng = np.random.default_rng(seed)
        X, y = world(rng, 2000, 0)
        model = RandomForestClassifier(30, min_samples_leaf=5, random_state=0)
        oof = cross_val_predict(model, X, y, cv=4, method="predict_proba")
        calibrated = estimation.calibration(y, oof)
        model.fit(X, y)
        for shift in ([1, 0, 0, 0], [-1, 0.5, 0, 0]):
            X_new, y_new = world(rng, 2000, shift)
            output = model.predict_proba(X_new)
            found = estimation.estimate(
                calibrated(output), output, (output[:, 1] >= THRESHOLD).astype(int), seed
            )
            truth, reference = scores(y_new, output), scores(y, oof)
            errors["estimate"].append(
                [abs(found[metric].value - truth[metric]) for metric in truth]
            )
            errors["reference"].append([abs(reference[metric] - truth[metric]) for metric in truth])
    estimate, reference = (np.array(errors[name]) for name in ("estimate", "reference"))
    assert (estimate.max(axis=0) <= 0.045).all(), estimate
    assert (estimate.mean(axis=0) < 0.67 * reference.mean(axis=0)).all(), (
        estimate.mean(axis=0),
        reference.mean(axis=0),
    )


@pytest.mark.parametrize("classes", [2, 3])
def test_true_probabilities_give_the_true_score_and_its_range(classes):
    rng = np.random.default_rng(classes)
    p = rng.dirichlet(np.ones(classes), 1500)
    decisions = p.argmax(axis=1)
    found = estimation.estimate(p, p, decisions, 0)
    drawn = []
    for _ in range(200):
        y = (rng.random((len(p), 1)) > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
        rows = Rows(y, p, decisions)
        drawn.append([metrics.value(metric, rows) for metric in ("accuracy", "roc_auc")])
    for (metric, estimate), truth in zip(found.items(), np.array(drawn).T):
        assert estimate.value == pytest.approx(truth.mean(), abs=0.004), metric
        assert 0.9 <= ((truth >= estimate.low) & (truth <= estimate.high)).mean() < 1, metric


@pytest.mark.parametrize("rows", [150, 3000])
def test_calibration_corrects_probabilities_that_are_too_sure(rows):
    rng = np.random.default_rng(0)
    p = rng.uniform(0.2, 0.8, rows)
    y, sure = (rng.random(rows) < p).astype(int), p**3 / (p**3 + (1 - p) ** 3)
    output = np.column_stack([1 - sure, sure])
    corrected = estimation.calibration(y, output)(output)
    assert corrected.sum(axis=1) == pytest.approx(1)
    assert np.abs(corrected[:, 1] - p).mean() < 0.5 * np.abs(sure - p).mean()


def test_calibrated_probabilities_of_three_classes_sum_to_one_and_are_nearer_to_the_truth():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.full(3, 3), 3000)
    y, sure = (
        (rng.random((3000, 1)) > p.cumsum(axis=1)[:, :-1]).sum(axis=1),
        p**3 / (p**3).sum(axis=1, keepdims=True),
    )
    corrected = estimation.calibration(y, sure)(sure)
    assert corrected.sum(axis=1) == pytest.approx(1)
    assert np.abs(corrected - p).mean() < 0.6 * np.abs(sure - p).mean()


def test_range_holds_the_error_of_the_calibration_and_is_wider_with_fewer_rows():
    rng = np.random.default_rng(0)
    p = rng.uniform(0, 1, 2000)
    output = np.column_stack([1 - p, p])
    decisions = (p >= THRESHOLD).astype(int)
    widths = {}
    for rows in (200, 20_000):
        q = rng.uniform(0, 1, rows)
        y, oof = (rng.random(rows) < q).astype(int), np.column_stack([1 - q, q])
        calibrated = estimation.calibration(y, oof)(output)
        others = estimation.resampled(y, oof, output, 0)
        found = estimation.estimate(calibrated, output, decisions, 0, others)
        without = estimation.estimate(calibrated, output, decisions, 0)
        for metric in found:
            width = found[metric].high - found[metric].low
            widths[metric, rows] = width / (without[metric].high - without[metric].low)
    for metric in ("accuracy", "roc_auc"):
        assert widths[metric, 200] > 2, widths
        assert 1 <= widths[metric, 20_000] < 1.4, widths


def test_expected_scores_are_the_mean_of_those_of_drawn_labels():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 2000)
    decisions = p.argmax(axis=1)
    found = estimation.estimate(p, p, decisions, 0)
    exactly = estimation.estimate(p, p, decisions, 0, [p] * 5)
    assert exactly == found


def test_class_that_is_never_drawn_leaves_its_score_out():
    p = np.column_stack([np.ones(60), np.zeros(60)])
    assert estimation.estimate(p, p, np.zeros(60, dtype=int), 0) == {
        "accuracy": estimation.Estimate(1, 1, 1)
    }


def test_noise_of_few_rows_is_not_taken_for_separation():
    expected = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        first = rng.random((600, 2))
        oof = first / first.sum(axis=1, keepdims=True)
        labels = (rng.random(600) < 0.3).astype(int)
        calibrated = estimation.calibration(labels, oof)(oof)
        decisions = np.zeros(600, dtype=int)
        expected.append(estimation.estimate(calibrated, oof, decisions, seed)["roc_auc"].value)
    assert abs(np.mean(expected) - 0.5) < 0.02
