"""The alarm does not cry wolf, and finds the changes that it is to find."""

import pytest

from benchmarks import drift_alarms


def test_alarms_are_rare_where_nothing_changed_and_changes_are_found():
    alarms = [drift_alarms.alarm_of_synthetic(seed)["alarm"] for seed in range(7)]
    assert sum(alarms) <= 1
    for change in drift_alarms.CHANGES:
        assert drift_alarms.found_of(change, seed=0), change


@pytest.mark.slow
def test_share_of_false_alarms_is_below_five_percent():
    alarms = [drift_alarms.alarm_of_synthetic(seed)["alarm"] for seed in range(140)]
    assert sum(alarms) <= 7
