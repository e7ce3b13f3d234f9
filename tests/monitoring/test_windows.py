"""Windows of the log are compared one by one, and several of them make an alarm."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data.typed_tables import of_frame, with_text
from pipeline.drift.comparison import Plan
from pipeline.drift.roles import Roles
from pipeline.monitoring.windows import compare_windows, windows_verdict
from pipeline.project.settings.drift import Drift
from support.drift_tables import compare

LIMITS = Drift(window_rows=100, windows=3, alarm_windows=2)


def frames(rows=(400, 330), shifts=(), seed=0):
    """Return reference and served rows of two columns and a prediction; each shift moves the next
    hundred served rows.
    """
    rng = np.random.default_rng(seed)
    one, other = (
        pd.DataFrame(
            {
                "x": rng.normal(size=n),
                "town": rng.choice(["a", "b"], n),
                "model output": rng.normal(size=n),
            }
        )
        for n in rows
    )
    for place, shift in enumerate(shifts):
        start = len(other) - 100 * (len(shifts) - place)
        other.loc[other.index[start : start + 100], "x"] += shift
    return one, other


def windows(shifts=(), limits=LIMITS, rows=(400, 330), **options):
    one, other = frames(rows, shifts)
    times = pd.Series([f"{number:04}" for number in range(len(other))])
    plan = Plan(Roles(prediction="model output"), limits, **options)
    return compare_windows(one, other, times, ("town",), plan)


def test_windows_end_with_the_newest_row_and_leave_the_rest_out():
    assert [(window.first, window.last, window.rows) for window in windows()] == [
        ("0030", "0129", 100),
        ("0130", "0229", 100),
        ("0230", "0329", 100),
    ]
    assert [window.rows for window in windows(rows=(400, 170))] == [100]
    assert [window.rows for window in windows(rows=(400, 70))] == [70]


@pytest.mark.parametrize(
    "shifts, alarm_windows, expected",
    [
        ((0, 0, 0), 2, "no drift"),
        ((2, 0, 0), 2, "no drift"),
        ((0, 0, 2), 1, "drift"),
        ((2, 0, 2), 2, "drift"),
        ((2, 0, 2), 3, "no drift"),
        ((2, 2, 2), 3, "drift"),
    ],
)
def test_alarm_needs_so_many_of_the_windows(shifts, alarm_windows, expected):
    limits = LIMITS.model_copy(update={"alarm_windows": alarm_windows})
    found = windows(shifts, limits)
    assert [window.verdict for window in found] == [
        "drift" if shift else "no drift" for shift in shifts
    ]
    assert [window.drifted for window in found] == [["x"] if shift else [] for shift in shifts]
    assert windows_verdict(found, limits) == expected


def test_fewer_windows_than_an_alarm_needs_are_not_enough_data():
    assert windows_verdict(windows(rows=(400, 150)), LIMITS) == "not enough data"
    assert windows_verdict(windows((2,), rows=(400, 150)), LIMITS) == "not enough data"
    small = LIMITS.model_copy(update={"window_rows": 30})
    found = windows(limits=small)
    assert (
        {window.verdict for window in found}
        == {windows_verdict(found, small)}
        == {"not enough data"}
    )


def test_drift_of_the_prediction_alone_is_drift_of_a_window_and_that_of_an_ignored_column_is_none():
    one, other = frames()
    times = pd.Series(["t"] * len(other))
    other = other.assign(**{"model output": 5.0})
    plan = Plan(Roles(prediction="model output"), LIMITS)
    moved = compare_windows(one, other, times, ("town",), plan)
    assert [window.drifted for window in moved] == [["model output"]] * 3
    assert {window.verdict for window in windows((2, 2, 2), ignored=frozenset("x"))} == {"no drift"}


def test_number_that_was_trained_as_a_category_is_compared_as_one():
    reference = pd.DataFrame({"flag": pd.Series(["0", "1"] * 100, dtype="str")})
    served = with_text(of_frame(pd.DataFrame({"flag": [0, 1] * 100})), ("flag",))
    found = compare(reference, served)
    assert (found.verdict, found.schema_changes) == ("no drift", [])
