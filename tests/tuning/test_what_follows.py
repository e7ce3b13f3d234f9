"""What follows a search: the seconds that are kept for it, by what was seen."""

import time

import numpy as np
import pytest

from pipeline.project import files, params, paths
from pipeline.training import assessment
from pipeline.training.problem import read_problem
from pipeline.tuning import selection
from pipeline.tuning.folds import Folds, fit_fold
from pipeline.tuning.selection import BESIDE, MARGIN, WhatFollows
from pipeline.tuning.trials import FINISHED, FoldFit, Trial, plan_of
from support.processes import script
from support.tuning import settings_with

STORING = 4.0


@pytest.fixture
def problem(trained):
    return read_problem("tiny", params.load())


def trial(problem, number, model, value, has_models=True, a_row=0.001):
    """Return a finished trial whose folds took two seconds each, and so many to predict a row."""
    fits = {}
    for fold, rows in enumerate(problem.folds):
        output = np.zeros(len(rows.predict))
        fits[fold] = FoldFit(
            output, 9, 0.0, 2.0, a_row * len(output), object() if has_models else None
        )
    seconds = 2.0 * len(fits)
    return Trial(
        number, "search", model, {}, True, FINISHED, value, rounds=[9], seconds=seconds, fits=fits
    )


def after(problem, threads=0, blend=True):
    """Return what follows, by a rehearsal that took four seconds, and its calls."""
    calls = []

    def rehearse(problem, one):
        calls.append(one.number)
        return STORING

    plan = plan_of("tiny", params.load().tuning(blend=blend))
    return WhatFollows(problem, plan, threads, rehearse), calls


def test_nothing_is_kept_before_a_trial_is_finished_and_one_is_rehearsed_once(problem):
    follows, calls = after(problem)
    assert follows.seconds([]) == 0 and not calls
    trials = [trial(problem, 0, "ridge", 3.0), trial(problem, 1, "ridge", 2.0)]
    first = follows.seconds(trials)
    assert follows.seconds(trials) == first and calls == [0]
    stored = (2 + BESIDE) * STORING
    asked = asked_of(problem, 1) + asked_of(problem, 2) + contributions_of(problem, 2)
    assert first == pytest.approx(MARGIN * (stored + 0.001 * asked))
    more = follows.seconds([*trials, trial(problem, 2, "lightgbm", 5.0)])
    assert more > first + MARGIN * STORING


def asked_of(problem, bags):
    """Return how many rows the models of so many bags predict for scores and importances."""
    return assessment.predictions_of(problem, bags * len(problem.folds))


def contributions_of(problem, bags):
    """Return how many they predict for the contributions of the columns."""
    return assessment.predictions_of_contributions(problem, bags * len(problem.folds))


def test_slower_model_takes_longer_to_ask_and_no_longer_to_store(problem):
    follows, _ = after(problem, blend=False)
    first = trial(problem, 0, "ridge", 3.0)
    slower = trial(problem, 1, "ridge", 2.0, a_row=0.003)
    asked = asked_of(problem, 1) + contributions_of(problem, 1)
    stored = (1 + BESIDE) * STORING
    assert follows.seconds([first]) == pytest.approx(MARGIN * (stored + 0.001 * asked))
    assert follows.seconds([first, slower]) == pytest.approx(MARGIN * (stored + 0.003 * asked))


def test_models_that_have_to_be_fitted_again_and_a_busy_machine_take_longer(problem):
    follows, _ = after(problem)
    kept = [trial(problem, 0, "ridge", 3.0), trial(problem, 1, "ridge", 2.0)]
    lost = [kept[0], trial(problem, 1, "ridge", 2.0, has_models=False)]
    of_kept = follows.seconds(kept)
    assert follows.seconds(lost) == pytest.approx(of_kept + MARGIN * 2.0 * len(problem.folds))
    busy, _ = after(problem, threads=1)
    busy.began = time.perf_counter() - 30
    busy.began_on_processor = time.process_time() - 10
    stored = MARGIN * (2 + BESIDE) * STORING
    assert busy.seconds(kept) == pytest.approx(of_kept + 2 * stored, rel=0.02)


def test_rehearsal_leaves_nothing_and_takes_time(trained):
    settings = params.load()
    problem = read_problem("tiny", settings)
    folds = Folds(problem, settings.dataset("tiny").tune)
    one = trial(problem, 0, "ridge", 1.0)
    one.early_stopping, one.rounds = False, []
    for fold in one.fits:
        one.fits[fold] = fit_fold(folds, fold, "ridge", {}, False)
    before = sorted(path for path in trained.rglob("*") if path.is_file())
    found = selection.rehearse_as_chosen(problem, one)
    assert found > 0
    assert sorted(path for path in trained.rglob("*") if path.is_file()) == before


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [30, 60])
def test_stage_takes_the_seconds_that_it_may(trained, seconds):
    settings_with(trained, "tune: {models: [lightgbm, ridge]}")
    done = script("tune_hyperparameters", "--dataset", "tiny", "--seconds", str(seconds))
    assert done.returncode == 0, done.stderr
    taken = files.read_json(paths.timings("tiny", "tune"), made_by="tune")
    assert 0.7 * seconds < taken["search"] + taken["rest"] < 1.1 * seconds
