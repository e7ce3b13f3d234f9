"""Real tables that statistical claims are measured on; each is put into data/raw/ by hand."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.project.errors import DataError

HOUSE_PRICES = Path("data/raw/house_prices.csv")
FROM = {
    HOUSE_PRICES: "train.csv of kaggle.com/c/house-prices-advanced-regression-techniques",
}


def read(path: Path) -> pd.DataFrame:
    """Return a real table; raises DataError that says where it comes from."""
    if not path.is_file():
        raise DataError(f"{path} is not there; put {FROM[path]} there")
    return pd.read_csv(path)


@cache
def house_price_errors() -> np.ndarray:
    """Return the errors of a boosted model on each of the 1,460 houses, from 5-fold prediction."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.model_selection import KFold, cross_val_predict

    table = read(HOUSE_PRICES)
    X = table.drop(columns=["Id", "SalePrice"])
    for name in X.columns[~X.dtypes.map(pd.api.types.is_numeric_dtype)]:
        X[name] = pd.factorize(X[name])[0]
    booster = HistGradientBoostingRegressor(max_iter=150, random_state=0)
    model = TransformedTargetRegressor(booster, func=np.log1p, inverse_func=np.expm1)
    folds = KFold(5, shuffle=True, random_state=0)
    predicted = cross_val_predict(model, X, table["SalePrice"], cv=folds)
    return table["SalePrice"].to_numpy() - predicted
