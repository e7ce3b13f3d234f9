"""Final models: a bag is the mean of the models that were scored, a refit sees all rows."""

import dataclasses

import numpy as np
import pytest

from pipeline.models.fitted import Blend
from pipeline.project import workers
from pipeline.project.settings.data import Prepare
from pipeline.training.problem import read_problem
from pipeline.tuning import final_models
from pipeline.tuning.trials import Trial, plan_of
from support.tuning import search, settings_with

TUNE = "tune: {models: [lightgbm, ridge], trials: 3, batch: 3, blend: false, final: FINAL}"


@pytest.fixture
def finals(trained, tmp_path):
    """A function that returns the problem, choices and final models of three trials."""

    def make(final, change=None):
        settings = settings_with(trained, TUNE.replace("FINAL", final))
        problem, plan = read_problem("tiny", settings), plan_of("tiny", settings)
        trials = search(settings, 3, tmp_path / "study")
        choices = {trial.name: final_models.of_trial(problem, trial) for trial in trials}
        if change:
            problem = dataclasses.replace(problem, **change)
        with workers.pool(2) as run:
            made = final_models.make_finals(problem, plan, choices, run, workers.no_progress)
        return problem, choices, made

    return make


def test_by_itself_a_trial_that_stopped_early_becomes_a_bag_and_any_other_is_refitted(finals):
    problem, choices, made = finals("auto")
    stopped = {name: bool(choice.trial.rounds) for name, choice in choices.items()}
    assert sorted(stopped.values()) == [False, False, True]
    assert {name: len(final.models) for name, final in made.items()} == {
        name: 3 if early else 1 for name, early in stopped.items()
    }


def test_by_itself_a_network_becomes_a_bag_and_a_forest_is_refitted(trained):
    settings = settings_with(trained, TUNE.replace("FINAL", "auto"))
    problem, plan = read_problem("tiny", settings), plan_of("tiny", settings)
    network, forest = (
        Trial(0, "portfolio", model, {}, early_stopping=True)
        for model in ("neural_network", "extra_trees")
    )
    assert final_models.is_bagged(problem, plan, network)
    assert not final_models.is_bagged(problem, plan, forest)


def test_bag_is_the_mean_of_the_models_that_were_scored(finals):
    problem, choices, made = finals("bag")
    for name, final in made.items():
        outputs = [model.output(problem.X_test) for model in final.models]
        assert final.test == pytest.approx(np.mean(outputs, axis=0))
        for fold, model in enumerate(final.models):
            rows = problem.folds[fold].predict
            scored = choices[name].out_of_fold[rows]
            assert model.output(problem.X.iloc[rows]) == pytest.approx(scored, rel=1e-6)
            of_fold = problem.test_fold == fold
            assert (final.test_by_fold[of_fold] == outputs[fold][of_fold]).all()
        model = final_models.mean_model(problem, {name: final}, {name: 1.0})
        assert isinstance(model, Blend) and len(model.preprocessings) <= 3
        assert model.output(problem.X_test) == pytest.approx(final.test, rel=1e-6)


def test_refit_is_one_model(finals):
    _, _, made = finals("refit")
    assert {len(final.models) for final in made.values()} == {1}


def test_split_by_time_asks_for_a_refit_as_the_first_folds_models_saw_early_rows_alone(finals):
    by_time = Prepare(split="time:when")
    _, _, made = finals("auto", {"prepare": by_time})
    assert {len(final.models) for final in made.values()} == {1}
