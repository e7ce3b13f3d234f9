"""Models: name -> estimator, fitting, prediction, and files that run no code when they are loaded.

A stored model is a folder: `preprocessing.skops`, the estimator in its library's own format or skops, and `metadata.json`, which
holds what prediction needs beside them and the sha256 of both. A blend has an estimator per member, and a preprocessing per
encoding. The bytes repeat: equal fits give equal files.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.data.kinds import CATEGORY
from pipeline.models import catalogue
from pipeline.models.fitted import Model
from pipeline.models.preprocessing import output_columns, unfitted_preprocessing
from pipeline.models.spec import ModelSpec
from pipeline.project.errors import DataError, UsageError


@dataclass(frozen=True)
class Prepared:
    """Rows as an estimator takes them: preprocessed, resampled, the target transformed; shared by fits on the same rows."""

    preprocessing: object
    Z: object
    y: np.ndarray
    categories: list[int]  # the columns that hold a category's code


def prepare(
    spec: ModelSpec, X: pd.DataFrame, y: np.ndarray, seed: int, resampling: str = "none"
) -> Prepared:
    """Return typed features and a numeric target (class numbers for classification) as the spec's model is fitted on them."""
    encoding = catalogue.FAMILIES[spec.name].encoding
    preprocessing = unfitted_preprocessing(spec.features, encoding)
    Z = preprocessing.fit_transform(X)
    categories = [
        number
        for number, column in enumerate(output_columns(preprocessing))
        if spec.features[column] == CATEGORY
    ]
    if resampling != "none":
        Z, y = _resample(Z, y, categories if encoding != "scaled" else [], resampling, seed)
    return Prepared(preprocessing, Z, transformed_target(spec, y), categories)


def transformed_target(spec: ModelSpec, y: np.ndarray) -> np.ndarray:
    """Return the target as the estimator learns it."""
    return np.log1p(y) if spec.target_transform == "log1p" else y


def fit(
    spec: ModelSpec,
    hyperparameters: dict,
    X: pd.DataFrame,
    y: np.ndarray,
    seed: int,
    resampling: str = "none",
) -> Model:
    """Return the model fitted on typed features and a numeric target (class numbers for classification)."""
    return fit_prepared(spec, hyperparameters, prepare(spec, X, y, seed, resampling), y, seed)


def fit_prepared(
    spec: ModelSpec, hyperparameters: dict, rows: Prepared, y: np.ndarray, seed: int
) -> Model:
    """Return the model fitted on prepared rows; `y` is the target before resampling."""
    name = spec.name
    unfitted = catalogue.unfitted_estimator(
        name, spec.task, settled_hyperparameters(spec, hyperparameters, y), seed
    )
    if name == "xgboost":
        unfitted.set_params(feature_types=feature_types(rows))
    elif name == "catboost":
        unfitted.set_params(cat_features=rows.categories)
    options = {"categorical_feature": rows.categories} if name == "lightgbm" else {}
    fitted = unfitted.fit(rows.Z, rows.y, **options)
    if (
        name == "lasso"
    ):  # its last digits follow where the rows lie in memory, and no prediction uses it
        del fitted.dual_gap_
    return Model(rows.preprocessing, fitted, spec)


def settled_hyperparameters(spec: ModelSpec, hyperparameters: dict, y: np.ndarray) -> dict:
    """Return the hyperparameters with `scale_pos_weight: balanced` as the number that it means for these rows."""
    if hyperparameters.get("scale_pos_weight") != "balanced":
        return hyperparameters
    if len(spec.classes or ()) != 2:
        raise UsageError(
            f"{spec.name}: scale_pos_weight: balanced is for two classes; remove it"
        )
    return {**hyperparameters, "scale_pos_weight": float((y == 0).sum() / max((y == 1).sum(), 1))}


def feature_types(rows: Prepared) -> list[str]:
    """Return XGBoost's word for the kind of each column."""
    return ["c" if number in rows.categories else "q" for number in range(rows.Z.shape[1])]


def _resample(Z, y: np.ndarray, categories: list[int], resampling: str, seed: int):
    """Return rows with balanced classes: SMOTE (Chawla et al. 2002; SMOTENC with categories) or random undersampling."""
    from imblearn.over_sampling import SMOTE, SMOTENC
    from imblearn.under_sampling import RandomUnderSampler

    if resampling == "undersample":
        return RandomUnderSampler(random_state=seed).fit_resample(Z, y)
    fewest = np.bincount(y).min()
    if fewest < 2:
        raise DataError(
            f"train.resampling smote: a class has {fewest} row in a fold and needs 2; use undersample or none"
        )
    neighbours = min(5, int(fewest) - 1)
    smote = (
        SMOTENC(categories, random_state=seed, k_neighbors=neighbours)
        if categories
        else SMOTE(random_state=seed, k_neighbors=neighbours)
    )
    values = np.array(Z, dtype=np.float64)
    missing = np.isnan(
        values
    )  # SMOTE takes none: medians for numbers, for the time being a code for categories
    fill = pd.DataFrame(values).median().fillna(0).to_numpy(copy=True)
    fill[categories] = -1
    values, y = smote.fit_resample(np.where(missing, fill, values), y)
    if missing[:, categories].any():
        values[:, categories] = np.where(values[:, categories] < 0, np.nan, values[:, categories])
    return (
        pd.DataFrame(values, columns=Z.columns).astype(Z.dtypes)
        if isinstance(Z, pd.DataFrame)
        else values
    ), y
