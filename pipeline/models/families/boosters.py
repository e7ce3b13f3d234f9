"""The booster: fits that stop early, on tables binned once for all fits on the same rows."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.models import catalogue, estimators, fitting
from pipeline.models.catalogue import Booster
from pipeline.models.families.monotone import constrained
from pipeline.models.fitted import Model
from pipeline.models.fitting import Prepared
from pipeline.models.spec import ModelSpec

# the arguments of LightGBM's class that its training function does not know
LIGHTGBM_CLASS_ARGUMENTS = ("n_estimators", "class_weight", "importance_type")


@dataclass(frozen=True)
class Binned:
    """The rows to fit and those that say when to stop, as the booster's library holds them."""

    rows: Prepared
    fit: Any
    stop: Any


@dataclass(frozen=True)
class Stopping:
    """When a fit ends: after `most_rounds`.

    With `patience` it ends sooner where the loss on the rows to stop by has not fallen for so many
    rounds, and the model is cut off at the best of them. At the moment `until`, as time.time()
    counts it, it is given up.
    """

    most_rounds: int
    patience: int | None = None
    until: float = math.inf

    def check_time(self) -> None:
        """Raise TimeIsOver after the moment `until`."""
        if time.time() > self.until:
            raise TimeIsOver


class TimeIsOver(Exception):
    """A fit was given up, as its time was over."""


@dataclass(frozen=True)
class Boosted:
    """A fitted booster as its library gives it, and how many rounds of it are used."""

    booster: Any
    rounds: int


def can_stop(name: str, hyperparameters: dict[str, Any]) -> bool:
    """Return whether a model's rounds can be found by early stopping here."""
    family = catalogue.FAMILIES.get(name)
    facts = family.booster if family else None
    if facts is None:
        return False
    return all(hyperparameters.get(setting) is None for setting in facts.class_only)


def rounds_setting(name: str) -> str:
    """Return the hyperparameter that counts the rounds of a booster."""
    return _facts(name).rounds


def _facts(name: str) -> Booster:
    facts = catalogue.FAMILIES[name].booster
    if facts is None:
        raise ValueError(f"{name} is not a booster")
    return facts


def binning(name: str, hyperparameters: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Return what tells apart the binned tables that one set of rows needs, as pairs of a dict."""
    return tuple(
        (setting, hyperparameters[setting])
        for setting in _facts(name).binned_by
        if setting in hyperparameters
    )


def binned(
    spec: ModelSpec,
    hyperparameters: dict[str, Any],
    rows: Prepared,
    Z_stop: Any,
    y_stop: np.ndarray,
    weight_stop: np.ndarray | None = None,
) -> Binned:
    """Return the two tables binned, the second by the first one's bins.

    `y_stop` is the untransformed target, `weight_stop` what each row to stop by counts.
    """
    stop = Prepared(
        rows.preprocessing,
        Z_stop,
        fitting.transformed_target(spec, y_stop),
        rows.categories,
        weight_stop,
    )
    settings = dict(binning(spec.name, hyperparameters))
    return LIBRARIES[spec.name].bin(rows, stop, settings)


def fit(
    spec: ModelSpec,
    hyperparameters: dict[str, Any],
    tables: Binned,
    y: np.ndarray,
    seed: int,
    stopping: Stopping,
    weight: np.ndarray | None = None,
) -> tuple[Model, int]:
    """Return the model, cut off at its best round, and that round; see Stopping.

    With as many rounds fitting.fit gives an equal model. `y` and `weight` are those before
    resampling. Raises TimeIsOver where it would take longer than it may.
    """
    settings = {
        **fitting.settled_hyperparameters(spec, hyperparameters, y, weight),
        rounds_setting(spec.name): stopping.most_rounds,
    }
    settings = constrained(spec, settings, tables.rows.preprocessing)
    unfitted = estimators.unfitted_estimator(spec.family, spec.task, settings, seed)
    boosted = LIBRARIES[spec.name].train(spec, unfitted, tables, stopping)
    model = Model(tables.rows.preprocessing, boosted.booster, spec, tables.rows.transformers)
    return model, boosted.rounds


def _bin_lightgbm(rows: Prepared, stop: Prepared, settings: dict[str, Any]) -> Binned:
    import lightgbm

    fixed = {
        "num_threads": catalogue.BOOSTER_THREADS,
        "feature_pre_filter": False,
        "verbosity": -1,
        "deterministic": True,
        "force_row_wise": True,
    }
    options = {"categorical_feature": rows.categories, "params": {**fixed, **settings}}
    fit = lightgbm.Dataset(rows.Z, rows.y, weight=rows.weight, **options).construct()
    watched = lightgbm.Dataset(stop.Z, stop.y, weight=stop.weight, reference=fit, **options)
    return Binned(rows, fit, watched.construct())


def _train_lightgbm(spec: ModelSpec, unfitted: Any, tables: Binned, stopping: Stopping) -> Boosted:
    import lightgbm

    settings = {
        name: value
        for name, value in unfitted.get_params().items()
        if name not in LIGHTGBM_CLASS_ARGUMENTS and value is not None
    }
    for name, value in _lightgbm_objective(spec).items():
        settings.setdefault(name, value)
    valid_sets: list[Any] = []
    callbacks: list[Any] = []
    if stopping.patience:
        valid_sets.append(tables.stop)
        callbacks.append(lightgbm.early_stopping(stopping.patience, verbose=False))
    if stopping.until < math.inf:
        callbacks.append(lambda progress: stopping.check_time())
    booster = lightgbm.train(
        settings, tables.fit, stopping.most_rounds, valid_sets=valid_sets, callbacks=callbacks
    )
    return Boosted(booster, booster.best_iteration if stopping.patience else stopping.most_rounds)


def _lightgbm_objective(spec: ModelSpec) -> dict[str, Any]:
    """Return what LightGBM's class works out by itself where the user names no objective."""
    if spec.classes is None:
        return {"objective": "regression"}
    if len(spec.classes) == 2:
        return {"objective": "binary"}
    return {"objective": "multiclass", "num_class": len(spec.classes)}


def _bin_xgboost(rows: Prepared, stop: Prepared, settings: dict[str, Any]) -> Binned:
    import xgboost

    options = {
        "feature_types": fitting.feature_types(rows),
        "enable_categorical": True,
        "nthread": catalogue.BOOSTER_THREADS,
        **settings,
    }
    fit = xgboost.QuantileDMatrix(rows.Z, rows.y, weight=rows.weight, **options)
    watched = xgboost.QuantileDMatrix(stop.Z, stop.y, weight=stop.weight, ref=fit, **options)
    return Binned(rows, fit, watched)


def _train_xgboost(spec: ModelSpec, unfitted: Any, tables: Binned, stopping: Stopping) -> Boosted:
    import xgboost

    settings = unfitted.get_xgb_params()
    if spec.classes is not None and len(spec.classes) > 2:
        settings |= {"objective": "multi:softprob", "num_class": len(spec.classes)}
    booster = xgboost.train(
        settings,
        tables.fit,
        stopping.most_rounds,
        evals=[(tables.stop, "stop")] if stopping.patience else [],
        early_stopping_rounds=stopping.patience,
        verbose_eval=False,
        callbacks=[_xgboost_watch(stopping)] if stopping.until < math.inf else None,
    )
    rounds = booster.best_iteration + 1 if stopping.patience else stopping.most_rounds
    return Boosted(_BestRounds(booster, rounds), rounds)


def _xgboost_watch(stopping: Stopping) -> Any:
    """Return what XGBoost calls after each round, to look at the time."""
    from xgboost.callback import TrainingCallback

    class Watch(TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            stopping.check_time()
            return False

    return Watch()


class _BestRounds:
    """XGBoost's booster as Model calls it: on a plain table, by the rounds up to the best."""

    def __init__(self, booster: Any, rounds: int) -> None:
        self.booster = booster
        self.rounds = rounds

    def predict(self, Z: Any) -> np.ndarray:
        """Return numbers or class probabilities."""
        return self.booster.inplace_predict(Z, iteration_range=(0, self.rounds))

    def save_model(self, path: str) -> None:
        """Write the rounds that are used."""
        self.booster[: self.rounds].save_model(path)


def _bin_catboost(rows: Prepared, stop: Prepared, settings: dict[str, Any]) -> Binned:
    import catboost

    categories = rows.categories
    fit = catboost.Pool(rows.Z, rows.y, weight=rows.weight, cat_features=categories)
    watched = catboost.Pool(stop.Z, stop.y, weight=stop.weight, cat_features=categories)
    return Binned(rows, fit, watched)


def _train_catboost(spec: ModelSpec, unfitted: Any, tables: Binned, stopping: Stopping) -> Boosted:
    options: dict[str, Any] = {}
    if stopping.patience:
        options = {
            "eval_set": tables.stop,
            "early_stopping_rounds": stopping.patience,
            "use_best_model": True,
        }
    if stopping.until < math.inf:
        options["callbacks"] = [_CatBoostWatch(stopping)]
    unfitted.fit(tables.fit, **options)
    # an error that is raised in a callback would not come through CatBoost
    stopping.check_time()
    return Boosted(unfitted, unfitted.tree_count_)


@dataclass(frozen=True)
class _CatBoostWatch:
    """What CatBoost calls after each round, to look at the time."""

    stopping: Stopping

    def after_iteration(self, progress: Any) -> bool:
        """Return whether the fit goes on."""
        return time.time() <= self.stopping.until


@dataclass(frozen=True)
class Library:
    """How one library bins a table and trains on it."""

    bin: Callable[[Prepared, Prepared, dict[str, Any]], Binned]
    train: Callable[[ModelSpec, Any, Binned, Stopping], Boosted]


LIBRARIES = {
    "lightgbm": Library(_bin_lightgbm, _train_lightgbm),
    "xgboost": Library(_bin_xgboost, _train_xgboost),
    "catboost": Library(_bin_catboost, _train_catboost),
}
