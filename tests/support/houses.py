"""A plain table of houses, and the block of params.yaml that describes it."""

import numpy as np
import pandas as pd

from pipeline.project.settings.data import Data

HOUSE = {
    "source": "x.csv",
    "depends_on": "x.csv",
    "file": "data/x.csv",
    "task": "regression",
    "target": "price",
}


def data(**settings) -> Data:
    return Data(**HOUSE | settings)


def houses(rows: int = 40) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "size": np.arange(rows) % 7 + 50,
            "town": ["Aville", "Bford"] * (rows // 2),
            "price": np.arange(rows) * 1.5,
        }
    )
