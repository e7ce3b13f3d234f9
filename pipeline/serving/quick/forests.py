"""Ensembles of scikit-learn's trees, walked by treelite (https://treelite.readthedocs.io)."""

from typing import Any

import numpy as np

from pipeline.models.catalogue import Trees


class Forest:
    """An ensemble of scikit-learn's trees, for any number of rows."""

    def __init__(self, estimator: Any, trees: Trees) -> None:
        import treelite
        from treelite import gtil

        self.trees = treelite.sklearn.import_model(estimator)
        self.walk = gtil.predict
        self.dtype = np.dtype(trees.dtype)
        self.link = estimator._loss if trees.link else None
        if hasattr(estimator, "predict_proba"):
            # by which a model knows a classifier
            self.predict_proba = self._output

    def predict(self, Z: np.ndarray) -> np.ndarray:
        """Return numbers of shape (rows,)."""
        return self._output(Z)[:, 0]

    def _output(self, Z: np.ndarray) -> np.ndarray:
        """Return numbers of shape (rows, 1) or probabilities of shape (rows, classes)."""
        table = Z.astype(self.dtype)
        sums = self.walk(self.trees, table, nthread=1, pred_margin=self.link is not None)
        sums = sums.reshape(len(Z), -1)
        if self.link is None:
            return sums
        if hasattr(self.link, "predict_proba"):
            return self.link.predict_proba(sums if sums.shape[1] > 1 else sums[:, 0])
        return self.link.link.inverse(sums)
