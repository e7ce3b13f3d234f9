"""Stored predictions: what each candidate put out for the rows of a split, beside these rows.

A stage keeps one Parquet file for the training rows, each predicted by a fold's model that had not
seen it, and two for the test rows: predicted by the model of all training rows, and each by one of
the folds' models, which compares with the first like with like. A candidate has a column of its
name, or one for each class.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.data import targets
from pipeline.project import paths
from pipeline.project.errors import DataError
from pipeline.scoring.rows import PLAIN, Terms
from pipeline.training.problem import Problem

OUT_OF_FOLD, TEST, TEST_BY_FOLD = "oof", "test", "test_by_fold"
PARTS = (OUT_OF_FOLD, TEST, TEST_BY_FOLD)
TARGET, FOLD = "target", "fold"  # the columns beside those of the candidates


@dataclass(frozen=True)
class Predicted:
    """The rows of a split that have predictions, by their number in the CSV.

    `y` holds numbers or class numbers, `fold` the fold that predicted each training row, None for
    the test split. `outputs` are by candidate, of shape (rows,) or (rows, classes). `terms` say by
    what the rows are scored.
    """

    rows: pd.Index
    y: np.ndarray
    fold: np.ndarray | None
    outputs: dict[str, np.ndarray]
    terms: Terms = PLAIN


def column_names(candidate: str, classes: list[str] | None) -> list[str]:
    """Return the names of the columns that hold a candidate's output."""
    if classes is None:
        return [candidate]
    return [f"{candidate}__{label}" for label in classes]


def as_columns(
    candidate: str, output: np.ndarray, classes: list[str] | None
) -> dict[str, np.ndarray]:
    """Return the columns that hold an output of shape (rows,) or (rows, classes)."""
    if classes is None:
        return {candidate: output}
    names = column_names(candidate, classes)
    return {name: output[:, place] for place, name in enumerate(names)}


def predictions_file(dataset: str, stage: str, part: str) -> Path:
    """Return the file of a stage's predictions, `oof` or `test`.

    Raises DataError where it is absent.
    """
    path = paths.predictions(dataset, stage) / f"{part}.parquet"
    if not path.is_file():
        raise DataError(
            f"{path} is not there; run `dvc repro {stage}@{dataset}`, "
            f"or `dvc pull` where a remote holds it"
        )
    return path


def read_output(
    dataset: str,
    stage: str,
    candidate: str,
    part: str,
    classes: list[str] | None,
    rows: pd.Index | None = None,
) -> np.ndarray:
    """Return the stored output of a candidate, of shape (rows,) or (rows, classes).

    With `rows`, in their order, and nan for those without a prediction. Raises DataError where the
    file or the candidate's columns are absent.
    """
    path = predictions_file(dataset, stage, part)
    frame = pd.read_parquet(path)
    names = column_names(candidate, classes)
    absent = [name for name in names if name not in frame]
    if absent:
        raise DataError(f"{path}: no column {absent[0]!r}; run `dvc repro -f {stage}@{dataset}`")
    if rows is not None:
        frame = frame.reindex(rows)
    if classes is None:
        return frame[candidate].to_numpy()
    return frame[names].to_numpy()


def read_predicted(
    dataset: str, part: str, stages: dict[str, str], classes: list[str] | None
) -> Predicted:
    """Return what candidates, {name: its stage}, predicted for a split; rows that all have."""
    first = pd.read_parquet(predictions_file(dataset, min(stages.values()), part))
    outputs = {}
    seen = np.full(len(first), True)
    for name, stage in stages.items():
        output = read_output(dataset, stage, name, part, classes, first.index)
        outputs[name] = output
        seen &= np.isfinite(output.reshape(len(first), -1)).all(axis=1)
    return Predicted(
        rows=first.index[seen],
        y=targets.numeric_target(first[TARGET], classes)[seen],
        fold=first[FOLD].to_numpy()[seen] if FOLD in first else None,
        outputs={name: output[seen] for name, output in outputs.items()},
    )


def read_columns(folder: Path, part: str) -> dict[str, np.ndarray]:
    """Return all candidates' columns of a stage's file; none where the folder has no such file."""
    path = folder / f"{part}.parquet"
    if not path.is_file():
        return {}
    frame = pd.read_parquet(path)
    names = frame.columns.drop([TARGET, FOLD], errors="ignore")
    return {name: frame[name].to_numpy() for name in names}


def write_columns(
    folder: Path, part: str, problem: Problem, columns: dict[str, np.ndarray]
) -> None:
    """Write a stage's file of the training or the test rows, with their targets and folds."""
    X, y, fold = problem.X_test, problem.y_test, problem.test_fold
    if part == OUT_OF_FOLD:
        X, y, fold = problem.X, problem.y, problem.fold
    content = {TARGET: y if problem.classes is None else np.array(problem.classes)[y]}
    if part != TEST:
        content[FOLD] = fold
    frame = pd.DataFrame(content | columns, index=X.index)
    frame.to_parquet(folder / f"{part}.parquet", compression="zstd")
