"""Models: name -> estimator, fitting, prediction, and files that run no code when they are loaded.

A stored model is a folder: `preprocessing.skops`, the estimator in its library's own format or skops, and `metadata.json`, which
holds what prediction needs beside them and the sha256 of both. A blend has an estimator per member, and a preprocessing per
encoding. The bytes repeat: equal fits give equal files.
"""

import importlib
import inspect
from dataclasses import dataclass

from pipeline.project.errors import UsageError


@dataclass(frozen=True)
class Family:
    """A kind of model: its class for each task, its table's encoding, its file's ending, and settings that are not the user's."""

    regression: str | None
    classification: str | None
    encoding: str
    suffix: str
    fixed: dict


BOOSTER_THREADS = (
    1  # LightGBM and CatBoost store the number of threads in the file, which has to repeat
)
FAMILIES = {  # from the simplest to the least simple: a tie goes to the simpler
    "dummy": Family(
        "sklearn.dummy.DummyRegressor", "sklearn.dummy.DummyClassifier", "native", ".skops", {}
    ),
    "linear_regression": Family(
        "sklearn.linear_model.LinearRegression", None, "scaled", ".skops", {}
    ),
    "logistic_regression": Family(
        None, "sklearn.linear_model.LogisticRegression", "scaled", ".skops", {}
    ),
    "ridge": Family("sklearn.linear_model.Ridge", None, "scaled", ".skops", {}),
    "lasso": Family("sklearn.linear_model.Lasso", None, "scaled", ".skops", {}),
    "decision_tree": Family(
        "sklearn.tree.DecisionTreeRegressor",
        "sklearn.tree.DecisionTreeClassifier",
        "filled",
        ".skops",
        {},
    ),
    "random_forest": Family(
        "sklearn.ensemble.RandomForestRegressor",
        "sklearn.ensemble.RandomForestClassifier",
        "filled",
        ".skops",
        {},
    ),
    "gradient_boosting": Family(
        "sklearn.ensemble.HistGradientBoostingRegressor",
        "sklearn.ensemble.HistGradientBoostingClassifier",
        "native",
        ".skops",
        {"early_stopping": False},
    ),
    "lightgbm": Family(
        "lightgbm.LGBMRegressor",
        "lightgbm.LGBMClassifier",
        "native",
        ".txt",
        {
            "n_jobs": BOOSTER_THREADS,
            "deterministic": True,
            "force_row_wise": True,
            "feature_pre_filter": False,
            "verbosity": -1,
        },
    ),
    "xgboost": Family(
        "xgboost.XGBRegressor",
        "xgboost.XGBClassifier",
        "native",
        ".ubj",
        {
            "n_jobs": BOOSTER_THREADS,
            "tree_method": "hist",
            "enable_categorical": True,
            "verbosity": 0,
        },
    ),
    "catboost": Family(
        "catboost.CatBoostRegressor",
        "catboost.CatBoostClassifier",
        "integer",
        ".cbm",
        {"thread_count": BOOSTER_THREADS, "verbose": False, "allow_writing_files": False},
    ),
}
SIMPLEST_FIRST = tuple(FAMILIES)
COUNTERPARTS = {
    "linear_regression": "logistic_regression",
    "ridge": "logistic_regression",
    "lasso": "logistic_regression",
    "logistic_regression": "linear_regression",
}

# LightGBM's class takes these too, beside the arguments that it names; https://lightgbm.readthedocs.io/en/stable/Parameters.html
LIGHTGBM_SETTINGS = {
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


def check_model(name: str, task: str, hyperparameters: dict, where: str) -> None:
    """Raise UsageError where there is no such model, it is of the other task, or it has no such hyperparameter."""
    if name not in FAMILIES:
        raise UsageError(f"{where}: unknown model {name!r}; known: {', '.join(FAMILIES)}")
    if getattr(FAMILIES[name], task) is None:
        raise UsageError(f"{where}: {name} is no model for {task}; use {COUNTERPARTS[name]}")
    known = _settings(name, task)
    for setting in hyperparameters:
        if setting not in known:
            raise UsageError(
                f"{where}: {name} has no hyperparameter {setting!r}; it has: {', '.join(sorted(known))}"
            )
        if setting in FAMILIES[name].fixed:
            raise UsageError(
                f"{where}: {name}'s {setting} is fixed, so that results repeat; remove it"
            )


def unfitted_estimator(name: str, task: str, hyperparameters: dict, seed: int):
    """Return the unfitted estimator of a model with the user's hyperparameters, one thread and the seed."""
    settings = {**hyperparameters, **FAMILIES[name].fixed}
    if "random_state" in _settings(name, task):
        settings.setdefault("random_state", seed)
    return estimator_class(name, task)(**settings)


def estimator_class(name: str, task: str):
    module, _, attribute = getattr(FAMILIES[name], task).rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def _settings(name: str, task: str) -> set[str]:
    """Return the names of all hyperparameters; XGBoost's classes take theirs from a class above them."""
    names = LIGHTGBM_SETTINGS | set(FAMILIES[name].fixed) if name == "lightgbm" else set()
    for cls in estimator_class(name, task).__mro__[:-1]:
        if "__init__" in vars(cls):
            names |= {
                parameter.name
                for parameter in inspect.signature(cls.__init__).parameters.values()
                if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
            }
    return names - {"self"}


# what XGBoost and CatBoost take where nothing is said; their classes name None, the others the value
BOOSTER_DEFAULTS = {
    "xgboost": {
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
    "catboost": {
        "iterations": 1000,
        "depth": 6,
        "l2_leaf_reg": 3.0,
        "random_strength": 1.0,
        "bagging_temperature": 1.0,
        "max_ctr_complexity": 4,
        "one_hot_max_size": 2,
    },
    "lightgbm": {"extra_trees": False, "max_bin": 255, "path_smooth": 0.0},
}


def default_value(name: str, task: str, setting: str):
    """Return the value that a hyperparameter has where nothing is said; None where it is not known."""
    if setting in BOOSTER_DEFAULTS.get(name, {}):
        return BOOSTER_DEFAULTS[name][setting]
    parameter = inspect.signature(estimator_class(name, task).__init__).parameters.get(setting)
    return (
        None
        if parameter is None or parameter.default is inspect.Parameter.empty
        else parameter.default
    )
