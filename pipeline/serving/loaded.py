"""A registered model, ready to answer: loaded, compiled where that repeats it, with the rule of its requests."""

import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.data import splits
from pipeline.data.kinds import CATEGORY, KINDS, NUMBER, conform, pandas_types
from pipeline.inference_log.lines import Entry
from pipeline.project import errors, files, paths
from pipeline.project.errors import DataError, PipelineError
from pipeline.project.params import Params
from pipeline.registry import bundles, versions
from pipeline.scoring import thresholds
from pipeline.serving import signature as serving_signature
from pipeline.serving.compiled import NotCompiled, compile
from pipeline.serving.signature import MOST_FAULTS, BadRequest, Signature

NOT_FINITE = "The prediction is no finite number: a value is far beyond those of training"
TRIED_ROWS = 1000  # made from the training rows' statistics, where the test split is not there to try a model on


@dataclass(frozen=True)
class ServedModel:
    """A version of a model or blend. `compiled` is its form for rows, None where it answers itself; `how` says why."""

    name: str
    version: int
    sha256: str
    metadata: dict
    model: object
    compiled: object | None
    how: str
    signature: Signature
    example: dict

    @cached_property
    def columns(self) -> dict[str, str]:
        """The pandas type of each feature."""
        return pandas_types(self.model.spec.inputs)

    def output(self, rows: list[dict]) -> np.ndarray:
        """Return the model's numbers or class probabilities for rows that its signature has let through."""
        if self.compiled:
            return self.compiled.output([list(row.values()) for row in rows])
        return self.model.output(
            pd.DataFrame(rows, columns=list(self.columns)).astype(self.columns)
        )

    def answers(self, output: np.ndarray) -> list[dict]:
        """Return what is answered for each row of an output: the prediction, and the class probabilities.

        Raises request.BadRequest for a prediction that is no finite number.
        """
        lost = not_finite(output)
        if len(lost):
            raise BadRequest(
                [
                    {"type": "prediction_not_finite", "loc": ["body", int(row)], "msg": NOT_FINITE}
                    for row in lost[:MOST_FAULTS]
                ]
            )
        classes = self.model.spec.classes
        if classes is None:
            return [{"prediction": value} for value in output.tolist()]
        decisions = thresholds.decide(output, self.model.spec.threshold).tolist()
        return [
            {"prediction": classes[decision], "probabilities": dict(zip(classes, row))}
            for decision, row in zip(decisions, output.tolist())
        ]

    def described(self) -> dict:
        """Return what is to be known of the model by those who ask it."""
        spec = self.model.spec
        described = {
            "model": self.name,
            "model_version": self.version,
            "sha256": self.sha256,
            "task": spec.task,
            "family": spec.name,
            "target": spec.target,
            "classes": spec.classes,
            "threshold": spec.threshold,
            "compiled": self.compiled is not None,
            "compiled_how": self.how,
        }
        kept = ("dataset", "candidate", "data_hash", "split_hash", "synthetic", "rows", "metrics")
        described |= {key: self.metadata[key] for key in kept if key in self.metadata}
        described["features"] = {
            name: {"kind": column.kind, "null": column.nullable}
            | ({"categories": list(column.categories)} if column.kind == CATEGORY else {})
            for name, column in self.signature.columns.items()
        }
        return described


def not_finite(output: np.ndarray) -> np.ndarray:
    """Return the numbers of the rows for which a model's output is no finite number."""
    return np.flatnonzero(~np.isfinite(output).reshape(len(output), -1).all(axis=1))


def load(dataset: str, settings: Params, reference: str | int = versions.CHAMPION) -> ServedModel:
    """Return the version of a dataset's model that an alias or a number names, ready to answer.

    Raises DataError where there is none, its files were changed, or it gives other or no finite numbers.
    """
    version, serve = versions.resolve(dataset, settings, reference), settings.dataset(dataset).serve
    name, folder = f"{version.name} version {version.version}", version.folder
    model, metadata = (
        bundles.check(folder),
        files.read_json(folder / "metadata.json", bundles.MADE_BY),
    )
    kinds, statistics = (
        model.spec.inputs,
        files.read_json(folder / "train_stats.json", bundles.MADE_BY)["features"],
    )
    unknown = [column for column in serve.log_redact if column not in kinds]
    if unknown:
        raise DataError(
            f"{paths.PARAMS}: datasets.{dataset}.serve.log_redact names {errors.listed(unknown)}, no feature of "
            f"{name}; it has: {errors.listed(kinds, most=100)}"
        )
    X, origin = _rows_to_try(dataset, kinds, statistics)
    if len(not_finite(model.output(X))):
        raise DataError(f"{name} gives no finite output on {origin}; take another version")
    try:
        form, how = compile(model, X), f"gives the model's own output on {origin}"
    except NotCompiled as reason:
        form, how = None, f"{reason}; the model itself answers, more slowly"
    return ServedModel(
        version.name,
        version.version,
        version.sha256,
        metadata,
        model,
        form,
        how,
        serving_signature.signature(model, statistics, serve.unseen == "refuse"),
        {column: _commonest(statistics[column]) for column in kinds},
    )


def answered(served: ServedModel, body: bytes, request_id: str) -> Entry:
    """Return a request with its answers, as it is logged; raises request.BadRequest."""
    rows = served.signature.rows(body)
    return Entry(
        time.time_ns(),
        request_id,
        served.name,
        served.version,
        rows,
        served.answers(served.output(rows)),
    )


def _commonest(figures: dict) -> float | str | None:
    """Return the median or the commonest category of a feature's statistics."""
    return (
        figures["quantiles"]["0.5"]
        if "quantiles" in figures
        else next(iter(figures["categories"]), None)
    )


def _rows_to_try(dataset: str, kinds: dict[str, str], statistics: dict) -> tuple[pd.DataFrame, str]:
    """Return the test split's features, or rows like those of training where the split is not there or is of another table."""
    try:
        split = conform(splits.read_split(dataset, "test"), kinds)
        return split, f"{len(split):,} rows of the test split"
    except PipelineError:
        return _rows_like(
            statistics, kinds
        ), f"{TRIED_ROWS:,} rows drawn from the training statistics (no test split is here)"


def _rows_like(statistics: dict, kinds: dict[str, str]) -> pd.DataFrame:
    """Return rows whose values are drawn, column by column, from the statistics of the training rows."""
    rng = np.random.default_rng(0)
    columns = {}
    for name, kind in kinds.items():
        figures = statistics[name]
        known = figures["quantiles"].values() if kind == NUMBER else figures["categories"]
        values = [value for value in known if value is not None] or [None]
        missing = rng.random(TRIED_ROWS) < figures["missing_share"]
        drawn = pd.Series(
            [values[place] for place in rng.integers(len(values), size=TRIED_ROWS)], dtype=object
        )
        columns[name] = drawn.mask(missing).astype(KINDS[kind].pandas_type)
    return pd.DataFrame(columns)
