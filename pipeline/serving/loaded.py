"""The served model: a registered version that was tried, compiled where that repeats its output."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import splits
from pipeline.data.kinds import CATEGORY, conform, typed_as
from pipeline.models.fitted import Fitted
from pipeline.project import errors, files, paths
from pipeline.project.errors import DataError, PipelineError
from pipeline.project.params import Params
from pipeline.registry import bundles, versions
from pipeline.scoring import thresholds
from pipeline.serving import compiled
from pipeline.serving import signature as signatures
from pipeline.serving.compiled import Form, NotCompiled
from pipeline.serving.inference_log.lines import Answer, Entry, Row
from pipeline.serving.signature import MOST_FAULTS, BadRequest, Signature

NOT_FINITE = "The prediction is not a finite number: a value is far beyond those of training"
# made from the training rows' statistics, where the test split is not there to try a model on
TRIED_ROWS = 1000
# of an example of a text
EXAMPLE_WORDS = 5
# of a model's metadata, for those who ask the server about it
DESCRIBED = ("dataset", "candidate", "data_hash", "split_hash", "synthetic", "rows", "metrics")


@dataclass(frozen=True)
class ServedModel:
    """A version of a model or blend, ready to answer.

    `form` is its compiled form, None where the model answers itself; `how` says why. `example` is a
    row that a user may send.
    """

    name: str
    version: int
    sha256: str
    metadata: dict[str, Any]
    model: Fitted
    form: Form | None
    how: str
    signature: Signature
    example: Row

    def output(self, rows: list[Row]) -> np.ndarray:
        """Return the model's output for rows that its signature has let through.

        Numbers of shape (rows,), or class probabilities of shape (rows, classes).
        """
        if self.form is not None:
            return self.form.output(rows)
        return self.model.output(compiled.typed_frame(rows, self.model.spec.inputs))

    def answers(self, output: np.ndarray) -> list[Answer]:
        """Return what is answered for each row of an output.

        Raises BadRequest where a prediction is not a finite number.
        """
        if not np.isfinite(output).all():
            lost = not_finite(output)[:MOST_FAULTS]
            raise BadRequest([_not_finite_fault(int(row)) for row in lost])
        classes = self.model.spec.classes
        if classes is None:
            return [{"prediction": value} for value in output.tolist()]
        decisions = thresholds.decide(output, self.model.spec.rule).tolist()
        return [
            {"prediction": classes[decision], "probabilities": dict(zip(classes, row))}
            for decision, row in zip(decisions, output.tolist())
        ]

    def answered(self, body: bytes, request_id: str) -> Entry:
        """Return a request of a JSON body with its answers, as it is logged; raises BadRequest."""
        rows = self.signature.rows(body)
        try:
            output = self.output(rows)
        # of the user's own code: nothing else of a checked row can fail so
        except DataError as fault:
            raise BadRequest([_own_code_fault(fault)]) from fault
        answers = self.answers(output)
        return Entry(time.time_ns(), request_id, self.name, self.version, rows, answers)

    def described(self) -> dict[str, Any]:
        """Return what is to be known of the model by those who ask the server."""
        spec = self.model.spec
        origin = {key: self.metadata[key] for key in DESCRIBED if key in self.metadata}
        return {
            "model": self.name,
            "model_version": self.version,
            "sha256": self.sha256,
            "task": spec.task,
            "family": spec.name,
            "target": spec.target,
            "classes": spec.classes,
            "threshold": spec.threshold,
            "compiled": self.form is not None,
            "compiled_how": self.how,
            **origin,
            "features": self._described_inputs(),
        }

    def _described_inputs(self) -> dict[str, dict[str, Any]]:
        described: dict[str, dict[str, Any]] = {}
        for name, column in self.signature.columns.items():
            described[name] = {"kind": column.kind, "null": column.nullable}
            if column.kind == CATEGORY:
                described[name]["categories"] = list(column.categories)
        return described


def not_finite(output: np.ndarray) -> np.ndarray:
    """Return the positions of the rows whose output is not a finite number."""
    finite = np.isfinite(output).reshape(len(output), -1)
    return np.flatnonzero(~finite.all(axis=1))


def _not_finite_fault(row: int) -> dict[str, Any]:
    return {"type": "prediction_not_finite", "loc": ["body", row], "msg": NOT_FINITE}


def _own_code_fault(fault: DataError) -> dict[str, Any]:
    return {"type": "own_code", "loc": ["body"], "msg": str(fault)}


def load(
    dataset: str,
    settings: Params,
    reference: str | int = versions.CHAMPION,
    trust_code: bool = False,
    for_single_rows: bool = True,
) -> ServedModel:
    """Return the version of a dataset's model that an alias or a number names, ready to answer.

    `trust_code` is that of storage.load. A compiled form is made only `for_single_rows`: a table is
    answered by the model itself. Raises DataError where there is no such version, its files were
    changed, or it gives other or no finite numbers.
    """
    version = versions.resolve(dataset, settings, reference)
    serve = settings.dataset(dataset).serve
    title = f"{version.name} version {version.version}"
    folder = version.folder
    assert folder is not None, "a version that is resolved has its files"
    model = bundles.check(folder, trust_code)
    metadata = files.read_json(folder / "metadata.json", bundles.MADE_BY)
    training = files.read_json(folder / "train_stats.json", bundles.MADE_BY)
    statistics, inputs = training["features"], model.spec.inputs
    _check_redacted(dataset, serve.log_redact, inputs, title)
    trial = _trial(dataset, inputs, statistics)
    output = model.output(trial.X)
    if len(not_finite(output)):
        raise DataError(f"{title} gives no finite output on {trial.origin}; take another version")
    form, how = _compiled(model, trial, output) if for_single_rows else (None, "not compiled")
    return ServedModel(
        name=version.name,
        version=version.version,
        sha256=version.sha256,
        metadata=metadata,
        model=model,
        form=form,
        how=how,
        signature=signatures.signature(model, statistics, closed=serve.unseen == "refuse"),
        example={name: _commonest(statistics[name]) for name in inputs},
    )


def _check_redacted(dataset: str, names: list[str], inputs: dict[str, str], title: str) -> None:
    """Raise DataError where the log is to leave out what the model has no input of."""
    unknown = [name for name in names if name not in inputs]
    if unknown:
        raise DataError(
            f"{paths.PARAMS}: datasets.{dataset}.serve.log_redact names {errors.listed(unknown)}, "
            f"which is not a feature of {title}; it has: {errors.listed(inputs, most=100)}"
        )


def _commonest(figures: dict[str, Any]) -> float | str | None:
    """Return the median, the commonest category or some common words of an input's statistics."""
    if "quantiles" in figures:
        return figures["quantiles"]["0.5"]
    if "words" in figures:
        return " ".join(list(figures["words"])[:EXAMPLE_WORDS]) or None
    return next(iter(figures["categories"]), None)


@dataclass(frozen=True)
class _Trial:
    """Typed rows to try a model on, and where they come from."""

    X: pd.DataFrame
    origin: str


def _compiled(model: Fitted, trial: _Trial, output: np.ndarray) -> tuple[Form | None, str]:
    """Return a model's compiled form, None where there is none, and why."""
    try:
        form = compiled.compile_model(model, trial.X, output)
    except NotCompiled as reason:
        return None, f"{reason}; the model itself answers, more slowly"
    return form, f"gives the model's own output on {trial.origin}"


def _trial(dataset: str, inputs: dict[str, str], statistics: dict[str, Any]) -> _Trial:
    """Return the test split's rows, or drawn ones where it is not there or of another table."""
    try:
        X = conform(splits.read_split(dataset, "test"), inputs)
    except PipelineError:
        drawn = f"{TRIED_ROWS:,} rows drawn from the training statistics (no test split is here)"
        return _Trial(_drawn_rows(statistics, inputs), drawn)
    return _Trial(X, f"{len(X):,} rows of the test split")


def _drawn_rows(statistics: dict[str, Any], inputs: dict[str, str]) -> pd.DataFrame:
    """Return rows whose values are drawn, column by column, from the training statistics."""
    rng = np.random.default_rng(0)
    columns = {}
    for name, kind in inputs.items():
        figures = statistics[name]
        values = _known_values(figures) or [None]
        missing = rng.random(TRIED_ROWS) < figures["missing_share"]
        places = rng.integers(len(values), size=TRIED_ROWS)
        drawn = pd.Series([values[place] for place in places], dtype=object)
        columns[name] = typed_as(drawn.mask(missing), kind).values
    return pd.DataFrame(columns)


def _known_values(figures: dict[str, Any]) -> list[Any]:
    """Return the values of an input that its statistics hold; of texts their words."""
    if "quantiles" in figures:
        known = figures["quantiles"].values()
    else:
        known = figures["words"] if "words" in figures else figures["categories"]
    return [value for value in known if value is not None]
