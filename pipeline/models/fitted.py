"""A fitted model or blend: from rows to an output, and from that to the user's terms."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.models import archive
from pipeline.models.preprocessing import as_put_out, output_columns, second_columns
from pipeline.models.spec import Member, ModelSpec
from pipeline.own import features, recorded, transformers
from pipeline.own.loading import OwnObject
from pipeline.project.errors import DataError
from pipeline.scoring import thresholds


class Fitted(ABC):
    """What a model and a blend have in common."""

    spec: ModelSpec

    def transform(self, X: pd.DataFrame) -> Any:
        """Return the table that the estimator takes, for typed features."""
        return self.encode(self.transformed(X))

    @abstractmethod
    def transformed(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return what the user's own transformers make of typed features, typed."""

    @abstractmethod
    def encode(self, X: pd.DataFrame) -> Any:
        """Return the table that the estimator takes, for the columns that are encoded."""

    @abstractmethod
    def columns(self) -> list[str]:
        """Return, for each column of that table, the feature it comes from."""

    @abstractmethod
    def second_columns(self) -> dict[int, str]:
        """Return the other feature of those columns that come from two, {place: feature}."""

    @abstractmethod
    def estimator_output(self, Z: Any) -> np.ndarray:
        """Return what `output` does for a table that is preprocessed already."""

    def features(self, inputs: pd.DataFrame) -> pd.DataFrame:
        """Return the typed features of typed inputs: the same, or what the user's function makes.

        Raises DataError where that function raises, or the version of it is not to be had.
        """
        path = self.spec.own.features
        if path is None:
            return inputs
        code = recorded.version(path, self.spec.own.code[path])
        function = OwnObject(code.get(features.FUNCTION, path), features.FUNCTION, code)
        return kinds.conform(features.apply(function, inputs), self.spec.features, path)

    def output(self, inputs: pd.DataFrame) -> np.ndarray:
        """Return a model's output for typed inputs.

        Numbers of shape (rows,), or class probabilities of shape (rows, classes).
        """
        return self.output_of_features(self.features(inputs))

    def output_of_features(self, X: pd.DataFrame) -> np.ndarray:
        """Return the same for typed features."""
        return self.estimator_output(self.transform(X))

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the output for rows as a user has them.

        For classification these are probabilities in the order of spec.classes.
        """
        return self.output(self.spec.typed(frame))

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the predicted numbers or class labels of rows as a user has them, shape (rows,).

        Classes are decided by the stored rule, a threshold where there are two.
        """
        output = self.predict_proba(frame)
        if self.spec.classes is None:
            return output
        return np.array(self.spec.classes)[thresholds.decide(output, self.spec.rule)]


def transformed(fitted: tuple[Any, ...], X: pd.DataFrame) -> pd.DataFrame:
    """Return what fitted transformers of the user's own make of typed features, typed."""
    return kinds.typed_by_type(transformers.transform(fitted, X)) if fitted else X


@dataclass(frozen=True)
class Model(Fitted):
    """A fitted preprocessing and estimator, and what is needed to say their output."""

    preprocessing: Any
    estimator: Any
    spec: ModelSpec
    transformers: tuple[Any, ...] = ()

    def transformed(self, X: pd.DataFrame) -> pd.DataFrame:
        return transformed(self.transformers, X)

    def encode(self, X: pd.DataFrame) -> Any:
        return self.preprocessing.transform(X)

    def columns(self) -> list[str]:
        return output_columns(self.preprocessing)

    def second_columns(self) -> dict[int, str]:
        return second_columns(self.preprocessing)

    def estimator_output(self, Z: Any) -> np.ndarray:
        output = self._output(Z)
        if self.spec.estimator is not None:
            _check_output(output, Z.shape[0], self.spec)
        return output

    def _output(self, Z: Any) -> np.ndarray:
        if self.spec.task == "regression":
            prediction = np.asarray(self.estimator.predict(Z), dtype=np.float64)
            return np.expm1(prediction) if self.spec.target_transform == "log1p" else prediction
        if hasattr(self.estimator, "predict_proba"):
            return np.asarray(self.estimator.predict_proba(Z), dtype=np.float64)
        # a stored LightGBM model is a bare Booster, as is one that was stopped early
        probabilities = np.asarray(self.estimator.predict(Z), dtype=np.float64)
        if probabilities.ndim == 2:
            return probabilities
        return np.column_stack([1 - probabilities, probabilities])


def _check_output(output: np.ndarray, rows: int, spec: ModelSpec) -> None:
    """Raise DataError where a model of the user's own gives output of another shape, or gaps."""
    function = "predict" if spec.classes is None else "predict_proba"
    expected = (rows,) if spec.classes is None else (rows, len(spec.classes))
    if output.shape != expected:
        raise DataError(
            f"{spec.name}: {function}() returns an array of shape {output.shape}; return one of "
            f"shape {expected}"
        )
    gaps = int(np.count_nonzero(~np.isfinite(output)))
    if gaps:
        raise DataError(
            f"{spec.name}: {function}() returns {gaps} of {output.size} values not finite"
        )


@dataclass(frozen=True)
class Blend(Fitted):
    """A weighted mean of models fitted on the same training rows, or on folds of them.

    Models of one encoding share a preprocessing where theirs are equal. The blend's table is those
    of all preprocessings, side by side. Its spec has `members`: the name, target transform, weight
    and preprocessing of each model.
    """

    preprocessings: dict[str, Any]
    models: tuple[Model, ...]
    spec: ModelSpec

    def transformed(self, X: pd.DataFrame) -> pd.DataFrame:
        # those of all members are equal: models of other rows are not blended where there are any
        return self.models[0].transformed(X)

    def encode(self, X: pd.DataFrame) -> np.ndarray:
        tables = [
            np.asarray(preprocessing.transform(X), dtype=np.float64)
            for preprocessing in self.preprocessings.values()
        ]
        return np.hstack(tables)

    def columns(self) -> list[str]:
        columns = []
        for preprocessing in self.preprocessings.values():
            columns += output_columns(preprocessing)
        return columns

    def second_columns(self) -> dict[int, str]:
        seconds: dict[int, str] = {}
        first = 0
        for preprocessing in self.preprocessings.values():
            for place, column in second_columns(preprocessing).items():
                seconds[first + place] = column
            first += len(output_columns(preprocessing))
        return seconds

    def estimator_output(self, Z: np.ndarray) -> np.ndarray:
        tables = self._tables(Z)
        total: Any = 0
        for member, model in zip(self.spec.members, self.models):
            total = total + member.weight * model.estimator_output(tables[table_of(member)])
        return total

    def _tables(self, Z: np.ndarray) -> dict[str, Any]:
        """Return the table of each preprocessing."""
        encodings = {table_of(member): member.family.encoding for member in self.spec.members}
        widths = [len(output_columns(part)) for part in self.preprocessings.values()]
        parts = np.split(Z, np.cumsum(widths)[:-1], axis=1)
        tables = {}
        for (name, preprocessing), values in zip(self.preprocessings.items(), parts):
            tables[name] = as_put_out(preprocessing, encodings[name], values)
        return tables


def table_of(member: Member) -> str:
    """Return the name of the blend's preprocessing that a member's estimator takes its table of."""
    return member.preprocessing or member.family.encoding


def blend(models: list[Model], weights: list[float], spec: ModelSpec) -> Blend:
    """Return the weighted mean of models; `spec` is that of any of them.

    Equal preprocessings become one: those of a problem's folds mostly are where trees take the
    numbers as they are.
    """
    preprocessings: dict[str, Any] = {}
    names: dict[tuple[str, bytes], str] = {}  # of the preprocessings, by encoding and content
    members = []
    kept = []
    code: dict[str, str] = {}
    for model, weight in zip(models, weights):
        encoding = model.spec.family.encoding
        content = archive.skops_bytes(model.preprocessing)
        if (encoding, content) not in names:
            same_encoding = sum(known == encoding for known, _ in names)
            name = f"{encoding}_{same_encoding + 1}" if same_encoding else encoding
            names[encoding, content] = name
            preprocessings[name] = model.preprocessing
        name = names[encoding, content]
        kept.append(replace(model, preprocessing=preprocessings[name]))
        given = None if name == encoding else name
        spec_of = model.spec
        members.append(
            Member(spec_of.name, spec_of.target_transform, weight, spec_of.estimator, given)
        )
        code |= model.spec.own.code
    own = replace(
        spec,
        name="blend",
        target_transform="none",
        members=tuple(members),
        own=replace(spec.own, code=code),
        estimator=None,
    )
    return Blend(preprocessings, tuple(kept), own)
