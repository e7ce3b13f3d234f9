"""Metrics by task, their intervals, the decision threshold, gates, and the one chooser of the best candidate.

`output` is what a model puts out: numbers of shape (rows,), or class probabilities of shape (rows, classes). Targets of
classification are class numbers, 0 to classes - 1, the positive class last. Precision, recall and F1 are those of the positive
class where there are two classes, else the unweighted mean over the classes, as is the ROC AUC (each class against the rest).
"""

import math

import numpy as np

from pipeline.project import rounding
from pipeline.scoring import bootstrap, metrics, thresholds
from pipeline.scoring.rows import Rows


def candidate_scores(
    task: str,
    y: np.ndarray,
    oof: np.ndarray,
    fold: np.ndarray,
    train_output: np.ndarray,
    y_test: np.ndarray,
    test_output: np.ndarray,
    classes: list[str] | None,
    threshold_metric: str,
    seed: int,
) -> dict:
    """Return a candidate's scores: by fold (`cv`), pooled out of fold, on the training rows, and with intervals on the test rows.

    `fold` is the fold that predicted each training row, -1 where none did. Undefined scores are None, and the mean over the
    folds is over those that have one.
    """
    seen, threshold_, oof_decisions, train_decisions, test_decisions = (
        fold >= 0,
        None,
        None,
        None,
        None,
    )
    if task == "classification":
        threshold_ = thresholds.best_threshold(y[seen], oof[seen], threshold_metric)
        oof_decisions = thresholds.cross_fitted_decisions(y, oof, fold, threshold_metric)
        train_decisions, test_decisions = (
            thresholds.decide(train_output, threshold_),
            thresholds.decide(test_output, threshold_),
        )

    def of_rows(rows):
        return metrics.score(
            task,
            y[rows],
            oof[rows],
            None if oof_decisions is None else oof_decisions[rows],
            classes,
        )

    by_fold = [of_rows(fold == number) for number in range(fold.max() + 1)]
    bounds = bootstrap.intervals(task, y_test, test_output, test_decisions, seed)
    scores = {
        "cv": {
            metric: _mean_and_deviation([part[metric] for part in by_fold]) for metric in by_fold[0]
        },
        "cv_oof": {metric: rounding.significant(value) for metric, value in of_rows(seen).items()},
        "train": {
            metric: rounding.significant(value)
            for metric, value in metrics.score(
                task, y, train_output, train_decisions, classes
            ).items()
        },
        "test": {
            metric: {"value": rounding.significant(value)}
            | dict(zip(("low", "high"), map(rounding.significant, bounds.get(metric, ()))))
            for metric, value in metrics.score(
                task, y_test, test_output, test_decisions, classes
            ).items()
        },
    }
    if task == "classification":
        scores |= {
            "threshold": threshold_,
            "confusion_matrix": metrics.confusion_matrix(y_test, test_decisions, classes),
        }
    return scores


def fold_scores(
    task: str, y: np.ndarray, oof: np.ndarray, fold: np.ndarray, metric: str, threshold_metric: str
) -> list[float]:
    """Return one metric of each fold that has predictions, as `candidate` computes it; nan where it is not defined."""
    decisions = None
    if metrics.lookup(metric).of == "labels":
        decisions = thresholds.cross_fitted_decisions(y, oof, fold, threshold_metric)
    values = []
    for number in np.unique(fold[fold >= 0]):
        here = fold == number
        rows = Rows(y[here], oof[here], None if decisions is None else decisions[here])
        values.append(metrics.value(metric, rows))
    return values


def _mean_and_deviation(values: list[float]) -> dict[str, float | None]:
    defined = [value for value in values if math.isfinite(value)]
    if not defined:
        return {"mean": None, "std": None}
    return {
        "mean": rounding.significant(np.mean(defined)),
        "std": rounding.significant(np.std(defined)),
    }
