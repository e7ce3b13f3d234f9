"""Tuning: the same trials whatever the workers and the interruptions, honest scores, a blend that is stored like any model."""

import dataclasses
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pandas as pd
import pytest

import tune_hyperparameters
from pipeline.models import boosters, catalogue, fitting, storage
from pipeline.models import fitted as models_fitted
from pipeline.project import files, params, paths, workers
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Tune
from pipeline.training.problem import read_problem
from pipeline.tuning import blending, journal, study_report
from pipeline.tuning import search as tuning_search
from pipeline.tuning.folds import Folds, reason
from pipeline.tuning.journal import Journal
from pipeline.tuning.selection import Library
from pipeline.tuning.trials import Plan, Trial, best_trial, cheapest_near_best, plan_of
from support.imports import rooms_behind
from support.processes import ROOT, script, until, with_ctrl_c
from support.projects import PARAMS, copy_project

BOOSTERS = {
    "lightgbm": {
        "num_leaves": 7,
        "min_child_samples": 5,
        "colsample_bytree": 0.7,
        "subsample": 0.8,
        "subsample_freq": 1,
    },
    "xgboost": {"max_depth": 3, "subsample": 0.7, "colsample_bytree": 0.8},
    "catboost": {"depth": 3},
}
LEAVES = "num_leaves: {low: 3, high: 15}"
TUNE_TINY = "tune: {models: [lightgbm, ridge], trials: 6, batch: 3}"
ONE_OBJECTIVE = Plan(Tune(), {}, {}, {})


def settings_with(project, tune: str = TUNE_TINY, replaced: dict[str, str] | None = None):
    """Return the settings of the project with another tune block for `tiny`, and other texts replaced."""
    text = (project / "params.yaml").read_text()
    for old, new in {TUNE_TINY: tune, **(replaced or {})}.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (project / "params.yaml").write_text(text)
    return params.load()


@pytest.fixture
def trained(finished, tmp_path, monkeypatch):
    """The finished project's files, without MLflow's store and the studies, as the working directory."""
    unwanted = shutil.ignore_patterns("mlruns", "mlflow.db*", "studies", ".dvc", ".git")
    shutil.copytree(finished, tmp_path / "project", ignore=unwanted)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def search(settings, n_trials, folder, n_workers=2, dataset="tiny", **options):
    """Return the trials of a search, in a folder of its own."""
    with workers.pool(n_workers) as run:
        return tuning_search.search(
            read_problem(dataset, settings),
            plan_of(dataset, settings),
            n_trials,
            run,
            folder,
            lambda count, note: None,
            **options,
        ).trials


def told(trials):
    """Return what a trial is, without the seconds it took."""
    return [
        {key: value for key, value in vars(trial).items() if key not in ("seconds", "fits")}
        for trial in trials
    ]


# the search


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


@pytest.mark.parametrize("pruner", ["median", "wilcoxon", "hyperband"])
def test_any_number_of_workers_gives_the_same_trials(trained, tmp_path, pruner):
    settings = settings_with(
        trained, f"tune: {{models: [lightgbm, ridge], trials: 14, batch: 7, pruner: {pruner}}}"
    )
    one, three = (
        told(search(settings, 14, tmp_path / f"{pruner}{number}", number)) for number in (1, 3)
    )
    assert one == three and len(one) == 14
    if pruner == "median":
        assert any(trial["state"] == "pruned" and len(trial["folds"]) < 3 for trial in one)


def test_batch_is_pruned_after_each_of_its_first_three_folds_once_enough_trials_are_finished(
    trained, tmp_path, monkeypatch
):
    settings = settings_with(
        trained,
        "tune: {models: [ridge], trials: 14, batch: 7}",
        {"rmse, cv_folds: 3": "rmse, cv_folds: 5"},
    )
    folds, original = [], Folds.fit
    monkeypatch.setattr(
        Folds, "fit", lambda self, fold, *job: folds.append(str(fold)) or original(self, fold, *job)
    )
    search(settings, 14, tmp_path / "study", n_workers=1)
    assert re.fullmatch("(01234){7}0{7}1+2+(34)+", "".join(folds))


def test_search_that_ended_within_a_batch_goes_on_as_if_it_had_not(trained, tmp_path):
    settings = params.load()
    unbroken = told(search(settings, 8, tmp_path / "unbroken"))
    drawn = [trial["hyperparameters"] for trial in unbroken if trial["origin"] == "search"]
    assert all(drawn.count(point) == 1 for point in drawn)
    assert told(search(settings, 4, tmp_path / "resumed")) == unbroken[:4]
    assert told(search(settings, 8, tmp_path / "resumed")) == unbroken
    assert told(search(settings, 2, tmp_path / "resumed")) == unbroken[:2]


def test_finished_study_fits_nothing_again_and_lost_fits_are_done_again(
    trained, tmp_path, monkeypatch
):
    settings, folder, fitted = params.load(), tmp_path / "study", []
    before = search(settings, 6, folder)
    original = Folds.fit
    monkeypatch.setattr(Folds, "fit", lambda self, *job: fitted.append(job) or original(self, *job))
    assert told(search(settings, 6, folder)) == told(before) and not fitted
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


def test_optuna_opens_the_journal(trained, tmp_path):
    import optuna

    search(params.load(), 6, tmp_path / "study")
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "study/journal.log"))
    opened = optuna.load_study(study_name="tiny", storage=optuna.storages.JournalStorage(backend))
    assert [trial.number for trial in opened.trials] == list(range(6))
    assert opened.best_trial.params["model"] in ("lightgbm", "ridge")


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


@pytest.mark.parametrize(
    "message, expected",
    [
        (
            "[12:34:56] /workspace/src/a.cc:12: Check failed: n > 0 (0 vs. 0)\nStack trace:\n  (0) /home/me/b.so(+0x2f) [0x7f]",
            "a.cc:12: Check failed: n > 0 (0 vs. 0)",
        ),
        ("no file '/home/me/project/data/x.csv' or D:\\me\\y.csv", "no file 'x.csv' or y.csv"),
        (
            "must be in [0, 1) and/or 'a/b', got <object object\nat 0x7fac3814fe50>; see https://example.org/a/b",
            "must be in [0, 1) and/or 'a/b', got <object object>; see https://example.org/a/b",
        ),
        ("x" * 300, "x" * 200),
    ],
)
def test_reason_of_a_failure_is_one_line_that_is_the_same_everywhere(message, expected):
    assert reason(message) == expected


def test_search_is_silent_and_leaves_the_filters_of_warnings(trained, tmp_path, recwarn):
    settings = settings_with(trained, "tune: {models: [ridge], trials: 3, pruner: wilcoxon}")
    search(
        settings, 1, tmp_path / "first"
    )  # scipy and others set filters of their own when they are imported
    filters = list(warnings.filters)
    search(settings, 3, tmp_path / "study")
    assert not recwarn.list and warnings.filters == filters


def test_time_limit_ends_the_search_between_two_fits_and_leaves_whole_batches(
    trained, tmp_path, monkeypatch
):
    settings, folder, now = params.load(), tmp_path / "study", [0]
    unbroken = told(search(settings, 9, tmp_path / "unbroken"))
    original = Folds.fit
    with monkeypatch.context() as patched:
        patched.setattr(time, "time", lambda: now[0])
        patched.setattr(
            Folds, "fit", lambda *job: now.insert(0, now[0] + 1) or original(*job)
        )  # takes a second
        trials = told(search(settings, 9, folder, n_workers=1, timeout=12.5))
    assert now[0] == 13 and trials == [
        trial for trial in unbroken if trial["number"] in (0, 1, 2, 4)
    ]  # the simplest first
    assert Journal(folder / "journal.log").trials() == 3
    assert told(search(settings, 9, folder)) == unbroken


@pytest.mark.parametrize("part", ["code", "libraries"])
def test_changed_code_and_libraries_make_a_new_study(trained, monkeypatch, part):
    settings = params.load()
    problem = read_problem("tiny", settings)
    with journal.opened(problem, settings) as folder:
        before = journal.identity(problem, settings)
    if part == "code":
        monkeypatch.setattr(
            files, "digest", lambda path: "changed" if path.name == "boosters.py" else "as it was"
        )
    else:
        monkeypatch.setattr("importlib.metadata.version", lambda name: "0")
    assert {
        name
        for name, content in journal.identity(problem, settings).items()
        if content != before[name]
    } == {part}
    with journal.opened(problem, settings) as other:
        assert other != folder


def test_study_depends_on_the_code_of_every_room_that_a_trial_passes():
    trials = ROOT / "pipeline/tuning/search.py"
    assert set(journal.ROOMS) == rooms_behind(trials) - {"project", "builtin"}


def test_changed_settings_and_data_make_a_new_study_and_it_is_said_which(trained, capsys):
    first = settings_with(trained)
    problem = read_problem("tiny", first)
    with journal.opened(problem, first) as folder:
        pass
    with journal.opened(
        problem, settings_with(trained, replaced={"high: 15}": "high: 14}"})
    ) as other:
        assert other != folder
    assert (
        capsys.readouterr().out
        == "tune tiny: a new study, for the settings changed since the last one\n"
    )
    with journal.opened(dataclasses.replace(problem, split_hash="another"), first) as third:
        assert third not in (folder, other)
    assert "the data" in capsys.readouterr().out
    with journal.opened(problem, first) as again:
        assert again == folder
    more = first.model_copy(update={"workers": 7})
    with journal.opened(problem, more) as same:
        assert same == folder
        with pytest.raises(DataError, match="in use"):
            with journal.opened(problem, first):
                pass


def test_first_of_equal_trials_wins_and_of_those_near_the_best_the_cheapest():
    def trials(*outcomes):
        return [
            Trial(number, "search", "ridge", {}, False, "finished", value, cost=cost)
            for number, (value, cost) in enumerate(outcomes)
        ]

    assert best_trial(trials((2.0, None), (1.0, None), (1.0, None)), "rmse").number == 1
    assert best_trial(trials((2.0, None), (3.0, None), (3.0, None)), "r2").number == 1
    assert (
        cheapest_near_best(
            trials((100.0, 9), (109.0, 2), (110.0, 2), (111.0, 1)), "rmse", 0.1
        ).number
        == 1
    )
    assert (
        cheapest_near_best(
            trials((0.9, 9), (0.81, 2), (0.85, 2), (0.85, 2), (0.8, 1)), "r2", 0.1
        ).number
        == 2
    )


def test_figures_show_the_hyperparameters_that_took_several_values_and_warn_of_nothing(
    tmp_path, recwarn
):
    import optuna

    searched = optuna.create_study()
    choices = {
        "model": optuna.distributions.CategoricalDistribution(["ridge"]),
        "ridge.solver": optuna.distributions.CategoricalDistribution(["svd"]),
        "ridge.alpha": optuna.distributions.FloatDistribution(0.1, 10, log=True),
    }
    for alpha in (0.1, 1.0, 2.0, 10.0):
        searched.add_trial(
            optuna.trial.create_trial(
                value=alpha + 1 / alpha,
                distributions=choices,
                params={"model": "ridge", "ridge.solver": "svd", "ridge.alpha": alpha},
            )
        )
    study_report.draw(tmp_path, searched, ONE_OBJECTIVE, "rmse", "tiny")
    assert sorted(path.stem for path in tmp_path.glob("*.png")) == [
        "history",
        "importances_ridge",
        "parallel_coordinates_ridge",
    ]
    for name in ("parallel_coordinates_ridge", "importances_ridge"):
        page = (tmp_path / f"{name}.html").read_text()
        assert "ridge.alpha" in page and "ridge.solver" not in page
    assert not recwarn.list


def test_long_names_of_hyperparameters_fit_into_the_picture(tmp_path):
    import optuna
    from matplotlib import image

    searched, name = optuna.create_study(), "random_forest.min_samples_leaf"
    choices = {
        "model": optuna.distributions.CategoricalDistribution(["random_forest"]),
        name: optuna.distributions.IntDistribution(1, 10),
    }
    for leaf in (1, 3, 5, 9):
        searched.add_trial(
            optuna.trial.create_trial(
                value=leaf, distributions=choices, params={"model": "random_forest", name: leaf}
            )
        )
    study_report.draw(tmp_path, searched, ONE_OBJECTIVE, "rmse", "tiny")
    pixels = image.imread(tmp_path / "parallel_coordinates_random_forest.png")
    assert (
        pixels[:, :, :3].min() < 0.5 and (pixels[-3:, :, :3] == 1).all()
    )  # nothing runs over the lower edge


# early stopping


@pytest.mark.parametrize("name", BOOSTERS)
@pytest.mark.parametrize("dataset", ["tiny", "iris"])
def test_booster_on_binned_tables_equals_the_one_that_is_stored(trained, name, dataset):
    problem = read_problem(dataset, params.load())
    spec, rounds = problem.model_spec(name), {boosters.rounds_setting(name): 12}
    fit, new = problem.folds[0]
    rows = fitting.prepare(spec, problem.X.iloc[fit], problem.y[fit], 7)
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
            spec, BOOSTERS[name] | rounds, problem.X.iloc[fit], problem.y[fit], seed
        )
        ours, found = boosters.fit(spec, BOOSTERS[name], tables, problem.y[fit], seed, 12, None)
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
    fit, stop = Folds(problem, tune).slices[1]
    assert not set(fit) & set(stop) and not (set(fit) | set(stop)) & set(fold_rows)
    assert sorted([*fit, *stop]) == sorted(problem.folds[1][0])


def test_stored_model_has_the_median_round(trained):
    trial = Trial(3, "search", "lightgbm", {"n_estimators": 300}, True, rounds=[10, 40, 12])
    assert trial.settled() == {"n_estimators": 12}
    assert dataclasses.replace(trial, rounds=[]).settled() == {"n_estimators": 300}


# the blend


def test_greedy_selection_finds_the_mean_that_is_best_and_starts_from_the_best_model():
    y = np.array([0.0, 2.0, 4.0, 6.0])
    outputs = np.array([y + 1, y - 1, y + 5, y + 1.5])
    assert list(blending.blend_weights(y, outputs, "rmse")) == [0.5, 0.5, 0, 0]
    assert list(blending.blend_weights(y, outputs[2:], "mae")) == [0, 1]
    assert list(blending.blend_weights(y, np.array([y + 3, y - 2]), "rmse")) == [
        0.4,
        0.6,
    ]  # the best step, not the last


def test_greedy_selection_of_probabilities_minimises_log_loss_as_an_independent_search_finds():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 200)
    outputs = np.array(
        [
            rng.dirichlet(np.ones(3) + 4 * (np.arange(3) == k), len(y)) * 0.3
            + 0.7 * np.eye(3)[np.where(rng.random(len(y)) < share, y, rng.integers(0, 3, len(y)))]
            for k, share in enumerate((0.3, 0.5, 0.4))
        ]
    )
    weights = blending.blend_weights(y, outputs, "roc_auc")
    assert weights.sum() == pytest.approx(1)

    def loss(weights):
        return -np.log(
            np.maximum(blending.blended(outputs, np.array(weights))[np.arange(len(y)), y], 1e-15)
        ).mean()

    grid = [(a / 20, b / 20, (20 - a - b) / 20) for a in range(21) for b in range(21 - a)]
    assert loss(weights) <= min(map(loss, grid)) + 0.01


def test_score_of_a_blend_uses_for_each_fold_the_weights_of_the_others():
    rng = np.random.default_rng(1)
    y, fold = rng.normal(size=60), np.arange(60) % 3
    fold[:6] = -1
    outputs = np.array([y + rng.normal(0, 1, 60), y + rng.normal(0, 1.2, 60)])
    before = blending.cross_fitted(y, outputs, fold, "rmse")
    changed = np.where(fold == 2, 1e3 * np.arange(60), y)
    after = blending.cross_fitted(changed, outputs, fold, "rmse")
    assert (before[fold == 2] == after[fold == 2]).all() and not (
        before[fold == 1] == after[fold == 1]
    ).all()
    assert np.isnan(before[fold == -1]).all() and np.isfinite(before[fold >= 0]).all()


@pytest.mark.parametrize(
    "names", [("lightgbm", "ridge"), ("xgboost", "catboost", "gradient_boosting")]
)
def test_blend_is_stored_and_loaded_as_the_weighted_mean_of_its_members(trained, tmp_path, names):
    problem = read_problem("tiny", params.load())
    parts = [
        fitting.fit(
            problem.model_spec(name, "log1p" if name == "lightgbm" else "none"),
            {},
            problem.X,
            problem.y,
            7,
        )
        for name in names
    ]
    weights = [0.25, *[0.75 / (len(names) - 1)] * (len(names) - 1)]
    blend = models_fitted.blend(parts, weights, problem.model_spec("blend"))
    expected = sum(weight * part.output(problem.X_test) for weight, part in zip(weights, parts))
    assert np.abs(blend.output(problem.X_test) - expected).max() < 1e-4
    saved = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        saved.append(storage.save(blend, folder, {"dataset": "tiny"}))
    assert saved[0] == saved[1]
    loaded = storage.load(tmp_path / "one")
    assert np.abs(loaded.predict(problem.X_test) - expected).max() < 1e-4
    assert loaded.spec.members == blend.spec.members
    path = tmp_path / "one/metadata.json"
    path.write_text(path.read_text().replace('"weight": 0.25', '"weight": 0.35'))
    with pytest.raises(DataError, match="sha256"):
        storage.load(tmp_path / "one")
    (tmp_path / f"two/estimator_1{catalogue.FAMILIES[names[0]].suffix}").write_bytes(b"other")
    with pytest.raises(DataError, match="sha256"):
        storage.load(tmp_path / "two")


# the stage


def test_stage_writes_what_it_says(finished):
    figures = json.loads((finished / "metrics/datasets/tiny/tune.json").read_text())
    assert {name.removeprefix("tuned_") for name in figures["candidates"]} <= {
        "lightgbm",
        "ridge",
        "blend",
    }
    assert (
        figures["trials"]["total"]
        == 6
        == sum(figures["trials"][state] for state in ("finished", "pruned", "failed"))
    )
    assert len(pd.read_csv(finished / "models/tiny/tune/trials.csv")) == 6
    best = json.loads((finished / "models/tiny/tune/best_params.json").read_text())
    assert sorted(best) == sorted(figures["candidates"])
    trained = json.loads((finished / "metrics/datasets/tiny/train.json").read_text())["candidates"]
    assert json.loads((finished / "metrics/best/tiny.json").read_text())["candidate"] in {
        *figures["candidates"],
        *trained,
    }
    for name, candidate in figures["candidates"].items():
        model = storage.load(finished / "models/tiny/tune" / name)
        test = pd.read_parquet(finished / "data/processed/tiny/test.parquet")
        rmse = float(np.sqrt(np.mean((model.predict(test) - test["price"]) ** 2)))
        assert candidate["test"]["rmse"]["value"] == pytest.approx(rmse, rel=1e-5)
        over = figures["improvement"][name]["best_of_train"]
        assert over["over"] == "ridge"
        assert over["test"]["absolute"] == pytest.approx(
            trained["ridge"]["test"]["rmse"]["value"] - rmse, abs=1e-3
        )
        assert over["test"]["low"] <= over["test"]["absolute"] <= over["test"]["high"]
        assert over["cv_selected_on"]["absolute"] == pytest.approx(
            trained["ridge"]["cv"]["rmse"]["mean"] - candidate["cv"]["rmse"]["mean"], abs=1e-3
        )
    # weights that were chosen on the rows they are scored on would make the blend look no worse than its best member
    assert (
        figures["candidates"]["blend"]["cv_oof"]["rmse"]
        > figures["candidates"]["tuned_ridge"]["cv_oof"]["rmse"]
    )
    for name in ("history.html", "history.png", "plotly.min.js"):
        assert (finished / "reports/tiny/tune" / name).stat().st_size > 1000
    assert (finished / "reports/tiny/tune/history.html").stat().st_size < 100_000
    assert 'src="plotly.min.js"' in (finished / "reports/tiny/tune/history.html").read_text()


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
            problem, plan_of("tiny", settings), trials, Library({}, {}), run
        )
    assert {name: one.parameters for name, one in fitted.items()} == {
        "tuned_ridge": trials[0].settled()
    }


def outputs(folder):
    """Return the bytes of all that DVC holds of the tuning of `tiny`."""
    places = [
        folder / place
        for place in ("models/tiny/tune", "data/predictions/tiny/tune", "reports/tiny/tune")
    ]
    found = {
        path.relative_to(folder): path.read_bytes()
        for place in places
        for path in place.rglob("*")
        if path.is_file()
    }
    return found | {"tune.json": (folder / "metrics/datasets/tiny/tune.json").read_bytes()}


def test_killed_search_goes_on_and_ends_as_an_unbroken_one(trained):
    unbroken = outputs(trained)
    command = [sys.executable, str(ROOT / "tune_hyperparameters.py"), "--dataset", "tiny"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name in ("models/tiny/tune", "reports/tiny/tune", "data/predictions/tiny/tune"):
        shutil.rmtree(trained / name)
    for fits in (2, 7, 12):  # of 18: once so many lie on disk
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            until(
                lambda: len(list(trained.glob("studies/tiny/*/fits/*.npz"))) >= fits,
                60,
                pause=0.005,
            )
        finally:
            process.kill()
            process.wait()
    kept = {path: path.stat().st_mtime_ns for path in trained.glob("studies/tiny/*/fits/*.npz")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(kept) >= 12 and all(
        path.stat().st_mtime_ns == moment for path, moment in kept.items()
    )
    (written,) = trained.glob("studies/tiny/*/journal.log")
    assert Journal(written).trials() == 6
    assert outputs(trained) == unbroken
    assert not list(trained.rglob("*.partial"))


def test_interrupted_search_ends_in_one_line_and_keeps_what_is_done(trained):
    before = outputs(trained)
    settings_with(trained, "tune: {models: [lightgbm, ridge], trials: 5000, batch: 3}")
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "tune_hyperparameters.py"), "--dataset", "tiny"],
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=with_ctrl_c,
    )
    try:
        until(lambda: list(trained.glob("studies/tiny/*/journal.log")), 60)
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=60)[1]
    finally:
        process.kill()
    last = "tune_hyperparameters.py: error: stopped; what was finished is kept, the same command goes on from there"
    assert told.splitlines()[-1] == last and process.returncode == 130
    assert outputs(trained) == before and not list(trained.rglob("*.partial"))


def test_every_trial_is_a_run_below_the_search_and_sync_writes_them_again(
    finished, tmp_path, monkeypatch
):
    import mlflow

    folder = shutil.copytree(finished, tmp_path / "project")
    monkeypatch.chdir(folder)
    shutil.rmtree(folder / "mlruns")
    (folder / "mlflow.db").unlink()
    done = script("ops.sync", cwd=folder)
    assert done.returncode == 0 and "tiny: 4 tune runs written" in done.stdout, (
        done.stdout + done.stderr
    )
    assert "holds every run" in script("ops.sync", cwd=folder).stdout
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("Tiny-Regression").experiment_id
    (parent,) = client.search_runs([experiment], "attributes.run_name = 'tune'")
    children = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
    table = pd.read_csv(folder / "models/tiny/tune/trials.csv")
    assert sorted(int(child.data.tags["trial"]) for child in children) == list(table["trial"])
    for child in children:
        row = table.loc[int(child.data.tags["trial"])]
        assert (
            child.data.params["model_type"] == row["model"]
            and child.data.tags["state"] == row["state"]
        )
        assert child.data.metrics["cv_rmse"] == row["value"] and child.data.metrics["seconds"] >= 0
        assert [
            point.value for point in client.get_metric_history(child.info.run_id, "fold_rmse")
        ] == [value for value in row[["fold_1", "fold_2", "fold_3"]] if not math.isnan(value)]
    assert {"trials.csv", "history.html", "history.png", "best_params.json"} <= {
        item.path for item in client.list_artifacts(parent.info.run_id)
    }


def test_train_tunes_too_when_asked_and_hands_the_options_on(trained):
    done = script(
        "train",
        "--dataset",
        "iris",
        "--tune-hyperparameters",
        "--trials",
        "2",
        "--objectives",
        "metric,latency",
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert "train iris: 3 models" in done.stdout and "tune iris: 2 trials" in done.stdout
    figures = json.loads((trained / "metrics/datasets/iris/tune.json").read_text())
    assert (
        figures["trials"]["total"] == 2
        and figures["picked"] == "least latency within 1 % of the best metric"
    )
    assert all(
        1e-7 < row["latency"] < 0.1 for row in figures["pareto"]
    )  # seconds: a size in bytes is above them


# what is refused


@pytest.mark.parametrize(
    "old, new, message",
    [
        (
            LEAVES,
            "num_leaves: {low: 30, high: 15}",
            "search_spaces.lightgbm.num_leaves: low 30 is above high 15",
        ),
        (
            "alpha: {low: 0.01, high: 100.0, log: true}",
            "alpha: {low: 0, high: 100.0, log: true}",
            "search_spaces.ridge.alpha: log: true needs a low above 0, and low is 0",
        ),
        (
            LEAVES,
            "num_leaves: {low: 3}",
            "search_spaces.lightgbm.num_leaves: needs low and high, or choices",
        ),
        (LEAVES, "num_leaves: {low: 3, high: 9, choices: [3]}", "choices stand alone"),
        (
            TUNE_TINY,
            "tune: {models: [dummy]}",
            "search_spaces.dummy: is not there, and datasets.tiny.tune.models names it",
        ),
        (TUNE_TINY, "tune: {trials: 0}", "datasets.tiny.tune.trials"),
        (TUNE_TINY, "tune: {pruner: fast}", "datasets.tiny.tune.pruner"),
        (
            TUNE_TINY,
            "tune: {objectives: [size]}",
            "datasets.tiny.tune.objectives: must be [metric] or [metric, size]",
        ),
        (TUNE_TINY, "tune: {target_transforms: [sqrt]}", "datasets.tiny.tune.target_transforms"),
    ],
)
def test_wrong_setting_is_refused_by_name(project, old, new, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        settings_with(project, *([new] if old == TUNE_TINY else [TUNE_TINY, {old: new}]))


@pytest.mark.parametrize(
    "old, new, place",
    [
        (LEAVES, "leaves: {low: 3, high: 15}", "search_spaces.lightgbm"),
        ("{num_leaves: 7}", "{leaves: 7}", "portfolio.lightgbm"),
    ],
)
def test_unknown_hyperparameter_is_refused_by_name(trained, old, new, place):
    settings = settings_with(trained, replaced={old: new})
    with pytest.raises(UsageError, match=f"{place}: lightgbm has no hyperparameter 'leaves'"):
        tune_hyperparameters.tune("tiny", settings)
    assert not (trained / "studies").exists()


@pytest.mark.parametrize(
    "options, message",
    [
        (["--trials", "0"], "--trials 0: give 1 or more"),
        (["--timeout", "-1"], "--timeout -1: give 0 or more"),
        (["--workers", "0"], "--workers 0: give 1 or more"),
        (["--dataset", "nope"], "unknown dataset 'nope'"),
        (["--model", "dummy"], "--model dummy: params.yaml has search_spaces of"),
        (["--objectives", "size"], "--objectives size: give one of metric, metric,size"),
    ],
)
def test_wrong_option_is_refused(trained, options, message):
    done = script("tune_hyperparameters", *options)
    assert done.returncode == 2 and message in done.stderr and len(done.stderr.splitlines()) == 1


def test_figures_of_other_data_are_refused(trained):
    path = paths.metrics("tiny", "train")
    figures = json.loads(path.read_text())
    files.write_json(path, {**figures, "split_hash": "of other data"})
    with pytest.raises(DataError, match="other data or settings"):
        tune_hyperparameters.tune("tiny", params.load())


def test_two_objectives_give_a_front_that_nothing_beats_and_the_pick_follows_its_rule(trained):
    settings = settings_with(
        trained,
        "tune: {models: [lightgbm, ridge], trials: 12, batch: 4, objectives: [metric, size], "
        "tolerance: 0.1}",
    )
    figures = tune_hyperparameters.tune("tiny", settings)
    table = pd.read_csv("models/tiny/tune/trials.csv").set_index("trial")
    front = [row["trial"] for row in figures["pareto"]]
    for number, row in table.iterrows():
        beaten = (
            (table["value"] <= row["value"])
            & (table["cost"] <= row["cost"])
            & ((table["value"] < row["value"]) | (table["cost"] < row["cost"]))
        ).any()
        assert beaten != (number in front)
    assert set(table["state"]) == {"finished"} and "blend" not in figures["candidates"]
    trees = table[table["model"] == "lightgbm"]
    near = trees[trees["value"] <= trees["value"].min() * 1.1]
    best = json.loads(paths.models("tiny", "tune").joinpath("best_params.json").read_text())[
        "tuned_lightgbm"
    ]
    assert best["num_leaves"] == near.loc[near["cost"].idxmin(), "lightgbm.num_leaves"]
    assert paths.reports("tiny", "tune").joinpath("pareto_front.html").is_file()
    again = table["cost"].copy()
    shutil.rmtree("studies")
    tune_hyperparameters.tune("tiny", settings)
    assert (pd.read_csv("models/tiny/tune/trials.csv").set_index("trial")["cost"] == again).all()


@pytest.mark.slow
def test_two_fresh_folders_tune_to_the_same_bytes(finished, tmp_path):
    folder = copy_project(tmp_path / "fresh", PARAMS.replace("workers: 2", "workers: 1"))
    for name in ("generate_data", "prepare_data", "train", "tune_hyperparameters"):
        assert script(name, cwd=folder).returncode == 0
    assert outputs(folder) == outputs(finished)
