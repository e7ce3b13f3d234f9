"""What a model put out for the rows of a dataset, beside these rows: the columns that drift and its pages call by these names."""

import numpy as np
import pandas as pd

from pipeline.scoring import thresholds

REFERENCE, CURRENT = "reference", "current"  # the two tables of a comparison
MODEL_OUTPUT, MODEL_LABEL = "model output", "model label"


def roles(task: str, target: str, classes: list[str] | None) -> dict:
    """Return what the columns of a model's rows are: the true answer, what the model puts out, and the class it decides for.

    The output is a number, the probability of the positive class, or with more classes the one it decides for.
    """
    two = classes is not None and len(classes) == 2
    return {
        "task": task,
        "target": target,
        "prediction": MODEL_OUTPUT,
        "label": MODEL_LABEL if two else MODEL_OUTPUT if classes else None,
        "positive": classes[1] if two else None,
    }


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
