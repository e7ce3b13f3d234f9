"""Networks learn what a line cannot, in any unit, and a rare extreme number does not drive them."""

import numpy as np
import pytest

from pipeline.models.families.network import (
    BOUND,
    PATIENCE,
    NetworkClassifier,
    NetworkRegressor,
)

ROWS = 1000
rng = np.random.default_rng(0)
Z = rng.normal(size=(ROWS, 4))
CURVED = np.sin(2 * Z[:, 0]) + Z[:, 1] * Z[:, 2]
NEW = np.random.default_rng(1).normal(size=(400, 4))
CURVED_NEW = np.sin(2 * NEW[:, 0]) + NEW[:, 1] * NEW[:, 2]


@pytest.fixture(scope="module")
def regressor():
    return NetworkRegressor(random_state=3).fit(Z, CURVED)


def test_regressor_learns_a_curve(regressor):
    error = regressor.predict(NEW) - CURVED_NEW
    assert np.var(error) < 0.1 * np.var(CURVED_NEW)


def test_unit_of_the_target_does_not_matter(regressor):
    other = NetworkRegressor(random_state=3).fit(Z, 4096 * CURVED)
    np.testing.assert_allclose(other.predict(NEW), 4096 * regressor.predict(NEW), rtol=1e-6)


def test_same_seed_gives_the_same_weights(regressor):
    again = NetworkRegressor(random_state=3).fit(Z, CURVED)
    for one, other in zip(regressor.weights_, again.weights_):
        np.testing.assert_array_equal(one, other)
    another = NetworkRegressor(random_state=4).fit(Z, CURVED)
    assert (another.weights_[0] != regressor.weights_[0]).any()


def test_row_alone_has_the_output_that_it_has_among_others(regressor):
    alone = [regressor.predict(row[None])[0] for row in NEW[:50]]
    np.testing.assert_allclose(alone, regressor.predict(NEW)[:50], rtol=1e-12)


def test_extreme_number_counts_hardly_more_than_a_large_one(regressor):
    large, extreme = np.zeros((1, 4)), np.zeros((1, 4))
    large[0, 0], extreme[0, 0] = 10 * BOUND, 1e12
    change = regressor.predict(extreme) - regressor.predict(large)
    assert abs(change[0]) < 0.1 * np.std(CURVED)


def test_rows_of_no_weight_are_not_learned():
    spoilt = CURVED.copy()
    spoilt[::2] = 50
    weight = (np.arange(ROWS) % 2).astype(float)
    model = NetworkRegressor(random_state=3).fit(Z, spoilt, sample_weight=weight)
    assert np.abs(model.predict(NEW) - CURVED_NEW).mean() < 0.5
    without = NetworkRegressor(random_state=3).fit(Z, spoilt)
    assert np.abs(without.predict(NEW) - CURVED_NEW).mean() > 5


@pytest.mark.parametrize("n_classes", [2, 3])
def test_classifier_gives_good_probabilities(n_classes):
    edges = np.quantile(CURVED, np.arange(1, n_classes) / n_classes)
    model = NetworkClassifier(random_state=3).fit(Z, np.digitize(CURVED, edges))
    probabilities, truth = model.predict_proba(NEW), np.digitize(CURVED_NEW, edges)
    assert probabilities.shape == (len(NEW), n_classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert np.log(probabilities[np.arange(len(NEW)), truth]).mean() > 0.5 * np.log(1 / n_classes)
    assert (model.predict(NEW) == truth).mean() > 0.8


class CountingNetwork(NetworkRegressor):
    """A network that counts the epochs in which it learns."""

    def _learn_epoch(self, *args):
        self.learned = getattr(self, "learned", 0) + 1
        super()._learn_epoch(*args)


def test_noise_ends_the_fit_before_its_last_epoch():
    noise = np.random.default_rng(2).normal(size=ROWS)
    model = CountingNetwork(max_epochs=60, random_state=3).fit(Z, noise)
    assert model.learned == model.n_epochs_ + PATIENCE < 60
    assert np.var(model.predict(NEW)) < 0.2
