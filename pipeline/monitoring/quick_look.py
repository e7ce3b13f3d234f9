"""The quick look at served rows: how far each feature's mean is from that of the training rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import kinds, typed_tables
from pipeline.data.kinds import NUMBER

SHOWN = 5  # features that are listed, the farthest off first


@dataclass(frozen=True)
class FeatureShift:
    """By how much a feature's mean moved: in standard errors (`z`) and in standard deviations."""

    z: float
    shift: float
    exceeds: bool


@dataclass(frozen=True)
class _Moments:
    """What a feature's mean is compared with, and the served values whose mean it is."""

    mean: float
    deviation: float
    served: pd.Series


def quick_look(
    statistics: dict[str, Any], served: pd.DataFrame, z_threshold: float
) -> dict[str, FeatureShift]:
    """Return the shift of each served feature against the training statistics of the model.

    z is the difference of the means in standard errors of both: the deviation of the training rows
    times sqrt(1/n + 1/N). Of categories it is that of the share of the training rows' commonest
    one, of texts that of their numbers of words. A twentieth of unchanged features exceeds 2. A
    feature without a mean or a spread, such as a date, or without served values has no shift.
    """
    table = typed_tables.of_frame(served)
    shifts = {}
    for name, figures in statistics["features"].items():
        if name not in table:
            continue
        moments = _moments(figures, table[name].dropna())
        if moments is None:
            continue
        shift = (moments.served.mean() - moments.mean) / moments.deviation
        trained_rows = statistics["rows"] * (1 - figures["missing_share"])
        z = shift / np.sqrt(1 / len(moments.served) + 1 / trained_rows)
        shifts[name] = FeatureShift(float(z), float(shift), bool(abs(z) > z_threshold))
    return shifts


def _moments(figures: dict[str, Any], values: pd.Series) -> _Moments | None:
    """Return what is compared of a feature; None where there is nothing to compare."""
    if "categories" in figures:
        commonest = next(iter(figures["categories"]), None)
        mean = figures["categories"].get(commonest)
        deviation = None if mean is None else float(np.sqrt(mean * (1 - mean)))
        values = (kinds.as_text(values) == commonest).astype(float)
    elif "word_count" in figures:
        mean, deviation = figures["word_count"]["mean"], figures["word_count"]["std"]
        values = kinds.word_counts(kinds.as_text(values)).astype(float)
    else:
        # dates have none: later rows have later ones
        mean, deviation = figures.get("mean"), figures.get("std")
    if mean is None or not deviation or not len(values) or kinds.kind_of(values) != NUMBER:
        return None
    return _Moments(mean, deviation, values)


def line(look: dict[str, FeatureShift], z_threshold: float) -> str:
    """Return how many features moved, and the ones that moved farthest."""
    beyond = [name for name in look if look[name].exceeds]
    beyond.sort(key=lambda name: -abs(look[name].z))
    shown = [
        f"{name} z {look[name].z:+.1f} (shift {look[name].shift:+.2f})" for name in beyond[:SHOWN]
    ]
    if len(beyond) > SHOWN:
        shown.append("...")
    names = f": {', '.join(shown)}" if shown else ""
    return (
        f"quick look: the mean of {len(beyond)} of {len(look)} features is off by more than "
        f"{z_threshold:g} standard errors{names}"
    )
