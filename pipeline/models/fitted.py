"""Models: name -> estimator, fitting, prediction, and files that run no code when they are loaded.

A stored model is a folder: `preprocessing.skops`, the estimator in its library's own format or skops, and `metadata.json`, which
holds what prediction needs beside them and the sha256 of both. A blend has an estimator per member, and a preprocessing per
encoding. The bytes repeat: equal fits give equal files.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.models import catalogue
from pipeline.models.preprocessing import as_put_out, output_columns
from pipeline.models.spec import Member, ModelSpec
from pipeline.scoring import thresholds


class Fitted:
    """What a model and a blend have in common: from typed features to their output, and that in the user's terms."""

    def output(self, X: pd.DataFrame) -> np.ndarray:
        """Return numbers of shape (rows,), or class probabilities of shape (rows, classes), for typed features."""
        return self.estimator_output(self.transform(X))

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the class probabilities, in the order of spec.classes, of rows as a user has them."""
        return self.output(kinds.conform(frame, self.spec.inputs))

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the predicted numbers or class labels of rows as a user has them; a binary class by the stored threshold."""
        output = self.predict_proba(frame)
        if self.spec.task == "regression":
            return output
        return np.array(self.spec.classes)[thresholds.decide(output, self.spec.threshold)]


@dataclass(frozen=True)
class Model(Fitted):
    """A fitted preprocessing and estimator, and what is needed to say their output in the user's terms.

    `spec` holds name, task, features ({column: kind}), target, target_transform, classes and threshold.
    """

    preprocessing: object
    estimator: object
    spec: ModelSpec

    def transform(self, X: pd.DataFrame):
        """Return the table that the estimator takes."""
        return self.preprocessing.transform(X)

    def columns(self) -> list[str]:
        """Return, for each column of that table, the feature it comes from."""
        return output_columns(self.preprocessing)

    def estimator_output(self, Z) -> np.ndarray:
        """Return the same for a table that is preprocessed already."""
        if self.spec.task == "regression":
            prediction = np.asarray(self.estimator.predict(Z), dtype=np.float64)
            return np.expm1(prediction) if self.spec.target_transform == "log1p" else prediction
        if hasattr(self.estimator, "predict_proba"):
            return np.asarray(self.estimator.predict_proba(Z), dtype=np.float64)
        probabilities = np.asarray(
            self.estimator.predict(Z), dtype=np.float64
        )  # a stored LightGBM model is a bare Booster
        return (
            probabilities
            if probabilities.ndim == 2
            else np.column_stack([1 - probabilities, probabilities])
        )


@dataclass(frozen=True)
class Blend(Fitted):
    """A weighted mean of models that were fitted on the same rows, so that those of one encoding share a preprocessing.

    Its `spec` is that of a model, with `members` besides: the name, target_transform and weight of each.
    """

    preprocessings: dict[str, object]  # by encoding
    models: tuple[Model, ...]
    spec: ModelSpec

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Return the tables of all preprocessings, side by side."""
        return np.hstack(
            [
                np.asarray(part.transform(X), dtype=np.float64)
                for part in self.preprocessings.values()
            ]
        )

    def columns(self) -> list[str]:
        """Return, for each column of that table, the feature it comes from."""
        return [column for part in self.preprocessings.values() for column in output_columns(part)]

    def estimator_output(self, Z: np.ndarray) -> np.ndarray:
        """Return the weighted mean of the members' output."""
        ends = np.cumsum([len(output_columns(part)) for part in self.preprocessings.values()])
        tables = {
            encoding: as_put_out(part, encoding, values)
            for (encoding, part), values in zip(
                self.preprocessings.items(), np.split(Z, ends[:-1], axis=1)
            )
        }
        return sum(
            member.weight * model.estimator_output(tables[catalogue.FAMILIES[member.name].encoding])
            for member, model in zip(self.spec.members, self.models)
        )


def blend(models: list[Model], weights: list[float], spec: ModelSpec) -> Blend:
    """Return the weighted mean of models that were fitted on the same rows; `spec` is that of any of them."""
    preprocessings = {
        catalogue.FAMILIES[model.spec.name].encoding: model.preprocessing for model in models
    }
    members = tuple(
        Member(model.spec.name, model.spec.target_transform, weight)
        for model, weight in zip(models, weights)
    )
    return Blend(
        preprocessings,
        tuple(models),
        replace(spec, name="blend", target_transform="none", members=members),
    )
