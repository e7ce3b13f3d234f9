"""Rows of every kind of column are answered alike, many at a time, one by one and from JSON.

Tables are drawn: which kinds they have, what is missing and which model is fitted.
"""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.data import kinds
from pipeline.data.quality import statistics
from pipeline.models import catalogue, fitting, storage
from pipeline.models.fitted import blend
from pipeline.models.spec import ModelSpec
from pipeline.serving import compiled
from pipeline.serving.signature import signature

ROWS = 130
WORDS = np.array("the price of a big old red house garden near the lake was high low new".split())
FAMILIES = ("logistic_regression", "random_forest", "gradient_boosting", "lightgbm", "catboost")
FORMATS = {"due": ["%d.%m.%Y"]}


def numbers(rng: np.random.Generator) -> pd.Series:
    return pd.Series(rng.normal(size=ROWS).round(3))


def dates(rng: np.random.Generator) -> pd.Series:
    seconds = rng.integers(-2_000_000_000, 2_000_000_000, ROWS)
    return pd.Series(pd.to_datetime(seconds, unit="s")).dt.strftime("%Y-%m-%dT%H:%M:%S+02:00")


def days(rng: np.random.Generator) -> pd.Series:
    return pd.Series(pd.to_datetime(rng.integers(0, 20_000, ROWS), unit="D")).dt.strftime(
        "%d.%m.%Y"
    )


def texts(rng: np.random.Generator) -> pd.Series:
    return pd.Series([" ".join(rng.choice(WORDS, 5)) for _ in range(ROWS)])


def few_levels(rng: np.random.Generator) -> pd.Series:
    return pd.Series(rng.choice(["a", "b", "20", "Ünï"], ROWS))


def many_levels(rng: np.random.Generator) -> pd.Series:
    return pd.Series([f"k{level}" for level in rng.integers(0, 90, ROWS)])


MAKERS = {
    "size": (kinds.NUMBER, numbers),
    "seen": (kinds.DATE, dates),
    "due": (kinds.DATE, days),
    "note": (kinds.TEXT, texts),
    "town": (kinds.CATEGORY, few_levels),
    "id": (kinds.CATEGORY, many_levels),
}


def raw_table(columns: list[str], gaps: list[str], seed: int) -> pd.DataFrame:
    """Return a table as a CSV file holds it, with missing values in some columns."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({name: MAKERS[name][1](rng) for name in columns})
    for name in gaps:
        frame[name] = frame[name].astype(object).mask(rng.random(ROWS) < 0.1, None)
    return frame


def fitted(families: list[str], X: pd.DataFrame, n_classes: int, seed: int):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(ROWS) % n_classes) if n_classes else rng.normal(size=ROWS)
    classes = [f"class {code}" for code in range(n_classes)] or None
    task = "classification" if classes else "regression"
    inputs = kinds.kinds_of(X)
    models = []
    for family in families:
        name = "ridge" if family == "logistic_regression" and not classes else family
        spec = ModelSpec(name, task, inputs, inputs, "y", "none", classes, None)
        spec = replace(spec, date_formats={key: FORMATS[key] for key in FORMATS if key in X})
        small = dict(catalogue.FAMILIES[name].small)
        models.append(fitting.fit(spec, small, X, y, seed))
    if len(models) == 1:
        return models[0]
    return blend(models, [1 / len(models)] * len(models), models[0].spec)


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_every_way_to_ask_gives_the_same_numbers(data, tmp_path_factory):
    columns = data.draw(st.lists(st.sampled_from(sorted(MAKERS)), min_size=1, unique=True))
    gaps = data.draw(st.lists(st.sampled_from(columns), unique=True))
    families = data.draw(st.lists(st.sampled_from(FAMILIES), min_size=1, max_size=3, unique=True))
    n_classes, seed = data.draw(st.sampled_from([0, 2, 3])), data.draw(st.integers(0, 99))
    check(columns, gaps, families, n_classes, seed, tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize("n_classes", [0, 3])
def test_a_blend_on_a_table_of_all_kinds_gives_the_same_numbers(n_classes, tmp_path):
    check(list(MAKERS), list(MAKERS), ["logistic_regression", "lightgbm"], n_classes, 0, tmp_path)


def check(columns, gaps, families, n_classes, seed, folder) -> None:
    """Fit, store and load a model, and ask it in every way."""
    raw = raw_table(columns, gaps, seed)
    X = kinds.conform(raw, {name: MAKERS[name][0] for name in columns}, formats=FORMATS)
    storage.save(fitted(families, X, n_classes, seed), folder, {})
    model = storage.load(folder)
    expected = model.output(X)
    form = compiled.compile_model(model, X, model.output(X))
    asked = signature(model, statistics(X)["features"], closed=False)
    few = raw.head(15)
    for place, row in enumerate(few.astype(object).where(few.notna(), None).to_dict("records")):
        [typed] = asked.rows(json.dumps(row).encode())
        np.testing.assert_allclose(form.output([typed])[0], expected[place], rtol=1e-9, atol=1e-12)
    # as predict.py reads a file
    np.testing.assert_array_equal(model.output(asked.table(raw, "new.csv")), expected)
    np.testing.assert_array_equal(model.predict_proba(raw), expected)
