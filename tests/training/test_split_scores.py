"""Both splits are judged by the folds' models, and the choice of a candidate flatters neither."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import drift_after_training
from pipeline.scoring.sampling import Sampling
from pipeline.training import candidates, split_scores
from pipeline.training.predictions import Predicted


@pytest.fixture(scope="module")
def noise_problem():
    rng = np.random.default_rng(0)
    return drift_after_training.problem_of(drift_after_training.noise(rng), seed=0)


def test_folds_share_out_the_test_rows_as_they_share_the_training_rows(noise_problem):
    counts = np.bincount(noise_problem.test_fold)
    assert counts.sum() == len(noise_problem.X_test) and set(counts) == {24}
    assert (noise_problem.test_fold[:24] != 0).any()


def test_output_of_the_folds_models_does_not_drift_where_that_of_a_refit_would(
    noise_problem, monkeypatch
):
    # five constants against a sixth
    monkeypatch.setattr(drift_after_training, "MODELS", {"dummy": {}})
    uneven = np.arange(len(noise_problem.y)) < 300
    noise_problem.y[:] = np.where(uneven, noise_problem.y, 0)
    fits = drift_after_training.fits_of(noise_problem)
    both = drift_after_training.predicted(noise_problem, fits)
    refitted = candidates.fit_on_all_rows("dummy", fits["dummy"]).test_output
    training, test = both.reference.outputs["dummy"], both.current.outputs["dummy"]
    assert len(np.unique(training[:, 1])) > 1
    assert set(np.unique(test)) == set(np.unique(training))
    compared = drift_after_training.compared
    assert not compared(noise_problem, training, test).prediction.has_drifted
    assert compared(noise_problem, training, refitted).prediction.has_drifted


def by_fold(y, fold, **outputs):
    return Predicted(pd.RangeIndex(len(y)), y, fold, outputs)


def test_candidate_of_a_fold_is_the_best_on_the_others():
    y, fold = np.zeros(60), np.arange(60) % 3
    lucky = np.where(fold == 0, 0.0, 2.0)
    training = by_fold(y, fold, lucky=lucky, steady=np.full(60, 0.9))
    assert split_scores.chosen_by_others(training, "rmse") == {
        0: "steady",
        1: "steady",
        2: "steady",
    }
    on_training, _ = split_scores.judged_rows(training, training, "rmse")
    assert (on_training.output == 0.9).all()


def test_model_does_clearly_worse_where_the_test_rows_are_harder_and_not_by_chance():
    rng = np.random.default_rng(0)
    fold, errors = np.arange(400) % 5, rng.normal(size=400)
    training = by_fold(np.zeros(400), fold, model=errors)
    alike = by_fold(np.zeros(100), fold[:100], model=rng.normal(size=100))
    harder = by_fold(np.zeros(100), fold[:100], model=rng.normal(0, 2, 100))
    gains = [
        split_scores.gain_of_predictions(training, test, "rmse", seed=0) for test in (alike, harder)
    ]
    assert [split_scores.is_clear(gain) for gain in gains] == [False, True]
    assert gains[1].value == pytest.approx(1, abs=0.3)


def test_rows_of_a_group_count_as_one():
    rng = np.random.default_rng(0)
    towns = np.arange(100) // 10
    training = by_fold(np.zeros(100), np.arange(100) % 5, model=rng.normal(size=10)[towns])
    test = by_fold(np.zeros(100), np.arange(100) % 5, model=rng.normal(0, 1.3, size=10)[towns])
    by_town = Sampling("group", towns)
    by_row = split_scores.gain_of_predictions(training, test, "rmse", seed=0)
    grouped = split_scores.gain_of_predictions(training, test, "rmse", 0, by_town, by_town)
    widths = [gain.interval.high - gain.interval.low for gain in (by_row, grouped)]
    assert widths[1] > 2 * widths[0]
