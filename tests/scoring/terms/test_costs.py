"""What decisions cost: read from settings and table, and refused where they make no sense."""

import numpy as np
import pandas as pd
import pytest

from pipeline.project.errors import DataError, UsageError
from pipeline.scoring.terms import costs

FRAME = pd.DataFrame({"amount": [10.0, 20.0, 30.0, 40.0]})
Y = np.array([0, 1, 1, 0])


def of_rows(settings, frame=FRAME, y=Y, classes=("no", "yes")):
    cells = costs.cells_of(settings, list(classes), "train.costs")
    return costs.costs_of_rows(cells, y, frame, list(classes), "shop.csv")


def test_costs_of_two_classes_are_numbers_columns_and_gains():
    settings = {"false_positive": 5, "false_negative": "amount", "true_positive": -2}
    assert of_rows(settings).tolist() == [[0, 5], [20, -2], [30, -2], [0, 5]]


def test_costs_of_several_classes_are_a_table_and_what_is_not_named_costs_nothing():
    settings = {"a": {"b": 1, "c": 2}, "c": {"a": "amount"}}
    found = of_rows(settings, y=np.array([0, 1, 2, 2]), classes=("a", "b", "c"))
    assert found.tolist() == [[0, 1, 2], [0, 0, 0], [30, 0, 0], [40, 0, 0]]


@pytest.mark.parametrize(
    "settings, classes, fault",
    [
        ({"false_positive": 1}, ("a", "b", "c"), "are of two classes, and the target has 3"),
        ({"a": {"d": 1}}, ("a", "b", "c"), "no class 'd'; the target has: 'a', 'b', 'c'"),
    ],
)
def test_costs_of_other_classes_are_refused(settings, classes, fault):
    with pytest.raises(UsageError, match=fault):
        costs.cells_of(settings, list(classes), "train.costs")


@pytest.mark.parametrize(
    "frame, fault",
    [
        (
            FRAME.rename(columns={"amount": "sum"}),
            "shop.csv: no column 'amount', which train.costs",
        ),
        (
            FRAME.assign(amount=[1.0, None, None, 2.0]),
            "'amount'.* is not a number in line 3 and 1 m",
        ),
        (FRAME.assign(amount=[1.0, 2.0, -3.0, 2.0]), "costs less than the right one in line 4;"),
    ],
)
def test_column_of_amounts_that_cannot_be_costs_is_refused(frame, fault):
    with pytest.raises(DataError, match=fault):
        of_rows({"false_positive": 5, "false_negative": "amount"}, frame)
