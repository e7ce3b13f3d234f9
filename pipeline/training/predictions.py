"""What a model put out for the rows of a dataset, beside these rows: the columns that drift and its pages call by these names."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.data import targets
from pipeline.project import paths
from pipeline.project.errors import DataError
from pipeline.training.problem import Problem


def stored_output(
    dataset: str, candidate: dict, name: str, part: str, classes: list[str] | None, rows: pd.Index
) -> np.ndarray:
    """Return the stored output of a candidate for the rows of a split, `oof` or `test`: numbers, or probabilities of shape (rows,
    classes); nan for rows that have none."""
    columns = [f"{name}__{label}" for label in classes] if classes else [name]
    path = paths.predictions(dataset, candidate["stage"]) / f"{part}.parquet"
    if not path.is_file():
        raise DataError(
            f"{path} is not there; run `dvc repro {candidate['stage']}@{dataset}` first"
        )
    output = pd.read_parquet(path, columns=columns).reindex(rows).to_numpy()
    return output if classes else output[:, 0]


def prediction_columns(
    name: str, output: np.ndarray, classes: list[str] | None
) -> dict[str, np.ndarray]:
    if classes is None:
        return {name: output}
    return {f"{name}__{label}": output[:, number] for number, label in enumerate(classes)}


def read_predictions(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        return {}
    frame = pd.read_parquet(path)
    return {
        column: frame[column].to_numpy()
        for column in frame.columns.drop(["target", "fold"], errors="ignore")
    }


def write_predictions(
    path: Path, rows: pd.Index, y: np.ndarray, problem: Problem, columns: dict[str, np.ndarray]
) -> None:
    target = y if problem.classes is None else np.array(problem.classes)[y]
    known = {"target": target} | ({"fold": problem.fold} if path.stem == "oof" else {})
    pd.DataFrame(known | columns, index=rows).to_parquet(path, compression="zstd")


PARTS = ("oof", "test")


@dataclass(frozen=True)
class Predicted:
    """The rows of a split that have predictions, by their number in the CSV: targets and each candidate's output.

    Targets of classification are class numbers; an output has shape (rows,) or (rows, classes).
    """

    rows: pd.Index
    y: np.ndarray
    fold: np.ndarray | None
    outputs: dict[str, np.ndarray]


def read_predicted(
    dataset: str, part: str, candidates: dict[str, dict], classes: list[str] | None
) -> Predicted:
    """Return what candidates predicted for a split: `oof` (training rows, each by a model that had not seen it) or `test`."""
    stages = sorted({candidate["stage"] for candidate in candidates.values()})
    frames = {stage: pd.read_parquet(predictions_file(dataset, stage, part)) for stage in stages}
    rows = next(iter(frames.values()))
    outputs = {}
    for name, candidate in candidates.items():
        frame = frames[candidate["stage"]].reindex(rows.index)
        outputs[name] = (
            frame[name].to_numpy()
            if classes is None
            else frame[[f"{name}__{label}" for label in classes]].to_numpy()
        )
    seen = np.all(
        [np.isfinite(output).reshape(len(rows), -1).all(axis=1) for output in outputs.values()],
        axis=0,
    )
    y = targets.numeric_target(rows["target"], classes)
    return Predicted(
        rows.index[seen],
        y[seen],
        rows["fold"].to_numpy()[seen] if "fold" in rows else None,
        {name: output[seen] for name, output in outputs.items()},
    )


def predictions_file(dataset: str, stage: str, part: str) -> Path:
    path = paths.predictions(dataset, stage) / f"{part}.parquet"
    if not path.is_file():
        raise DataError(
            f"{path} is not there; run `dvc repro {stage}@{dataset}`, or `dvc pull` where a remote holds it"
        )
    return path
