"""A model rises or falls only as it was told: in every family that can, stored and blended."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.data import kinds
from pipeline.models import catalogue, fitted, fitting, storage
from pipeline.models.families import monotone
from pipeline.project.errors import DataError, UsageError
from support.model_cases import CASES, LONGER, NEW_ROWS, X, save, spec

ABLE = [
    case
    for case in CASES
    if catalogue.FAMILIES[case.split("-")[0]].monotone and not case.endswith("three")
]
# falls with age in truth, and wiggles, so that only a constraint makes a model rise with it
AGE = X["age"].to_numpy()
WIGGLES = -AGE / 10 + 4 * np.sin(AGE / 3) + np.random.default_rng(1).normal(size=len(X))


def of_case(case, constraints):
    name, kind = case.split("-")
    y = WIGGLES if kind == "regression" else (WIGGLES > np.median(WIGGLES)).astype(int)
    settings = {**catalogue.FAMILIES[name].small, **LONGER.get(name, {})}
    return fitting.fit(spec(name, kind, monotone=constraints), settings, X, y, 7)


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("case", ABLE)
def test_stored_model_keeps_its_constraint_and_a_free_one_would_not(case, direction, tmp_path):
    model = of_case(case, {"age": direction})
    assert save(model, tmp_path / "model")["monotone"] == {"age": direction}
    stored = storage.load(tmp_path / "model")
    assert stored.spec.monotone == {"age": direction}
    found = monotone.proven(stored, NEW_ROWS, X)
    assert found["age"].rows == len(NEW_ROWS) and found["age"].values > 20
    free = of_case(case, {})
    with pytest.raises(DataError, match=rf"train.monotone age: {direction} does not hold: from"):
        monotone.walk(free, NEW_ROWS, X["age"], direction)


def test_blend_of_constrained_models_keeps_the_constraint_as_it_is_stored(tmp_path):
    models = [of_case(f"{name}-two", {"age": 1}) for name in ("lightgbm", "random_forest")]
    blend = fitted.blend(models, [0.25, 0.75], replace(models[0].spec))
    (tmp_path / "blend").mkdir()
    storage.save(blend, tmp_path / "blend", {"dataset": "tiny"})
    stored = storage.load(tmp_path / "blend")
    assert monotone.proven(stored, NEW_ROWS, X)["age"].direction == 1
    broken = fitted.blend([models[0], of_case("random_forest-two", {})], [0.25, 0.75], blend.spec)
    with pytest.raises(DataError, match="blend: train.monotone age: 1 does not hold"):
        monotone.proven(broken, NEW_ROWS, X)


def test_models_and_columns_that_take_no_constraint_are_refused_by_name():
    monotone.check_models(["dummy", "xgboost"], "models")
    with pytest.raises(UsageError) as caught:
        monotone.check_models(["dummy", "ridge", "xgboost", "lasso"], "datasets.t.train.models")
    assert str(caught.value) == (
        "params.yaml: datasets.t.train.models: ridge, lasso cannot keep train.monotone; take it "
        "out of the models, or remove train.monotone; with constraints: decision_tree, "
        "random_forest, extra_trees, gradient_boosting, lightgbm, xgboost, catboost"
    )
    columns = kinds.kinds_of(X)
    with pytest.raises(UsageError, match="'town' holds no numbers but category, which has no"):
        monotone.check_columns({"age": 1, "town": 1}, columns, "datasets.t.train.monotone")
    with pytest.raises(UsageError, match="no feature 'height'; there are: 'size', 'age', 'town'"):
        monotone.check_columns({"height": 1}, columns, "datasets.t.train.monotone")
