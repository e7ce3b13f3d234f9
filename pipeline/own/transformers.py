"""The user's own transformers: what is fitted on the features, in front of a model's encoding.

A class with scikit-learn's interface, fit(X, y) and transform(X), on tables: X is the frame of
features, y the target as numbers or class numbers. It is fitted anew with every model, on the rows
that this one learns from; fit_transform(X, y), where it has one, may hold a row's own target back.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.own import loading
from pipeline.own.features import OwnCodeFault
from pipeline.project.errors import UsageError

NEEDED = ("fit", "transform", "get_params")


def check(place: str, where: str) -> type:
    """Return the class of `path:name`; raises UsageError where it is not a transformer."""
    found = loading.named(place, where).value
    lacks = [name for name in NEEDED if not hasattr(found, name)]
    if not isinstance(found, type) or lacks:
        what = f"has no {', '.join(lacks)}" if lacks else "is not a class"
        raise UsageError(
            f"{loading.key(where)}: {place} is not a transformer: it {what}; derive a class from "
            f"sklearn.base.TransformerMixin and BaseEstimator and give it fit(X, y), transform(X)"
        )
    return found


def fit_transform(
    places: Sequence[str], X: pd.DataFrame, y: np.ndarray
) -> tuple[tuple[Any, ...], pd.DataFrame]:
    """Return the transformers fitted one after the other, and what they make of X.

    Raises OwnCodeFault where one raises, or does not return a table of the same rows.
    """
    fitted: list[Any] = []
    for place in places:
        transformer = check(place, "data.transformers")()
        path = place.partition(":")[0]
        try:
            if hasattr(transformer, "fit_transform"):
                made = transformer.fit_transform(X.copy(), y)
            else:
                made = transformer.fit(X.copy(), y).transform(X.copy())
        except Exception as error:
            raise OwnCodeFault(f"{place}: {loading.fault(error, path)}") from error
        X = _checked(place, made, X)
        fitted.append(transformer)
    return tuple(fitted), X


def transform(fitted: Sequence[Any], X: pd.DataFrame) -> pd.DataFrame:
    """Return what fitted transformers make of features; raises OwnCodeFault as `fit_transform`."""
    for transformer in fitted:
        name = loading.readable(f"{type(transformer).__module__}.{type(transformer).__qualname__}")
        try:
            made = transformer.transform(X.copy())
        except Exception as error:
            raise OwnCodeFault(
                f"{name}.transform() raises {type(error).__name__}: {error}"
            ) from error
        X = _checked(name, made, X)
    return X


def _checked(who: str, made: object, X: pd.DataFrame) -> pd.DataFrame:
    if not isinstance(made, pd.DataFrame) or not made.index.equals(X.index):
        what = f"{len(made)} rows" if isinstance(made, pd.DataFrame) else f"a {type(made).__name__}"
        raise OwnCodeFault(
            f"{who}: transform() returns {what} for a table of {len(X)} rows; return a pandas "
            f"DataFrame with the same rows and index"
        )
    return made
