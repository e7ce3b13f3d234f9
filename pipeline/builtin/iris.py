"""iris: the 150 flowers that Anderson measured and Fisher published in 1936, from scikit-learn.

REAL data, the only built-in table that is. It is fixed, so neither a number of rows nor a seed
changes it.
"""

import pandas as pd

ROWS = 150
MEASURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def generate(n_rows: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Return the table; `seed` is there only so that every source is called in the same way."""
    if n_rows not in (None, ROWS):
        raise ValueError(
            f"iris is a real, fixed table of {ROWS} rows; it cannot be made with {n_rows:,} rows"
        )
    from sklearn.datasets import load_iris  # slow to import, and only needed here

    iris = load_iris()
    frame = pd.DataFrame(iris.data, columns=MEASURES)
    frame["species"] = pd.Categorical.from_codes(iris.target, categories=iris.target_names.tolist())
    return frame
