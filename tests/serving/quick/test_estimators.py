"""A quick form of one row gives the last bit of the estimator's own output, or is not taken."""

import threading

import numpy as np
import pandas as pd
import pytest

from pipeline.models import fitting, storage
from pipeline.models.fitted import Model
from pipeline.serving import compiled
from pipeline.serving.inputs.encoded import RowEncoder
from pipeline.serving.quick import estimators
from pipeline.serving.quick.estimators import row_output
from pipeline.serving.quick.xgboost_trees import as_lightgbm
from support import model_cases

ROUNDS = {"lightgbm": {"n_estimators": 30}, "xgboost": {"n_estimators": 30, "max_depth": 4}}
SINGLE = [
    "lightgbm",
    "xgboost",
    "catboost",
    "ridge",
    "lasso",
    "linear_regression",
    "logistic_regression",
]
CASES = [case for case in model_cases.CASES if case.partition("-")[0] in SINGLE]
TOWNS = tuple("abcdefghij")


def fitted(case: str, tmp_path, **other) -> Model:
    """Return a model as it is served, fitted on rows of many categories, some of them missing."""
    name, kind = case.split("-")
    X = rows()
    y = X["age"].to_numpy() + 9 * X["town"].isin(["a", "d", "e"]) + 5 * X["size"].isna()
    if kind != "regression":
        y = pd.qcut(y, 2 if kind == "two" else 3, labels=False)
    spec = model_cases.spec(name, kind, **other)
    model = fitting.fit(spec, ROUNDS.get(name, {}), X, np.asarray(y), seed=7)
    storage.save(model, tmp_path, {})
    return storage.load(tmp_path)


def rows() -> pd.DataFrame:
    return model_cases.rows(3, towns=TOWNS, n=400)


def tables(model: Model) -> list:
    """Return the table of each row: known ones, unseen and missing categories, thresholds."""
    encoder = RowEncoder(model.preprocessing)
    strange = model_cases.rows(4, towns=("a", "elsewhere"), n=60)
    known = compiled.as_rows(pd.concat([rows(), strange]))
    return [encoder.transform([row]) for row in known]


@pytest.mark.parametrize("case", CASES)
def test_quick_form_repeats_every_bit_of_the_library(case, tmp_path, monkeypatch):
    transform = "log1p" if case.endswith("regression") else "none"
    model = fitted(case, tmp_path, target_transform=transform)
    few, asked = tables(model)[:3], tables(model)
    quick = row_output(model, few)
    expected = [np.atleast_1d(model.estimator_output(table)[0]).tolist() for table in asked]
    # from here on the model itself could not answer
    monkeypatch.setattr(Model, "estimator_output", None)
    assert [quick(table) for table in asked] == expected


@pytest.mark.parametrize("case", ["lightgbm-two", "xgboost-three"])
def test_threads_do_not_mix_their_rows(case, tmp_path):
    model = fitted(case, tmp_path)
    asked = tables(model)
    quick = row_output(model, asked[:3])
    expected = [quick(table) for table in asked]
    wrong: list[int] = []

    def ask(first: int) -> None:
        for turn in range(first, first + 2000):
            place = turn % len(asked)
            if quick(asked[place]) != expected[place]:
                wrong.append(place)

    threads = [threading.Thread(target=ask, args=(start,)) for start in (0, 7, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_quick_form_that_differs_in_the_last_bit_is_not_taken(tmp_path, monkeypatch):
    model = fitted("lightgbm-regression", tmp_path)
    asked = tables(model)[:20]
    of = estimators.RowBooster.of
    monkeypatch.setattr(
        estimators.RowBooster, "of", lambda self, row: np.nextafter(of(self, row), 9e9)
    )
    quick = row_output(model, asked)
    assert quick(asked[0]) == [float(model.estimator_output(asked[0])[0])]


@pytest.mark.parametrize("setting", [{"booster": "dart"}, {"objective": "count:poisson"}])
def test_unknown_kind_of_xgboost_is_answered_by_itself(setting, tmp_path):
    import xgboost

    model = fitted("xgboost-regression", tmp_path)
    asked = tables(model)
    table = np.vstack(asked)
    y = np.arange(len(table)) % 5
    model.estimator.__init__(n_estimators=5, enable_categorical=True, **setting)
    numbers = np.nan_to_num(table)
    model.estimator.fit(numbers, y)
    assert isinstance(model.estimator, xgboost.XGBRegressor)
    quick = row_output(model, [numbers[:1]])
    assert quick(numbers[:1]) == [float(model.estimator.predict(numbers[:1])[0])]


def test_quick_form_that_fails_is_told_with_its_cause_and_the_library_answers(
    tmp_path, monkeypatch, capsys
):
    model = fitted("lightgbm-regression", tmp_path)

    def fail(*_):
        raise AttributeError("no _LIB in this version")

    monkeypatch.setattr(estimators, "RowBooster", fail)
    table = tables(model)[0]
    output = row_output(model, [table])
    assert output(table) == [model.estimator_output(table)[0]]
    told = capsys.readouterr().err
    assert "AttributeError: no _LIB in this version" in told and len(told.splitlines()) == 1


def test_tree_of_one_leaf_and_category_beyond_what_is_known():
    tree = {
        "tree_param": {"size_leaf_vector": "1"},
        "left_children": [-1],
        "right_children": [-1],
        "default_left": [0],
        "split_type": [0],
        "split_indices": [0],
        "split_conditions": [0.5],
        "categories": [],
        "categories_nodes": [],
        "categories_segments": [],
        "categories_sizes": [],
    }
    import lightgbm

    converted = as_lightgbm([tree], 2)
    booster = lightgbm.Booster(model_str=converted.text)
    assert booster.predict(np.zeros((1, 2)), pred_leaf=True).tolist() == [[0]]
    assert converted.leaf_values[0].tolist() == [0.5]
    many = {**tree, "categories": [256]}
    with pytest.raises(ValueError, match="more than 256 categories"):
        as_lightgbm([many], 2)
