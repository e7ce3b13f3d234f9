"""The report of a search: its figures."""

import json

from pipeline.project.params import Tune
from pipeline.tuning import study_report
from pipeline.tuning.trials import Plan
from support.hostile_texts import RAN, TEXTS

ONE_OBJECTIVE = Plan(Tune(), {}, {}, {})


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
    study_report.draw(tmp_path, searched, ONE_OBJECTIVE, "rmse", "tiny")
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
    study_report.draw(tmp_path, searched, ONE_OBJECTIVE, "rmse", TEXTS[1])
    pages = sorted(tmp_path.glob("*.html"))
    assert [page.stem for page in pages] == [
        "history",
        "importances_ridge",
        "parallel_coordinates_ridge",
    ]
    for page in pages:
        assert browser.open(page, "document.querySelector('.js-plotly-plot .main-svg')") == []
        assert TEXTS[1] in browser.driver.title
        ran = f"return document.documentElement.hasAttribute('{RAN}')"
        assert browser.driver.execute_script(ran) is False
