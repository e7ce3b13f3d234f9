"""Promotion: the evidence on a challenger and the champion, the rule that it is held against, and the log of what was decided.

Each line of the log carries the sha256 of the line before, so that a line that was changed, removed or put in shows. The
registry holds the same lines: a decision is written there first and here last, so that what stands here has been carried out, and
either restores the other.
"""

from pathlib import Path

from pipeline.data import kinds, targets
from pipeline.models import storage
from pipeline.project import errors, paths, rounding
from pipeline.project.errors import DataError
from pipeline.project.params import Data, Register
from pipeline.registry import bundles, promotion_log
from pipeline.scoring import bootstrap, thresholds
from pipeline.scoring.bootstrap import Resampled
from pipeline.scoring.rows import Rows

FEW_CLASS_ROWS = 10  # of a class: below it the resamples show less than the metric's true spread


# the evidence


def gather_evidence(
    champion: Path,
    challenger: Path,
    frame,
    origin: str,
    data: Data,
    register: Register,
    metric: str,
    seed: int,
) -> dict:
    """Return how both bundles' models score on the rows that neither was trained on, and the interval of the difference.

    Positive differences are in the challenger's favour. Where the two cannot be compared, `fault` says why, in place of figures.
    """
    try:
        mine = frame[
            bundles.unseen(champion, frame, origin) & bundles.unseen(challenger, frame, origin)
        ]
        if len(mine) < register.min_rows:
            return {
                "rows": len(mine),
                "fault": f"{len(mine)} rows of {origin} are new to both, register.min_rows asks for "
                f"{register.min_rows}",
            }
        old, new = (
            _measured(whose, storage.load(folder), mine, origin, data, metric, seed)
            for whose, folder in (("the champion", champion), ("the challenger", challenger))
        )
    except DataError as error:
        return {"fault": str(error)}
    figures = difference(old, new, register)
    if None in figures.values():
        return {
            "rows": len(mine),
            "fault": f"{metric} is not defined on the {len(mine)} rows of {origin} that are new to both",
        }
    return {"rows": len(mine), "metric": metric, **figures}


def difference(old: Resampled, new: Resampled, register: Register) -> dict[str, float | None]:
    """Return two scores and the interval of their difference."""
    better_by = bootstrap.difference(new, old)
    figures = {
        "champion": old.value,
        "challenger": new.value,
        "difference": better_by.value,
        "low": better_by.interval.low,
        "high": better_by.interval.high,
        "margin": register.margin * abs(old.value),
    }
    return {name: rounding.significant(value) for name, value in figures.items()}


def _measured(
    whose: str, model, frame, origin: str, data: Data, metric: str, seed: int
) -> Resampled:
    """Return a model's score and its resampled values; DataError where it was made for another task."""
    import numpy as np

    spec = model.spec
    if (spec.task, spec.target) != (data.task, data.target):
        raise DataError(
            f"{whose} is for {spec['task']} of {spec['target']!r}, {paths.PARAMS} asks for {data.task} of "
            f"{data.target!r}"
        )
    output = model.output(kinds.conform(frame, spec.inputs, origin))
    if spec.task == "regression":
        y, decisions = frame[data.target].to_numpy(dtype=np.float64), None
    else:
        labels = frame[data.target]
        if spec.classes != targets.class_labels(labels, data.positive):
            raise DataError(
                f"{whose} knows the classes {errors.listed(spec['classes'])}, the rows of {origin} hold "
                f"{errors.listed(sorted(labels.unique()))}"
            )
        y = targets.class_numbers(labels, spec.classes)
        rare = int(np.bincount(y, minlength=len(spec.classes)).argmin())
        if (y == rare).sum() < FEW_CLASS_ROWS:
            raise DataError(
                f"{(y == rare).sum()} rows of class {spec['classes'][rare]!r} in {origin} are new to both, "
                f"{FEW_CLASS_ROWS} are needed"
            )
        decisions = thresholds.decide(output, spec.threshold)
    return bootstrap.resampled(metric, Rows(y, output, decisions), seed)


def decide_promotion(rule: str, found: dict) -> tuple[str, str]:
    """Return the outcome of holding evidence against a rule, and the reason in one line.

    better: the whole interval lies above 0. not_worse: the whole interval lies above the margin below 0. always: whatever it is.
    The whole interval on the other side is a refusal, and an interval that lies on both is no decision.
    """
    if rule == "always":
        return promotion_log.PROMOTED, "the gates hold, and register.promote is always"
    if "fault" in found:
        return promotion_log.UNDECIDED, found["fault"]
    asked = 0 if rule == "better" else -found["margin"]
    told = (
        f"{found['metric']} {found['challenger']:g} against the champion's {found['champion']:g} on {found['rows']} rows new "
        f"to both; better by {found['difference']:g} [{found['low']:g}, {found['high']:g}], {rule} asks for "
        f"{'more than 0' if rule == 'better' else f'at least {asked:g}'}"
    )
    if found["low"] > asked or rule == "not_worse" and found["low"] == asked:
        return promotion_log.PROMOTED, told
    return (promotion_log.REFUSED if found["high"] < asked else promotion_log.UNDECIDED), told
