"""Metrics by task, their intervals, the decision threshold, gates, and the one chooser of the best candidate.

`output` is what a model puts out: numbers of shape (rows,), or class probabilities of shape (rows, classes). Targets of
classification are class numbers, 0 to classes - 1, the positive class last. Precision, recall and F1 are those of the positive
class where there are two classes, else the unweighted mean over the classes, as is the ROC AUC (each class against the rest).
"""

import math

import numpy as np

LOWER_IS_BETTER = ("rmse", "mae", "log_loss")
SMALLEST_PROBABILITY = np.finfo(np.float64).eps  # as scikit-learn's log_loss has it


def is_better(metric: str, one: float, other: float) -> bool:
    """Tell whether the first value of a metric is better than the second."""
    return one < other if metric.split("__")[0] in LOWER_IS_BETTER else one > other


def score(
    task: str,
    y: np.ndarray,
    output: np.ndarray,
    decisions: np.ndarray | None = None,
    classes: list[str] | None = None,
) -> dict[str, float]:
    """Return every metric of the task, per class as well (`f1__virginica`); nan where one is not defined on these rows."""
    if task == "regression":
        return regression_metrics(y, output)
    n_classes = output.shape[1]
    recalls, precisions, f1s = recall_precision_f1(
        np.bincount(y * n_classes + decisions, minlength=n_classes**2).reshape(
            1, n_classes, n_classes
        )
    )
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
    return float(
        measure(indicators[:, 1], probabilities[:, 1])
        if two
        else measure(indicators, probabilities)
    )


def _log_loss(y: np.ndarray, probabilities: np.ndarray) -> float:
    from sklearn.metrics import log_loss

    clipped = np.clip(probabilities, SMALLEST_PROBABILITY, 1)
    return float(
        log_loss(
            y, clipped / clipped.sum(axis=1, keepdims=True), labels=range(probabilities.shape[1])
        )
    )


PROBABILITY_METRICS = {
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "log_loss": _log_loss,
}


def confusion_matrix(y: np.ndarray, decisions: np.ndarray, classes: list[str]) -> dict:
    """Return {labels, counts}; counts[i][j] rows of class i were predicted as class j."""
    counts = np.bincount(y * len(classes) + decisions, minlength=len(classes) ** 2).reshape(
        len(classes), len(classes)
    )
    return {"labels": list(classes), "counts": counts.tolist()}


def recall_precision_f1(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return recall, precision and F1 of shape (n, classes) for n confusion matrices; 0 where one would divide by 0."""
    hits = np.diagonal(counts, axis1=1, axis2=2).astype(float)
    actual, predicted = counts.sum(axis=2), counts.sum(axis=1)
    recall = np.divide(hits, actual, out=np.zeros_like(hits), where=actual > 0)
    precision = np.divide(hits, predicted, out=np.zeros_like(hits), where=predicted > 0)
    f1 = np.divide(
        2 * hits, actual + predicted, out=np.zeros_like(hits), where=actual + predicted > 0
    )
    return recall, precision, f1


def of_output(task: str, y: np.ndarray, metric: str, output: np.ndarray) -> float:
    """Return one metric; label metrics are measured at the likeliest class, as a shuffled table has no threshold of its own."""
    if task == "regression":
        return REGRESSION_METRICS[metric](y, output)
    if metric in PROBABILITY_METRICS:
        return PROBABILITY_METRICS[metric](y, output)
    return score(task, y, output, output.argmax(axis=1), [str(k) for k in range(output.shape[1])])[
        metric
    ]


PERFECT = {"rmse": 0, "mae": 0, "log_loss": 0}  # of the other metrics 1
