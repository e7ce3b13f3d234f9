"""The quick look at the means of the served rows."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data import quality
from pipeline.monitoring.quick_look import FeatureShift, line, quick_look

Z_THRESHOLD = 2.0


def test_z_is_the_difference_of_the_means_in_standard_errors_of_both():
    rng = np.random.default_rng(0)
    towns = pd.Series(rng.choice(["a", "b"], 900, p=[0.8, 0.2]), dtype="str")
    trained = pd.DataFrame({"x": rng.normal(10, 2, 900), "town": towns})
    served = pd.DataFrame(
        {
            "x": rng.normal(10.5, 2, 300),
            "town": rng.choice(["a", "b"], 300, p=[0.6, 0.4]),
            "new": 1.0,
        }
    )
    found = quick_look(quality.statistics(trained), served, Z_THRESHOLD)
    difference = served["x"].mean() - trained["x"].mean()
    assert found["x"].z == pytest.approx(
        difference / (trained["x"].std() * (1 / 300 + 1 / 900) ** 0.5), rel=1e-4
    )
    assert found["x"].shift == pytest.approx(difference / trained["x"].std(), rel=1e-4)
    assert found["town"].z < -Z_THRESHOLD and found["town"].exceeds and set(found) == {"x", "town"}


def test_a_twentieth_of_unchanged_features_exceeds_two_standard_errors():
    rng = np.random.default_rng(1)
    exceeding = []
    for _ in range(40):
        one, other = (
            pd.DataFrame(rng.exponential(size=(rows, 10)), columns=list("abcdefghij"))
            for rows in (400, 200)
        )
        exceeding += [
            look.exceeds
            for look in quick_look(quality.statistics(one), other, Z_THRESHOLD).values()
        ]
    assert 0.02 < np.mean(exceeding) < 0.08


def test_features_without_a_mean_or_a_spread_have_no_z():
    statistics = quality.statistics(
        pd.DataFrame({"constant": [1.0] * 9, "void": [np.nan] * 9, "x": np.arange(9.0)})
    )
    served = pd.DataFrame({"constant": [2.0] * 9, "void": 1.0, "x": ["text"] * 9})
    assert quick_look(statistics, served, Z_THRESHOLD) == {}


def test_line_names_the_features_that_moved_farthest():
    look = {name: FeatureShift(z, z / 10, exceeds=True) for name, z in zip("abcdefg", range(3, 10))}
    look["same"] = FeatureShift(0.5, 0.1, exceeds=False)
    told = line(look, Z_THRESHOLD)
    assert told.startswith("quick look: the mean of 7 of 8 features is off by more than 2 standard")
    assert "errors: g z +9.0 (shift +0.90), f z +8.0" in told and told.endswith(
        "c z +5.0 (shift +0.50), ..."
    )
