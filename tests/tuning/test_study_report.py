"""The report of a search: its figures."""

import json

from pipeline.project.settings.tune import Tune
from pipeline.tuning import study_report
from pipeline.tuning.study_report import Outcome, Top
from pipeline.tuning.trials import BASELINE, FINISHED, SEARCH, Plan, Trial
from support.hostile_texts import RAN, TEXTS

ONE_OBJECTIVE = Plan(Tune(), {}, {}, {})
OUTCOME = Outcome(f"better {TEXTS[0]}", "info", TEXTS[2])


def trial(number: int, origin: str, value: float) -> Trial:
    return Trial(number, origin, "ridge", {}, False, state=FINISHED, value=value)


def test_outcome_holds_the_best_trial_against_the_settings_of_params_yaml():
    better = [trial(0, BASELINE, 2.0), trial(1, SEARCH, 1.5), trial(2, SEARCH, 3.0)]
    assert study_report.outcome(better, "rmse") == Outcome(
        "better on the folds",
        "info",
        "ridge, trial 1: cv rmse 1.5, against 2 with the settings of params.yaml.",
    )
    assert study_report.outcome(better, "r2").why.startswith("ridge, trial 2: cv r2 3")
    worse = [trial(0, BASELINE, 1.0), *better[1:]]
    assert study_report.outcome(worse, "rmse").words == "no better than before"
    assert study_report.outcome(better[1:], "rmse") == Outcome(
        "best: ridge", "watch", "ridge, trial 1: cv rmse 1.5."
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
    study_report.draw(tmp_path, searched, ONE_OBJECTIVE, "rmse", Top("tiny"))
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
    study_report.draw(tmp_path, searched, ONE_OBJECTIVE, "rmse", Top("tiny"))
    pixels = image.imread(tmp_path / "parallel_coordinates_random_forest.png")
    assert (
        pixels[:, :, :3].min() < 0.5 and (pixels[-3:, :, :3] == 1).all()
    )  # nothing runs over the lower edge


def test_names_that_begin_alike_are_told_apart(tmp_path, monkeypatch):
    """Optuna cuts both of these to `random_forest.min...`."""
    import optuna

    drawn = {}

    def note_labels(figure, path):
        drawn[path.stem] = [label.get_text() for label in figure.axes[0].get_xticklabels()]

    monkeypatch.setattr(study_report.figures, "save", note_labels)
    names = ["random_forest.min_samples_leaf", "random_forest.min_samples_split"]
    choices = {name: optuna.distributions.IntDistribution(1, 10) for name in names}
    choices["model"] = optuna.distributions.CategoricalDistribution(["random_forest"])
    searched = optuna.create_study()
    for leaf in (1, 3, 5, 9):
        params = {"model": "random_forest", names[0]: leaf, names[1]: 10 - leaf}
        searched.add_trial(
            optuna.trial.create_trial(value=leaf, distributions=choices, params=params)
        )
    study_report.draw(tmp_path, searched, ONE_OBJECTIVE, "rmse", Top("tiny"))
    assert drawn["parallel_coordinates_random_forest"] == ["rmse", *names]
    page = (tmp_path / "parallel_coordinates_random_forest.html").read_text()
    assert json.dumps(["rmse", *names], separators=(",", ":")) in page.replace(", ", ",")


def test_pages_open_offline_and_show_names_as_text(tmp_path, browser):
    import optuna

    name = TEXTS[0]
    searched = optuna.create_study()
    choices = {
        "model": optuna.distributions.CategoricalDistribution(["ridge"]),
        name: optuna.distributions.CategoricalDistribution(list(TEXTS[:4])),
    }
    for value, text in enumerate(TEXTS[:4]):
        trial = {"model": "ridge", name: text}
        searched.add_trial(
            optuna.trial.create_trial(value=value, distributions=choices, params=trial)
        )
    study_report.draw(tmp_path, searched, ONE_OBJECTIVE, "rmse", Top(TEXTS[1], OUTCOME))
    pages = sorted(tmp_path.glob("*.html"))
    assert [page.stem for page in pages] == [
        "history",
        "importances_ridge",
        "parallel_coordinates_ridge",
    ]
    for page in pages:
        assert browser.open(page, "document.querySelector('.js-plotly-plot .main-svg')") == []
        assert TEXTS[1] in browser.driver.title
        verdict = browser.driver.find_element("css selector", ".verdict.info")
        assert verdict.text == " ".join(OUTCOME.words.split())
        ran = f"return document.documentElement.hasAttribute('{RAN}')"
        assert browser.driver.execute_script(ran) is False
