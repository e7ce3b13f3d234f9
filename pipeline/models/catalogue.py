"""The catalogue of model families: what each one is, from its class to what serves it.

A family is added by one entry of FAMILIES; settings, documents, serving and tests derive from it.
"""

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.own import loading
from pipeline.project.errors import UsageError

SKOPS = ".skops"
# LightGBM and CatBoost store the number of threads in their file, which has to repeat
BOOSTER_THREADS = 1


@dataclass(frozen=True)
class Booster:
    """What early stopping has to know of a booster.

    rounds      the hyperparameter that counts its rounds
    binned_by   the hyperparameters that a binned table depends on
    class_only  those that work in its scikit-learn class alone, so that its rounds cannot be found
    """

    rounds: str
    binned_by: tuple[str, ...] = ()
    class_only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trees:
    """How treelite walks an ensemble of scikit-learn's trees as the estimator itself does.

    dtype  the floats to which the estimator casts its table
    link   whether the sum of the trees passes through the link function of the estimator's loss
    """

    dtype: str
    link: bool = False


@dataclass(frozen=True)
class Family:
    """One family of models.

    regression, classification  the estimator's class for the task; None where there is none
    encoding             how the table is prepared for it, see models/preprocessing.py
    suffix               the ending of the estimator's file, which says its format
    counterpart          the family to recommend for the other task
    fixed                hyperparameters that are not the user's to set, so that results repeat
    defaults             of hyperparameters that its class names None or does not name
    more_settings        hyperparameters that its class takes beside the arguments that it names
    not_stored           fitted attributes whose last digits follow where the rows lie in memory
    categories_argument  by which the estimator or its fit hears of columns of categories' codes
    booster              None where there are no rounds to stop early
    monotone             the hyperparameter that takes monotone constraints; None without any
    trees                None where the estimator itself is quick for a single row
    small                hyperparameters of a quick fit, for tests
    is_own               whether it is the user's own, and not of this catalogue
    """

    regression: str | None
    classification: str | None
    encoding: str
    suffix: str = SKOPS
    counterpart: str | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    more_settings: frozenset[str] = frozenset()
    not_stored: tuple[str, ...] = ()
    categories_argument: str | None = None
    booster: Booster | None = None
    monotone: str | None = None
    trees: Trees | None = None
    small: Mapping[str, Any] = field(default_factory=dict)
    is_own: bool = False

    def class_path(self, task: str) -> str | None:
        """Return the dotted name of the estimator's class for a task."""
        return self.regression if task == "regression" else self.classification

    @property
    def library(self) -> str:
        """The package that the estimator comes from, by the name under which it is imported.

        It is empty where the estimator is a class in a file of the user's own.
        """
        path = self.regression or self.classification or ""
        return "" if ":" in path else path.partition(".")[0]


@dataclass(frozen=True)
class OwnEstimator:
    """A model of the user's choice that is not in the catalogue.

    `class_path` is the dotted name of a class with scikit-learn's interface, or `path:name` of one
    in a file of the user's own; `encoding` is how the table is prepared for it.
    """

    class_path: str
    encoding: str

    @property
    def file(self) -> str | None:
        """The file of the user's own that the class stands in; None where it is installed."""
        return self.class_path.partition(":")[0] if ":" in self.class_path else None

    @property
    def family(self) -> Family:
        """The family that the class makes, as if it were for both tasks."""
        return Family(self.class_path, self.class_path, self.encoding, is_own=True)


# from the simplest to the least simple: a tie goes to the simpler
FAMILIES: dict[str, Family] = {
    "dummy": Family(
        regression="sklearn.dummy.DummyRegressor",
        classification="sklearn.dummy.DummyClassifier",
        encoding="native",
    ),
    "linear_regression": Family(
        regression="sklearn.linear_model.LinearRegression",
        classification=None,
        encoding="scaled",
        counterpart="logistic_regression",
    ),
    "logistic_regression": Family(
        regression=None,
        classification="sklearn.linear_model.LogisticRegression",
        encoding="scaled",
        counterpart="linear_regression",
    ),
    "ridge": Family(
        regression="sklearn.linear_model.Ridge",
        classification=None,
        encoding="scaled",
        counterpart="logistic_regression",
    ),
    "lasso": Family(
        regression="sklearn.linear_model.Lasso",
        classification=None,
        encoding="scaled",
        counterpart="logistic_regression",
        not_stored=("dual_gap_",),
    ),
    "decision_tree": Family(
        regression="sklearn.tree.DecisionTreeRegressor",
        classification="sklearn.tree.DecisionTreeClassifier",
        encoding="filled",
        monotone="monotonic_cst",
    ),
    "random_forest": Family(
        regression="sklearn.ensemble.RandomForestRegressor",
        classification="sklearn.ensemble.RandomForestClassifier",
        encoding="filled",
        monotone="monotonic_cst",
        # scikit-learn casts the table to 32 bits, though it compares in 64
        trees=Trees("float32"),
        small={"n_estimators": 5},
    ),
    "gradient_boosting": Family(
        regression="sklearn.ensemble.HistGradientBoostingRegressor",
        classification="sklearn.ensemble.HistGradientBoostingClassifier",
        encoding="native",
        fixed={"early_stopping": False},
        monotone="monotonic_cst",
        trees=Trees("float64", link=True),
        small={"max_iter": 5},
    ),
    "lightgbm": Family(
        regression="lightgbm.LGBMRegressor",
        classification="lightgbm.LGBMClassifier",
        encoding="native",
        suffix=".txt",
        fixed={
            "n_jobs": BOOSTER_THREADS,
            "deterministic": True,
            "force_row_wise": True,
            "feature_pre_filter": False,
            "verbosity": -1,
        },
        defaults={"extra_trees": False, "max_bin": 255, "path_smooth": 0.0},
        # https://lightgbm.readthedocs.io/en/stable/Parameters.html
        more_settings=frozenset(
            {
                "scale_pos_weight",
                "is_unbalance",
                "max_bin",
                "min_data_in_bin",
                "extra_trees",
                "feature_fraction_bynode",
                "path_smooth",
                "linear_tree",
                "cat_smooth",
                "cat_l2",
                "max_cat_threshold",
                "min_data_per_group",
            }
        ),
        categories_argument="categorical_feature",
        booster=Booster(
            rounds="n_estimators",
            binned_by=("max_bin", "min_data_in_bin", "subsample_for_bin", "linear_tree"),
            class_only=("class_weight",),
        ),
        monotone="monotone_constraints",
        small={"n_estimators": 5, "min_child_samples": 2},
    ),
    "xgboost": Family(
        regression="xgboost.XGBRegressor",
        classification="xgboost.XGBClassifier",
        encoding="native",
        suffix=".ubj",
        fixed={
            "n_jobs": BOOSTER_THREADS,
            "tree_method": "hist",
            "enable_categorical": True,
            "verbosity": 0,
        },
        # https://xgboost.readthedocs.io/en/stable/parameter.html
        defaults={
            "n_estimators": 100,
            "max_depth": 6,
            "learning_rate": 0.3,
            "min_child_weight": 1.0,
            "subsample": 1.0,
            "colsample_bytree": 1.0,
            "reg_lambda": 1.0,
            "reg_alpha": 0.0,
            "gamma": 0.0,
            "max_bin": 256,
        },
        categories_argument="feature_types",
        booster=Booster(rounds="n_estimators", binned_by=("max_bin",)),
        monotone="monotone_constraints",
        small={"n_estimators": 5},
    ),
    "catboost": Family(
        regression="catboost.CatBoostRegressor",
        classification="catboost.CatBoostClassifier",
        encoding="integer",
        suffix=".cbm",
        fixed={"thread_count": BOOSTER_THREADS, "verbose": False, "allow_writing_files": False},
        # https://catboost.ai/docs/en/references/training-parameters/common
        defaults={
            "iterations": 1000,
            "depth": 6,
            "l2_leaf_reg": 3.0,
            "random_strength": 1.0,
            "bagging_temperature": 1.0,
            "max_ctr_complexity": 4,
            "one_hot_max_size": 2,
        },
        categories_argument="cat_features",
        # bins anew for every fit, which takes it a hundredth of the fit
        booster=Booster(rounds="iterations"),
        monotone="monotone_constraints",
        small={"iterations": 5},
    ),
}
SIMPLEST_FIRST = tuple(FAMILIES)


def check_model(
    name: str,
    task: str,
    hyperparameters: Mapping[str, Any],
    where: str,
    own: Mapping[str, OwnEstimator],
) -> None:
    """Raise UsageError where a model or a hyperparameter (by its name) is not for the task.

    `own` are the models of the user's own, by name.
    """
    if name not in FAMILIES and name not in own:
        raise UsageError(
            f"{where}: unknown model {name!r}; known: {', '.join([*FAMILIES, *own])}; one that is "
            f"not there needs a class: models: {{{name}: {{class: sklearn.svm.SVR}}}}"
        )
    family = FAMILIES[name] if name in FAMILIES else own[name].family
    if name in own:
        _check_own(own[name].class_path, task, where)
    if family.class_path(task) is None:
        instead = family.counterpart or ", ".join(names_for(task))
        raise UsageError(f"{where}: {name} is not a model for {task}; use {instead}")
    known = _settings(family, task)
    for setting in hyperparameters:
        if setting not in known:
            there_are = ", ".join(sorted(known))
            raise UsageError(
                f"{where}: {name} has no hyperparameter {setting!r}; it has: {there_are}"
            )
        if setting in family.fixed:
            reason = "is fixed, so that results repeat; remove it"
            raise UsageError(f"{where}: {name}'s {setting} {reason}")


def names_for(task: str) -> list[str]:
    """Return the names of the families for a task, the simplest first."""
    return [name for name, family in FAMILIES.items() if family.class_path(task)]


def unfitted_estimator(
    family: Family, task: str, hyperparameters: Mapping[str, Any], seed: int
) -> Any:
    """Return a model's estimator with the user's hyperparameters, one thread and the seed."""
    settings = {**hyperparameters, **family.fixed}
    if "random_state" in _settings(family, task):
        settings.setdefault("random_state", seed)
    return estimator_class(family, task)(**settings)


def estimator_class(family: Family, task: str) -> Any:
    """Return the class of a family's estimator; importing its library may take a second."""
    path = family.class_path(task)
    if path is None:
        raise UsageError(f"{family.regression or family.classification} is not for {task}")
    return _imported(path, path)


def _imported(path: str, where: str) -> Any:
    """Return the class of a dotted name, or of `path:name`; raises UsageError where there is none.

    What stands in a file of the user's own is asked of the file of this checkout.
    """
    if ":" in path:
        return loading.named(path, where).value
    module, _, attribute = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, ValueError, AttributeError) as error:
        raise UsageError(
            f"{where}: class {path} cannot be imported ({error}); correct its dotted name, or "
            f"install its package"
        ) from None


def _check_own(path: str, task: str, where: str) -> None:
    """Raise UsageError where a class is not an estimator of scikit-learn's interface for a task."""
    found = _imported(path, where)
    fault = None
    lacks = [name for name in ("fit", "predict", "get_params") if not hasattr(found, name)]
    if not isinstance(found, type):
        fault = "is not a class"
    elif lacks:
        fault = (
            f"is not an estimator: it has no {', '.join(lacks)}; derive it from "
            f"sklearn.base.BaseEstimator and give it fit(X, y) and predict(X)"
        )
    elif task == "regression" and _is_classifier(found):
        fault = "is a classifier, and data.task is regression; use its regressor"
    elif task == "classification" and not hasattr(found, "predict_proba"):
        fault = (
            "has no predict_proba, and classes are decided by their probabilities; take one that "
            "has it, or wrap it in a class of your own"
        )
    if fault:
        raise UsageError(f"{where}: class {path} {fault}")


def _is_classifier(found: type) -> bool:
    from sklearn.base import ClassifierMixin

    return issubclass(found, ClassifierMixin)


def _settings(family: Family, task: str) -> set[str]:
    """Return the names of all hyperparameters of a model."""
    names = set(family.more_settings) | set(family.fixed)
    # XGBoost's classes take theirs from a class above them
    found = estimator_class(family, task)
    if family.is_own and hasattr(found, "_get_param_names"):
        return set(found._get_param_names())
    for ancestor in found.__mro__:
        if "__init__" in vars(ancestor):
            names |= _named_arguments(ancestor)
    return names - {"self"}


def _named_arguments(cls: type) -> set[str]:
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(cls.__init__).parameters.values()  # type: ignore[misc]
    return {parameter.name for parameter in parameters if parameter.kind in named}


def default_value(family: Family, task: str, setting: str) -> Any:
    """Return the value of a hyperparameter where nothing is set; None where it is not known."""
    if setting in family.defaults:
        return family.defaults[setting]
    parameters = inspect.signature(estimator_class(family, task).__init__).parameters
    parameter = parameters.get(setting)
    if parameter is None or parameter.default is inspect.Parameter.empty:
        return None
    return parameter.default
