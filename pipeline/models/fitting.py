"""The fit of one model: rows are preprocessed and resampled, then its family's estimator learns."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.models import estimators
from pipeline.models.families.monotone import constrained
from pipeline.models.fitted import Model, transformed
from pipeline.models.preprocessing import (
    code_places,
    columns_of_many_levels,
    unfitted_preprocessing,
)
from pipeline.models.spec import ModelSpec
from pipeline.own import transformers
from pipeline.project.errors import DataError, UsageError

# as imbalanced-learn's SMOTE has it; fewer where a class has fewer rows
MOST_NEIGHBOURS = 5
# the code of a missing category while SMOTE draws, which takes no missing values
NO_CATEGORY = -1


@dataclass(frozen=True)
class Prepared:
    """Rows as an estimator takes them, shared by fits on the same rows.

    `Z` is the preprocessed and resampled table, `y` the transformed target, `weight` what each row
    counts, None where all count alike, and `categories` the positions of the columns that hold a
    category's code.
    """

    preprocessing: Any
    Z: Any
    y: np.ndarray
    categories: list[int]
    weight: np.ndarray | None = None
    transformers: tuple[Any, ...] = ()

    def transform(self, X: pd.DataFrame) -> Any:
        """Return other rows as the estimator takes them."""
        return self.preprocessing.transform(transformed(self.transformers, X))


def prepare(
    spec: ModelSpec,
    X: pd.DataFrame,
    y: np.ndarray,
    seed: int,
    resampling: str = "none",
    weight: np.ndarray | None = None,
) -> Prepared:
    """Return typed features and a numeric target as the spec's model is fitted on them.

    `y` has shape (rows,) and holds class codes for classification, `weight` is what each row
    counts. `resampling` is none, smote, which takes no weights, or undersample. Raises DataError
    where a class has too few rows for SMOTE.
    """
    encoding = spec.family.encoding
    own, X, columns = _own_columns(spec, X, y)
    many = columns_of_many_levels(X, columns, encoding)
    target_type = _target_type(spec)
    preprocessing = unfitted_preprocessing(
        columns, encoding, seed, many, target_type, spec.seasonal
    )
    # not transformed: models of either kind share a preprocessing
    Z = preprocessing.fit_transform(X, y)
    categories = code_places(preprocessing)
    if resampling == "undersample":
        Z, y, weight = _undersampled(Z, y, weight, seed)
    elif resampling == "smote":
        # indicators of categories are resampled as numbers
        Z, y = _oversampled(Z, y, [] if encoding == "scaled" else categories, seed)
    return Prepared(preprocessing, Z, transformed_target(spec, y), categories, weight, own)


def _own_columns(
    spec: ModelSpec, X: pd.DataFrame, y: np.ndarray
) -> tuple[tuple[Any, ...], pd.DataFrame, dict[str, str]]:
    """Return the user's own transformers, fitted, and the columns that they make with their kinds.

    Without any the columns are the features.
    """
    if not spec.own.transformers:
        return (), X, spec.features
    fitted, made = transformers.fit_transform(spec.own.transformers, X, y)
    typed = kinds.typed_by_type(made)
    return fitted, typed, kinds.kinds_of(typed)


def _target_type(spec: ModelSpec) -> str:
    """Return how scikit-learn calls the target, which it would else guess from its values."""
    if spec.classes is None:
        return "continuous"
    return "binary" if len(spec.classes) == 2 else "multiclass"


def transformed_target(spec: ModelSpec, y: np.ndarray) -> np.ndarray:
    """Return the target as the estimator learns it."""
    return np.log1p(y) if spec.target_transform == "log1p" else y


def fit(
    spec: ModelSpec,
    hyperparameters: dict[str, Any],
    X: pd.DataFrame,
    y: np.ndarray,
    seed: int,
    resampling: str = "none",
    weight: np.ndarray | None = None,
) -> Model:
    """Return the model fitted on typed features and a numeric target; raises as `prepare` does."""
    rows = prepare(spec, X, y, seed, resampling, weight)
    return fit_prepared(spec, hyperparameters, rows, y, seed, weight)


def fit_prepared(
    spec: ModelSpec,
    hyperparameters: dict[str, Any],
    rows: Prepared,
    y: np.ndarray,
    seed: int,
    weight: np.ndarray | None = None,
) -> Model:
    """Return the model fitted on prepared rows; `y` and `weight` are those before resampling."""
    family = spec.family
    settings = settled_hyperparameters(spec, hyperparameters, y, weight)
    settings = constrained(spec, settings, rows.preprocessing)
    estimator = estimators.unfitted_estimator(family, spec.task, settings, seed)
    options = _mark_categories(estimator, family.categories_argument, rows)
    if rows.weight is not None:
        _check_takes_weights(estimator, spec)
        options["sample_weight"] = rows.weight
    fitted = estimator.fit(rows.Z, rows.y, **options)
    if spec.estimator is not None:
        _check_fitted(fitted, spec)
    for attribute in family.not_stored:
        delattr(fitted, attribute)
    return Model(rows.preprocessing, fitted, spec, rows.transformers)


def _check_fitted(fitted: Any, spec: ModelSpec) -> None:
    """Raise UsageError where a model of the user's own is not fitted, or gives no probabilities."""
    if fitted is None:
        raise UsageError(f"{spec.name}: fit() returns nothing; return self from it")
    if spec.task == "classification" and not hasattr(fitted, "predict_proba"):
        raise UsageError(
            f"{spec.name}: gives no probabilities with these hyperparameters, by which classes are "
            f"decided; change them, as by `probability: true`"
        )


def _check_takes_weights(estimator: Any, spec: ModelSpec) -> None:
    """Raise UsageError where an estimator's fit has no weights, as one of the user's own may."""
    from sklearn.utils.validation import has_fit_parameter

    if not has_fit_parameter(estimator, "sample_weight"):
        raise UsageError(
            f"{spec.name}: the fit of {type(estimator).__name__} takes no sample_weight; remove "
            f"the model, or data.weight"
        )


def settled_hyperparameters(
    spec: ModelSpec,
    hyperparameters: dict[str, Any],
    y: np.ndarray,
    weight: np.ndarray | None = None,
) -> dict[str, Any]:
    """Return the hyperparameters with `scale_pos_weight: balanced` as a number.

    It is the negatives per positive of these rows. Raises UsageError unless there are two classes.
    """
    if hyperparameters.get("scale_pos_weight") != "balanced":
        return hyperparameters
    if len(spec.classes or ()) != 2:
        raise UsageError(f"{spec.name}: scale_pos_weight: balanced is for two classes; remove it")
    negatives, positives = np.bincount(y, weight, minlength=2)
    # without a positive row there is nothing to scale
    return {**hyperparameters, "scale_pos_weight": float(negatives / (positives or 1))}


def _mark_categories(estimator: Any, argument: str | None, rows: Prepared) -> dict[str, Any]:
    """Say to an estimator which columns hold categories' codes; return options for its fit.

    `argument` is the one by which it hears of them: XGBoost and CatBoost take it with their
    settings, LightGBM with the rows.
    """
    if argument == "feature_types":
        estimator.set_params(feature_types=feature_types(rows))
    elif argument == "cat_features":
        estimator.set_params(cat_features=rows.categories)
    elif argument == "categorical_feature":
        return {"categorical_feature": rows.categories}
    return {}


def feature_types(rows: Prepared) -> list[str]:
    """Return XGBoost's word for each column: "c" for a category's code, "q" for a number."""
    return ["c" if position in rows.categories else "q" for position in range(rows.Z.shape[1])]


def _undersampled(
    Z: Any, y: np.ndarray, weight: np.ndarray | None, seed: int
) -> tuple[Any, np.ndarray, np.ndarray | None]:
    """Return as many rows of each class as the rarest one has, drawn without replacement."""
    from imblearn.under_sampling import RandomUnderSampler

    sampler = RandomUnderSampler(random_state=seed)
    Z, y = sampler.fit_resample(Z, y)
    return Z, y, None if weight is None else weight[sampler.sample_indices_]


def _oversampled(Z: Any, y: np.ndarray, categories: list[int], seed: int) -> tuple[Any, np.ndarray]:
    """Return the rows with made-up ones of the rarer classes, by SMOTE (Chawla et al. 2002).

    It takes no missing values: for the time being numbers get the median, categories a code.
    """
    values = np.array(Z, dtype=np.float64)
    missing = np.isnan(values)
    fill = pd.DataFrame(values).median().fillna(0).to_numpy(copy=True)
    fill[categories] = NO_CATEGORY
    values, y = _smote(y, categories, seed).fit_resample(np.where(missing, fill, values), y)
    if missing[:, categories].any():
        codes = values[:, categories]
        values[:, categories] = np.where(codes < 0, np.nan, codes)
    if isinstance(Z, pd.DataFrame):
        return pd.DataFrame(values, columns=Z.columns).astype(Z.dtypes), y
    return values, y


def _smote(y: np.ndarray, categories: list[int], seed: int) -> Any:
    """Return imbalanced-learn's sampler, SMOTENC where there are categories."""
    from imblearn.over_sampling import SMOTE, SMOTENC

    fewest = int(np.bincount(y).min())
    if fewest < 2:
        raise DataError(
            f"train.resampling smote: a class has {fewest} row in a fold and needs 2; "
            f"use undersample or none"
        )
    neighbours = min(MOST_NEIGHBOURS, fewest - 1)
    if categories:
        return SMOTENC(categories, random_state=seed, k_neighbors=neighbours)
    return SMOTE(random_state=seed, k_neighbors=neighbours)
