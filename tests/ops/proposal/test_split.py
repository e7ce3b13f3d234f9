"""A split by time where rows stand in the order of dates; things that come back are a remark."""

import numpy as np
import pandas as pd
import pytest

from ops.proposal import columns, split

ROWS = 200
RNG = np.random.default_rng(0)
DAYS = pd.date_range("2020-01-01", periods=ROWS).strftime("%Y-%m-%d")


def split_of(**values) -> split.Split:
    frame = pd.DataFrame({**values, "x": RNG.normal(size=ROWS), "y": RNG.normal(size=ROWS)})
    return split.split(frame, columns.taken(frame, "y", []))


@pytest.mark.parametrize(
    "name, values",
    [
        ("day", DAYS),
        ("day", DAYS[::-1]),
        ("Year", np.repeat(np.arange(1950, 2000), 4)),
        ("stamp", DAYS.str.replace("-", "").astype(int)),
        ("day", pd.to_datetime(DAYS).strftime("%d/%m/%Y")),
    ],
)
def test_rows_in_the_order_of_dates_are_split_by_time(name, values):
    found = split_of(**{name: values})
    assert found.by == f"time:{name}" and "random where they are not to be" in found.remarks[0]


@pytest.mark.parametrize(
    "name, values",
    [
        ("time", np.sort(RNG.integers(1, 5000, ROWS))),  # of survival: a duration
        ("size", np.arange(ROWS) * 1.5),
        ("year", np.repeat([2019, 2020], ROWS // 2)),
    ],
)
def test_other_columns_in_order_are_not_times(name, values):
    assert split_of(**{name: values}) == split.Split()


def test_dates_in_no_order_and_things_that_come_back_are_remarks():
    shuffled = RNG.permutation(DAYS)
    found = split_of(day=shuffled, patient_id=np.arange(ROWS) % 50)
    assert found.by == "random"
    assert found.remarks == [
        "split time:day where later rows are to be predicted from earlier ones",
        "split group:patient_id where new ones are to be predicted: 50 of them come back in 200 "
        "rows",
    ]


@pytest.mark.parametrize(
    "name, values",
    [
        ("customer", [f"c{place % 40}" for place in range(ROWS)]),
        ("token", [f"{place % 40:032x}a"[1:] for place in range(ROWS)]),
        ("store_id", np.arange(ROWS) % 40),
    ],
)
def test_columns_that_name_things_are_known_by_name_or_values(name, values):
    (remark,) = split_of(**{name: values}).remarks
    assert remark.startswith(f"split group:{name} where new ones are to be predicted: 40 of them")
    assert split_of(**{f"{name}_size": np.arange(ROWS) % 40}).remarks == []
