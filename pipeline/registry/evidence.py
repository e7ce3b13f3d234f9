"""The evidence on a model: how it compares with the champion or, before there is one, guessing.

Both are scored on the rows of today's test split that neither was trained on, by the primary
metric, with the interval of a paired bootstrap.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import targets
from pipeline.models import storage
from pipeline.models.spec import ModelSpec
from pipeline.project import errors, paths, rounding
from pipeline.project.errors import DataError
from pipeline.project.params import Dataset
from pipeline.project.settings.data import Data
from pipeline.project.settings.judging import Register
from pipeline.registry import bundles
from pipeline.scoring import bootstrap, metrics, thresholds
from pipeline.scoring.bootstrap import Resampled
from pipeline.scoring.rows import Rows
from pipeline.scoring.sampling import BY_ROW, Sampling
from pipeline.scoring.terms.reading import read_terms

# of a class: with fewer rows the resamples vary less than the metric really does
FEWEST_CLASS_ROWS = 10
CHAMPION, GUESSING = "the champion", "guessing"
POWER = 0.8  # the share of new samples in which as many rows as `rows_to_settle` says do settle it
# one-sided: of equally good models, as many are called better
ERROR = (1 - bootstrap.LEVEL) / 2


@dataclass(frozen=True)
class Difference:
    """Two models' values of a metric; a positive difference is in the challenger's favour.

    `baseline` is the champion's value, or that of guessing. `low` and `high` bound the difference.
    `margin` is how much worse counts as not worse.
    """

    baseline: float
    challenger: float
    difference: float
    low: float
    high: float
    margin: float


@dataclass(frozen=True)
class Evidence:
    """How a model compares with the champion or with guessing, on rows that are new to both.

    Where they cannot be compared, `fault` says why and there is no difference. `judged_before` is
    how many models the same test split, `split_hash`, was used to judge before this one.
    """

    rows: int | None = None
    metric: str | None = None
    difference: Difference | None = None
    fault: str | None = None
    against: str = CHAMPION
    split_hash: str | None = None
    judged_before: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the figures as the promotion log holds them, without those that there are not."""
        content = asdict(self)
        content |= content.pop("difference") or {}
        return {key: value for key, value in content.items() if value is not None}


@dataclass(frozen=True)
class HeldOut:
    """What models are judged by: rows, which messages call `origin`, and the primary metric.

    `sampling` says how the rows were drawn, `trust_code` whether copies of the user's code may run.
    """

    frame: pd.DataFrame
    origin: str
    split_hash: str
    judged_before: int
    block: Dataset
    metric: str
    seed: int
    sampling: Sampling = BY_ROW
    trust_code: bool = False

    @property
    def data(self) -> Data:
        """What the rows are of, by params.yaml."""
        return self.block.data


def against_champion(
    champion: Path, challenger: Path, held_out: HeldOut, rule: Register
) -> Evidence:
    """Return how the models of two bundles compare."""
    try:
        is_new = bundles.is_new(champion, held_out.frame, held_out.origin)
        is_new &= bundles.is_new(challenger, held_out.frame, held_out.origin)
        new_rows = _enough_rows(held_out, is_new, rule, "both")
        old = score_bundle("the champion", champion, new_rows, held_out.metric)
        new = score_bundle("the challenger", challenger, new_rows, held_out.metric)
    except DataError as error:
        return _no_evidence(held_out, CHAMPION, str(error))
    difference = compare(old, new, rule.margin, held_out.judged_before)
    return _evidence(held_out, CHAMPION, held_out.metric, len(new_rows.frame), difference)


def against_guessing(
    challenger: Path, train: pd.DataFrame, held_out: HeldOut, rule: Register
) -> Evidence:
    """Return how the model of a bundle compares with the best that ignores the features.

    That one predicts the mean of the training rows' target, or the shares of its classes. A metric
    of predicted labels depends on a threshold, which guessing may set as it likes, and which would
    be the best by recall: ROC AUC stands in for it.
    """
    of_labels = metrics.lookup(held_out.metric).of == "labels"
    metric = "roc_auc" if of_labels else held_out.metric
    try:
        is_new = bundles.is_new(challenger, held_out.frame, held_out.origin)
        new_rows = _enough_rows(held_out, is_new, rule, "it")
        new = score_bundle("the model", challenger, new_rows, metric)
        old = score_guess(storage.verified_spec(challenger), train, new_rows, metric)
    except DataError as error:
        return _no_evidence(held_out, GUESSING, str(error))
    difference = compare(old, new, 0.0, held_out.judged_before)
    return _evidence(held_out, GUESSING, metric, len(new_rows.frame), difference)


def _enough_rows(held_out: HeldOut, is_new: np.ndarray, rule: Register, to: str) -> HeldOut:
    """Return the rows of a mask; DataError where they are fewer than register.min_rows."""
    rows = held_out.frame[is_new]
    if len(rows) < rule.min_rows:
        raise DataError(
            f"{len(rows)} rows of {held_out.origin} are new to {to}, register.min_rows asks for "
            f"{rule.min_rows}: more rows or a larger prepare.test_size would settle it"
        )
    return replace(held_out, frame=rows, sampling=held_out.sampling.of_part(is_new))


def _no_evidence(held_out: HeldOut, against: str, fault: str) -> Evidence:
    return Evidence(
        fault=fault,
        against=against,
        split_hash=held_out.split_hash,
        judged_before=held_out.judged_before,
    )


def _evidence(
    held_out: HeldOut, against: str, metric: str, rows: int, difference: Difference | None
) -> Evidence:
    if difference is None:
        fault = f"{metric} is not defined on the {rows} new rows of {held_out.origin}"
        return _no_evidence(held_out, against, fault)
    return Evidence(
        rows=rows,
        metric=metric,
        difference=difference,
        against=against,
        split_hash=held_out.split_hash,
        judged_before=held_out.judged_before,
    )


def compare(
    baseline: Resampled, challenger: Resampled, margin: float, judged_before: int = 0
) -> Difference | None:
    """Return two scores and the interval of their difference; None where one is not defined.

    `margin` is a share of the baseline's score. Values have six significant digits.
    """
    better_by = bootstrap.difference(challenger, baseline)
    wider = widening(judged_before)
    value, interval = better_by.value, better_by.interval
    values = {
        "baseline": baseline.value,
        "challenger": challenger.value,
        "difference": value,
        "low": value - wider * (value - interval.low),
        "high": value + wider * (interval.high - value),
        "margin": margin * abs(baseline.value),
    }
    rounded = {}
    for name, figure in values.items():
        digits = rounding.significant(figure)
        if digits is None:
            return None
        rounded[name] = digits
    return Difference(**rounded)


def widening(judged_before: int) -> float:
    """Return by how much an interval is widened on a test split that judged models before.

    The k-th model of a split is judged with 1 / k² of the error, so that all of them together have
    at most 1.65 times that of the first (Bonferroni's inequality with weights, and Basel's sum).
    """
    return _quantile(ERROR / (judged_before + 1) ** 2) / _quantile(ERROR)


def _quantile(error: float) -> float:
    return NormalDist().inv_cdf(1 - error)


def rows_to_settle(evidence: Evidence, bound: float) -> int | None:
    """Return about how many rows would settle on which side of a bound the difference lies.

    As many as give an interval that lies beyond the bound in POWER of the samples, if the true
    difference is the measured one: the normal approximation of a test's power (Cohen 1988). None
    where the difference is the bound itself.
    """
    gain, rows = evidence.difference, evidence.rows
    assert gain is not None and rows is not None
    distance = abs(gain.difference - bound)
    if distance == 0:
        return None
    halves = _quantile(ERROR) * widening(evidence.judged_before)
    error = (gain.high - gain.low) / 2 / halves
    needed = (_quantile(ERROR) + _quantile(1 - POWER)) * error / distance
    return max(rows, round(rows * needed**2))


def score_bundle(who: str, folder: Path, held_out: HeldOut, metric: str) -> Resampled:
    """Return the score of a bundle's model on the rows, and on draws of them.

    Raises DataError where the model was made for another task or other classes.
    """
    model = storage.load(folder, held_out.trust_code or bundles.code_is_committed(folder))
    spec, data, frame = model.spec, held_out.data, held_out.frame
    if (spec.task, spec.target) != (data.task, data.target):
        raise DataError(
            f"{who} is for {spec.task} of {spec.target!r}, {paths.PARAMS} asks for {data.task} of "
            f"{data.target!r}"
        )
    output = model.output(spec.typed(frame, held_out.origin))
    target = frame[data.target]
    if spec.classes:
        check_classes(who, spec.classes, target, held_out.origin, data.positive)
    y = targets.numeric_target(target, spec.classes)
    terms = read_terms(frame, y, spec.classes, held_out.block)
    rows = thresholds.decided(Rows(y, output, terms=terms), spec.rule)
    return bootstrap.resampled(metric, rows, held_out.seed, sampling=held_out.sampling)


def score_guess(spec: ModelSpec, train: pd.DataFrame, held_out: HeldOut, metric: str) -> Resampled:
    """Return the score on the rows of what the training rows' target gives without the features."""
    known = targets.numeric_target(train[held_out.data.target], spec.classes)
    weight = read_terms(train, known, spec.classes, held_out.block).weight
    y = targets.numeric_target(held_out.frame[held_out.data.target], spec.classes)
    output = guess(known, len(spec.classes or ()), len(y), metric, weight)
    terms = read_terms(held_out.frame, y, spec.classes, held_out.block)
    rows = thresholds.decided(Rows(y, output, terms=terms), None)
    return bootstrap.resampled(metric, rows, held_out.seed, sampling=held_out.sampling)


def guess(
    known: np.ndarray,
    n_classes: int,
    rows: int,
    metric: str,
    weight: np.ndarray | None = None,
) -> np.ndarray:
    """Return for so many rows what the known targets, or class codes, give without the features.

    The constant that is best by the metric, shape (rows,), or the classes' shares, shape
    (rows, classes); `n_classes` is 0 for regression. `weight` is what each known target counts.
    """
    if n_classes:
        counts = np.bincount(known.astype(int), weight, minlength=n_classes)
        return np.tile(counts / counts.sum(), (rows, 1))
    if metric == "mae" and weight is None:
        return np.full(rows, np.median(known))
    if metric == "mae":
        return np.full(rows, np.quantile(known, 0.5, weights=weight, method="inverted_cdf"))
    return np.full(rows, np.average(known, weights=weight))


def check_classes(
    who: str, classes: list[str], labels: pd.Series, origin: str, positive: str | None
) -> None:
    """Raise DataError where rows hold other classes than a model knows, or too few of a class."""
    if classes != targets.class_labels(labels, positive):
        raise DataError(
            f"{who} knows the classes {errors.listed(classes)}, the rows of {origin} hold "
            f"{errors.listed(sorted(labels.unique()))}"
        )
    counts = [int((labels == label).sum()) for label in classes]
    fewest = min(counts)
    if fewest < FEWEST_CLASS_ROWS:
        raise DataError(
            f"{fewest} new rows of class {classes[counts.index(fewest)]!r} in {origin}, "
            f"{FEWEST_CLASS_ROWS} are needed: more rows of that class would settle it"
        )
