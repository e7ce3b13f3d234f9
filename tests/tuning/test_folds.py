"""Folds: early stopping sees no row that is scored, and a failure has one reason everywhere."""

import dataclasses
import time

import numpy as np
import pytest

from pipeline.models import fitting
from pipeline.models.families import boosters
from pipeline.models.families.boosters import Stopping, TimeIsOver
from pipeline.project import params
from pipeline.training.problem import read_problem
from pipeline.tuning.folds import Folds, reason
from support.tuning import (
    BOOSTERS,
)


@pytest.mark.parametrize(
    "message, expected",
    [
        (
            (
                "[12:34:56] /workspace/src/a.cc:12: Check failed: n > 0 (0 vs. 0)\n"
                "Stack trace:\n  (0) /home/me/b.so(+0x2f) [0x7f]"
            ),
            "a.cc:12: Check failed: n > 0 (0 vs. 0)",
        ),
        ("no file '/home/me/project/data/x.csv' or D:\\me\\y.csv", "no file 'x.csv' or y.csv"),
        (
            (
                "must be in [0, 1) and/or 'a/b', got <object object\nat 0x7fac3814fe50>; "
                "see https://example.org/a/b"
            ),
            "must be in [0, 1) and/or 'a/b', got <object object>; see https://example.org/a/b",
        ),
        ("x" * 300, "x" * 200),
    ],
)
def test_reason_of_a_failure_is_one_line_that_is_the_same_everywhere(message, expected):
    assert reason(message) == expected


@pytest.mark.parametrize("name", BOOSTERS)
@pytest.mark.parametrize("dataset", ["tiny", "iris"])
@pytest.mark.parametrize("weighted", [False, True])
def test_booster_on_binned_tables_equals_the_one_that_is_stored(trained, name, dataset, weighted):
    problem = read_problem(dataset, params.load())
    spec, rounds = problem.model_spec(name), {boosters.rounds_setting(name): 12}
    fit, new = problem.folds[0]
    weight = np.random.default_rng(0).exponential(size=len(fit)) if weighted else None
    rows = fitting.prepare(spec, problem.X.iloc[fit], problem.y[fit], 7, weight=weight)
    tables = boosters.binned(
        spec,
        BOOSTERS[name],
        rows,
        rows.preprocessing.transform(problem.X.iloc[new]),
        problem.y[new],
    )
    X_new = problem.X.iloc[new]
    for seed in (7, 8):  # the second fit finds the tables as the first one left them
        stored = fitting.fit(
            spec,
            BOOSTERS[name] | rounds,
            problem.X.iloc[fit],
            problem.y[fit],
            seed,
            weight=weight,
        )
        ours, found = boosters.fit(
            spec, BOOSTERS[name], tables, problem.y[fit], seed, Stopping(12), weight
        )
        expected = stored.output(X_new)
        assert (
            found == 12
            and np.abs(ours.output(X_new) - expected).max() <= 1e-6 * np.abs(expected).max()
        )


@pytest.mark.parametrize("name", BOOSTERS)
def test_rounds_are_found_without_the_fold_that_is_scored(trained, name):
    settings = params.load()
    problem = read_problem("tiny", settings)
    fold_rows = problem.folds[1][1]
    spoilt = dataclasses.replace(
        problem, y=np.where(np.isin(np.arange(len(problem.y)), fold_rows), -1e6, problem.y)
    )
    hyperparameters = {**BOOSTERS[name], "learning_rate": 0.2, boosters.rounds_setting(name): 60}
    tune = settings.dataset("tiny").tune
    one, other = (
        Folds(any_problem, tune).fit(1, name, hyperparameters, True)
        for any_problem in (problem, spoilt)
    )
    assert one.rounds == other.rounds <= 60 and (one.output == other.output).all()
    split = Folds(problem, tune).stopping[1]
    fit, stop = split.fit, split.stop
    assert not set(fit) & set(stop) and not (set(fit) | set(stop)) & set(fold_rows)
    assert sorted([*fit, *stop]) == sorted(problem.folds[1][0])


@pytest.mark.parametrize("name", BOOSTERS)
def test_small_fold_is_fitted_on_all_its_rows_once_the_rounds_are_known(trained, name, monkeypatch):
    settings = params.load()
    rounds = boosters.rounds_setting(name)
    hyperparameters = {**BOOSTERS[name], "learning_rate": 0.2, rounds: 60}
    folds = Folds(read_problem("tiny", settings), settings.dataset("tiny").tune)
    stopped = folds.fit(1, name, hyperparameters, early_stopping=True)
    same = folds.fit(1, name, {**hyperparameters, rounds: stopped.rounds}, early_stopping=False)
    assert (stopped.output == same.output).all()
    monkeypatch.setattr("pipeline.tuning.folds.FEW_ROWS", 10)
    on_some = folds.fit(1, name, hyperparameters, early_stopping=True)
    assert on_some.rounds == stopped.rounds and (on_some.output != stopped.output).any()


@pytest.mark.parametrize("name", BOOSTERS)
def test_booster_is_given_up_when_its_time_is_over(trained, name):
    settings = params.load()
    problem = read_problem("tiny", settings)
    folds = Folds(problem, settings.dataset("tiny").tune)
    chosen = {**BOOSTERS[name], boosters.rounds_setting(name): 30}
    with pytest.raises(TimeIsOver):
        folds.fit(0, name, chosen, True, until=time.time() - 1)
    in_time = folds.fit(0, name, chosen, True, until=time.time() + 600)
    unlimited = folds.fit(0, name, chosen, True)
    assert in_time.rounds == unlimited.rounds
    assert (in_time.output == unlimited.output).all()
