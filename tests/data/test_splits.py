"""Who is trained on which rows: sizes, classes, equal rows, groups, time, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data import cleaning, splits
from pipeline.project.errors import DataError
from pipeline.project.settings.data import Prepare
from support.houses import data, houses


def table(rows, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"size": rng.normal(size=rows), "town": rng.choice(["a", "b"], rows)})


def labels(rows, shares=(0.7, 0.2, 0.1), seed=1):
    return pd.Series(
        np.random.default_rng(seed).choice(["p", "q", "r"], rows, p=shares), name="kind"
    )


def split(frame, labels=None, seed=42, **prepare):
    return splits.train_test(frame, labels, Prepare(**prepare), seed, "data/x.csv")


def folds(frame, labels=None, n_folds=3, seed=42, **prepare):
    return splits.folds(frame, labels, Prepare(**prepare), n_folds, seed, "data/x.csv")


def every_row_once(parts, rows):
    return sorted(np.concatenate([predict for _, predict in parts])) == list(range(rows))


def test_20640_rows_give_16512_and_4128():
    train, test = split(table(20_640))
    assert (len(train), len(test)) == (16_512, 4_128)
    assert sorted([*train, *test]) == list(range(20_640))
    assert (np.diff(train) > 0).all() and (np.diff(test) > 0).all()


def test_classes_keep_their_shares_in_the_test_split_and_in_the_folds():
    target = labels(1000)
    train, test = split(table(1000), target)
    assert (target[test].value_counts() - 0.2 * target.value_counts()).abs().max() <= 1
    parts = folds(table(1000), target, n_folds=5)
    assert all(
        (target[predict].value_counts() - 0.2 * target.value_counts()).abs().max() <= 1
        for _, predict in parts
    )
    assert every_row_once(parts, 1000)
    assert all(sorted([*fit, *predict]) == list(range(1000)) for fit, predict in parts)


@pytest.mark.parametrize("with_labels", [True, False])
def test_equal_rows_never_lie_on_both_sides(with_labels):
    frame = table(40).iloc[np.random.default_rng(0).integers(0, 40, 300)].reset_index(drop=True)
    frame.loc[frame["size"] > 1, "size"] = np.nan
    target = frame["town"].rename("kind") if with_labels else None
    for fit, held_out in [split(frame, target), *folds(frame, target)]:
        both = frame.iloc[fit].merge(frame.iloc[held_out], on=["size", "town"])
        assert both.empty and len(held_out)


@pytest.mark.parametrize("with_labels", [True, False])
def test_groups_never_lie_on_both_sides(with_labels):
    frame = table(300).assign(patient=np.random.default_rng(2).choice(list("abcdefghij"), 300))
    target = labels(300) if with_labels else None
    parts = folds(frame, target, split="group:patient")
    for fit, held_out in [split(frame, target, split="group:patient"), *parts]:
        assert len(held_out) and not set(frame["patient"][fit]) & set(frame["patient"][held_out])
    assert every_row_once(parts, 300)


def days(rows, distinct):
    """Return a table in which each of some days has several rows, in no order."""
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        np.random.default_rng(3).integers(0, distinct, rows), unit="D"
    )
    return table(rows).assign(day=day.strftime("%Y-%m-%d"))


@pytest.mark.parametrize("distinct", [30, 10_000])
def test_every_test_row_is_later_than_every_training_row(distinct):
    frame = days(300, distinct)
    train, test = split(frame, split="time:day")
    assert frame["day"][train].max() < frame["day"][test].min()
    assert 60 <= len(test) < 90 and len(train) + len(test) == 300


@pytest.mark.parametrize("distinct", [30, 10_000])
def test_folds_predict_only_later_rows(distinct):
    frame = days(300, distinct)
    parts = folds(frame, split="time:day")
    assert all(frame["day"][fit].max() < frame["day"][predict].min() for fit, predict in parts)
    predicted = np.concatenate([predict for _, predict in parts])
    assert len(set(predicted)) == len(predicted) >= 200


def test_time_folds_are_those_of_scikit_learn_where_no_two_rows_share_a_moment():
    from sklearn.model_selection import TimeSeriesSplit

    frame = table(101).assign(moment=np.random.default_rng(4).permutation(101))
    order = np.argsort(frame["moment"].to_numpy())
    for (fit, predict), (earlier, later) in zip(
        folds(frame, split="time:moment"), TimeSeriesSplit(3).split(order), strict=True
    ):
        assert fit.tolist() == sorted(order[earlier]) and predict.tolist() == sorted(order[later])


def test_dates_with_and_without_hours_and_zones_are_ordered_together():
    frame = table(4).assign(
        moment=["2024-03-01", "2024-02-29T23:59:00Z", "2024-03-01 00:00:01", "2023-12-31"]
    )
    train, test = split(frame, split="time:moment", test_size=0.25)
    assert test.tolist() == [2]


@pytest.mark.parametrize("value", ["soon", "13/01/2024", "2024-02-30"])
def test_value_that_is_no_date_of_one_meaning_is_refused_by_name(value):
    frame = table(4).assign(moment=["2024-03-01", "2024-03-02", value, "2024-03-03"])
    with pytest.raises(
        DataError,
        match=rf"data/x.csv: column 'moment' orders the rows, but '{value}' is not a date",
    ):
        split(frame, split="time:moment")


@pytest.mark.parametrize("target", [None, labels(200)], ids=["numbers", "classes"])
@pytest.mark.parametrize("prepare", [{}, {"split": "group:patient"}])
def test_seed_decides_the_split_and_the_folds(prepare, target):
    frame = table(200).assign(patient=np.arange(200) % 20)

    def drawn(seed):
        return [
            [part.tolist() for part in pair]
            for pair in (
                split(frame, target, seed=seed, **prepare),
                *folds(frame, target, seed=seed, **prepare),
            )
        ]

    first, again, other = drawn(1), drawn(1), drawn(2)
    assert first == again
    assert first[0] != other[0] and first[1:] != other[1:]


def test_class_smaller_than_the_folds_is_refused():
    target = pd.Series(["p"] * 48 + ["rare"] * 2, name="kind")
    with pytest.raises(
        DataError, match=r"class 'rare' of 'kind' has 2 rows, train.cv_folds 3 needs 3"
    ):
        folds(table(50), target)


def test_class_whose_rows_are_all_equal_is_refused():
    target = pd.Series(["p"] * 40 + ["rare"] * 10, name="kind")
    frame = table(50)
    frame.loc[40:] = frame.loc[40].to_list()
    with pytest.raises(
        DataError,
        match=r"'rare' .* has 1 row, train.cv_folds 3 once equal rows are kept together needs 3",
    ):
        folds(frame, target)
    with pytest.raises(DataError, match=r"'rare' .* has 1 row, a stratified split needs 2"):
        split(frame, target)


def test_class_that_the_fitted_rows_lack_is_refused():
    frame = table(60).assign(day=np.arange(60), patient=np.arange(60) // 10)
    last = pd.Series(["p", "q"] * 25 + ["late"] * 10, name="kind")
    with pytest.raises(DataError, match=r"class 'late' of 'kind' is not among the training rows"):
        split(frame, last, split="time:day")
    with pytest.raises(
        DataError,
        match=r"class 'late' of 'kind' is not among the rows that fold 1 is predicted from",
    ):
        folds(frame, last, split="time:day")
    with pytest.raises(
        DataError,
        match=r"class 'late' of 'kind' is not among the rows that fold \d is predicted from",
    ):
        folds(frame, last, split="group:patient")


@pytest.mark.parametrize(
    "rows, prepare, message",
    [
        (50, {"split": "group:patient"}, "2 groups are too few for train.cv_folds 3"),
        (5, {}, "5 training rows are too few for train.cv_folds 3"),
        (
            50,
            {"split": "time:patient"},
            "'patient' holds too few different times for train.cv_folds 3",
        ),
    ],
)
def test_too_little_for_the_folds_is_refused(rows, prepare, message):
    frame = table(rows).assign(patient=np.arange(rows) % 2)
    with pytest.raises(DataError, match=f"data/x.csv: .*{message}; lower it"):
        folds(frame, **prepare)


@pytest.mark.parametrize(
    "prepare", [{"split": "group:same"}, {"split": "time:same"}, {"test_size": 0.999}]
)
def test_split_that_leaves_one_side_empty_is_refused(prepare):
    with pytest.raises(DataError, match=r"data/x.csv: .*prepare.test_size"):
        split(table(10).assign(same=1), **prepare)


def test_splits_come_back_as_they_were_written_with_their_row_numbers(project):
    frame = cleaning.clean(houses().assign(row=range(40)), data())
    tables = {"train": frame.iloc[5:], "test": frame.iloc[:5]}
    splits.write_splits(project / "data/processed/x", tables)
    pd.testing.assert_frame_equal(
        splits.read_split("x", "train"), frame.iloc[5:], check_names=False
    )
    assert splits.read_split("x", "test").index.tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(DataError, match="run `python prepare_data.py --dataset y` first"):
        splits.read_split("y", "train")
