"""Intervals cover the true value as often as they say, and repeat; differences are paired."""

import numpy as np
import pytest

from pipeline.scoring import bootstrap, metrics, thresholds
from pipeline.scoring.rows import Rows
from pipeline.scoring.sampling import by_class
from support.predicted import binary, classification, regression


def coverage(metric, truth, sample, simulations=1000):
    """Return in which share of simulated samples the interval of a metric holds its true value."""
    hits = 0
    for seed in range(simulations):
        rows = sample(np.random.default_rng(seed))
        low, high = bootstrap.resampled(metric, rows, seed=seed, resamples=200).interval
        hits += low <= truth <= high
    return hits / simulations


def test_interval_of_rmse_covers_the_true_value_in_about_95_of_100_samples():
    def sample(rng):
        return Rows(rng.normal(size=120), np.zeros(120))

    assert 0.90 <= coverage("rmse", 1.0, sample) <= 0.98


def test_interval_of_rmse_allows_for_the_large_error_that_few_samples_hold():
    def sample(rng):
        return Rows(rng.standard_t(3, 120), np.zeros(120))

    # percentiles hold the true value in 68 of 100
    assert coverage("rmse", 3**0.5, sample, 400) >= 0.76


def test_interval_stays_on_this_side_of_perfect():
    y = np.arange(12.0)
    rows = Rows(y, y + np.r_[np.zeros(11), 3])
    bounds = bootstrap.intervals(rows, 0, 200)
    assert bounds["rmse"].low >= 0 and bounds["r2"].high <= 1


def test_interval_of_a_faultless_model_is_its_score():
    y = np.arange(12.0)
    bounds = bootstrap.intervals(Rows(y, y), 0, 50)
    assert bounds["rmse"] == (0, 0) and bounds["r2"] == (1, 1)


def test_draws_that_lack_a_class_are_left_out_of_the_interval():
    y = np.r_[np.zeros(60, dtype=int), 1, 1]
    rows = thresholds.decided(Rows(y, binary(np.linspace(0, 1, 62))), 0.5)
    bounds = bootstrap.intervals(rows, 0, 200)
    assert bounds["roc_auc"] == pytest.approx((1, 1))


def test_interval_of_accuracy_covers_the_true_value_in_about_95_of_100_samples():
    def sample(rng):
        y = rng.integers(0, 2, 120)
        decisions = np.where(rng.random(120) < 0.8, y, 1 - y)
        return Rows(y, binary(decisions * 0.5 + 0.25), decisions)

    assert 0.90 <= coverage("accuracy", 0.8, sample) <= 0.98


def test_intervals_repeat_for_a_seed_and_change_with_it():
    rows = classification(3)
    first, again, other = (bootstrap.intervals(rows, seed, 100) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("cells", [1, 150 * 7, 150 * 99])
def test_intervals_do_not_depend_on_the_block_that_fits_into_memory(cells, monkeypatch):
    every_task = (classification(3), regression())
    whole = [bootstrap.intervals(rows, 7, 100) for rows in every_task]
    monkeypatch.setattr(bootstrap, "BLOCK_CELLS", cells)
    for rows, expected in zip(every_task, whole):
        for metric, interval in bootstrap.intervals(rows, 7, 100).items():
            assert interval == pytest.approx(expected[metric], rel=1e-12)


def test_interval_lies_around_the_value_of_every_metric():
    rows = classification(3)
    values = metrics.score(rows)
    for metric, (low, high) in bootstrap.intervals(rows, 0).items():
        assert low < values[metric] < high


def test_one_metric_has_the_interval_that_it_has_among_all():
    rows = classification(3)
    for metric, interval in bootstrap.intervals(rows, 4, 50).items():
        alone = bootstrap.resampled(metric, rows, 4, 50)
        assert (alone.value, alone.interval) == (metrics.value(metric, rows), interval)


def test_rare_class_is_in_every_resample():
    y = np.r_[np.zeros(96, dtype=int), np.ones(4, dtype=int)]
    rows = thresholds.decided(Rows(y, binary(np.linspace(0, 1, 100))), 0.955)
    bounds = bootstrap.intervals(rows, 0, sampling=by_class(y, table_rows=500))
    assert bounds["roc_auc"] == (1, 1) and bounds["recall"] == (1, 1)


@pytest.mark.filterwarnings("error")
def test_interval_of_a_metric_that_an_absent_class_leaves_undefined_is_nan_without_a_warning():
    rows = Rows(np.zeros(20, dtype=int), binary(np.linspace(0.9, 0.1, 20)))
    bounds = bootstrap.intervals(thresholds.decided(rows, None), 0, 50)
    assert np.isnan(bounds["roc_auc"]).all() and np.isnan(bounds["average_precision"]).all()
    assert np.isfinite(bounds["log_loss"]).all()


def test_difference_is_paired_and_counts_what_is_better():
    rng = np.random.default_rng(3)
    y = rng.normal(size=400)
    hard = rng.normal(0, 2, 400)
    one, other = y + hard, y + 1.05 * hard
    better, worse = (bootstrap.resampled("rmse", Rows(y, output), 7) for output in (one, other))
    gain = bootstrap.difference(better, worse)
    draws = np.random.default_rng(0).integers(0, 400, (2000, 400))
    one_drawn = np.sqrt(((one - y)[draws] ** 2).mean(axis=1))
    other_drawn = np.sqrt(((other - y)[draws] ** 2).mean(axis=1))
    low, high = np.quantile(other_drawn - one_drawn, [0.025, 0.975])
    truth = np.sqrt(np.mean((other - y) ** 2)) - np.sqrt(np.mean((one - y) ** 2))
    assert gain.value == pytest.approx(truth, rel=1e-5)
    assert gain.interval.low == pytest.approx(low, abs=0.01) and gain.interval.low > 0
    assert gain.interval.high == pytest.approx(high, abs=0.01)
    flipped = bootstrap.difference(worse, better)
    assert flipped.value == -gain.value
    assert flipped.interval.low == pytest.approx(-gain.interval.high)


@pytest.mark.parametrize(
    "metric, before, now", [("rmse", 1.0, (1.1, 1.2)), ("r2", 1.0, (0.8, 0.9))]
)
def test_clearly_worse_is_worse_than_the_whole_interval(metric, before, now):
    low, high = now
    assert bootstrap.clearly_worse(metric, before, now)
    assert not bootstrap.clearly_worse(metric, (low + high) / 2, now)
    assert not bootstrap.clearly_worse(metric, None, now)
    assert not bootstrap.clearly_worse(metric, before, (None, high))


def test_score_is_stored_with_six_digits_and_none_for_what_is_not_defined():
    nan = float("nan")
    assert bootstrap.Score(0.123456789).as_json() == {"value": 0.123457}
    undefined = bootstrap.Score(nan, bootstrap.Interval(nan, nan))
    assert undefined.as_json() == {"value": None, "low": None, "high": None}
