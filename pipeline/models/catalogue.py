"""The catalogue of model families: what each one is, from its class to what serves it.

A family is added by one entry of FAMILIES; settings, documents, serving and tests derive from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
    is_averaged          whether tuning averages the folds' models, though it finds no rounds
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
    is_averaged: bool = False
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
        if path.startswith("pipeline."):
            return "sklearn"  # a class of this package fits scikit-learn's
        return "" if ":" in path else path.partition(".")[0]


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
    "extra_trees": Family(
        regression="sklearn.ensemble.ExtraTreesRegressor",
        classification="sklearn.ensemble.ExtraTreesClassifier",
        encoding="filled",
        monotone="monotonic_cst",
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
    "neural_network": Family(
        regression="pipeline.models.families.network.NetworkRegressor",
        classification="pipeline.models.families.network.NetworkClassifier",
        encoding="scaled",
        is_averaged=True,
        small={"max_epochs": 3},
    ),
}
SIMPLEST_FIRST = tuple(FAMILIES)


def names_for(task: str) -> list[str]:
    """Return the names of the families for a task, the simplest first."""
    return [name for name, family in FAMILIES.items() if family.class_path(task)]
