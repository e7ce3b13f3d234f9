"""The preprocessing of a model: from typed columns to what its estimator takes.

It is fitted with each model and saved with it. An encoding is a way to prepare a table for a family
of estimators:

    scaled   medians for missing numbers, zero mean and unit deviation, one column per category:
             for linear models; parts of a date that come back have their sine and cosine
    filled   medians for missing numbers, one code per category: for trees that split on the code
    native   missing numbers stay missing, one code per category; XGBoost and LightGBM hear which
             columns hold codes; scikit-learn's boosting splits on the code, because its own
             handling stores functions in the model
    integer  the same as a DataFrame whose codes are integers, as CatBoost wants them

Dates and texts become numbers by the encoders in models/encoders/; a missing date is a missing
number, a missing text has the number 0 everywhere. A category of many levels becomes the mean
target of its level, shrunken to that of all rows (scikit-learn's TargetEncoder, after Micci-Barreca
2001), but for CatBoost, which has such means of its own. Training rows get the means of other rows.
"""

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data.kinds import CATEGORY, DATE, KINDS, NUMBER, TEXT, of_kind

# of a column; the rarest share a code (histogram boosters hold 255 at most)
MOST_CODES = 250
# the same for one-hot columns; a column with more is encoded by the target
MOST_INDICATORS = 50
# the step of the categories that are encoded by the target, and its cross-fitting
LEVELS, LEVELS_FOLDS = "levels", 5
# numbers that a column of texts becomes; trees are slow to find their way among many
COMPONENTS = {"scaled": 100, "filled": 50, "native": 50, "integer": 50}


def unfitted_preprocessing(
    kinds: dict[str, str],
    encoding: str,
    seed: int = 0,
    many_levels: Sequence[str] = (),
    target_type: str = "continuous",
    seasonal: Sequence[str] = (),
) -> Any:
    """Return an encoding's ColumnTransformer for {column: kind}; it drops all other columns.

    The categories in `many_levels` and texts are encoded by the target, which is continuous, binary
    or multiclass: `fit_transform` then needs it, and gives the training rows other numbers than
    `transform`. The seed is that of the cross-fitting and of the coordinates of texts. Of the dates
    in `seasonal` the season alone is encoded.
    """
    from sklearn.compose import ColumnTransformer

    encoders = {NUMBER: _for_numbers(encoding)}
    # only where there are such columns: the file of a model without them is then as it was
    if DATE in kinds.values():
        encoders[DATE] = _for_dates(encoding, seasonal)
    if TEXT in kinds.values():
        encoders[TEXT] = _for_texts(encoding, seed, target_type)
    steps = []
    for kind, encoder in encoders.items():
        steps.append((KINDS[kind].step, encoder, of_kind(kinds, kind)))
    if many_levels:
        steps.append((LEVELS, _for_levels(encoding, target_type, seed), list(many_levels)))
    few = [column for column in of_kind(kinds, CATEGORY) if column not in many_levels]
    steps.append((KINDS[CATEGORY].step, _for_categories(encoding), few))
    transformer = ColumnTransformer(
        steps,
        sparse_threshold=0,
        verbose_feature_names_out=False,
    )
    return transformer.set_output(transform="pandas") if encoding == "integer" else transformer


def _for_numbers(encoding: str) -> Any:
    from sklearn.pipeline import make_pipeline

    if encoding in ("native", "integer"):
        return "passthrough"
    if encoding == "filled":
        return _medians()
    return make_pipeline(_medians(), _scaler())


def _medians() -> Any:
    from sklearn.impute import SimpleImputer

    return SimpleImputer(strategy="median", keep_empty_features=True)


def _scaler() -> Any:
    from sklearn.preprocessing import StandardScaler

    return StandardScaler()


def _for_dates(encoding: str, seasonal: Sequence[str]) -> Any:
    from sklearn.pipeline import make_pipeline

    cyclic = encoding == "scaled"
    encoder = _own_encoder("dates.DateEncoder")(cyclic, list(seasonal) or None)
    if encoding in ("native", "integer"):
        return encoder
    if encoding == "filled":
        return make_pipeline(encoder, _medians())
    return make_pipeline(encoder, _medians(), _scaler())


def _for_texts(encoding: str, seed: int, target_type: str) -> Any:
    from sklearn.pipeline import make_pipeline

    encoder = _own_encoder("texts.TextEncoder")(COMPONENTS[encoding], seed, target_type)
    return make_pipeline(encoder, _scaler()) if encoding == "scaled" else encoder


def columns_of_many_levels(X: pd.DataFrame, kinds: dict[str, str], encoding: str) -> list[str]:
    """Return the categories of training rows that an encoding encodes by the target."""
    if encoding == "integer":
        return []
    return [name for name in of_kind(kinds, CATEGORY) if X[name].nunique() > MOST_INDICATORS]


def _for_levels(encoding: str, target_type: str, seed: int) -> Any:
    from sklearn.model_selection import KFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import TargetEncoder

    folds = KFold(LEVELS_FOLDS, shuffle=True, random_state=seed)
    encoder = TargetEncoder(target_type=target_type, cv=folds)
    return make_pipeline(encoder, _scaler()) if encoding == "scaled" else encoder


def _own_encoder(path: str) -> Any:
    """Return a class of models/encoders/, whose modules load scikit-learn: that takes a second."""
    module, _, name = path.partition(".")
    return getattr(importlib.import_module(f"pipeline.models.encoders.{module}"), name)


def _for_categories(encoding: str) -> Any:
    from sklearn.preprocessing import OneHotEncoder

    if encoding == "scaled":
        return OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            max_categories=MOST_INDICATORS,
            sparse_output=False,
        )
    if encoding == "native":
        return _codes(missing=np.nan)
    if encoding == "integer":
        return _codes(missing=-1, dtype=np.int64)
    return _codes(missing=-1)


def _codes(missing: float, dtype: type = np.float64) -> Any:
    """Return an OrdinalEncoder of categories to 0, 1, ...

    Unseen ones and missing values get the code `missing`.
    """
    from sklearn.preprocessing import OrdinalEncoder

    return OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=missing,
        encoded_missing_value=missing,
        max_categories=MOST_CODES,
        dtype=dtype,
    )


def fitted_steps(transformer: Any) -> list[Any]:
    """Return the steps of a fitted pipeline, or the one transformer that stands alone."""
    return list(getattr(transformer, "named_steps", {"": transformer}).values())


def output_columns(preprocessing: Any) -> list[str]:
    """Return, for each column that a fitted preprocessing puts out, the table's column it is of.

    Days between two dates are of the later column; `second_columns` has the other one.
    """
    columns = []
    for name, transformer, taken in preprocessing.transformers_:
        if name != "remainder" and len(taken):
            columns += encoder_columns(transformer, list(taken))
    return columns


def second_columns(preprocessing: Any) -> dict[int, str]:
    """Return the other column of what is of two, {place in the output: the table's column}."""
    seconds: dict[int, str] = {}
    first = 0
    for name, transformer, taken in preprocessing.transformers_:
        if name == "remainder" or not len(taken):
            continue
        encoder = fitted_steps(transformer)[0]
        if hasattr(encoder, "second_owners"):
            for place, column in encoder.second_owners().items():
                seconds[first + place] = column
        first += len(encoder_columns(transformer, list(taken)))
    return seconds


def encoder_columns(transformer: Any, taken: list[str]) -> list[str]:
    """Return the same as `output_columns` for one transformer and the columns that it takes."""
    from sklearn.preprocessing import OneHotEncoder, TargetEncoder

    encoder = fitted_steps(transformer)[0]
    if hasattr(encoder, "owners"):
        return encoder.owners()
    if isinstance(encoder, TargetEncoder):
        # of more than two classes each has its mean
        each = len(encoder.classes_) if encoder.target_type_ == "multiclass" else 1
        return [column for column in taken for _ in range(each)]
    if not isinstance(encoder, OneHotEncoder):
        return taken
    columns = []
    for column, categories, infrequent in zip(
        taken, encoder.categories_, encoder.infrequent_categories_
    ):
        width = len(categories)
        if infrequent is not None:
            # they share one column
            width += 1 - len(infrequent)
        columns += [column] * width
    return columns


def code_places(preprocessing: Any) -> list[int]:
    """Return the places in the output of the columns that stand for categories one by one."""
    places: list[int] = []
    first = 0
    for name, transformer, taken in preprocessing.transformers_:
        if name == "remainder" or not len(taken):
            continue
        width = len(encoder_columns(transformer, list(taken)))
        if name == KINDS[CATEGORY].step:
            places += range(first, first + width)
        first += width
    return places


def known_categories(preprocessing: Any) -> dict[str, tuple[str, ...]]:
    """Return the categories that a fitted preprocessing has seen, {column: categories}."""
    known = {}
    for _, transformer, taken in preprocessing.transformers_:
        encoder = fitted_steps(transformer)[0]
        for column, categories in zip(taken, getattr(encoder, "categories_", ())):
            known[column] = tuple(text for text in categories if isinstance(text, str))
    return known


def as_put_out(preprocessing: Any, encoding: str, values: np.ndarray) -> Any:
    """Return an array of preprocessed rows as the kind of table that its preprocessing puts out."""
    if encoding != "integer":
        return values
    codes: list[str] = []
    for name, _, taken in preprocessing.transformers_:
        if name == KINDS[CATEGORY].step:
            codes += taken
    table = pd.DataFrame(values, columns=preprocessing.get_feature_names_out())
    return table.astype(dict.fromkeys(codes, np.int64))
