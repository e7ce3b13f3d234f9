"""What a statistical claim of this project is measured by: an experiment of many seeded trials."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, t

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Claim:
    """A sentence that a page, a command or a document says, and where its figure must lie."""

    figure: str  # its key in what a trial returns
    says: str  # as a reader meets it, with the stated rate
    lowest: float = -math.inf
    highest: float = math.inf


@dataclass(frozen=True)
class Experiment:
    """Trials that measure one or several claims.

    A trial takes its seed and returns a figure for each claim: 1.0 or 0.0 for what happens or does
    not happen, any number for a mean. It leaves a figure out where the trial says nothing on it.
    """

    name: str
    data: str  # "synthetic rows", or the name of the real table
    trials: int
    trial: Callable[[int], dict[str, float]]
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class Measured:
    """The mean of a figure over the trials that have it, with its 95 % interval."""

    mean: float
    low: float
    high: float
    trials: int

    def holds(self, claim: Claim) -> bool:
        """Return whether the claim's range and the interval meet."""
        return self.high >= claim.lowest and self.low <= claim.highest


def measured(values: Sequence[float]) -> Measured:
    """Return the mean with Wilson's interval (1927) of a share, and Student's of other figures.

    One of shares by halves, as of two scores that may lie in their ranges, ends at 0 and 1.
    """
    figures = np.asarray(values, dtype=float)
    count = len(figures)
    mean = float(figures.mean())
    if set(np.unique(figures)) <= {0.0, 1.0}:
        share = binomtest(int(figures.sum()), count)
        interval = share.proportion_ci(CONFIDENCE, method="wilson")
        return Measured(mean, float(interval.low), float(interval.high), count)
    error = float(figures.std(ddof=1)) / math.sqrt(count)
    half = float(t.ppf((1 + CONFIDENCE) / 2, count - 1)) * error
    if set(np.unique(figures)) <= {0.0, 0.5, 1.0}:
        return Measured(mean, max(mean - half, 0.0), min(mean + half, 1.0), count)
    return Measured(mean, mean - half, mean + half, count)
