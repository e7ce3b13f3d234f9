"""What a model relies on: shuffled columns cost what they carry, Shapley values add up and agree
with those of shap.
"""

import numpy as np
import pandas as pd
import pytest

from pipeline.training import explanations


def binary(scores):
    """Return the probabilities of two classes from those of the second."""
    return np.column_stack([1 - np.asarray(scores), scores])


@pytest.mark.parametrize("metric", ["rmse", "r2"])
def test_importance_finds_the_one_informative_column(metric):
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(200, 3))
    importance = explanations.permutation_importance(
        lambda Z: 5 * Z[:, 1], Z, ["a", "b", "c"], 5 * Z[:, 1], metric, 0
    )
    assert importance["a"] == importance["c"] == 0
    assert importance["b"] > 1


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "f1"])
def test_importance_of_a_classifier_counts_a_loss_as_positive(metric):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    Z = np.column_stack([rng.random(200), 0.25 + 0.5 * y])
    importance = explanations.permutation_importance(
        lambda Z: binary(Z[:, 1]), Z, ["noise", "signal"], y, metric, 0
    )
    assert importance["noise"] == 0
    assert importance["signal"] > 0.1


def test_importance_of_labels_is_of_the_decisions_by_the_models_threshold():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    Z = (0.1 + 0.2 * y).reshape(-1, 1)

    def signal(threshold):
        return explanations.permutation_importance(
            lambda Z: binary(Z[:, 0]), Z, ["signal"], y, "f1", 0, rule=threshold
        )["signal"]

    # no probability reaches 0.5
    assert signal(None) == 0 and signal(0.2) > 0.3


def test_importance_shuffles_the_one_hot_columns_of_a_category_together():
    rng = np.random.default_rng(0)
    towns = np.eye(3)[rng.integers(0, 3, 100)]
    Z, seen = np.column_stack([towns, rng.normal(size=100)]), []

    def predict(Z):
        seen.append(Z)
        return Z[:, 0] - Z[:, 2]

    importance = explanations.permutation_importance(
        predict, Z, ["town"] * 3 + ["size"], predict(Z), "rmse", 0
    )
    assert list(importance) == ["town", "size"]
    assert importance["town"] > 0.5 and importance["size"] == 0
    assert len(seen) > 2 and all((table[:, :3].sum(axis=1) == 1).all() for table in seen)


@pytest.mark.parametrize("rows", [1, 250, 10**6])
def test_importances_do_not_depend_on_how_many_rows_are_predicted_at_a_time(rows, monkeypatch):
    rng = np.random.default_rng(0)
    Z = pd.DataFrame(rng.normal(size=(100, 3)), columns=["a", "b", "c"])

    def importances():
        return explanations.permutation_importance(
            lambda Z: (Z["a"] + 3 * Z["b"]).to_numpy(),
            Z,
            list("abc"),
            (Z["a"] + 3 * Z["b"]).to_numpy(),
            "rmse",
            0,
            repeats=5,
        )

    expected = importances()
    assert (
        3 * np.sqrt(2) * 0.8 < expected["b"] < 3 * np.sqrt(2) * 1.2
    )  # the deviation of the difference of two draws
    monkeypatch.setattr(explanations, "ROWS_AT_A_TIME", rows)
    assert importances() == pytest.approx(expected, rel=1e-12)


def test_importance_hands_a_data_frame_to_the_model_with_its_types():
    Z = pd.DataFrame({"size": [1.5, 2.5, 3.5], "town": np.array([0, 1, 1])})

    def predict(Z):
        assert list(Z.columns) == ["size", "town"] and Z["town"].dtype == np.int64
        return Z["size"].to_numpy()

    assert (
        explanations.permutation_importance(
            predict, Z, ["size", "town"], np.arange(3.0), "rmse", 0
        )["town"]
        == 0
    )


def test_shapley_values_of_a_sum_are_its_terms_and_those_of_a_product_are_shared():
    rng = np.random.default_rng(0)
    Z, zero = rng.normal(size=(40, 3)), np.zeros((1, 3))
    terms = explanations.shapley(lambda Z: Z @ [1, 2, 0], Z, list("abc"), zero, 0)
    assert terms == pytest.approx(Z * [1, 2, 0])
    product = explanations.shapley(lambda Z: Z[:, 0] * Z[:, 1], Z, list("abc"), zero, 0, draws=1000)
    assert product[:, 2] == pytest.approx(np.zeros(40))
    assert product.sum(axis=1) == pytest.approx(Z[:, 0] * Z[:, 1])
    assert product[:, 0] == pytest.approx(Z[:, 0] * Z[:, 1] / 2, abs=0.1)


def test_shapley_values_agree_with_those_of_shap():
    import shap
    from sklearn.ensemble import RandomForestClassifier

    rng = np.random.default_rng(0)
    Z = rng.normal(size=(150, 4))
    y = (Z[:, 0] + Z[:, 1] * Z[:, 2] > 0).astype(int)
    model = RandomForestClassifier(20, max_depth=4, random_state=0).fit(Z, y)

    def output(Z):
        return model.predict_proba(Z)[:, 1]

    theirs = shap.explainers.Exact(output, shap.maskers.Independent(Z, max_samples=150))(
        Z[:25]
    ).values
    ours = explanations.shapley(output, Z[:25], list("abcd"), Z, 0, draws=600)
    assert ours == pytest.approx(theirs, abs=0.03)
    assert np.abs(theirs).max() > 0.3


def test_columns_of_one_category_count_as_one_and_classes_apart():
    towns = np.eye(3)[[0, 1, 2, 0]]
    Z = np.column_stack([towns, [1.0, 2.0, 3.0, 4.0]])

    def predict(Z):
        assert (Z[:, :3].sum(axis=1) == 1).all()
        return np.column_stack([Z[:, 0], Z[:, 3], 1 - Z[:, 0] - Z[:, 3]])

    values = explanations.shapley(predict, Z, ["town"] * 3 + ["size"], Z[1:2], 0)
    assert values.shape == (4, 2, 3)
    assert values[:, 0, 0].tolist() == [1, 0, 0, 1] and values[:, 1, 1].tolist() == [-1, 0, 1, 2]
    assert values.sum(axis=2) == pytest.approx(np.zeros((4, 2)))


@pytest.mark.parametrize("rows", [1, 17])
def test_shapley_values_do_not_depend_on_how_many_rows_are_predicted_at_a_time(rows, monkeypatch):
    Z = np.random.default_rng(0).normal(size=(20, 3))
    expected = explanations.shapley(lambda Z: Z.prod(axis=1), Z, list("abc"), Z, 0)
    monkeypatch.setattr(explanations, "ROWS_AT_A_TIME", rows)
    assert explanations.shapley(lambda Z: Z.prod(axis=1), Z, list("abc"), Z, 0) == pytest.approx(
        expected
    )


def test_shapley_asks_for_no_prediction_where_a_step_changes_nothing():
    Z, background, asked = (
        np.array([[1.0, np.nan, 3.0], [0.0, np.nan, 2.0]]),
        np.array([[0.0, np.nan, 2.0]]),
        [],
    )

    def predict(Z):
        asked.append(len(Z))
        return Z[:, 0] * 10 + Z[:, 2]

    values = explanations.shapley(predict, Z, list("abc"), background, 0, draws=1)
    assert values.tolist() == [[10, 0, 1], [0, 0, 0]]
    assert asked == [3 + 1]  # the start and two changes; the start alone


def test_summary_puts_the_weightiest_column_first_and_tells_which_way_it_goes():
    X = pd.DataFrame({"size": [1.0, 2.0, 3.0], "town": ["a", "b", "a"], "same": [1.0, 1.0, 1.0]})
    found = explanations.summary(
        np.array([[-3.0, 1.0, 0.5], [0.0, -1.0, 0.0], [3.0, 1.0, 0.5]]), X, list(X), most=2
    )
    assert found == {
        "size": {"mean_abs": 2.0, "direction": 1.0},
        "town": {"mean_abs": 1.0, "direction": None},
    }
    by_class = explanations.summary(np.ones((3, 3, 2)), X, list(X), most=5)
    assert {column["direction"] for column in by_class.values()} == {None} and len(by_class) == 3


def test_wide_tables_are_explained_on_fewer_rows():
    assert explanations.rows_to_explain(4, 30) == 30
    assert explanations.rows_to_explain(4, 10_000) == explanations.MOST_ROWS
    assert 20 <= explanations.rows_to_explain(80, 10_000) < explanations.MOST_ROWS


def test_a_wide_table_is_explained_by_the_columns_that_go_most_with_the_output():
    """Looking at each of n columns takes predictions of n columns: with all, that is n squared."""
    most = explanations.MOST_OWNERS
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(50, 4 * most))
    Z[0, 0], Z[:, 1] = np.nan, np.nan
    owners = [f"c{place}" for place in range(4 * most)]

    def predict(Z):
        predicted.append(len(Z))
        return 3 * Z[:, 700] - 2 * Z[:, 20]

    predicted: list[int] = []
    looked_at = explanations.owners_looked_at(Z, owners, predict(Z))
    assert len(looked_at) == most and {"c700", "c20"} <= set(looked_at)
    assert looked_at == sorted(looked_at, key=owners.index)

    predicted.clear()
    importance = explanations.permutation_importance(predict, Z, owners, predict(Z), "rmse", 0)
    assert list(importance) == looked_at and max(importance, key=importance.get) == "c700"
    assert sum(predicted) == 50 * (2 + 3 * most)
