"""Models that are not in the catalogue: classes of scikit-learn's interface, or one clear line."""

import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import SVR

from pipeline.models import archive, estimators
from pipeline.project import params
from pipeline.project.errors import DataError, UsageError
from pipeline.project.settings.own_code import OwnEstimator


class Untold(BaseEstimator):
    """A type that nobody has reviewed."""

    def __init__(self, value=1):
        self.value = value


class NotEstimator:
    """A class without fit and predict."""


class NoProbabilities(ClassifierMixin, BaseEstimator):
    """A classifier that gives labels alone."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return X


def check(path: str, task: str, **hyperparameters) -> None:
    estimators.check_model(
        "mine", task, hyperparameters, "models", {"mine": OwnEstimator(path, "scaled")}
    )


@pytest.mark.parametrize(
    ("path", "task", "message"),
    [
        ("sklearn.svm.NoSuch", "regression", "cannot be imported"),
        ("no_such_package.Model", "regression", "cannot be imported"),
        ("sklearn.svm.SVC", "regression", "is a classifier"),
        (
            f"{__name__}.NotEstimator",
            "regression",
            "is not an estimator: it has no fit, predict, get",
        ),
        (f"{__name__}.check", "regression", "is not a class"),
        (f"{__name__}.NoProbabilities", "classification", "has no predict_proba"),
    ],
)
def test_class_that_cannot_be_a_model_of_the_task_is_refused(path, task, message):
    with pytest.raises(UsageError, match=message):
        check(path, task)


def test_class_that_the_own_file_lacks_is_named_with_its_key_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "features").mkdir()
    (tmp_path / "features/mine.py").write_text("class Other:\n    pass\n")
    own = {"mine": OwnEstimator("features/mine.py:Bad", "scaled")}
    with pytest.raises(UsageError) as raised:
        estimators.check_model("mine", "regression", {}, "params.yaml: models", own)
    assert (
        str(raised.value)
        == "params.yaml: models: features/mine.py has no 'Bad'; it defines 'Other'"
    )


def test_hyperparameters_are_those_of_the_class_itself():
    check("sklearn.svm.SVR", "regression", C=2.0)
    with pytest.raises(UsageError, match="mine has no hyperparameter 'D'; it has: C, cache_size"):
        check("sklearn.svm.SVR", "regression", D=2.0)
    family = estimators.family_of("mine", OwnEstimator("sklearn.svm.SVR", "scaled"))
    estimator = estimators.unfitted_estimator(family, "regression", {"C": 2.0}, seed=3)
    assert isinstance(estimator, SVR) and estimator.C == 2.0


def test_type_that_nobody_reviewed_has_to_be_named_in_trust(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = f"{__name__}.Untold"
    with pytest.raises(DataError, match=f"trust: \\[{name}\\]") as raised:
        archive.checked_bytes(Untold(3), (), "mine")
    assert "their code runs when the model is loaded" in str(raised.value)
    (tmp_path / "mine.skops").write_bytes(
        archive.checked_bytes(Untold(3), (__name__.partition(".")[0],), "mine")
    )
    with pytest.raises(DataError, match="not on the list of reviewed types"):
        archive.load_skops(tmp_path / "mine.skops")
    (tmp_path / "params.yaml").touch()
    monkeypatch.setattr(params, "load", lambda: type("Settings", (), {"trust": [name]}))
    assert archive.load_skops(tmp_path / "mine.skops").value == 3


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{class: SVC}", "must be a dotted name"),
        (
            "{class: sklearn.svm.SVC, encoding: hot}",
            "must be one of scaled, filled, native, integer",
        ),
        ("{encoding: scaled}", "goes with a class"),
        ("{class: 'elsewhere/x.py:M'}", "must be a Python file in features/"),
    ],
)
def test_entry_that_names_no_class_is_refused(entry, message):
    from support.projects import PARAMS

    with pytest.raises(UsageError, match=message):
        params.parse(PARAMS.replace("  ridge: {alpha: 1.0}", f"  svm: {entry}"))
