"""A candidate is scored on the rows that each part names; an undefined fold leaves no mean."""

import json

import numpy as np
import pytest
from sklearn import metrics as reference
from sklearn.model_selection import KFold

from pipeline.scoring import thresholds
from pipeline.scoring.rows import OutOfFold, Rows
from pipeline.scoring.scores import candidate_scores, fold_scores, heaviest_rows
from support.predicted import binary, classification, regression


def test_candidate_is_scored_on_the_rows_that_each_part_names():
    train, test = classification(2, rows=90, seed=6), classification(2, rows=50, seed=8)
    y, y_test = train.y, test.y
    fold = np.full(90, -1)
    for number, (_, predict) in enumerate(KFold(3).split(y[30:])):
        fold[30 + predict] = number
    oof = np.where((fold >= 0)[:, None], train.output, np.nan)
    scores = candidate_scores(
        OutOfFold(y, oof, fold),
        train=Rows(y, train.output),
        test=Rows(y_test, test.output),
        classes=["no", "yes"],
        threshold_metric="f1",
        seed=0,
    ).as_json()

    seen = fold >= 0
    assert scores["threshold"] == thresholds.best_threshold(y[seen], oof[seen], "f1")
    assert scores["cv_oof"]["roc_auc"] == pytest.approx(
        reference.roc_auc_score(y[seen], oof[seen, 1]), rel=1e-5
    )
    by_fold = [reference.roc_auc_score(y[fold == k], oof[fold == k, 1]) for k in range(3)]
    assert scores["cv"]["roc_auc"] == pytest.approx(
        {"mean": np.mean(by_fold), "std": np.std(by_fold)}, rel=1e-5
    )
    decisions = test.output[:, 1] >= scores["threshold"]
    assert scores["test"]["f1__yes"]["value"] == pytest.approx(
        reference.f1_score(y_test, decisions), rel=1e-5
    )
    assert (
        scores["test"]["f1"]["low"] < scores["test"]["f1"]["value"] < scores["test"]["f1"]["high"]
    )
    assert scores["train"]["recall"] == pytest.approx(
        reference.recall_score(y, train.output[:, 1] >= scores["threshold"]), rel=1e-5
    )
    assert (
        scores["confusion_matrix"]["counts"]
        == reference.confusion_matrix(y_test, decisions).tolist()
    )
    json.dumps(scores, allow_nan=False)


def test_metric_that_a_fold_does_not_define_has_no_mean_and_says_so():
    y, fold = np.array([0, 1, 0, 1, 0, 0]), np.array([0, 0, 0, 0, 1, 1])
    output = binary([0.1, 0.9, 0.6, 0.4, 0.2, 0.3])
    rows = Rows(y, output)
    scores = candidate_scores(OutOfFold(y, output, fold), rows, rows, ["no", "yes"], "f1", seed=0)
    assert scores.cv["roc_auc"].values == pytest.approx((0.75, np.nan), nan_ok=True)
    cv = scores.as_json()["cv"]
    assert cv["roc_auc"] == {"mean": None, "std": None, "reason": "not defined on 1 of 2 folds"}
    assert cv["log_loss"].keys() == {"mean", "std"} and None not in cv["log_loss"].values()


@pytest.mark.parametrize("metric", ["f1", "recall", "precision"])
def test_fold_without_the_positive_class_does_not_count_as_a_score_of_0(metric):
    y, fold = np.array([0, 1, 0, 1, 0, 0]), np.array([0, 0, 1, 1, 2, 2])
    output = binary([0.1, 0.9, 0.2, 0.8, 0.6, 0.3])
    rows = Rows(y, output)
    scores = candidate_scores(OutOfFold(y, output, fold), rows, rows, ["no", "yes"], "f1", seed=0)
    cv = scores.as_json()["cv"]
    assert cv[metric] == {"mean": None, "std": None, "reason": "not defined on 1 of 3 folds"}
    assert cv[f"{metric}__yes"]["mean"] is None and cv["accuracy"]["mean"] is not None


def test_fold_of_one_target_value_leaves_r2_undefined():
    y, fold = np.array([1.0, 2, 3, 5, 5, 5]), np.repeat([0, 1], 3)
    scores = fold_scores(OutOfFold(y, y + 0.1, fold), "r2", "f1")
    assert np.isfinite(scores[0]) and np.isnan(scores[1])


def test_candidate_of_regression_has_neither_threshold_nor_confusion_matrix():
    rows = regression(60)
    out_of_fold = OutOfFold(rows.y, rows.output, np.arange(60) % 3)
    content = candidate_scores(out_of_fold, rows, rows, None, "f1", seed=0).as_json()
    assert list(content) == ["cv", "cv_oof", "train", "test"]
    assert content["train"]["rmse"] == content["test"]["rmse"]["value"]


def test_rows_that_carry_the_error_are_counted_and_alike_errors_are_not():
    y = np.zeros(1460)
    error = np.random.default_rng(0).normal(size=1460)
    assert heaviest_rows(Rows(y, error)) is None
    error[:5] = 10.4
    found = heaviest_rows(Rows(y, error))
    assert str(found) == "5 of 1,460 rows make 27 % of the squared error"
    assert heaviest_rows(Rows(y, y)) is None
    assert heaviest_rows(classification(2)) is None


@pytest.mark.parametrize("name", ["f1", "accuracy", "roc_auc", "log_loss"])
def test_scores_of_folds_are_those_of_a_candidate(name):
    rows = classification(2, rows=90, seed=6)
    out_of_fold = OutOfFold(rows.y, rows.output, np.arange(90) % 4 - 1)
    scores = candidate_scores(out_of_fold, rows, rows, ["no", "yes"], "f1", seed=0)
    assert tuple(fold_scores(out_of_fold, name, "f1")) == scores.cv[name].values
    assert len(scores.cv[name].values) == 3
