"""Rows are drawn again as they were drawn: by themselves, by class, by group or in time."""

import numpy as np
import pytest

from pipeline.scoring import bootstrap
from pipeline.scoring.rows import Rows
from pipeline.scoring.sampling import BY_ROW, Sampling, Weights, by_class
from support.predicted import binary

DRAWS = 400


def draws(sampling: Sampling, rows: int) -> np.ndarray:
    return Weights(sampling, rows, seed=3).draw(DRAWS)


def test_every_draw_has_as_many_rows_as_there_are():
    y = np.repeat([0, 1], [80, 20])
    for sampling in (BY_ROW, by_class(y, 500), Sampling("time", np.arange(100))):
        assert (draws(sampling, 100).sum(axis=1) == 100).all()


def test_plain_draws_let_the_share_of_a_class_vary_as_in_so_many_rows():
    y = np.repeat([0, 1], [80, 20])
    counts = draws(BY_ROW, 100) @ y
    assert counts.std() == pytest.approx(4, rel=0.2)


def test_share_of_a_class_of_a_stratified_split_varies_as_that_of_the_whole_table():
    y = np.repeat([0, 1], [80, 20])
    counts = draws(by_class(y, table_rows=500), 100) @ y
    # the share of 500 rows has the deviation 0.4 / sqrt(500), of 100 rows that is 1.8
    assert counts.std() == pytest.approx(1.8, rel=0.2)
    assert draws(by_class(np.repeat([0, 1], [98, 2]), 500), 100)[:, -2:].sum(axis=1).min() >= 1


def test_rows_of_a_group_are_drawn_together():
    groups = np.repeat(np.arange(20), 5)
    weights = draws(Sampling("group", groups), 100)
    assert (weights.reshape(DRAWS, 20, 5) == weights[:, ::5, None]).all()
    assert weights.sum(axis=1) == pytest.approx(100)


def test_rows_in_time_are_drawn_in_blocks_whatever_their_order_in_the_table():
    place = np.random.default_rng(0).permutation(1000)
    weights = draws(Sampling("time", place), 1000)
    in_time = weights[:, np.argsort(place)]
    # 1000 rows make blocks of 10: neighbours are drawn together nine times of ten
    together = np.mean([np.corrcoef(row[:-1], row[1:])[0, 1] for row in in_time])
    assert together == pytest.approx(0.9, abs=0.03)
    apart = np.mean([np.corrcoef(row[:-1], row[1:])[0, 1] for row in weights])
    assert abs(apart) < 0.05


def test_part_of_stratified_rows_is_drawn_row_by_row_and_keeps_groups():
    kept = np.arange(100) < 50
    assert by_class(np.repeat([0, 1], 50), 500).of_part(kept) == BY_ROW
    part = Sampling("group", np.repeat(np.arange(20), 5)).of_part(kept)
    assert part.by == "group" and len(part.units) == 50


def test_interval_of_grouped_rows_is_wider_than_that_of_as_many_single_rows():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(30), 10)
    error = np.repeat(rng.normal(size=30), 10)
    rows = Rows(np.zeros(300), error)
    single = bootstrap.resampled("rmse", rows, 0, DRAWS).interval
    grouped = bootstrap.resampled("rmse", rows, 0, DRAWS, Sampling("group", groups)).interval
    assert grouped.high - grouped.low > 2 * (single.high - single.low)


def test_log_loss_of_labels_that_came_row_by_row_counts_how_many_of_a_class_came():
    y = np.repeat([0, 1], [190, 10])
    rows = Rows(y, binary(np.where(y == 1, 0.3, 0.03)))
    plain = bootstrap.resampled("log_loss", rows, 0, DRAWS).interval
    stratified = bootstrap.resampled("log_loss", rows, 0, DRAWS, by_class(y, 10**9)).interval
    assert plain.high - plain.low > 0.05 > 0.001 > stratified.high - stratified.low
