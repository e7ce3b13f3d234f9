"""What a model put out for the rows of a dataset, beside these rows: the columns that drift and its pages call by these names."""

import numpy as np
import pandas as pd

from pipeline import models, paths
from pipeline.errors import DataError

MODEL_OUTPUT, MODEL_LABEL = "model output", "model label"


def roles(task: str, target: str, classes: list[str] | None) -> dict:
    """Return what the columns of a model's rows are: the true answer, what the model puts out, and the class it decides for.

    The output is a number, the probability of the positive class, or with more classes the one it decides for.
    """
    two = classes is not None and len(classes) == 2
    return {"task": task, "target": target, "prediction": MODEL_OUTPUT,
            "label": MODEL_LABEL if two else MODEL_OUTPUT if classes else None, "positive": classes[1] if two else None}


def stored(dataset: str, candidate: dict, name: str, part: str, classes: list[str] | None, rows: pd.Index) -> np.ndarray:
    """Return the stored output of a candidate for the rows of a split, `oof` or `test`: numbers, or probabilities of shape (rows,
    classes); nan for rows that have none."""
    columns = [f"{name}__{label}" for label in classes] if classes else [name]
    path = paths.predictions(dataset, candidate["stage"]) / f"{part}.parquet"
    if not path.is_file():
        raise DataError(f"{path} is not there; run `dvc repro {candidate['stage']}@{dataset}` first")
    output = pd.read_parquet(path, columns=columns).reindex(rows).to_numpy()
    return output if classes else output[:, 0]


def joined(frame: pd.DataFrame, output: np.ndarray, classes: list[str] | None, threshold: float | None) -> pd.DataFrame:
    """Return the rows that have an output, with it and the class that it decides for."""
    there = ~np.isnan(output).reshape(len(frame), -1).any(axis=1)
    frame, output = frame[there].copy(), output[there]
    if classes is None:
        return frame.assign(**{MODEL_OUTPUT: output})
    decided = np.array(classes)[models.decide(output, threshold)]
    return frame.assign(**({MODEL_OUTPUT: output[:, 1], MODEL_LABEL: decided} if len(classes) == 2 else {MODEL_OUTPUT: decided}))
