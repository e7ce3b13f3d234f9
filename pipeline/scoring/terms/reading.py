"""The terms of some rows, read from their columns by a dataset's settings."""

import numpy as np
import pandas as pd

from pipeline.project.params import Dataset
from pipeline.scoring import metrics
from pipeline.scoring.rows import Terms
from pipeline.scoring.terms import costs
from pipeline.scoring.terms.weights import weights_of_rows


def read_terms(
    frame: pd.DataFrame,
    y: np.ndarray,
    classes: list[str] | None,
    block: Dataset,
    origin: str | None = None,
) -> Terms:
    """Return by what prepared rows are scored; `y` are their numbers or class codes.

    `origin` is the file that messages name, that of the dataset without it.

    Raises DataError or UsageError where the columns or classes are not those that the settings
    name.
    """
    of_rows = None
    origin = origin or block.data.file
    if classes and block.train.costs:
        cells = costs.cells_of(block.train.costs, classes, "train.costs")
        of_rows = costs.costs_of_rows(cells, y, frame, classes, origin)
    weight = None
    if block.data.weight is not None:
        weight = weights_of_rows(frame, block.data.weight, origin)
    return Terms(
        weight=weight,
        costs=of_rows,
        frame=frame if block.train.metrics else None,
        metrics=metrics.more_of_settings(block),
        classes=tuple(classes) if classes else None,
    )
