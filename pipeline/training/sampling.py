"""How the rows of a split were drawn: each by itself, by class, by group or by time."""

import numpy as np
import pandas as pd

from pipeline.data import splits
from pipeline.project.params import Dataset
from pipeline.project.settings.data import Prepare
from pipeline.scoring.sampling import BY_ROW, Sampling, by_class, by_split


def sampling_of_test(
    test_split: pd.DataFrame,
    codes: np.ndarray | None,
    prepare: Prepare,
    training_rows: int,
    origin: str,
) -> Sampling:
    """Return how the test rows were drawn; `codes` are their class codes, None for regression."""
    if prepare.split_kind == "random" and codes is not None:
        return by_class(codes, training_rows + len(test_split))
    return by_split(prepare.split_kind, splits.units(test_split, prepare, origin))


def sampling_of_rows(dataset: str, split: str, spec: Dataset, rows: pd.Index) -> Sampling:
    """Return how rows of a split are drawn: those of a group or of a time together."""
    if spec.prepare.split_kind == "random":
        return BY_ROW
    frame = splits.read_split(dataset, split).loc[rows]
    return by_split(spec.prepare.split_kind, splits.units(frame, spec.prepare, spec.data.file))
