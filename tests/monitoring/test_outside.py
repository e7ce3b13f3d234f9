"""Served rows that lie outside the training rows are counted by column; new extremes are not."""

import numpy as np
import pandas as pd

from pipeline.monitoring.outside import outside


def rows(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    towns = pd.Series(rng.choice(["Aville", "Bford"], n), dtype="str")
    return pd.DataFrame({"size": rng.normal(size=n), "town": towns, "age": rng.random(n)})


def test_rows_drawn_alike_lie_inside_though_some_are_new_extremes():
    served = rows(500, 1)
    served.loc[0, "size"] = 50
    assert outside(rows(300, 0), served) is None


def test_numbers_beyond_unseen_categories_and_new_gaps_are_counted_once_a_row():
    served = rows(100, 1)
    served.loc[:19, "size"] = 9.0
    served.loc[10:29, "town"] = "Cham"
    served.loc[0:39, "age"] = np.nan
    found = outside(rows(300, 0), served)
    assert found is not None
    assert found.columns == ["size", "town", "age"] and found.share == 0.4
    assert found.line() == (
        "  the estimate is void: 40.0% of the rows lie outside the training rows: 'size', 'town', "
        "'age'"
    )


def test_gaps_are_known_where_training_rows_have_some():
    training, served = rows(300, 0), rows(100, 1)
    training.loc[0, ["age", "town"]] = None
    served.loc[:50, ["age", "town"]] = None
    assert outside(training, served) is None
