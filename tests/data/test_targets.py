"""Class labels have one order, and each class the number of its place in it."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data import targets

LABELS = pd.Series(["b", "a", "c", "b"])


@pytest.mark.parametrize("positive, order", [(None, ["a", "b", "c"]), ("a", ["b", "c", "a"])])
def test_labels_are_sorted_the_positive_one_last(positive, order):
    assert targets.class_labels(LABELS, positive) == order


def test_class_number_is_the_place_of_the_label():
    found = targets.class_numbers(LABELS, ["b", "c", "a"])
    assert found.dtype == np.int64 and found.tolist() == [0, 2, 1, 0]
    assert targets.class_numbers(["a", None], ["a"]).tolist() == [0, -1]


def test_target_without_classes_is_its_numbers():
    found = targets.numeric_target(pd.Series([1, 2]), None)
    assert found.dtype == np.float64 and found.tolist() == [1.0, 2.0]
    assert targets.numeric_target(LABELS, ["a", "b", "c"]).tolist() == [1, 0, 2, 1]
