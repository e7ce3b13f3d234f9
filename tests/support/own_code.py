"""A small project whose features, transformer and models are the user's own."""

from pathlib import Path

CODE = """
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin


def features(frame):
    frame["log_size"] = np.log(frame["size"])
    frame["big"] = frame["size"] > 110
    frame["town"] = frame["town"].str.upper()
    return frame.drop(columns="age").assign(decade=frame["age"] // 10)


class TownMeans(TransformerMixin, BaseEstimator):
    def fit(self, X, y):
        target = pd.Series(y, index=X.index)
        self.mean_ = float(target.mean())
        self.means_ = target.groupby(X["town"]).mean().to_dict()
        return self

    def transform(self, X):
        return X.assign(town_mean=X["town"].map(self.means_).astype("float64").fillna(self.mean_))


class Nearest(RegressorMixin, BaseEstimator):
    def __init__(self, neighbours=5):
        self.neighbours = neighbours

    def fit(self, X, y):
        self.X_, self.y_ = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
        return self

    def predict(self, X):
        distances = ((np.asarray(X, dtype=float)[:, None] - self.X_[None]) ** 2).sum(axis=2)
        nearest = np.argsort(distances, axis=1, kind="stable")[:, : self.neighbours]
        return self.y_[nearest].mean(axis=1)
"""
PARAMS = """\
seed: 42
workers: 2
datasets:
  tiny:
    experiment: Tiny-Regression
    data: {source: tiny.csv, depends_on: tiny.csv, file: data/tiny_data.csv, task: regression,
           target: price, drop: [id], features: features/tiny.py,
           transformers: 'features/tiny.py:TownMeans'}
    prepare: {test_size: 0.25, split: random}
    train: {primary_metric: rmse, cv_folds: 3, models: [dummy, nearest, svr]}
    tune: {models: [svr], trials: 2, batch: 2}
    drift: {}
    gates: {}
    register: {name: TinyPredictor}
models:
  nearest: {class: 'features/tiny.py:Nearest', encoding: scaled, neighbours: 7}
  svr: {class: sklearn.svm.SVR, C: 50.0}
search_spaces:
  svr: {C: {low: 1.0, high: 200.0, log: true}}
"""


def write(folder: Path, code: str = CODE, params: str = PARAMS) -> None:
    """Write the user's file and the settings into a project."""
    (folder / "features").mkdir(exist_ok=True)
    (folder / "features/tiny.py").write_text(code, encoding="utf-8")
    (folder / "params.yaml").write_text(params, encoding="utf-8")
