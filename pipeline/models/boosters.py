"""Boosters with early stopping, on tables that are binned once and shared by all fits on the same rows."""

from dataclasses import dataclass

import numpy as np

from pipeline.models import catalogue, fitting
from pipeline.models.fitted import Model
from pipeline.models.fitting import Prepared
from pipeline.models.spec import ModelSpec

ROUNDS = {
    "lightgbm": "n_estimators",
    "xgboost": "n_estimators",
    "catboost": "iterations",
}  # the setting that counts them
BINNING = {  # the settings that a binned table depends on
    "lightgbm": ("max_bin", "min_data_in_bin", "subsample_for_bin", "linear_tree"),
    "xgboost": ("max_bin",),
    "catboost": (),  # bins anew for every fit, which takes it a hundredth of the fit
}


@dataclass(frozen=True)
class Binned:
    """The rows to fit and those that say when to stop, as the booster's library holds them."""

    preprocessing: object
    fit: object
    stop: object


def can_stop(name: str, hyperparameters: dict) -> bool:
    """Tell whether a model's rounds can be found by early stopping here; LightGBM's class_weight works in its class alone."""
    return name in ROUNDS and (name != "lightgbm" or hyperparameters.get("class_weight") is None)


def binning(name: str, hyperparameters: dict) -> tuple:
    """Return what tells apart the binned tables that one set of rows needs."""
    return tuple(
        (setting, hyperparameters[setting])
        for setting in BINNING[name]
        if setting in hyperparameters
    )


def binned(
    spec: ModelSpec, hyperparameters: dict, rows: Prepared, Z_stop, y_stop: np.ndarray
) -> Binned:
    """Return the two tables binned, the second by the first one's bins; `y_stop` is the untransformed target."""
    name, y_stop = spec.name, fitting.transformed_target(spec, y_stop)
    chosen = dict(binning(name, hyperparameters))
    if name == "lightgbm":
        import lightgbm

        fixed = {
            "num_threads": catalogue.BOOSTER_THREADS,
            "feature_pre_filter": False,
            "verbosity": -1,
            "deterministic": True,
            "force_row_wise": True,
        }
        options = {"categorical_feature": rows.categories, "params": {**fixed, **chosen}}
        fit = lightgbm.Dataset(rows.Z, rows.y, **options).construct()
        return Binned(
            rows.preprocessing,
            fit,
            lightgbm.Dataset(Z_stop, y_stop, reference=fit, **options).construct(),
        )
    if name == "xgboost":
        import xgboost

        options = {
            "feature_types": fitting.feature_types(rows),
            "enable_categorical": True,
            "nthread": catalogue.BOOSTER_THREADS,
            **chosen,
        }
        fit = xgboost.QuantileDMatrix(rows.Z, rows.y, **options)
        return Binned(
            rows.preprocessing, fit, xgboost.QuantileDMatrix(Z_stop, y_stop, ref=fit, **options)
        )
    import catboost

    return Binned(
        rows.preprocessing,
        catboost.Pool(rows.Z, rows.y, cat_features=rows.categories),
        catboost.Pool(Z_stop, y_stop, cat_features=rows.categories),
    )


def fit(
    spec: ModelSpec,
    hyperparameters: dict,
    tables: Binned,
    y: np.ndarray,
    seed: int,
    most_rounds: int,
    patience: int | None,
) -> tuple[Model, int]:
    """Return the model, cut off at its best round, and that round.

    The best is the one after which the loss on the rows to stop by has not fallen for `patience` rounds; without patience all
    rounds are done. With as many rounds models.fit gives an equal model. `y` is the target before resampling.
    """
    name = spec.name
    settings = {
        **fitting.settled_hyperparameters(spec, hyperparameters, y),
        ROUNDS[name]: most_rounds,
    }
    unfitted = catalogue.unfitted_estimator(name, spec.task, settings, seed)
    booster, rounds = {"lightgbm": _lightgbm, "xgboost": _xgboost, "catboost": _catboost}[name](
        spec, unfitted, tables, most_rounds, patience
    )
    return Model(tables.preprocessing, booster, spec), rounds


def _lightgbm(spec: ModelSpec, unfitted, tables: Binned, most_rounds: int, patience: int | None):
    import lightgbm

    settings = {
        key: value
        for key, value in unfitted.get_params().items()
        if key not in ("n_estimators", "class_weight", "importance_type") and value is not None
    }
    if spec.task == "regression":
        settings.setdefault("objective", "regression")
    elif len(spec.classes) == 2:
        settings.setdefault("objective", "binary")
    else:
        settings |= {"num_class": len(spec.classes)}
        settings.setdefault("objective", "multiclass")
    stopping = [lightgbm.early_stopping(patience, verbose=False)] if patience else []
    booster = lightgbm.train(
        settings,
        tables.fit,
        most_rounds,
        valid_sets=[tables.stop] * bool(patience),
        callbacks=stopping,
    )
    return booster, booster.best_iteration if patience else most_rounds


class _BestRounds:
    """XGBoost's booster as Model calls it: on a plain table, by the rounds up to the best."""

    def __init__(self, booster, rounds: int):
        self.booster, self.rounds = booster, rounds

    def predict(self, Z) -> np.ndarray:
        return self.booster.inplace_predict(Z, iteration_range=(0, self.rounds))

    def save_model(self, path: str) -> None:
        self.booster[: self.rounds].save_model(path)


def _xgboost(spec: ModelSpec, unfitted, tables: Binned, most_rounds: int, patience: int | None):
    import xgboost

    settings = unfitted.get_xgb_params()
    if spec.task == "classification" and len(spec.classes) > 2:
        settings |= {"objective": "multi:softprob", "num_class": len(spec.classes)}
    booster = xgboost.train(
        settings,
        tables.fit,
        most_rounds,
        evals=[(tables.stop, "stop")] if patience else [],
        early_stopping_rounds=patience,
        verbose_eval=False,
    )
    rounds = booster.best_iteration + 1 if patience else most_rounds
    return _BestRounds(booster, rounds), rounds


def _catboost(spec: ModelSpec, unfitted, tables: Binned, most_rounds: int, patience: int | None):
    stopping = (
        {"eval_set": tables.stop, "early_stopping_rounds": patience, "use_best_model": True}
        if patience
        else {}
    )
    unfitted.fit(tables.fit, **stopping)
    return unfitted, unfitted.tree_count_
