"""What the tests of tuning share: a trained project, its settings, and searches in it."""

import shutil

import pytest

from pipeline.project import params, workers
from pipeline.training.problem import read_problem
from pipeline.tuning import search as tuning_search
from pipeline.tuning.trials import Limits, plan_of

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


@pytest.fixture
def trained(finished, tmp_path, monkeypatch):
    """The finished project's files, without MLflow's store and the studies, as the working
    directory.
    """
    unwanted = shutil.ignore_patterns("mlruns", "mlflow.db*", "studies", ".dvc", ".git")
    shutil.copytree(finished, tmp_path / "project", ignore=unwanted)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def settings_with(project, tune: str = TUNE_TINY, replaced: dict[str, str] | None = None):
    """Return the settings of the project with another tune block for `tiny`, and other texts
    replaced.
    """
    text = (project / "params.yaml").read_text()
    for old, new in {TUNE_TINY: tune, **(replaced or {})}.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (project / "params.yaml").write_text(text)
    return params.load()


def search(settings, n_trials, folder, n_workers=2, dataset="tiny", **limits):
    """Return the trials of a search, in a folder of its own."""
    with workers.pool(n_workers) as run:
        return tuning_search.search(
            read_problem(dataset, settings),
            plan_of(dataset, settings),
            Limits(n_trials, workers=n_workers, **limits),
            run,
            folder,
            lambda count, note: None,
        ).trials


def without_timings(trials):
    """Return what a trial is, without the seconds it took."""
    return [
        {key: value for key, value in vars(trial).items() if key not in ("seconds", "fits")}
        for trial in trials
    ]


def tune_outputs(folder):
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
