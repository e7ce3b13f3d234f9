"""The search: the same trials whatever the workers and the interruptions."""

import json
import shutil
import time
import warnings

import pandas as pd
import pytest

from pipeline.project import params
from pipeline.training.problem import read_problem
from pipeline.tuning import optuna_study
from pipeline.tuning.folds import Folds
from pipeline.tuning.trials import best_trial
from pipeline.tuning.under_way import NO_TIME
from support.tuning import (
    search,
    settings_with,
    without_timings,
)


def test_baselines_come_first_then_the_portfolio_and_the_baseline_scores_as_train_scored_it(
    finished,
):
    table = pd.read_csv(finished / "models/tiny/tune/trials.csv")
    assert list(table["origin"])[:3] == ["baseline", "baseline", "portfolio"] and set(
        table["origin"][3:]
    ) == {"search"}
    trained = json.loads((finished / "metrics/datasets/tiny/train.json").read_text())["candidates"]
    assert (
        table.loc[1, "model"] == "ridge"
        and table.loc[1, "value"] == trained["ridge"]["cv"]["rmse"]["mean"]
    )
    assert table.loc[2, "lightgbm.num_leaves"] == 7
    assert (
        table.loc[0, "lightgbm.n_estimators"] == 20 < table.loc[2, "lightgbm.n_estimators"] <= 40
    )  # the most of its space


@pytest.mark.parametrize("pruner", ["race", "none"])
def test_any_number_of_workers_gives_the_same_trials(trained, tmp_path, pruner):
    settings = settings_with(
        trained, f"tune: {{models: [lightgbm, ridge], trials: 14, batch: 4, pruner: {pruner}}}"
    )
    one, three = (
        without_timings(search(settings, 14, tmp_path / f"{pruner}{number}", number))
        for number in (1, 3)
    )
    assert one == three and len(one) == 14
    pruned = [trial for trial in one if trial["state"] == "pruned"]
    assert bool(pruned) == (pruner == "race") and all(len(trial["folds"]) < 3 for trial in pruned)


def test_trial_is_drawn_by_what_is_known_of_all_but_the_last_ones_before_it(
    trained, tmp_path, monkeypatch
):
    settings = settings_with(trained, "tune: {models: [ridge], trials: 9, batch: 3}")
    known, original = [], optuna_study.ask

    def ask(study, *arguments):
        states = [trial.state.name for trial in study.get_trials(deepcopy=False)]
        known.append(sum(state != "RUNNING" for state in states))
        return original(study, *arguments)

    monkeypatch.setattr(optuna_study, "ask", ask)
    search(settings, 9, tmp_path / "study", n_workers=2)
    assert known == [0, 0, 0, 1, 2, 3, 4, 5, 6]


def test_search_that_ended_within_a_batch_goes_on_as_if_it_had_not(trained, tmp_path):
    settings = params.load()
    unbroken = without_timings(search(settings, 8, tmp_path / "unbroken"))
    drawn = [trial["hyperparameters"] for trial in unbroken if trial["origin"] == "search"]
    assert all(drawn.count(point) == 1 for point in drawn)
    assert without_timings(search(settings, 4, tmp_path / "resumed")) == unbroken[:4]
    assert without_timings(search(settings, 8, tmp_path / "resumed")) == unbroken
    assert without_timings(search(settings, 2, tmp_path / "resumed")) == unbroken[:2]


def test_finished_study_fits_nothing_again_and_lost_fits_are_done_again(
    trained, tmp_path, monkeypatch
):
    settings, folder, fitted = params.load(), tmp_path / "study", []
    before = search(settings, 6, folder)
    original = Folds.fit
    monkeypatch.setattr(Folds, "fit", lambda self, *job: fitted.append(job) or original(self, *job))
    assert without_timings(search(settings, 6, folder)) == without_timings(before) and not fitted
    (folder / "fits/0001_2.npz").write_bytes(b"not whole")
    (folder / "fits/0001_0.npz").unlink()
    cut = folder / "fits/0001_1.npz"
    cut.write_bytes(cut.read_bytes()[:200])
    shutil.copy(folder / "fits/0002_1.npz", folder / "fits/0000_1.npz")  # of another trial
    again = search(settings, 6, folder)
    assert sorted(job[:2] for job in fitted) == [
        (0, "ridge"),
        (1, "lightgbm"),
        (1, "ridge"),
        (2, "ridge"),
    ]
    problem = read_problem("tiny", settings)
    assert (again[1].out_of_fold(problem) == before[1].out_of_fold(problem)).all()


def test_failed_fit_is_a_failed_trial_with_its_reason_and_not_the_end(trained, tmp_path):
    space = "num_leaves: {low: 3, high: 15}"
    settings = settings_with(
        trained, replaced={space: f"{space}, boosting_type: {{choices: [gbdt, nonsense]}}"}
    )
    trials = search(settings, 14, tmp_path / "study")
    failed = [trial for trial in trials if trial.state == "failed"]
    assert failed and all("nonsense" in trial.reason for trial in failed)
    assert {trial.hyperparameters["boosting_type"] for trial in failed} == {"nonsense"}
    assert best_trial(trials, "rmse").hyperparameters.get("boosting_type", "gbdt") == "gbdt"


def test_search_is_silent_and_leaves_the_filters_of_warnings(trained, tmp_path, recwarn):
    settings = settings_with(trained, "tune: {models: [ridge], trials: 3, pruner: race}")
    search(
        settings, 1, tmp_path / "first"
    )  # scipy and others set filters of their own when they are imported
    filters = list(warnings.filters)
    search(settings, 3, tmp_path / "study")
    assert not recwarn.list and warnings.filters == filters


def test_time_limit_ends_the_search_between_two_fits_and_gives_up_what_is_under_way(
    trained, tmp_path, monkeypatch
):
    settings, folder, now = params.load(), tmp_path / "study", [0]
    unbroken = search(settings, 9, tmp_path / "unbroken")
    original = Folds.fit
    with monkeypatch.context() as patched:
        patched.setattr(time, "time", lambda: now[0])
        patched.setattr(
            Folds, "fit", lambda *job: now.insert(0, now[0] + 1) or original(*job)
        )  # takes a second
        trials = search(settings, 9, folder, n_workers=1, until=6.5)
        ended = now[0]
        now.insert(0, 0)
        kept = {"until": 8.5, "what_follows": lambda trials: 2.0}
        again = search(settings, 9, tmp_path / "kept", n_workers=1, **kept)
    assert ended == now[0] == 7
    assert without_timings(again) == without_timings(trials)
    in_time = [trial for trial in trials if trial.reason != NO_TIME]
    assert [trial.number for trial in in_time] == [0, 1]
    assert without_timings(in_time) == without_timings(unbroken[:2])
    assert all(trial.state == "pruned" for trial in trials[2:]) and len(trials) > 2
    later = search(settings, 9, folder, until=time.time() + 600)
    assert without_timings(later[: len(trials)]) == without_timings(trials) and len(later) == 9
    assert all(trial.reason != NO_TIME for trial in later[len(trials) :])
