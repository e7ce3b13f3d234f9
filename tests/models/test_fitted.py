"""A fitted model takes rows as they come and says its output in the user's terms."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.models import storage
from pipeline.project.errors import DataError
from pipeline.project.settings.own_code import OwnEstimator
from pipeline.scoring import thresholds
from support.model_cases import BASE, NEW_ROWS, X, fit, save


def test_target_that_is_fitted_as_a_logarithm_is_predicted_on_its_own_scale(tmp_path):
    y = np.exp(BASE / 10)
    dummy = fit("dummy-regression", y=y, target_transform="log1p")
    np.testing.assert_allclose(dummy.predict(NEW_ROWS), np.expm1(np.log1p(y).mean()))
    model = fit("random_forest-regression", y=y, target_transform="log1p")
    assert (
        np.corrcoef(model.predict(X), y)[0, 1] > 0.9
        and abs(np.log(model.predict(X).mean() / y.mean())) < 0.2
    )
    save(model, tmp_path / "model")
    np.testing.assert_array_equal(
        storage.load(tmp_path / "model").predict(NEW_ROWS), model.predict(NEW_ROWS)
    )


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.7, 1.1])
def test_predicted_class_is_the_positive_one_from_the_threshold_on(threshold):
    model = fit("logistic_regression-two", threshold=threshold)
    positive = model.predict_proba(NEW_ROWS)[:, 1] >= threshold
    assert model.predict(NEW_ROWS).tolist() == np.where(positive, "yes", "no").tolist()
    assert positive.any() or threshold > 1
    assert thresholds.decide(np.array([[0.5, 0.5]]), 0.5).tolist() == [1]


def test_rows_as_a_user_has_them_are_predicted_like_typed_ones():
    model = fit("xgboost-two")
    as_text = NEW_ROWS.assign(age=NEW_ROWS["age"].astype(int).astype(str), extra=1)[
        ["extra", "town", "age", "size"]
    ]
    np.testing.assert_array_equal(model.predict_proba(as_text), model.output(NEW_ROWS))
    with pytest.raises(DataError, match="no column 'town', which the model needs"):
        model.predict(NEW_ROWS.drop(columns="town"))


class Fixed:
    """An estimator of the user's own with one output, whatever it is asked."""

    def __init__(self, output):
        self.output = output

    def predict_proba(self, Z):
        return self.output


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ([0.5, 0.5], r"mine: predict_proba\(\) returns an array of shape \(2,\); .* \(2, 2\)"),
        ([[0.5, 0.5]], r"shape \(1, 2\); return one of shape \(2, 2\)"),
        ([[0.5, 0.5], [np.nan, 0.5]], "returns 1 of 4 values not finite"),
    ],
)
def test_output_of_an_own_model_is_refused_where_it_has_another_shape_or_gaps(output, message):
    model = fit("logistic_regression-two")
    spec = replace(model.spec, name="mine", estimator=OwnEstimator("some.Mine", "scaled"))
    own = replace(model, spec=spec, estimator=Fixed(np.array(output)))
    with pytest.raises(DataError, match=message):
        own.predict_proba(NEW_ROWS.head(2))
