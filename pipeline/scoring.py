"""Metrics by task, their intervals, the decision threshold, gates, and the one chooser of the best candidate.

`output` is what a model puts out: numbers of shape (rows,), or class probabilities of shape (rows, classes). Targets of
classification are class numbers, 0 to classes - 1, the positive class last. Precision, recall and F1 are those of the positive
class where there are two classes, else the unweighted mean over the classes, as is the ROC AUC (each class against the rest).
"""

import math
from functools import partial

import numpy as np

from pipeline.errors import DataError
from pipeline.models import FAMILIES, decide
from pipeline.params import Gate

LOWER_IS_BETTER = ("rmse", "mae", "log_loss")
RESAMPLES = 1000            # of the bootstrap
LEVEL = 0.95                # of the intervals
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
BLOCK_CELLS = 4_000_000     # resamples x rows that are drawn at a time: bounds the memory
ROWS_AT_A_TIME = 50_000     # that are predicted for the importances
SMALLEST_PROBABILITY = np.finfo(np.float64).eps         # as scikit-learn's log_loss has it


def rounded(value: float) -> float | None:
    """Return a metric with six significant digits; None where it is not defined."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")


def is_better(metric: str, one: float, other: float) -> bool:
    """Tell whether the first value of a metric is better than the second."""
    return one < other if metric.split("__")[0] in LOWER_IS_BETTER else one > other


def clearly_worse(metric: str, before: float | None, interval: tuple[float | None, float | None]) -> bool:
    """Tell whether a score got worse by more than chance: what it was before is better than every value of its interval now."""
    return before is not None and all(bound is not None and is_better(metric, before, bound) for bound in interval)


def score(task: str, y: np.ndarray, output: np.ndarray, decisions: np.ndarray | None = None,
          classes: list[str] | None = None) -> dict[str, float]:
    """Return every metric of the task, per class as well (`f1__virginica`); nan where one is not defined on these rows."""
    if task == "regression":
        return regression_metrics(y, output)
    n_classes = output.shape[1]
    recalls, precisions, f1s = _by_class(np.bincount(y * n_classes + decisions, minlength=n_classes**2).reshape(
        1, n_classes, n_classes))
    metrics = {"accuracy": float((y == decisions).mean())}
    for name, values in (("precision", precisions[0]), ("recall", recalls[0]), ("f1", f1s[0])):
        metrics[name] = float(values[1] if n_classes == 2 else values.mean())
    metrics |= probability_metrics(y, output)
    for name, values in (("precision", precisions[0]), ("recall", recalls[0]), ("f1", f1s[0])):
        metrics |= {f"{name}__{label}": float(value) for label, value in zip(classes, values)}
    return metrics


def regression_metrics(y: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
    """Return rmse, mae and r2; r2 is nan for a single row."""
    return {metric: measure(y, prediction) for metric, measure in REGRESSION_METRICS.items()}


def _rmse(y: np.ndarray, prediction: np.ndarray) -> float:
    from sklearn.metrics import root_mean_squared_error
    return float(root_mean_squared_error(y, prediction))


def _mae(y: np.ndarray, prediction: np.ndarray) -> float:
    from sklearn.metrics import mean_absolute_error
    return float(mean_absolute_error(y, prediction))


def _r2(y: np.ndarray, prediction: np.ndarray) -> float:
    from sklearn.metrics import r2_score
    return float(r2_score(y, prediction)) if len(y) > 1 else math.nan


REGRESSION_METRICS = {"rmse": _rmse, "mae": _mae, "r2": _r2}


def probability_metrics(y: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Return roc_auc, average_precision and log_loss; the first two are nan where a class is absent."""
    return {metric: measure(y, probabilities) for metric, measure in PROBABILITY_METRICS.items()}


def _roc_auc(y: np.ndarray, probabilities: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score
    return _ranking(roc_auc_score, y, probabilities)


def _average_precision(y: np.ndarray, probabilities: np.ndarray) -> float:
    from sklearn.metrics import average_precision_score
    return _ranking(average_precision_score, y, probabilities)


def _ranking(measure, y: np.ndarray, probabilities: np.ndarray) -> float:
    """Return a metric of the positive class, or the mean over the classes; nan where a class is absent."""
    indicators = np.eye(probabilities.shape[1], dtype=int)[y]
    if not indicators.any(axis=0).all():
        return math.nan
    two = probabilities.shape[1] == 2
    return float(measure(indicators[:, 1], probabilities[:, 1]) if two else measure(indicators, probabilities))


def _log_loss(y: np.ndarray, probabilities: np.ndarray) -> float:
    from sklearn.metrics import log_loss
    clipped = np.clip(probabilities, SMALLEST_PROBABILITY, 1)
    return float(log_loss(y, clipped / clipped.sum(axis=1, keepdims=True), labels=range(probabilities.shape[1])))


PROBABILITY_METRICS = {"roc_auc": _roc_auc, "average_precision": _average_precision, "log_loss": _log_loss}


def confusion(y: np.ndarray, decisions: np.ndarray, classes: list[str]) -> dict:
    """Return {labels, counts}; counts[i][j] rows of class i were predicted as class j."""
    counts = np.bincount(y * len(classes) + decisions, minlength=len(classes)**2).reshape(len(classes), len(classes))
    return {"labels": list(classes), "counts": counts.tolist()}


def _by_class(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return recall, precision and F1 of shape (n, classes) for n confusion matrices; 0 where one would divide by 0."""
    hits = np.diagonal(counts, axis1=1, axis2=2).astype(float)
    actual, predicted = counts.sum(axis=2), counts.sum(axis=1)
    recall = np.divide(hits, actual, out=np.zeros_like(hits), where=actual > 0)
    precision = np.divide(hits, predicted, out=np.zeros_like(hits), where=predicted > 0)
    f1 = np.divide(2 * hits, actual + predicted, out=np.zeros_like(hits), where=actual + predicted > 0)
    return recall, precision, f1


def threshold(y: np.ndarray, probabilities: np.ndarray, metric: str) -> float | None:
    """Return the probability of the positive class from which on a row counts as positive, best by F1 or accuracy.

    It lies halfway between two rows' probabilities, so that no row of these stands on it, or beyond them all where to call every
    row positive, or none, is best. 0.5 where all probabilities are equal. None unless there are two classes.
    """
    if probabilities.shape[1] != 2:
        return None
    scores = probabilities[:, 1]
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.r_[0, np.cumsum(y[order] == 1)]
    steps = np.flatnonzero(np.diff(ranked) < 0) + 1
    if not len(steps):
        return 0.5
    called = np.r_[0, steps, len(y)]                        # so many rows can be called positive
    hits, positives = hits[called], hits[-1]
    if metric == "f1":
        quality = 2 * hits / np.maximum(called + positives, 1)
    else:
        quality = (hits + (len(y) - positives) - (called - hits)) / len(y)
    best = called[np.argmax(quality)]
    bounds = np.r_[np.nextafter(1, 2), ranked, 0]           # a threshold above 1 calls no row positive
    above, below = bounds[best], bounds[best + 1]
    middle = (above + below) / 2
    return float(middle if middle > below else above)


def cross_fitted_decisions(y: np.ndarray, output: np.ndarray, fold: np.ndarray, metric: str) -> np.ndarray:
    """Return out-of-fold decisions, each fold's by the threshold that is best on the other folds.

    A threshold that was chosen on the very rows it is scored on flatters the score; rows with fold -1 have no prediction and
    keep the decision 0.
    """
    if output.shape[1] != 2:
        return output.argmax(axis=1)
    decisions = np.zeros(len(y), dtype=int)
    predicted = fold >= 0
    for number in np.unique(fold[predicted]):
        here, others = fold == number, predicted & (fold != number)
        decisions[here] = decide(output[here], threshold(y[others], output[others], metric))
    return decisions


def intervals(task: str, y: np.ndarray, output: np.ndarray, decisions: np.ndarray | None, seed: int,
              resamples: int = RESAMPLES) -> dict[str, tuple[float, float]]:
    """Return the 95 % bootstrap interval (percentiles; Efron 1979) of every metric of the task."""
    return {metric: interval(values) for metric, values in bootstrap(task, y, output, decisions, seed, resamples).items()}


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the interval that holds 95 % of a metric's resampled values."""
    return tuple(float(bound) for bound in np.quantile(values, TAILS))


def bootstrap(task: str, y: np.ndarray, output: np.ndarray, decisions: np.ndarray | None, seed: int,
              resamples: int = RESAMPLES) -> dict[str, np.ndarray]:
    """Return every metric of the task on each of `resamples` draws of the rows; the same rows are drawn for every model.

    Rows are drawn with replacement, within each class for classification, so that a rare class is in every resample.
    """
    strata = [np.flatnonzero(y == k) for k in np.unique(y)] if task == "classification" else [np.arange(len(y))]
    rngs = np.random.default_rng(seed).spawn(len(strata))   # one each, so that the draws do not depend on the blocks
    samples = {}
    block = max(1, min(resamples, BLOCK_CELLS // len(y)))
    for start in range(0, resamples, block):
        weights = _weights(strata, min(block, resamples - start), rngs)
        part = (_weighted_regression(weights, y, output) if task == "regression"
                else _weighted_classification(weights, y, output, decisions))
        for metric, values in part.items():
            samples.setdefault(metric, []).append(values)
    return {metric: np.concatenate(values) for metric, values in samples.items()}


def _weights(strata: list[np.ndarray], count: int, rngs: list[np.random.Generator]) -> np.ndarray:
    """Return how often each row is drawn in each of `count` resamples: shape (count, rows)."""
    weights = np.zeros((count, sum(map(len, strata))))
    for rows, rng in zip(strata, rngs):
        drawn = rng.integers(len(rows), size=(count, len(rows)))
        flat = (drawn + np.arange(count)[:, None] * len(rows)).ravel()
        weights[:, rows] = np.bincount(flat, minlength=count * len(rows)).reshape(count, len(rows))
    return weights


def _weighted_regression(weights: np.ndarray, y: np.ndarray, prediction: np.ndarray) -> dict[str, np.ndarray]:
    n = len(y)
    residual, centred = y - prediction, y - y.mean()
    squares = weights @ residual**2
    total = weights @ centred**2 - (weights @ centred)**2 / n
    r2 = 1 - np.divide(squares, total, out=np.ones_like(squares), where=total > 0)
    return {"rmse": np.sqrt(squares / n), "mae": weights @ np.abs(residual) / n, "r2": r2}


def _weighted_classification(weights: np.ndarray, y: np.ndarray, probabilities: np.ndarray,
                             decisions: np.ndarray) -> dict[str, np.ndarray]:
    n, n_classes = len(y), probabilities.shape[1]
    cells = np.eye(n_classes**2)[y * n_classes + decisions]
    counts = (weights @ cells).reshape(-1, n_classes, n_classes)
    recalls, precisions, f1s = _by_class(counts)
    own = np.clip(probabilities, SMALLEST_PROBABILITY, 1)
    own = (own / own.sum(axis=1, keepdims=True))[np.arange(n), y]
    of_positive = (lambda values: values[:, 1]) if n_classes == 2 else (lambda values: values.mean(axis=1))
    ranked = [_weighted_ranking(weights, y == k, probabilities[:, k]) for k in ([1] if n_classes == 2 else range(n_classes))]
    return {"accuracy": np.trace(counts, axis1=1, axis2=2) / n, "precision": of_positive(precisions),
            "recall": of_positive(recalls), "f1": of_positive(f1s),
            "roc_auc": np.mean([auc for auc, _ in ranked], axis=0),
            "average_precision": np.mean([precision for _, precision in ranked], axis=0),
            "log_loss": weights @ -np.log(own) / n}


def _weighted_ranking(weights: np.ndarray, positive: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ROC AUC and the average precision of each weighted resample; rows of equal score are one step.

    nan where the class is absent, or alone.
    """
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) != 0])
    hits = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    false = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    all_hits, all_false = hits.sum(axis=1), false.sum(axis=1)
    true_so_far, false_so_far = hits.cumsum(axis=1), false.cumsum(axis=1)
    auc = _ratio((false * (true_so_far - hits / 2)).sum(axis=1), all_hits * all_false)
    called = true_so_far + false_so_far
    precision = np.divide(true_so_far, called, out=np.zeros_like(called), where=called > 0)
    return auc, _ratio((precision * hits).sum(axis=1), all_hits)


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0)


def candidate(task: str, y: np.ndarray, oof: np.ndarray, fold: np.ndarray, train_output: np.ndarray, y_test: np.ndarray,
              test_output: np.ndarray, classes: list[str] | None, threshold_metric: str, seed: int) -> dict:
    """Return a candidate's scores: by fold (`cv`), pooled out of fold, on the training rows, and with intervals on the test rows.

    `fold` is the fold that predicted each training row, -1 where none did. Undefined scores are None, and the mean over the
    folds is over those that have one.
    """
    seen, threshold_, oof_decisions, train_decisions, test_decisions = fold >= 0, None, None, None, None
    if task == "classification":
        threshold_ = threshold(y[seen], oof[seen], threshold_metric)
        oof_decisions = cross_fitted_decisions(y, oof, fold, threshold_metric)
        train_decisions, test_decisions = decide(train_output, threshold_), decide(test_output, threshold_)

    def of_rows(rows):
        return score(task, y[rows], oof[rows], None if oof_decisions is None else oof_decisions[rows], classes)

    by_fold = [of_rows(fold == number) for number in range(fold.max() + 1)]
    bounds = intervals(task, y_test, test_output, test_decisions, seed)
    scores = {
        "cv": {metric: _mean_and_deviation([part[metric] for part in by_fold]) for metric in by_fold[0]},
        "cv_oof": {metric: rounded(value) for metric, value in of_rows(seen).items()},
        "train": {metric: rounded(value) for metric, value in score(task, y, train_output, train_decisions, classes).items()},
        "test": {metric: {"value": rounded(value)} | dict(zip(("low", "high"), map(rounded, bounds.get(metric, ()))))
                 for metric, value in score(task, y_test, test_output, test_decisions, classes).items()},
    }
    if task == "classification":
        scores |= {"threshold": threshold_, "confusion_matrix": confusion(y_test, test_decisions, classes)}
    return scores


def fold_scores(task: str, y: np.ndarray, oof: np.ndarray, fold: np.ndarray, metric: str, threshold_metric: str) -> list[float]:
    """Return one metric of each fold that has predictions, as `candidate` computes it; nan where it is not defined."""
    if task == "regression" or metric in PROBABILITY_METRICS:
        return [(REGRESSION_METRICS | PROBABILITY_METRICS)[metric](y[fold == number], oof[fold == number])
                for number in np.unique(fold[fold >= 0])]
    decisions = cross_fitted_decisions(y, oof, fold, threshold_metric)
    names = [str(number) for number in range(oof.shape[1])]
    return [score(task, y[fold == number], oof[fold == number], decisions[fold == number], names)[metric]
            for number in np.unique(fold[fold >= 0])]


def paired_difference(task: str, y: np.ndarray, metric: str, one: tuple, other: tuple, seed: int) -> dict[str, float | None]:
    """Return how much better one model's metric is than another's on the same rows, with a 95 % bootstrap interval.

    Both are (output, decisions), and each resample draws the same rows for both (Efron and Tibshirani 1993), so that what is hard
    for both cancels out.
    """
    sign = -1 if metric in LOWER_IS_BETTER else 1
    values, samples = [], []
    for output, decisions in (one, other):
        names = None if task == "regression" else [str(number) for number in range(output.shape[1])]
        values.append(score(task, y, output, decisions, names)[metric])
        samples.append(bootstrap(task, y, output, decisions, seed)[metric])
    low, high = interval(sign * (samples[0] - samples[1]))
    return {"absolute": rounded(sign * (values[0] - values[1])), "low": rounded(low), "high": rounded(high)}


def _mean_and_deviation(values: list[float]) -> dict[str, float | None]:
    defined = [value for value in values if math.isfinite(value)]
    if not defined:
        return {"mean": None, "std": None}
    return {"mean": rounded(np.mean(defined)), "std": rounded(np.std(defined))}


def permutation_importance(task: str, predict, Z, owners: list[str], y: np.ndarray, metric: str, seed: int,
                           repeats: int = 3) -> dict[str, float]:
    """Return how much worse the metric gets when a column of the table is shuffled (Breiman 2001), mean over repeats.

    `Z` is the table as the estimator takes it and `owners` the table's column that each of its columns comes from: all columns
    of one owner are shuffled together.
    """
    rng = np.random.default_rng(seed)
    measure = partial(_primary, task, y, metric)
    sign = 1 if metric in LOWER_IS_BETTER else -1
    base, values = measure(predict(Z)), np.asarray(Z)
    places = {owner: [number for number, name in enumerate(owners) if name == owner] for owner in dict.fromkeys(owners)}
    shuffles = [(owner, rng.permutation(len(values))) for owner in places for _ in range(repeats)]
    losses = {owner: [] for owner in places}
    at_a_time = max(1, ROWS_AT_A_TIME // len(values))       # one prediction of many rows is much faster than many of a few
    for start in range(0, len(shuffles), at_a_time):
        block = shuffles[start:start + at_a_time]
        tables = np.tile(values, (len(block), 1, 1))
        for table, (owner, order) in zip(tables, block):
            table[:, places[owner]] = values[order][:, places[owner]]
        outputs = predict(_like(Z, tables.reshape(-1, values.shape[1])))
        for (owner, _), output in zip(block, np.split(outputs, len(block))):
            losses[owner].append(sign * (measure(output) - base))
    return {owner: float(np.mean(values)) for owner, values in losses.items()}


def _like(Z, values: np.ndarray):
    """Return values as the kind of table that Z is: CatBoost takes a DataFrame with integer columns."""
    return Z.__class__(values, columns=Z.columns).astype(Z.dtypes) if hasattr(Z, "columns") else values


def _primary(task: str, y: np.ndarray, metric: str, output: np.ndarray) -> float:
    """Return one metric; label metrics are measured at the likeliest class, as a shuffled table has no threshold of its own."""
    if task == "regression":
        return REGRESSION_METRICS[metric](y, output)
    if metric in PROBABILITY_METRICS:
        return PROBABILITY_METRICS[metric](y, output)
    return score(task, y, output, output.argmax(axis=1), [str(k) for k in range(output.shape[1])])[metric]


def best_candidate(candidates: dict, metric: str) -> str:
    """Return the name of the best candidate by the cross-validated metric; a tie goes to the simpler, then by name.

    Raises DataError where the metric is undefined for all of them.
    """
    if all(scores["cv"][metric]["mean"] is None for scores in candidates.values()):
        raise DataError(f"no candidate has a cross-validated {metric}: a class is absent in every fold; change "
                        f"train.primary_metric, train.cv_folds or prepare.split")
    simplicity = {name: place for place, name in enumerate(FAMILIES)}
    sign = 1 if metric in LOWER_IS_BETTER else -1

    def rank(name):
        mean = candidates[name]["cv"][metric]["mean"]
        model_type = candidates[name]["params"].get("model_type")
        return mean is None, sign * (mean or 0), simplicity.get(model_type, len(simplicity)), name

    return min(candidates, key=rank)


def gate_verdicts(gates: dict[str, Gate], candidate: dict) -> list[dict]:
    """Return, for each gate, the value it looks at, its bounds, and whether it holds; an undefined value fails."""
    verdicts = []
    for metric, gate in gates.items():
        value = candidate["cv_oof"].get(metric) if gate.on == "oof" else candidate["test"].get(metric, {}).get("value")
        passed = value is not None and (gate.min is None or value >= gate.min) and (gate.max is None or value <= gate.max)
        verdicts.append({"metric": metric, "on": gate.on, "value": value, "min": gate.min, "max": gate.max, "passed": passed})
    return verdicts
