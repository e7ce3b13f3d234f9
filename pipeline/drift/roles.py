"""The roles of columns in a comparison: the true answer, the prediction, the predicted class; every other column is a feature."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.scoring import thresholds

REFERENCE, CURRENT = "reference", "current"  # the two tables of a comparison
MODEL_OUTPUT, MODEL_LABEL = "model output", "model label"


@dataclass(frozen=True)
class Roles:
    """Names of the columns that are not features, each None where a table has no such column.

    `label` holds the predicted class; it is the prediction itself unless that is a probability of the class `positive`.
    """

    task: str | None = None
    target: str | None = None
    prediction: str | None = None
    label: str | None = None
    positive: str | None = None


def roles_of_model(task: str, target: str, classes: list[str] | None) -> Roles:
    """Return the roles of the columns in rows to which `with_output` has added what a model puts out.

    The output is a number, the probability of the positive class, or with more classes the one it decides for.
    """
    two = classes is not None and len(classes) == 2
    if two:
        return Roles(task, target, MODEL_OUTPUT, MODEL_LABEL, positive=classes[1])
    return Roles(task, target, MODEL_OUTPUT, label=MODEL_OUTPUT if classes else None)


def with_output(
    frame: pd.DataFrame, output: np.ndarray, classes: list[str] | None, threshold: float | None
) -> pd.DataFrame:
    """Return the rows that have an output, with it and the class that it decides for."""
    there = ~np.isnan(output).reshape(len(frame), -1).any(axis=1)
    frame, output = frame[there].copy(), output[there]
    if classes is None:
        return frame.assign(**{MODEL_OUTPUT: output})
    decided = np.array(classes)[thresholds.decide(output, threshold)]
    return frame.assign(
        **(
            {MODEL_OUTPUT: output[:, 1], MODEL_LABEL: decided}
            if len(classes) == 2
            else {MODEL_OUTPUT: decided}
        )
    )
