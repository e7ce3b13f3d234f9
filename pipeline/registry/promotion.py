"""A promotion: the evidence on a challenger and the champion, and the rule for it."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.data import kinds, targets
from pipeline.models import storage
from pipeline.project import errors, paths, rounding
from pipeline.project.errors import DataError
from pipeline.project.params import Data, Register
from pipeline.registry import bundles, promotion_log
from pipeline.scoring import bootstrap, thresholds
from pipeline.scoring.bootstrap import Resampled
from pipeline.scoring.rows import Rows

# of a class: with fewer rows the resamples vary less than the metric really does
FEWEST_CLASS_ROWS = 10


@dataclass(frozen=True)
class Difference:
    """Two models' values of a metric; a positive difference is in the challenger's favour.

    `low` and `high` bound the difference (95 %). `margin` is how much worse counts as not worse.
    """

    champion: float
    challenger: float
    difference: float
    low: float
    high: float
    margin: float


@dataclass(frozen=True)
class Evidence:
    """How two models compare on the rows that neither was trained on.

    Where they cannot be compared, `fault` says why and there is no difference.
    """

    rows: int | None = None
    metric: str | None = None
    difference: Difference | None = None
    fault: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the figures as the promotion log holds them, without those that there are not."""
        content = {"rows": self.rows, "metric": self.metric, "fault": self.fault}
        if self.difference:
            content |= asdict(self.difference)
        return {key: value for key, value in content.items() if value is not None}


@dataclass(frozen=True)
class Decision:
    """The outcome, one of promotion_log's words, and the reason in one line."""

    outcome: str
    reason: str


def gather_evidence(
    champion: Path,
    challenger: Path,
    frame: pd.DataFrame,
    origin: str,
    data: Data,
    rule: Register,
    metric: str,
    seed: int,
) -> Evidence:
    """Return how the models of two bundles compare on those rows of `frame` that are new to both.

    `origin` is what messages call the rows. Both models are scored by `metric`; the interval is
    that of a paired bootstrap.
    """
    try:
        is_new = bundles.is_new(champion, frame, origin) & bundles.is_new(challenger, frame, origin)
        rows = frame[is_new]
        if len(rows) < rule.min_rows:
            fault = (
                f"{len(rows)} rows of {origin} are new to both, register.min_rows asks for "
                f"{rule.min_rows}"
            )
            return Evidence(rows=len(rows), fault=fault)
        old = score_bundle("the champion", champion, rows, origin, data, metric, seed)
        new = score_bundle("the challenger", challenger, rows, origin, data, metric, seed)
    except DataError as error:
        return Evidence(fault=str(error))
    difference = compare(old, new, rule.margin)
    if difference is None:
        fault = f"{metric} is not defined on the {len(rows)} rows of {origin} that are new to both"
        return Evidence(rows=len(rows), fault=fault)
    return Evidence(rows=len(rows), metric=metric, difference=difference)


def compare(champion: Resampled, challenger: Resampled, margin: float) -> Difference | None:
    """Return two scores and the interval of their difference; None where one is not defined.

    `margin` is a share of the champion's score. Values have six significant digits.
    """
    better_by = bootstrap.difference(challenger, champion)
    values = {
        "champion": champion.value,
        "challenger": challenger.value,
        "difference": better_by.value,
        "low": better_by.interval.low,
        "high": better_by.interval.high,
        "margin": margin * abs(champion.value),
    }
    rounded = {}
    for name, value in values.items():
        digits = rounding.significant(value)
        if digits is None:
            return None
        rounded[name] = digits
    return Difference(**rounded)


def score_bundle(
    who: str,
    folder: Path,
    frame: pd.DataFrame,
    origin: str,
    data: Data,
    metric: str,
    seed: int,
) -> Resampled:
    """Return the score of a bundle's model on rows, and on draws of them.

    Raises DataError where the model was made for another task or other classes.
    """
    model = storage.load(folder)
    spec = model.spec
    if (spec.task, spec.target) != (data.task, data.target):
        raise DataError(
            f"{who} is for {spec.task} of {spec.target!r}, {paths.PARAMS} asks for {data.task} of "
            f"{data.target!r}"
        )
    output = model.output(kinds.conform(frame, spec.inputs, origin))
    target = frame[data.target]
    if spec.classes:
        check_classes(who, spec.classes, target, origin, data.positive)
    y = targets.numeric_target(target, spec.classes)
    rows = thresholds.decided(Rows(y, output), spec.threshold)
    return bootstrap.resampled(metric, rows, seed)


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
            f"{fewest} rows of class {classes[counts.index(fewest)]!r} in {origin} are new to "
            f"both, {FEWEST_CLASS_ROWS} are needed"
        )


def decide_promotion(rule: str, evidence: Evidence) -> Decision:
    """Hold evidence against a rule.

    better: the whole interval of the difference lies above 0. not_worse: it lies above the margin
    below 0. always: whatever it is. The whole interval on the other side is a refusal, and an
    interval that lies on both is no decision.
    """
    if rule == "always":
        return Decision(promotion_log.PROMOTED, "the gates hold, and register.promote is always")
    gain = evidence.difference
    if gain is None:
        return Decision(promotion_log.UNDECIDED, evidence.fault or "")
    if rule == "better":
        bound, asked = 0.0, "more than 0"
        passes = gain.low > bound
    else:
        bound = -gain.margin
        asked = f"at least {bound:g}"
        passes = gain.low >= bound
    reason = (
        f"{evidence.metric} {gain.challenger:g} against the champion's {gain.champion:g} on "
        f"{evidence.rows} rows new to both; better by {gain.difference:g} [{gain.low:g}, "
        f"{gain.high:g}], {rule} asks for {asked}"
    )
    if passes:
        return Decision(promotion_log.PROMOTED, reason)
    if gain.high < bound:
        return Decision(promotion_log.REFUSED, reason)
    return Decision(promotion_log.UNDECIDED, reason)
