"""Columns -> what an estimator takes: the preprocessing that is fitted with each model and saved with it.

An encoding is a way to prepare a table for a family of estimators:

    scaled   medians for missing numbers, zero mean and unit deviation, one column per category: for linear models
    filled   medians for missing numbers, one code per category: for trees that split on the code
    native   missing numbers stay missing, one code per category, which XGBoost and LightGBM are told of; scikit-learn's
             boosting splits on the code, because its own handling stores functions in the model
    integer  the same as a DataFrame whose codes are integers, as CatBoost wants them
"""

import numpy as np
import pandas as pd

from pipeline.data.kinds import CATEGORY, KINDS, MODELLED, of_kind

MOST_CODES = 250  # of a column; the rarest share a code (histogram boosters hold 255 at most)
MOST_INDICATORS = 50  # the same for one-hot columns


def unfitted_preprocessing(kinds: dict[str, str], encoding: str):
    """Return the unfitted ColumnTransformer of an encoding; columns that `kinds` does not name are dropped."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    encoders = {
        "scaled": (
            make_pipeline(
                SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()
            ),
            OneHotEncoder(
                handle_unknown="infrequent_if_exist",
                max_categories=MOST_INDICATORS,
                sparse_output=False,
            ),
        ),
        "filled": (SimpleImputer(strategy="median", keep_empty_features=True), _codes(-1)),
        "native": ("passthrough", _codes(np.nan)),
        "integer": ("passthrough", _codes(-1, dtype=np.int64)),
    }
    steps = [
        (KINDS[kind].step, encoder, of_kind(kinds, kind))
        for kind, encoder in zip(MODELLED, encoders[encoding])
    ]
    transformer = ColumnTransformer(
        steps,
        sparse_threshold=0,
        verbose_feature_names_out=False,
    )
    return transformer.set_output(transform="pandas") if encoding == "integer" else transformer


def _codes(missing: float, dtype=np.float64):
    """Return an OrdinalEncoder of categories to 0, 1, ...; unseen ones and missing values get the code `missing`."""
    from sklearn.preprocessing import OrdinalEncoder

    return OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=missing,
        encoded_missing_value=missing,
        max_categories=MOST_CODES,
        dtype=dtype,
    )


def output_columns(preprocessing) -> list[str]:
    """Return, for each column that a fitted preprocessing puts out, the table's column it comes from."""
    return [
        column
        for name, transformer, taken in preprocessing.transformers_
        if name != "remainder" and len(taken)
        for column in encoder_columns(transformer, list(taken))
    ]


def encoder_columns(transformer, taken: list[str]) -> list[str]:
    """Return the same for one of its transformers and the columns that it takes."""
    from sklearn.preprocessing import OneHotEncoder

    if not isinstance(transformer, OneHotEncoder):
        return taken
    columns = []
    for column, categories, infrequent in zip(
        taken, transformer.categories_, transformer.infrequent_categories_
    ):
        columns += [column] * (
            len(categories) if infrequent is None else len(categories) - len(infrequent) + 1
        )
    return columns


def as_put_out(preprocessing, encoding: str, values: np.ndarray):
    """Return an array of preprocessed rows as the kind of table that its preprocessing puts out."""
    if encoding != "integer":
        return values
    codes = [
        column
        for name, _, taken in preprocessing.transformers_
        if name == KINDS[CATEGORY].step
        for column in taken
    ]
    return pd.DataFrame(values, columns=preprocessing.get_feature_names_out()).astype(
        dict.fromkeys(codes, np.int64)
    )
