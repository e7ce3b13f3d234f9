"""What benchmarks take from real tables, which are put into data/raw/ by hand."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.data.typed_tables import open_file

RAW = Path("data/raw")
TELCO = RAW / "Telco-Customer-Churn.csv"
HOUSE_PRICES = RAW / "house_prices_train.csv"
ADULT = RAW / "adult_income.csv"


@cache
def real_table(path: Path) -> pd.DataFrame | None:
    """Return a table with typed columns; None where its file is not there."""
    if not path.is_file():
        return None
    typed = open_file(path)
    return pd.DataFrame({name: typed[name] for name in typed})


@cache
def house_price_errors() -> np.ndarray | None:
    """Return the errors of a boosted model on each house, from 5-fold prediction.

    None where the table is not there.
    """
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.model_selection import KFold, cross_val_predict

    table = real_table(HOUSE_PRICES)
    if table is None:
        return None
    X = table.drop(columns=["Id", "SalePrice"], errors="ignore")
    for name in X.columns[~X.dtypes.map(pd.api.types.is_numeric_dtype)]:
        X[name] = pd.factorize(X[name])[0]
    booster = HistGradientBoostingRegressor(max_iter=150, random_state=0)
    model = TransformedTargetRegressor(booster, func=np.log1p, inverse_func=np.expm1)
    folds = KFold(5, shuffle=True, random_state=0)
    predicted = cross_val_predict(model, X, table["SalePrice"], cv=folds)
    return table["SalePrice"].to_numpy() - predicted
