"""The form for rows gives what the model gives, for every family, or is not taken."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.models import catalogue, fitting, storage
from pipeline.models.fitted import Fitted, Model, blend
from pipeline.models.spec import ModelSpec
from pipeline.serving import compiled
from pipeline.serving.compiled import Form, NotCompiled
from pipeline.serving.quick.forests import Forest


def table(rows: int = 240, seed: int = 1) -> pd.DataFrame:
    """Return typed features with missing numbers and categories, and a rare category."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "size": rng.normal(100, 20, rows),
            "town": rng.choice(["Aville", "Bford", "Cham"], rows),
            "age": rng.integers(0, 60, rows).astype(float),
            "code": rng.choice(["1", "20", "x y"], rows),
        }
    )
    X.loc[X.index % 7 == 0, "size"] = np.nan
    X.loc[X.index % 11 == 0, "town"] = None
    return X.astype({"town": "str", "code": "str"})


def fitted(name: str, task: str, n_classes: int = 2, target_transform: str = "none"):
    X = table()
    signal = X["size"].fillna(90) + 30 * (X["town"] == "Aville") - X["age"]
    y = (
        np.exp(signal / 50)
        if task == "regression"
        else pd.qcut(signal, n_classes, labels=False).to_numpy()
    )
    kinds = {"size": "number", "town": "category", "age": "number", "code": "category"}
    spec = ModelSpec(
        name=name,
        task=task,
        inputs=kinds,
        features=kinds,
        target="y",
        target_transform=target_transform,
        classes=None if task == "regression" else [f"class {n}" for n in range(n_classes)],
        threshold=0.4 if task == "classification" and n_classes == 2 else None,
    )
    some_rounds = {setting: 4 * value for setting, value in catalogue.FAMILIES[name].small.items()}
    return fitting.fit(spec, some_rounds, X, np.asarray(y), seed=0)


def compile_model(model: Fitted) -> Form:
    return compiled.compile_model(model, table(), model.output(table()))


def cases():
    for name, family in catalogue.FAMILIES.items():
        if family.regression:
            yield pytest.param(name, "regression", 0, id=f"{name}-regression")
        if family.classification:
            yield from (
                pytest.param(name, "classification", n, id=f"{name}-{n}-classes") for n in (2, 3)
            )


@pytest.mark.parametrize("name, task, n_classes", list(cases()))
def test_form_for_rows_gives_the_models_own_output(name, task, n_classes, tmp_path):
    model = fitted(name, task, n_classes, "log1p" if task == "regression" else "none")
    storage.save(model, tmp_path, {})
    model = storage.load(tmp_path)  # as it is served: a stored LightGBM model is another class
    form = compile_model(model)
    other = table(seed=2)
    other.loc[:20, "town"] = "a town of which training knew nothing"
    rows = compiled.as_rows(other)
    expected = model.output(other)
    np.testing.assert_allclose(form.output(rows), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        np.concatenate([form.output([row]) for row in rows]), expected, rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize(
    "task, n_classes", [("regression", 0), ("classification", 2), ("classification", 3)]
)
def test_form_of_a_blend_gives_its_output(task, n_classes):
    names = [
        "random_forest",
        "catboost",
        "ridge" if task == "regression" else "logistic_regression",
    ]
    parts = [
        fitted(
            name, task, n_classes, "log1p" if task == "regression" and name != "ridge" else "none"
        )
        for name in names
    ]
    model = blend(parts, [0.5, 0.3, 0.2], parts[0].spec)
    form, other = compile_model(model), table(seed=2)
    np.testing.assert_allclose(
        form.output(compiled.as_rows(other)), model.output(other), rtol=1e-9, atol=1e-12
    )


def test_form_that_differs_is_not_taken(monkeypatch):
    model = fitted("random_forest", "regression")
    walk = Forest._output
    monkeypatch.setattr(Forest, "_output", lambda self, Z: walk(self, Z) * (1 + 1e-8))
    with pytest.raises(NotCompiled, match="differs from the model in 240 of 240 rows at once"):
        compile_model(model)


def test_form_whose_labels_differ_is_not_taken(monkeypatch):
    model = fitted("logistic_regression", "classification")
    output = model.output(table())
    edge = Model(
        model.preprocessing, model.estimator, replace(model.spec, threshold=float(output[3, 1]))
    )
    compile_model(edge)

    class Lower:
        def predict_proba(self, Z):
            return model.estimator.predict_proba(Z) - [[-1e-13, 1e-13]]

    monkeypatch.setattr(compiled, "quick_estimator", lambda model: Lower())
    with pytest.raises(NotCompiled, match="differs from the model in 1 of 240 rows at once"):
        compile_model(edge)


def test_preprocessing_that_is_not_known_is_not_taken():
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import PowerTransformer

    model = fitted("linear_regression", "regression")
    numbers = ColumnTransformer([("numbers", PowerTransformer(), ["age"])]).fit(table())
    with pytest.raises(NotCompiled, match="the preprocessing holds a PowerTransformer"):
        compiled.compile_model(
            Model(numbers, model.estimator, model.spec), table(), model.output(table())
        )
