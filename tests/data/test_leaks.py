"""Leaks: what gives the target away is named with a remedy; honest columns are not refused."""

import cProfile
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, r2_score
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from benchmarks import leaks as cases
from pipeline.data.leaks import associations, lags, search
from pipeline.data.leaks.table import Leak, columns_of, lines, training_table
from pipeline.project.settings.data import Data, Prepare
from support.projects import sales


def found(
    frame: pd.DataFrame, task: str, split: str = "random", target: str = "target"
) -> list[Leak]:
    data = Data.model_construct(file="data/cases.csv", task=task, target=target)
    prepare = Prepare(test_size=0.2, split=split)
    return search.find(training_table(frame, frame[[]], data, prepare, 0))


def made(make) -> cases.Case:
    return make(np.random.default_rng(0))


@pytest.mark.parametrize("name", cases.LEAKS)
def test_each_leak_is_named(name):
    case = made(cases.LEAKS[name])
    leaks = cases.found(case, 0)
    assert set(columns_of(leaks)) >= set(case.leaking)


@pytest.mark.parametrize("make", [cases.no_leak_of_numbers, cases.no_leak_of_classes])
def test_table_without_a_leak_is_not_warned_of(make):
    assert cases.found(made(make), 0) == []


@pytest.mark.parametrize("make", [cases.honest_number_feature, cases.honest_class_feature])
def test_honest_column_that_tells_nearly_all_is_warned_of_and_not_refused(make):
    (leak,) = cases.found(made(make), 0)
    assert leak.columns == ["leak"] and not leak.certain and "alone predicts" in leak.what


def test_group_leak_names_the_split_first_also_where_the_group_is_dropped():
    leaks = cases.found(made(cases.recurring_patients), 0)
    assert leaks[0].columns == ["patient"] and leaks[0].certain
    assert all(leak.do.startswith("set prepare.split: group:patient") for leak in leaks)
    dropped = cases.found(made(cases.dropped_patients), 0)
    assert dropped[0].columns == ["patient"] and not dropped[0].certain


def test_split_by_group_ends_a_group_leak():
    frame = made(cases.recurring_patients).frame
    assert columns_of(found(frame, "classification")) == ["patient", "weight"]
    assert found(frame, "classification", "group:patient") == []


def test_two_columns_that_together_name_a_patient_are_found():
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(100), 10)
    frame = pd.DataFrame(
        {
            "height": (patient % 10) * 1.0,
            "born": (patient // 10) * 1.0,
            "pulse": rng.normal(size=1000),
            "target": pd.Series(np.where(rng.random(100) < 0.5, "yes", "no"), dtype="str")[
                patient
            ].to_numpy(),
        }
    )
    (leak,) = found(frame, "classification")
    assert leak.columns == ["height", "born"] and not leak.certain
    assert "group:<column>" in leak.do


def test_recurring_numbers_that_tell_new_values_as_well_are_no_group():
    rng = np.random.default_rng(0)
    level = rng.integers(0, 50, 1000) * 1.0
    frame = pd.DataFrame({"level": level, "target": level + rng.normal(0, 1, 1000)})
    (leak,) = found(frame, "regression")
    assert leak.kind == "column"


def test_id_in_the_order_of_the_target_is_a_time_or_dropped():
    (leak,) = cases.found(made(cases.ordered_ids), 0)
    assert leak.kind == "order" and "prepare.split: time:<column>" in leak.do


def test_rows_sorted_by_target_are_measured_and_honest_columns_do_not_follow_them():
    frame = made(cases.no_leak_of_classes).frame.drop(columns="id").sort_values("target")
    frame = frame.reset_index(drop=True)
    data = Data.model_construct(file="x", task="classification", target="target")
    prepare = Prepare(test_size=0.2, split="random")
    shuffled = frame.sample(frac=1, random_state=0).reset_index(drop=True)
    sorted_rows = search.search(training_table(frame, frame[[]], data, prepare, 0))
    others = search.search(training_table(shuffled, frame[[]], data, prepare, 0))
    assert sorted_rows.row_order > 0.95 and others.row_order < 0.2
    assert sorted_rows.found == []


def test_target_of_an_earlier_row_is_known_where_the_split_is_by_time():
    frame = made(cases.lagged_numbers).frame.assign(day=np.arange(1000) * 1.0)
    assert [leak.kind for leak in found(frame, "regression")] == ["lag"]
    assert found(frame, "regression", "time:day") == []
    (later,) = found(frame.assign(leak=frame["target"].shift(-2)), "regression", "time:day")
    assert later.certain and "of the row 2 rows after" in later.what


def test_lag_is_that_of_the_file_whatever_rows_are_left_out():
    frame = made(cases.lagged_numbers).frame
    some = frame.sample(frac=0.8, random_state=0).sort_index()
    answers = associations.answers(some["target"], "regression", 0)
    lag = lags.lag_of(some["leak"], answers, some.index.to_numpy())
    assert lag is not None and lag.rows == 1 and lag.share == 1


def test_class_of_two_rows_hides_no_leak():
    table = sales().assign(copy=lambda frame: frame["sold"])
    table.loc[[0, 1], ["sold", "copy"]] = "Maybe"
    assert columns_of(found(table, "classification", target="sold")) == ["copy"]


def test_texts_that_stand_in_one_row_each_repeat_no_class():
    table = sales(rows=associations.ENOUGH_ROWS + 100)
    table["note"] = [f"note {number} of a customer" for number in range(len(table))]
    assert "note" not in columns_of(found(table, "classification", target="sold"))


def test_few_values_that_happen_to_rise_with_the_target_are_no_leak():
    table = sales().drop(columns="sold").assign(rare=np.nan)
    table.loc[[3, 4], "rare"] = table.loc[[3, 4], "price"]
    assert found(table[["rare", "price"]], "regression", target="price") == []


def test_share_in_order_counts_the_rows_that_repeat_the_target():
    rng = np.random.default_rng(0)
    y = pd.Series(rng.normal(size=1000))
    x = (-y).where(rng.random(1000) < 0.9, rng.normal(size=1000))
    assert 0.88 <= associations.share_in_order(x, y) < 0.93
    mostly_none = y.where(y > 2, 0)
    assert associations.share_in_order(pd.Series(rng.normal(size=1000)), mostly_none) < 0.5


def test_lines_name_what_is_alike_once():
    leaks = [Leak([f"x{n}"], "column", 1.0, True, f"x{n} tells", "drop it") for n in range(7)]
    assert lines(leaks) == ["x0 tells, x1 tells, x2 tells, x3 tells, x4 tells and 2 more: drop it"]


def test_search_takes_seconds_on_a_large_table_and_finds_a_leak_there():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(100_000, 30)), columns=[f"x{n}" for n in range(30)])
    table["target"] = np.where(rng.random(len(table)) < 0.0005, "Yes", "No")
    table["x7"] = (table["target"] == "Yes").astype(float)
    started = time.process_time()
    assert columns_of(found(table, "classification")) == ["x7"]
    assert time.process_time() - started < 20


def calls_of_search(n_columns: int, task: str) -> int:
    """Return how many calls of Python functions the search makes; no machine's load changes it."""
    rng = np.random.default_rng(0)
    columns = [f"x{n}" for n in range(n_columns)]
    table = pd.DataFrame(rng.normal(size=(200, n_columns)), columns=columns)
    price = pd.Series(rng.normal(size=200))
    table["target"] = price if task == "regression" else np.where(price > 0, "Yes", "No")
    with cProfile.Profile() as profile:
        found(table, task)
    return sum(entry.callcount for entry in profile.getstats())


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_each_further_column_of_a_wide_table_costs_the_same_few_calls(task):
    calls_of_search(20, task)  # imports
    some, more, most = (calls_of_search(n_columns, task) for n_columns in (40, 60, 100))
    # scikit-learn's checks of its input alone would be more than this
    assert (more - some) / 20 < 10_000
    assert (most - more) / 40 < 1.2 * (more - some) / 20


def test_column_with_and_without_gaps_scores_as_scikit_learn_does():
    rng = np.random.default_rng(0)
    y = pd.Series(rng.integers(0, 3, 300))
    values = pd.Series(y + rng.normal(0, 0.5, 300))
    for column in (values, values.mask(rng.random(300) < 0.1)):
        for task, tree, folds, scoring in (
            ("classification", DecisionTreeClassifier, StratifiedKFold, balanced_accuracy_score),
            ("regression", DecisionTreeRegressor, KFold, r2_score),
        ):
            target = y if task == "classification" else y + 0.0
            wanted = associations.answers(target, task, 0)
            estimator = tree(min_samples_leaf=2, random_state=0)
            predicted = cross_val_predict(estimator, column.to_frame(), target, cv=folds(3))
            ours = associations.score_of_columns(column.to_frame(), wanted)
            assert ours == pytest.approx(scoring(target, predicted), abs=1e-12)


def test_product_beyond_32_bits_is_looked_at():
    rng = np.random.default_rng(0)
    a, b = 10 ** rng.uniform(10, 30, 300), 10 ** rng.uniform(10, 30, 300)
    table = pd.DataFrame({"a": a, "b": b, "target": np.log10(a) + np.log10(b)})
    assert columns_of(found(table, "regression")) == ["a", "b"]
