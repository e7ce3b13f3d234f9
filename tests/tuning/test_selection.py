"""The selection from a search: no tuned model is worse than its baseline."""

import json

import tune_hyperparameters
from pipeline.project import workers
from pipeline.training.problem import read_problem
from pipeline.tuning.selection import Library
from pipeline.tuning.trials import plan_of
from support.tuning import (
    search,
    settings_with,
)


def test_tuned_model_is_never_worse_than_its_baseline(finished):
    for dataset, metric in (("tiny", "rmse"), ("iris", "log_loss")):
        tuned, trained = (
            json.loads((finished / f"metrics/datasets/{dataset}/{stage}.json").read_text())[
                "candidates"
            ]
            for stage in ("tune", "train")
        )
        pairs = [
            (name, name.removeprefix("tuned_"))
            for name in tuned
            if name.removeprefix("tuned_") in trained
        ]
        assert pairs
        for name, untuned in pairs:
            assert tuned[name]["cv"][metric]["mean"] <= trained[untuned]["cv"][metric]["mean"]


def test_model_whose_best_trial_disappoints_when_scored_as_train_scores_stays_with_its_baseline(
    trained, tmp_path
):
    settings = settings_with(trained, "tune: {models: [ridge], blend: false}")
    problem, trials = read_problem("tiny", settings), search(settings, 4, tmp_path / "study")
    worst = max(trials, key=lambda trial: trial.value)
    assert worst.value > trials[0].value
    worst.value = 0.0  # as the search might have flattered it
    with workers.pool(2) as run:
        fitted = tune_hyperparameters.fit_candidates(
            problem, plan_of("tiny", settings), trials, Library({}, {}, {}), run
        )
    assert {name: one.parameters for name, one in fitted.items()} == {
        "tuned_ridge": trials[0].settled()
    }
