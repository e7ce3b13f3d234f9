"""Blends: which models to average, chosen on out-of-fold predictions (Caruana et al. 2004, greedy selection with replacement)."""

import numpy as np

from pipeline.scoring import metrics

STEPS = 12  # members that are added, so the smallest weight is 1 / STEPS


def blend_weights(y: np.ndarray, outputs: np.ndarray, metric: str) -> np.ndarray:
    """Return the weight of each model of `outputs`, shape (models, rows[, classes]), in the best blend found one by one.

    It starts from the best model, adds each time the one after which the blend's loss is least, and ends where it was least. The
    loss is log loss for classes, whatever the metric: it is smooth, and a blend chosen by ranks alone can lose its calibration.
    """
    loss = metrics.lookup(metric).blend_loss
    of_classes = outputs.ndim == 3
    needed = outputs[:, np.arange(len(y)), y] if of_classes else outputs
    total, chosen, best_loss, best = np.zeros(needed.shape[1]), [], np.inf, 1
    for count in range(1, STEPS + 1):
        means = (total + needed) / count
        losses = loss(means, y).mean(axis=1)
        added = int(np.argmin(losses))
        chosen.append(added)
        total += needed[added]
        if losses[added] < best_loss:
            best_loss, best = losses[added], count
    return np.bincount(chosen[:best], minlength=len(outputs)) / best


def blended(outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted mean of the models' outputs."""
    return np.tensordot(weights, outputs, axes=1)


def cross_fitted(y: np.ndarray, outputs: np.ndarray, fold: np.ndarray, metric: str) -> np.ndarray:
    """Return the blend's out-of-fold output, each fold's by the weights that the other folds choose; nan where no fold predicts.

    Weights that were chosen on the very rows that they are scored on flatter the blend.
    """
    result = np.full(outputs.shape[1:], np.nan)
    for number in np.unique(fold[fold >= 0]):
        here, others = fold == number, (fold >= 0) & (fold != number)
        result[here] = blended(
            outputs[:, here], blend_weights(y[others], outputs[:, others], metric)
        )
    return result
