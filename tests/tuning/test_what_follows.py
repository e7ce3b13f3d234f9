"""What follows a search: the seconds that are kept for it, by what was seen."""

import time

import numpy as np
import pytest

from pipeline.project import files, params, paths
from pipeline.training import assessment
from pipeline.training.problem import read_problem
from pipeline.training.stage_output import Rehearsed
from pipeline.tuning import selection
from pipeline.tuning.folds import Folds, fit_fold
from pipeline.tuning.selection import BESIDE, MARGIN, WhatFollows
from pipeline.tuning.trials import FINISHED, FoldFit, Trial, plan_of
from support.processes import script
from support.tuning import settings_with


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
    """Return what follows, as a rehearsal of a bag of all folds says, and its calls."""
    calls = []

    def rehearse(problem, one):
        calls.append(one.number)
        return Rehearsed(len(problem.folds), predicting=0.5, importance=3.0, storing=1.0)

    plan = plan_of("tiny", params.load().tuning(blend=blend))
    return WhatFollows(problem, plan, threads, rehearse), calls


def test_nothing_is_kept_before_a_trial_is_finished_and_one_is_rehearsed_once(problem):
    follows, calls = after(problem)
    assert follows.seconds([]) == 0 and not calls
    trials = [trial(problem, 0, "ridge", 3.0), trial(problem, 1, "ridge", 2.0)]
    first = follows.seconds(trials)
    assert follows.seconds(trials) == first and calls == [0]
    # ridge and the blend of two are stored; the blend asks for fewer rows of twice the models
    more_rows = asked_of(problem, 2) / asked_of(problem, 1)
    asked = (0.5 + 3.0) + (2 * 0.5 + more_rows * 3.0)
    assert first == pytest.approx(MARGIN * ((2 + BESIDE) * 1.0 + asked))
    more = follows.seconds([*trials, trial(problem, 2, "lightgbm", 5.0)])
    assert more > first + MARGIN * 4.5


def asked_of(problem, members):
    """Return how many rows models are asked for by an importance, of so many bags."""
    return assessment.asked_for_importance(problem, members * len(problem.folds))


def test_slower_model_takes_longer_to_ask_and_no_longer_to_store(problem):
    follows, _ = after(problem, blend=False)
    first = trial(problem, 0, "ridge", 3.0)
    slower = trial(problem, 1, "ridge", 2.0, a_row=0.003)
    stored = MARGIN * (1 + BESIDE)
    assert follows.seconds([first]) == pytest.approx(stored + MARGIN * 3.5)
    assert follows.seconds([first, slower]) == pytest.approx(stored + MARGIN * 3 * 3.5)


def test_models_that_have_to_be_fitted_again_and_a_busy_machine_take_longer(problem):
    follows, _ = after(problem)
    kept = [trial(problem, 0, "ridge", 3.0), trial(problem, 1, "ridge", 2.0)]
    lost = [kept[0], trial(problem, 1, "ridge", 2.0, has_models=False)]
    of_kept = follows.seconds(kept)
    assert follows.seconds(lost) == pytest.approx(of_kept + MARGIN * 2.0 * len(problem.folds))
    busy, _ = after(problem, threads=1)
    busy.began = time.perf_counter() - 30
    busy.began_on_processor = time.process_time() - 10
    assert busy.seconds(kept) == pytest.approx(3 * of_kept, rel=0.02)


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
    assert min(found.predicting, found.importance, found.storing) > 0
    assert found.models == len(problem.folds)
    assert sorted(path for path in trained.rglob("*") if path.is_file()) == before


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [30, 60])
def test_stage_takes_the_seconds_that_it_may(trained, seconds):
    settings_with(trained, "tune: {models: [lightgbm, ridge]}")
    done = script("tune_hyperparameters.py", "--dataset", "tiny", "--seconds", str(seconds))
    assert done.returncode == 0, done.stderr
    taken = files.read_json(paths.timings("tiny", "tune"), made_by="tune")
    assert 0.7 * seconds < taken["search"] + taken["rest"] < 1.1 * seconds
