"""The fit of a model: what it learns, balanced weights and resampled classes."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data import kinds
from pipeline.models import archive, catalogue, fitting, preprocessing, storage
from pipeline.project.errors import DataError, UsageError
from support.model_cases import BASE, CASES, LONGER, NEW_ROWS, RARE, TARGETS, X, fit, save
from support.model_cases import spec as spec_of


@pytest.mark.parametrize("case", [case for case in CASES if not case.startswith("dummy")])
def test_model_has_learnt_what_the_rows_tell(case):
    name, kind = case.split("-")
    model = fit(case, LONGER.get(name))
    if kind == "regression":
        assert np.corrcoef(model.output(X), BASE)[0, 1] > 0.8
    else:
        assert (model.output(X).argmax(axis=1) == TARGETS[kind]).mean() > 0.7


@pytest.mark.parametrize("case", CASES)
def test_rows_that_weigh_more_are_learnt_from_more(case):
    # the same rows with every target, so that only their weights tell which one counts
    name, kind = case.split("-")
    targets = np.unique(TARGETS["two" if kind == "regression" else kind])
    rows = pd.concat([X] * len(targets), ignore_index=True)
    y = np.repeat(targets, len(X))
    weight = np.where(y == y.max(), 9.0, 1.0)
    settings = catalogue.FAMILIES[name].small
    plain, weighted = (
        fitting.fit(spec_of(name, kind), settings, rows, y, 7, weight=given).output(X)
        for given in (None, weight)
    )
    of_heaviest = (
        (lambda output: output) if kind == "regression" else (lambda output: output[:, -1])
    )
    assert of_heaviest(weighted).mean() > of_heaviest(plain).mean() + 0.1


def test_estimator_that_takes_no_weights_is_refused():
    from sklearn.neighbors import KNeighborsClassifier

    with pytest.raises(UsageError, match="neighbours: the fit of KNeighborsClassifier takes no"):
        fitting._check_takes_weights(KNeighborsClassifier(), spec_of("neighbours", "two"))


def test_undersampled_rows_keep_their_weights():
    spec, y = spec_of("decision_tree", "two"), RARE["two"].astype(int)
    weight = np.where(y == 1, 5.0, 2.0)
    rows = fitting.prepare(spec, X, y, 7, "undersample", weight)
    assert rows.weight.tolist() == np.where(rows.y == 1, 5.0, 2.0).tolist()


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "catboost"])
def test_balanced_weight_is_negatives_per_positive_of_the_fitted_rows(name):
    y = RARE["two"].astype(int)
    plain, weighted = (
        fit(f"{name}-two", {**LONGER[name], **more}, y=y)
        for more in ({}, {"scale_pos_weight": "balanced"})
    )
    assert weighted.estimator.get_params()["scale_pos_weight"] == 100 / 20
    assert weighted.output(X)[y == 1, 1].mean() > plain.output(X)[y == 1, 1].mean() + 0.02


@pytest.mark.parametrize("case", ["xgboost-three", "xgboost-regression"])
def test_balanced_weight_is_refused_where_there_are_not_two_classes(case):
    with pytest.raises(UsageError, match="xgboost: scale_pos_weight: balanced is for two classes"):
        fit(case, {"scale_pos_weight": "balanced"})


@pytest.mark.parametrize("resampling", ["smote", "undersample"])
@pytest.mark.parametrize("kind", ["two", "three"])
def test_resampling_balances_the_classes_of_a_fit_and_no_prediction(resampling, kind):
    y = RARE[kind].astype(int)
    as_they_are, balanced = (
        fit(f"dummy-{kind}", {"strategy": "prior"}, how, y).output(NEW_ROWS)
        for how in ("none", resampling)
    )
    shares = np.bincount(y) / len(y)
    np.testing.assert_allclose(as_they_are, np.tile(shares, (len(NEW_ROWS), 1)))
    np.testing.assert_allclose(balanced, np.full((len(NEW_ROWS), len(shares)), 1 / len(shares)))


@pytest.mark.parametrize("resampling", ["smote", "undersample"])
@pytest.mark.parametrize(
    "name", ["logistic_regression", "random_forest", "lightgbm", "xgboost", "catboost"]
)
def test_resampled_fit_prepares_rows_as_the_plain_one_does_and_saves_and_loads(
    name, resampling, tmp_path
):
    y = RARE["two"].astype(int)
    plain, resampled = (fit(f"{name}-two", resampling=how, y=y) for how in ("none", resampling))
    assert archive.skops_bytes(resampled.preprocessing) == archive.skops_bytes(plain.preprocessing)
    assert resampled.output(X)[:, 1].mean() > plain.output(X)[:, 1].mean() + 0.05
    save(resampled, tmp_path / "model")
    np.testing.assert_array_equal(
        storage.load(tmp_path / "model").output(NEW_ROWS), resampled.output(NEW_ROWS)
    )


@pytest.mark.parametrize("encoding", ["filled", "native", "integer"])
def test_smote_makes_up_no_category_and_keeps_the_missing_ones(encoding):
    y = RARE["two"].astype(int)
    Z = preprocessing.unfitted_preprocessing(kinds.kinds_of(X), encoding).fit_transform(X)
    drawn, balanced = fitting._oversampled(Z, y, [2], 7)
    assert np.bincount(balanced).tolist() == [100, 100]
    before, after = (set(np.asarray(table, dtype=float)[:, 2].astype(str)) for table in (Z, drawn))
    assert after == before and len(before) == 4
    known = ~np.isnan(np.asarray(Z, dtype=float)).any(axis=1)
    np.testing.assert_array_equal(np.asarray(drawn)[:120][known], np.asarray(Z)[known])
    assert type(drawn) is type(Z)
    if isinstance(Z, pd.DataFrame):
        assert drawn.dtypes.to_dict() == Z.dtypes.to_dict()


def test_smote_needs_two_rows_of_a_class():
    with pytest.raises(
        DataError, match="a class has 1 row in a fold and needs 2; use undersample or none"
    ):
        fit("dummy-two", resampling="smote", y=(np.arange(120) == 0).astype(int))
