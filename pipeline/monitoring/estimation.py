"""The estimate of a classifier's scores on rows whose labels are not known yet.

Confidence-based performance estimation: calibrated probabilities say how often each decision is
right, and a metric is a random variable whose distribution follows from them (Kivimäki, Bialek,
Kuberski and Nurminen 2025, arXiv:2505.05295). It sees a change of the rows, not one of what the
rows mean: where the same row has another answer than before, only labels show it.

The calibration is learnt from some rows, and the model is not quite those that were fitted on the
folds: the range holds the errors of both. A bootstrap of the calibration shows the first; drawing
half as many rows as there are makes it wider by the root of 2 for the second, as naive intervals of
cross-validation are too narrow (Bates, Hastie and Tibshirani 2023, arXiv:2104.00673).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

DRAWS = 500  # of the unknown labels
CELLS = 2**22  # labels that are drawn at a time
# rows of the rarer side below which a sigmoid calibrates better (Niculescu-Mizil and Caruana 2005):
# an isotonic curve of few rows takes their noise for separation, and the ROC AUC for higher
FEW = 1000
SMALLEST = 1e-6
CALIBRATIONS = 100  # that are learnt from drawn rows
# drawn for each: half of the rows, and no more than show how uncertain a calibration is
MOST_DRAWN = 25_000

# from probabilities of one class, or of shape (rows, classes), to calibrated ones
Calibration = Callable[[np.ndarray], np.ndarray]
# from the rows of a class, the probabilities of it and the rows' weights to its calibration
Fitter = Callable[[np.ndarray, np.ndarray, np.ndarray], Calibration]


@dataclass(frozen=True)
class Estimate:
    """The mean of a metric over draws of labels and calibrations, and the range of 95 % of them.

    The realised score is to lie in the range if nothing but the rows has changed.
    """

    value: float
    low: float
    high: float


def calibration(y: np.ndarray, probabilities: np.ndarray) -> Calibration:
    """Return a function that calibrates probabilities of shape (rows, classes).

    It is learnt from class numbers and out-of-fold probabilities. Each class is calibrated against
    the others, isotonic or with few rows of it by a sigmoid (Platt 1999), and rows sum to 1.
    """
    return _learnt(y, probabilities, np.ones(len(y)), _fitters(y, probabilities.shape[1]))


def _fitters(y: np.ndarray, n_classes: int) -> list[Fitter]:
    """Return by what each class is calibrated."""
    fitters: list[Fitter] = []
    for k in range(n_classes):
        positives = int((y == k).sum())
        enough = min(positives, len(y) - positives) >= FEW
        fitters.append(_isotonic if enough else _sigmoid)
    return fitters


def _learnt(
    y: np.ndarray, probabilities: np.ndarray, weights: np.ndarray, fitters: list[Fitter]
) -> Calibration:
    """Return what is learnt from rows of which each counts as often as `weights` say."""
    curves = []
    for k, fitter in enumerate(fitters):
        curves.append(_curve(y == k, probabilities[:, k], weights, fitter))

    def calibrated(new: np.ndarray) -> np.ndarray:
        if len(curves) == 2:
            second = curves[1](new[:, 1])
            return np.column_stack([1 - second, second])
        by_class = [curve(new[:, k]) for k, curve in enumerate(curves)]
        raw = np.column_stack(by_class) + SMALLEST
        return raw / raw.sum(axis=1, keepdims=True)

    return calibrated


def resampled(
    y: np.ndarray, probabilities: np.ndarray, output: np.ndarray, seed: int
) -> Iterator[np.ndarray]:
    """Yield `output` as each of many calibrations gives it that are learnt from drawn rows."""
    rng = np.random.default_rng([seed, 1])
    n_rows, fitters = len(y), _fitters(y, probabilities.shape[1])
    for _ in range(CALIBRATIONS):
        drawn = rng.integers(n_rows, size=min(max(n_rows // 2, 1), MOST_DRAWN))
        weights = np.bincount(drawn, minlength=n_rows)
        there = weights > 0
        learnt = _learnt(y[there], probabilities[there], weights[there], fitters)
        yield learnt(output)


def _curve(
    positive: np.ndarray, probabilities: np.ndarray, weights: np.ndarray, fitter: Fitter
) -> Calibration:
    """Return the calibration of one class's probabilities."""
    if positive.all() or not positive.any():
        return lambda new: np.full(len(new), float(positive.all()))
    return fitter(positive, probabilities, weights)


def _isotonic(positive: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> Calibration:
    from sklearn.isotonic import IsotonicRegression

    isotonic = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    return isotonic.fit(probabilities, positive, sample_weight=weights).predict


def _sigmoid(positive: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> Calibration:
    from sklearn.linear_model import LogisticRegression

    sigmoid = LogisticRegression(C=1e6)
    sigmoid.fit(_logit(probabilities), positive, sample_weight=weights)
    return lambda new: sigmoid.predict_proba(_logit(new))[:, 1]


def _logit(probabilities: np.ndarray) -> np.ndarray:
    clipped = np.clip(probabilities, SMALLEST, 1 - SMALLEST)
    return np.log(clipped / (1 - clipped))[:, None]


def estimate(
    calibrated: np.ndarray,
    output: np.ndarray,
    decisions: np.ndarray,
    seed: int,
    others: Iterable[np.ndarray] = (),
) -> dict[str, Estimate]:
    """Return the estimates of accuracy and ROC AUC.

    Labels are drawn many times from the `calibrated` probabilities of shape (rows, classes), and
    each draw is scored. Ranks are those of the model's own `output` of the same shape, and
    `decisions` are the class numbers it decided for. The ROC AUC is the mean over the classes, as
    scoring has it; a draw in which a class is absent or alone leaves it out. `others` are what
    other calibrations give, each of which says how far this one may be off.
    """
    drawn = _scores_of_draws(calibrated, output, decisions, seed)
    expected = _expected_scores(calibrated, output, decisions)
    errors = [_expected_scores(other, output, decisions) - expected for other in others]
    estimates = {}
    for place, metric in enumerate(("accuracy", "roc_auc")):
        values = drawn[place]
        values = values[np.isfinite(values)]
        if not len(values):
            continue
        of_metric = np.array([error[place] for error in errors if np.isfinite(error[place])])
        if len(of_metric):
            # what a drawn calibration is off from this one, this one is off from the truth
            values = values - np.resize(of_metric, len(values))
        value, (low, high) = values.mean(), np.quantile(values, (0.025, 0.975))
        estimates[metric] = Estimate(*(float(np.clip(x, 0, 1)) for x in (value, low, high)))
    return estimates


def _expected_scores(
    calibrated: np.ndarray, output: np.ndarray, decisions: np.ndarray
) -> np.ndarray:
    """Return accuracy and ROC AUC, each row counting for each class by its probability."""
    accuracy = calibrated[np.arange(len(decisions)), decisions].mean()
    by_class = []
    for k, ranks in _ranks(output).items():
        by_class.append(_roc_auc(calibrated[None, :, k], ranks)[0])
    return np.array([accuracy, np.mean(by_class)])


def _ranks(output: np.ndarray) -> dict[int, np.ndarray]:
    """Return the ranks of the rows by each class that has a ROC curve."""
    from scipy.stats import rankdata

    n_classes = output.shape[1]
    ranked = range(n_classes) if n_classes > 2 else [1]
    return {k: rankdata(output[:, k]) for k in ranked}


def _scores_of_draws(
    calibrated: np.ndarray, output: np.ndarray, decisions: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return accuracy and ROC AUC of each draw of the labels, both of shape (draws,)."""
    n_rows = len(calibrated)
    rng = np.random.default_rng(seed)
    # a draw between two of a row's steps is a label
    steps = calibrated.cumsum(axis=1)[:, :-1]
    ranks = _ranks(output)
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
    """Return the ROC AUC of each row of `positive`, labels or probabilities; NaN without a side.

    By ranks (Mann and Whitney 1947).
    """
    n = positive.sum(axis=1)
    pairs = n * (positive.shape[1] - n)
    undefined = np.full(len(n), np.nan)
    return np.divide(positive @ ranks - n * (n + 1) / 2, pairs, out=undefined, where=pairs > 0)
