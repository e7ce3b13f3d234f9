"""Blends: the best weights, honest scores, stored like any model."""

import numpy as np
import pytest

from pipeline.models import catalogue, fitting, storage
from pipeline.models import fitted as models_fitted
from pipeline.project import params
from pipeline.project.errors import DataError
from pipeline.training.problem import read_problem
from pipeline.tuning import blending


def test_greedy_selection_finds_the_mean_that_is_best_and_starts_from_the_best_model():
    y = np.array([0.0, 2.0, 4.0, 6.0])
    outputs = np.array([y + 1, y - 1, y + 5, y + 1.5])
    assert list(blending.blend_weights(y, outputs, "rmse")) == [0.5, 0.5, 0, 0]
    assert list(blending.blend_weights(y, outputs[2:], "mae")) == [0, 1]
    assert list(blending.blend_weights(y, np.array([y + 3, y - 2]), "rmse")) == [
        0.4,
        0.6,
    ]  # the best step, not the last


def test_greedy_selection_of_probabilities_minimises_log_loss_as_an_independent_search_finds():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 200)
    outputs = np.array(
        [
            rng.dirichlet(np.ones(3) + 4 * (np.arange(3) == k), len(y)) * 0.3
            + 0.7 * np.eye(3)[np.where(rng.random(len(y)) < share, y, rng.integers(0, 3, len(y)))]
            for k, share in enumerate((0.3, 0.5, 0.4))
        ]
    )
    weights = blending.blend_weights(y, outputs, "roc_auc")
    assert weights.sum() == pytest.approx(1)

    def loss(weights):
        return -np.log(
            np.maximum(blending.blended(outputs, np.array(weights))[np.arange(len(y)), y], 1e-15)
        ).mean()

    grid = [(a / 20, b / 20, (20 - a - b) / 20) for a in range(21) for b in range(21 - a)]
    assert loss(weights) <= min(map(loss, grid)) + 0.01


def test_score_of_a_blend_uses_for_each_fold_the_weights_of_the_others():
    rng = np.random.default_rng(1)
    y, fold = rng.normal(size=60), np.arange(60) % 3
    fold[:6] = -1
    outputs = np.array([y + rng.normal(0, 1, 60), y + rng.normal(0, 1.2, 60)])

    def cross_fitted(y):
        weights = blending.fold_weights(y, outputs, fold, "rmse")
        return blending.blended_by_fold(outputs, fold, weights)

    before = cross_fitted(y)
    changed = np.where(fold == 2, 1e3 * np.arange(60), y)
    after = cross_fitted(changed)
    assert (before[fold == 2] == after[fold == 2]).all() and not (
        before[fold == 1] == after[fold == 1]
    ).all()
    assert np.isnan(before[fold == -1]).all() and np.isfinite(before[fold >= 0]).all()


def test_score_of_a_blend_of_noise_is_that_of_new_rows_and_no_better_than_chance():
    flattered, honest, above_chance = [], [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        y, y_new = rng.normal(size=150), rng.normal(size=2000)
        fold = np.arange(150) % 5
        outputs, new = rng.normal(0, 0.3, (25, 150)), rng.normal(0, 0.3, (25, 2000))
        weights = blending.blend_weights(y, outputs, "rmse")
        on_new = np.mean((y_new - blending.blended(new, weights)) ** 2)
        by_fold = blending.fold_weights(y, outputs, fold, "rmse")
        out_of_fold = np.mean((y - blending.blended_by_fold(outputs, fold, by_fold)) ** 2)
        on_same_rows = np.mean((y - blending.blended(outputs, weights)) ** 2)
        honest.append(on_new - out_of_fold)
        flattered.append(on_new - on_same_rows)
        above_chance.append(out_of_fold - np.mean(y**2))

    def standard_errors(values):
        return np.mean(values) / (np.std(values, ddof=1) / np.sqrt(len(values)))

    assert abs(standard_errors(honest)) < 2.5
    assert standard_errors(flattered) > 4  # weights chosen on the rows that they are scored on
    assert standard_errors(above_chance) > -2.5


@pytest.mark.parametrize(
    "names", [("lightgbm", "ridge"), ("xgboost", "catboost", "gradient_boosting")]
)
def test_blend_is_stored_and_loaded_as_the_weighted_mean_of_its_members(trained, tmp_path, names):
    problem = read_problem("tiny", params.load())
    parts = [
        fitting.fit(
            problem.model_spec(name, "log1p" if name == "lightgbm" else "none"),
            {},
            problem.X,
            problem.y,
            7,
        )
        for name in names
    ]
    weights = [0.25, *[0.75 / (len(names) - 1)] * (len(names) - 1)]
    blend = models_fitted.blend(parts, weights, problem.model_spec("blend"))
    expected = sum(weight * part.output(problem.X_test) for weight, part in zip(weights, parts))
    assert np.abs(blend.output(problem.X_test) - expected).max() < 1e-4
    saved = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        saved.append(storage.save(blend, folder, {"dataset": "tiny"}))
    assert saved[0] == saved[1]
    loaded = storage.load(tmp_path / "one")
    assert np.abs(loaded.predict(problem.X_test) - expected).max() < 1e-4
    assert loaded.spec.members == blend.spec.members
    path = tmp_path / "one/metadata.json"
    path.write_text(path.read_text().replace('"weight": 0.25', '"weight": 0.35'))
    with pytest.raises(DataError, match="sha256"):
        storage.load(tmp_path / "one")
    (tmp_path / f"two/estimator_1{catalogue.FAMILIES[names[0]].suffix}").write_bytes(b"other")
    with pytest.raises(DataError, match="sha256"):
        storage.load(tmp_path / "two")
