"""How well a model does on the rows it served: estimated, and once labels came, measured."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import kinds, targets
from pipeline.monitoring import estimation
from pipeline.monitoring.estimation import Estimate
from pipeline.monitoring.known_version import KnownVersion
from pipeline.monitoring.outside import Outside, outside
from pipeline.project.settings.drift import Drift
from pipeline.scoring import bootstrap, metrics
from pipeline.scoring.bootstrap import Interval
from pipeline.scoring.rows import Rows
from pipeline.serving.inference_log.reader import LoggedRows

# of an estimate without labels
CONDITION = "if only the rows changed, not their meaning"


@dataclass(frozen=True)
class TrainingRows:
    """The training rows of a version and, while they are at hand, its out-of-fold predictions.

    `frame` then has the predictions as roles.with_output adds them, and `oof` has them as numbers
    or probabilities of shape (rows, classes).
    """

    frame: pd.DataFrame
    oof: np.ndarray | None = None


@dataclass(frozen=True)
class ServedPerformance:
    """Scores of a served model: out of fold, estimated without labels, and on labelled rows.

    `current` is empty without labels. The model does worse where the score that is `expected`,
    which is that out of fold less what its being chosen by it flatters, lies beyond the better end
    of the `interval` of the labelled rows' score. `too_few` says of which class there are too few
    labels to judge.
    """

    candidate: str
    metric: str
    reference: dict[str, float | None]
    expected: float | None
    current: dict[str, float]
    estimated: dict[str, Estimate] | None = None
    outside: Outside | None = None
    interval: Interval | None = None
    worse: bool = False
    too_few: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as drift.json holds it."""
        estimated = None
        if self.estimated is not None:
            estimated = {metric: asdict(estimate) for metric, estimate in self.estimated.items()}
        content: dict[str, Any] = {
            "candidate": self.candidate,
            "metric": self.metric,
            "worse": self.worse,
            "reference": dict(self.reference),
            "expected": self.expected,
            "current": self.current,
            "estimated": estimated,
        }
        if self.outside is not None:
            content["outside"] = asdict(self.outside)
        if self.interval is not None:
            content["interval"] = self.interval
        return content


def served_performance(
    served: LoggedRows,
    version: KnownVersion,
    training: TrainingRows,
    labels: pd.Series | None,
    limits: Drift,
    seed: int,
) -> ServedPerformance | None:
    """Return how well a version does on the rows that it served; `labels` has one for each row.

    None where its training was replaced, so that there is nothing to compare with.
    """
    if version.candidate is None or version.primary_metric is None or version.expected is None:
        return None
    found = ServedPerformance(
        version.metadata["candidate"],
        version.primary_metric,
        version.candidate["cv_oof"],
        version.expected[version.primary_metric],
        {},
    )
    output = _output(served, version.classes)
    if output is None:
        return found
    decisions = None
    if version.classes:
        answers = kinds.as_text(served.rows["prediction"])
        decisions = targets.class_numbers(answers, version.classes)
        if training.oof is not None:
            found = replace(
                found,
                estimated=_estimated(version, training, output, decisions, seed),
                outside=outside(training.frame, served.features),
            )
    if labels is None:
        return found
    rows = _labelled(labels, output, decisions, version.classes)
    found = replace(found, current=metrics.score(rows, version.classes))
    return _judged(found, rows, version.classes, seed) if len(rows) >= limits.min_rows else found


def _labelled(
    labels: pd.Series, output: np.ndarray, decisions: np.ndarray | None, classes: list[str] | None
) -> Rows:
    """Return the rows whose labels are known."""
    there = labels.notna().to_numpy()
    return Rows(
        targets.numeric_target(labels[there], classes),
        output[there].astype(float),
        None if decisions is None else decisions[there],
    )


def _estimated(
    version: KnownVersion,
    training: TrainingRows,
    output: np.ndarray,
    decisions: np.ndarray,
    seed: int,
) -> dict[str, Estimate]:
    """Return the scores on rows without labels, with the error of their own calibration."""
    assert version.classes is not None and training.oof is not None
    y = targets.class_numbers(training.frame[version.target], version.classes)
    calibrated = estimation.calibration(y, training.oof)(output)
    others = estimation.resampled(y, training.oof, output, seed)
    return estimation.estimate(calibrated, output, decisions, seed, others)


def _judged(
    found: ServedPerformance, rows: Rows, classes: list[str] | None, seed: int
) -> ServedPerformance:
    """Return the performance with the interval of the labelled rows' score, and what it shows.

    No split has fixed how many rows of a class come, so that each row is drawn by itself. A metric
    of costs or of the user's own code is not measured on served rows, and so not judged.
    """
    if not metrics.lookup(found.metric).always:
        return found
    interval = bootstrap.resampled(found.metric, rows, seed).interval
    rarest = _rarest_class(rows, classes) if classes else None
    if rarest is not None:
        return replace(found, interval=interval, too_few=rarest)
    worse = bootstrap.clearly_worse(found.metric, found.expected, interval)
    return replace(found, interval=interval, worse=worse)


def _rarest_class(rows: Rows, classes: list[str]) -> str | None:
    """Return how many labels the rarest class has, in words, where these are too few to judge."""
    counts = np.bincount(rows.y, minlength=len(classes))
    rarest = int(counts.argmin())
    if counts[rarest] >= bootstrap.FEWEST_OF_CLASS:
        return None
    return f"{counts[rarest]} labelled rows of class {classes[rarest]}"


def _output(served: LoggedRows, classes: list[str] | None) -> np.ndarray | None:
    """Return what the model answered: numbers, or the probabilities in the order of the classes.

    None where a row has no probabilities.
    """
    if classes is None:
        return served.rows["prediction"].to_numpy()
    if served.probabilities is None or not set(classes) <= set(served.probabilities):
        return None
    output = served.probabilities[classes].to_numpy(dtype=float)
    return None if np.isnan(output).any() else output


def lines(found: ServedPerformance, labelled_rows: int) -> list[str]:
    """Return a line for each metric that was estimated, and for the primary metric."""
    labelled = f"{labelled_rows:,} labelled rows"
    estimated = found.estimated or {}
    texts = [found.outside.line()] if found.outside else []
    for metric, estimate in estimated.items():
        text = (
            f"  {metric}: out of fold {found.reference[metric]:.4g}, estimated without labels "
            f"{estimate.value:.4g} [{estimate.low:.4g}, {estimate.high:.4g}] {CONDITION}"
        )
        if metric in found.current:
            text += f", measured {found.current[metric]:.4g} on {labelled}"
        texts.append(text)
    if found.current and found.metric not in found.current:
        texts.append(
            f"  {found.metric}: not measured on served rows: it is of costs or of code of your own"
        )
    elif found.current and found.metric not in estimated:
        texts.append(
            f"  {found.metric}: out of fold {found.reference[found.metric]:.4g}, measured "
            f"{found.current[found.metric]:.4g} on {labelled}"
        )
    if found.too_few:
        texts.append(
            f"  {found.metric}: too few to judge: {found.too_few}, "
            f"{bootstrap.FEWEST_OF_CLASS} are needed"
        )
    return texts
