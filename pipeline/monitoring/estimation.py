"""How well a classifier does on rows whose labels are not known yet, from its own confidence.

Confidence-based performance estimation: calibrated probabilities say how often each decision is right, and a metric is a random
variable whose distribution follows from them (Kivimäki, Bialek, Kuberski and Nurminen 2025, arXiv:2505.05295). It sees a change
of the rows, and not one of what the rows mean: where the same row has another answer than before, labels alone tell.
"""

import numpy as np

DRAWS = 500  # of the unknown labels
CELLS = 2**22  # labels that are drawn at a time
FEW = 100  # rows of the rarer side below which a sigmoid calibrates better (Niculescu-Mizil and Caruana 2005)
SMALLEST = 1e-6


def calibration(y: np.ndarray, probabilities: np.ndarray):
    """Return a function that calibrates probabilities of shape (rows, classes), learnt from class numbers and out-of-fold output.

    Each class is calibrated against the others, isotonic or with few rows of it by a sigmoid (Platt 1999), and rows sum to 1.
    """
    curves = [_curve(y == k, probabilities[:, k]) for k in range(probabilities.shape[1])]

    def calibrated(new: np.ndarray) -> np.ndarray:
        if len(curves) == 2:
            second = curves[1](new[:, 1])
            return np.column_stack([1 - second, second])
        raw = np.column_stack([curve(new[:, k]) for k, curve in enumerate(curves)]) + SMALLEST
        return raw / raw.sum(axis=1, keepdims=True)

    return calibrated


def _curve(positive: np.ndarray, probabilities: np.ndarray):
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import LogisticRegression

    fewest = min(positive.sum(), (~positive).sum())
    if fewest == 0:
        return lambda new: np.full(len(new), float(positive.all()))
    if fewest >= FEW:
        return (
            IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
            .fit(probabilities, positive)
            .predict
        )
    sigmoid = LogisticRegression(C=1e6).fit(_logit(probabilities), positive)
    return lambda new: sigmoid.predict_proba(_logit(new))[:, 1]


def _logit(probabilities: np.ndarray) -> np.ndarray:
    clipped = np.clip(probabilities, SMALLEST, 1 - SMALLEST)
    return np.log(clipped / (1 - clipped))[:, None]


def estimate(
    calibrated: np.ndarray, output: np.ndarray, decisions: np.ndarray, seed: int
) -> dict[str, dict[str, float]]:
    """Return {metric: value, low, high} of accuracy and ROC AUC: labels are drawn from the calibrated probabilities many times,
    each draw is scored, and the figures are the mean and the 95 % range, in which the realised score lies if nothing but the
    rows has changed.

    Ranks are those of the model's own `output`, and `decisions` are the class numbers it decided for. The ROC AUC is the mean
    over the classes, as scoring has it; a class that was never drawn leaves it out.
    """
    from scipy.stats import rankdata

    rng, steps = np.random.default_rng(seed), calibrated.cumsum(axis=1)[:, :-1]
    classes = range(calibrated.shape[1])
    ranks = {k: rankdata(output[:, k]) for k in (classes if len(classes) > 2 else [1])}
    drawn = {"accuracy": [], "roc_auc": []}
    block = max(1, CELLS // steps.size)
    for start in range(0, DRAWS, block):
        labels = (rng.random((min(block, DRAWS - start), len(steps), 1)) > steps).sum(axis=2)
        drawn["accuracy"].append((labels == decisions).mean(axis=1))
        drawn["roc_auc"].append(np.mean([_roc_auc(labels == k, ranks[k]) for k in ranks], axis=0))
    figures = {metric: np.concatenate(values) for metric, values in drawn.items()}
    return {
        metric: {
            "value": float(values.mean()),
            "low": float(np.quantile(values, 0.025)),
            "high": float(np.quantile(values, 0.975)),
        }
        for metric, values in (
            (metric, values[np.isfinite(values)]) for metric, values in figures.items()
        )
        if len(values)
    }


def _roc_auc(positive: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """Return the ROC AUC of each row of `positive`, nan where one side is empty (Mann and Whitney 1947)."""
    n = positive.sum(axis=1)
    pairs = n * (positive.shape[1] - n)
    return np.divide(
        positive @ ranks - n * (n + 1) / 2, pairs, out=np.full(len(n), np.nan), where=pairs > 0
    )
