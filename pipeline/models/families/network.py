"""Small neural networks for tables: scikit-learn's, with what makes them learn well and quickly.

scikit-learn fits the weights; here numbers are kept within bounds, a numeric target is scaled, and
rows that are set aside say by their loss when to stop. Bounds and settings are as those that did
well for multilayer perceptrons on many tables (Holzmüller, Grinsztajn and Steinwart, Better by
Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data, NeurIPS 2024).
"""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.extmath import softmax
from sklearn.utils.validation import check_random_state

# scaled numbers come no further from 0, so that a rare extreme one does not drive the output
BOUND = 3.0
# of the rows: those that say when to stop
STOPPING_SHARE = 0.12
# an epoch takes so many steps, as far as the batches are neither tiny nor huge
STEPS, SMALLEST_BATCH, LARGEST_BATCH = 60, 16, 4096
# epochs without a smaller loss after which a fit stops
PATIENCE = 8
LEAST_GAIN = 1e-4  # of the loss, as a share of it
LEAST_PROBABILITY = 1e-7


class _Network(BaseEstimator):
    """What both tasks share: the fit of the weights, and the way of a row through the layers.

    weights_, biases_  of each layer
    n_epochs_          the epochs until the loss on the rows set aside was least
    """

    def __init__(
        self,
        width: int = 64,
        layers: int = 2,
        learning_rate: float = 0.005,
        l2: float = 0.001,
        max_epochs: int = 60,
        random_state: int = 0,
    ) -> None:
        self.width = width
        self.layers = layers
        self.learning_rate = learning_rate
        self.l2 = l2
        self.max_epochs = max_epochs
        self.random_state = random_state

    def _fit_weights(
        self, network: Any, Z: np.ndarray, y: np.ndarray, weight: np.ndarray | None
    ) -> None:
        """Fit scikit-learn's network epoch by epoch; keep the weights of the least loss."""
        # half the bits are twice as fast, and enough to learn with
        Z = _bounded(Z).astype(np.float32)
        shuffled = check_random_state(self.random_state).permutation(len(y))
        n_stop = max(1, round(STOPPING_SHARE * len(y)))
        stop, fit = shuffled[:n_stop], shuffled[n_stop:]
        batch = int(np.clip(len(fit) // STEPS, SMALLEST_BATCH, LARGEST_BATCH))
        network.set_params(batch_size=min(batch, len(fit)))
        least, since = np.inf, 0
        for epoch in range(1, self.max_epochs + 1):
            self._learn_epoch(network, Z[fit], y[fit], None if weight is None else weight[fit])
            loss = np.average(
                self._losses(network, Z[stop], y[stop]),
                weights=None if weight is None else weight[stop],
            )
            since += 1
            if epoch == 1 or loss < least - LEAST_GAIN * abs(least):
                least, since, self.n_epochs_ = loss, 0, epoch
                self.weights_ = [layer.astype(np.float64) for layer in network.coefs_]
                self.biases_ = [layer.astype(np.float64) for layer in network.intercepts_]
            if since == PATIENCE:
                return

    def _settings(self) -> dict[str, Any]:
        """Return the arguments of scikit-learn's network."""
        return {
            "hidden_layer_sizes": (self.width,) * self.layers,
            "learning_rate_init": self.learning_rate,
            "alpha": self.l2,
            "random_state": self.random_state,
        }

    def _learn_epoch(
        self, network: Any, Z: np.ndarray, y: np.ndarray, weight: np.ndarray | None
    ) -> None:
        network.partial_fit(Z, y, sample_weight=weight)

    def _losses(self, network: Any, Z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the loss of a network on each row."""
        raise NotImplementedError

    def _output(self, Z: np.ndarray) -> np.ndarray:
        """Return what the last layer puts out, of shape (rows, outputs)."""
        signal = _bounded(Z)
        for weights, biases in zip(self.weights_[:-1], self.biases_[:-1]):
            signal = np.maximum(signal @ weights + biases, 0)
        return signal @ self.weights_[-1] + self.biases_[-1]


class NetworkRegressor(RegressorMixin, _Network):
    """A network for a numeric target, which it learns scaled to zero mean and unit deviation."""

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        """Fit on X of shape (rows, features) and y of shape (rows,)."""
        self.mean_ = float(np.average(y, weights=sample_weight))
        variance = np.average((y - self.mean_) ** 2, weights=sample_weight)
        self.deviation_ = float(np.sqrt(variance)) or 1.0
        scaled = (y - self.mean_) / self.deviation_
        self._fit_weights(MLPRegressor(**self._settings()), X, scaled, sample_weight)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the predicted numbers, of shape (rows,)."""
        return self._output(X)[:, 0] * self.deviation_ + self.mean_

    def _losses(self, network: Any, Z: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (network.predict(Z) - y) ** 2


class NetworkClassifier(ClassifierMixin, _Network):
    """A network for classes."""

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        """Fit on X of shape (rows, features) and y of shape (rows,), class codes or labels."""
        self.classes_, codes = np.unique(y, return_inverse=True)
        self._fit_weights(MLPClassifier(**self._settings()), X, codes, sample_weight)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the probability of each class, of shape (rows, classes)."""
        output = self._output(X)
        if output.shape[1] == 1:
            # of two classes the last layer puts out one, as the logit of the second
            output = np.hstack([np.zeros_like(output), output])
        return softmax(output, copy=False)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the likeliest class of each row."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _learn_epoch(
        self, network: Any, Z: np.ndarray, y: np.ndarray, weight: np.ndarray | None
    ) -> None:
        network.partial_fit(Z, y, classes=np.arange(len(self.classes_)), sample_weight=weight)

    def _losses(self, network: Any, Z: np.ndarray, y: np.ndarray) -> np.ndarray:
        probabilities = network.predict_proba(Z)[np.arange(len(y)), y]
        return -np.log(np.maximum(probabilities, LEAST_PROBABILITY))


def _bounded(Z: np.ndarray) -> np.ndarray:
    """Return scaled numbers within BOUND; those near 0 stay nearly as they are, the order stays."""
    return Z / np.sqrt(1 + (Z / BOUND) ** 2)
