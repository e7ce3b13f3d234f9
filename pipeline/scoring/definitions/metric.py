"""A metric: its name, the direction in which it is better, and its computation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pipeline.scoring.rows import Rows, WeightedRows


@dataclass(frozen=True)
class Metric:
    """One metric.

    name               as scikit-learn spells it
    greater_is_better  its direction
    perfect            its best possible value
    by_class           whether it is given by class too (`f1__virginica`)
    of                 what it is computed from
    value              its value on rows, nan where they do not define it; one for each class, shape
                       (classes,), if by_class
    weighted           its values on draws, shape (draws,), or (draws, classes) if by_class
    blend_loss         each row's loss that a blend chosen by this metric minimises, from blended
                       numbers, or probabilities of each row's own class, and the target
    always             whether all datasets of the task have it; else those whose settings name it
    most_draws         of a bootstrap, for a metric that is called for each of them; None: all
    """

    name: str
    task: Literal["regression", "classification"]
    greater_is_better: bool
    perfect: float
    by_class: bool
    of: Literal["numbers", "labels", "probabilities"]
    value: Callable[[Rows], Any]
    weighted: Callable[[WeightedRows], np.ndarray]
    blend_loss: Callable[[np.ndarray, np.ndarray], np.ndarray]
    always: bool = True
    most_draws: int | None = None

    def is_beyond_perfect(self, value: float) -> bool:
        """Return whether no model can have this value, as it is better than the best one."""
        return value > self.perfect if self.greater_is_better else value < self.perfect
