"""The alarm does not cry wolf, and finds the changes that it is to find."""

import pytest

from benchmarks import drift_alarms


def test_alarms_are_rare_where_nothing_changed_and_changes_are_found():
    rows = (60, 250, 1000)
    alarms = sum(drift_alarms.false_alarms(25, size) for size in rows)
    assert alarms / (25 * len(rows)) <= 0.05
    for change in drift_alarms.CHANGES:
        assert drift_alarms.found(20, change) >= 18, change


@pytest.mark.slow
def test_share_of_false_alarms_is_below_five_percent():
    alarms = sum(drift_alarms.false_alarms(200, rows) for rows in drift_alarms.ROWS)
    assert drift_alarms.wilson(alarms, 200 * len(drift_alarms.ROWS))[1] < 0.05
    for change in drift_alarms.CHANGES:
        assert drift_alarms.found(200, change) >= 180, change
