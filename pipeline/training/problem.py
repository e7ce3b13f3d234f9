"""What one dataset asks a model to learn: features, target and folds, as every stage after prepare sees them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.data import cleaning, kinds, splits, targets
from pipeline.data.splits import Fold
from pipeline.models.spec import ModelSpec
from pipeline.project import errors, files, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Params


@dataclass(frozen=True)
class Problem:
    """Features and numeric targets (class numbers for classification) of both splits, indexed by the row's number in the CSV.

    `fold` is the fold that predicts each training row, -1 where none does; `folds` are the positions to fit and to predict.
    """

    dataset: str
    task: str
    target: str
    target_transform: str
    classes: list[str] | None
    X: pd.DataFrame
    y: np.ndarray
    X_test: pd.DataFrame
    y_test: np.ndarray
    folds: list[Fold]
    synthetic: bool
    data_hash: str
    split_hash: str

    @property
    def fold(self) -> np.ndarray:
        fold = np.full(len(self.X), -1)
        for number, (_, predict) in enumerate(self.folds):
            fold[predict] = number
        return fold

    def model_spec(self, name: str, target_transform: str | None = None) -> ModelSpec:
        """Return what a model of this problem must know beside its preprocessing and estimator."""
        columns = kinds.kinds_of(self.X)
        return ModelSpec(
            name=name,
            task=self.task,
            inputs=columns,
            features=columns,
            target=self.target,
            target_transform=target_transform or self.target_transform,
            classes=self.classes,
            threshold=None,
        )


def read_problem(dataset: str, settings: Params) -> Problem:
    """Return the problem that a prepared dataset poses under its settings."""
    spec = settings.dataset(dataset)
    data, train = spec.data, spec.train
    quality = files.read_json(
        paths.metrics(dataset, "quality"), made_by=f"python prepare_data.py --dataset {dataset}"
    )
    if (
        paths.processed(dataset).is_dir()
        and files.digest(paths.processed(dataset)) != quality["split_hash"]
    ):
        raise DataError(
            f"{paths.processed(dataset)} is not what {paths.metrics(dataset, 'quality')} describes; run `python "
            f"prepare_data.py --dataset {dataset}` again"
        )
    train_split, test_split = (
        splits.read_split(dataset, "train"),
        splits.read_split(dataset, "test"),
    )
    classes = (
        targets.class_labels(train_split[data.target], data.positive)
        if data.task == "classification"
        else None
    )
    columns = _feature_columns(dataset, train_split, spec)
    y, y_test = (
        targets.numeric_target(split[data.target], classes) for split in (train_split, test_split)
    )
    if train.target_transform == "log1p" and y.min() <= -1:
        raise DataError(
            f"{data.file}: target {data.target!r} holds {y.min():g}, of which log1p is not defined; "
            f"set datasets.{dataset}.train.target_transform: none"
        )
    folds = splits.folds(
        train_split,
        train_split[data.target] if classes else None,
        spec.prepare,
        train.cv_folds,
        settings.seed,
        data.file,
    )
    return Problem(
        dataset,
        data.task,
        data.target,
        train.target_transform,
        classes,
        train_split[columns],
        y,
        test_split[columns],
        y_test,
        folds,
        quality["synthetic"],
        quality["data_hash"],
        quality["split_hash"],
    )


def stopping_slices(problem: Problem, settings: Params, share: float) -> list[Fold | None]:
    """Return, for each fold, its fitted rows in two parts: those to fit a booster on and those that tell it when to stop.

    They part under the rule of the test split. None where a class has too few rows to be on both sides.
    """
    spec = settings.dataset(problem.dataset)
    frame = splits.read_split(problem.dataset, "train")
    prepare = spec.prepare.model_copy(update={"test_size": share})
    slices = []
    for fit, _ in problem.folds:
        rows = frame.iloc[fit]
        labels = rows[problem.target] if problem.classes else None
        try:
            slices.append(
                tuple(
                    fit[part]
                    for part in splits.train_test(
                        rows, labels, prepare, settings.seed, spec.data.file
                    )
                )
            )
        except DataError:  # told by the caller: the rounds are then those of params.yaml
            slices.append(None)
    return slices


def _feature_columns(dataset: str, split: pd.DataFrame, spec) -> list[str]:
    columns = cleaning.feature_columns(split, spec.data, spec.prepare.split_column)
    excluded = spec.train.features.exclude
    unknown = [column for column in excluded if column not in columns]
    if unknown or len(excluded) == len(columns):
        raise UsageError(
            f"{paths.PARAMS}: datasets.{dataset}.train.features.exclude: "
            f"{f'no feature {errors.listed(unknown)}' if unknown else 'no feature is left'}; "
            f"there are: {errors.listed(columns, most=100)}"
        )
    return [column for column in columns if column not in excluded]
