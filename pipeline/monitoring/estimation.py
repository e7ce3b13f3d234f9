"""The estimate of a classifier's scores on rows whose labels are not known yet.

Confidence-based performance estimation: calibrated probabilities say how often each decision is
right, and a metric is a random variable whose distribution follows from them (Kivimäki, Bialek,
Kuberski and Nurminen 2025, arXiv:2505.05295). It sees a change of the rows, not one of what the
rows mean: where the same row has another answer than before, only labels show it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

DRAWS = 500  # of the unknown labels
CELLS = 2**22  # labels that are drawn at a time
# rows of the rarer side below which a sigmoid calibrates better (Niculescu-Mizil and Caruana 2005)
FEW = 100
SMALLEST = 1e-6

# from probabilities of one class, or of shape (rows, classes), to calibrated ones
Calibration = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Estimate:
    """The mean of a metric over the draws of the labels, and the range that holds 95 % of them.

    The realised score lies in the range if nothing but the rows has changed.
    """

    value: float
    low: float
    high: float


def calibration(y: np.ndarray, probabilities: np.ndarray) -> Calibration:
    """Return a function that calibrates probabilities of shape (rows, classes).

    It is learnt from class numbers and out-of-fold probabilities. Each class is calibrated against
    the others, isotonic or with few rows of it by a sigmoid (Platt 1999), and rows sum to 1.
    """
    curves = [_curve(y == k, probabilities[:, k]) for k in range(probabilities.shape[1])]

    def calibrated(new: np.ndarray) -> np.ndarray:
        if len(curves) == 2:
            second = curves[1](new[:, 1])
            return np.column_stack([1 - second, second])
        by_class = [curve(new[:, k]) for k, curve in enumerate(curves)]
        raw = np.column_stack(by_class) + SMALLEST
        return raw / raw.sum(axis=1, keepdims=True)

    return calibrated


def _curve(positive: np.ndarray, probabilities: np.ndarray) -> Calibration:
    """Return the calibration of one class's probabilities."""
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import LogisticRegression

    fewest = min(positive.sum(), (~positive).sum())
    if fewest == 0:
        return lambda new: np.full(len(new), float(positive.all()))
    if fewest >= FEW:
        isotonic = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
        return isotonic.fit(probabilities, positive).predict
    sigmoid = LogisticRegression(C=1e6).fit(_logit(probabilities), positive)
    return lambda new: sigmoid.predict_proba(_logit(new))[:, 1]


def _logit(probabilities: np.ndarray) -> np.ndarray:
    clipped = np.clip(probabilities, SMALLEST, 1 - SMALLEST)
    return np.log(clipped / (1 - clipped))[:, None]


def estimate(
    calibrated: np.ndarray, output: np.ndarray, decisions: np.ndarray, seed: int
) -> dict[str, Estimate]:
    """Return the estimates of accuracy and ROC AUC.

    Labels are drawn many times from the `calibrated` probabilities of shape (rows, classes), and
    each draw is scored. Ranks are those of the model's own `output` of the same shape, and
    `decisions` are the class numbers it decided for. The ROC AUC is the mean over the classes, as
    scoring has it; a draw in which a class is absent or alone leaves it out.
    """
    accuracy, roc_auc = _scores_of_draws(calibrated, output, decisions, seed)
    estimates = {}
    for metric, values in (("accuracy", accuracy), ("roc_auc", roc_auc)):
        defined = values[np.isfinite(values)]
        if len(defined):
            low, high = np.quantile(defined, 0.025), np.quantile(defined, 0.975)
            estimates[metric] = Estimate(float(defined.mean()), float(low), float(high))
    return estimates


def _scores_of_draws(
    calibrated: np.ndarray, output: np.ndarray, decisions: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return accuracy and ROC AUC of each draw of the labels, both of shape (draws,)."""
    from scipy.stats import rankdata

    n_rows, n_classes = calibrated.shape
    rng = np.random.default_rng(seed)
    # a draw between two of a row's steps is a label
    steps = calibrated.cumsum(axis=1)[:, :-1]
    ranked = range(n_classes) if n_classes > 2 else [1]
    ranks = {k: rankdata(output[:, k]) for k in ranked}
    accuracy, roc_auc = [], []
    block = max(1, CELLS // steps.size)
    for start in range(0, DRAWS, block):
        draws = rng.random((min(block, DRAWS - start), n_rows, 1))
        labels = (draws > steps).sum(axis=2)
        accuracy.append((labels == decisions).mean(axis=1))
        by_class = [_roc_auc(labels == k, ranks[k]) for k in ranks]
        roc_auc.append(np.mean(by_class, axis=0))
    return np.concatenate(accuracy), np.concatenate(roc_auc)


def _roc_auc(positive: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """Return the ROC AUC of each row of `positive`, NaN where one side is empty.

    By ranks (Mann and Whitney 1947).
    """
    n = positive.sum(axis=1)
    pairs = n * (positive.shape[1] - n)
    undefined = np.full(len(n), np.nan)
    return np.divide(positive @ ranks - n * (n + 1) / 2, pairs, out=undefined, where=pairs > 0)
