"""The learning problem: features, targets and folds of one dataset, and what fits share."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from pipeline.data import cleaning, kinds, splits, targets
from pipeline.data.splits import Fold
from pipeline.models.estimators import own_estimators
from pipeline.models.families import monotone
from pipeline.models.spec import ModelSpec, OwnParts
from pipeline.own import loading, transformers
from pipeline.project import errors, files, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Dataset, Params
from pipeline.project.settings.data import Data, Prepare
from pipeline.project.settings.own_code import OwnEstimator
from pipeline.scoring.rows import PLAIN, Terms
from pipeline.scoring.sampling import BY_ROW, Sampling
from pipeline.scoring.terms.reading import read_terms
from pipeline.training.sampling import sampling_of_test


@dataclass(frozen=True)
class Problem:
    """Features and numeric targets of both splits, and the settings that every fit and score share.

    `X` and `X_test` are indexed by the row's number in the CSV, as are the `inputs` of the training
    rows: the columns that a user sends, of which code of the user's `own` may make others. `y` and
    `y_test` are numbers, or class numbers in the order of `classes`, which is None for regression.
    `folds` are the positions of the training rows to fit and to predict. `prepare` is the rule of
    the test split, `sampling` says how that drew the test rows, and `file` is the CSV, for
    messages. `terms` and `terms_test` say by what the rows of either split are scored, and
    `date_formats` are those of inputs that are dates, beside ISO 8601. Of the `seasonal` ones,
    which order the rows, models learn the season only. `monotone` are the columns
    along which models only rise, 1, or only fall, -1.
    """

    dataset: str
    task: str
    target: str
    target_transform: str
    classes: list[str] | None
    inputs: pd.DataFrame
    X: pd.DataFrame
    y: np.ndarray
    X_test: pd.DataFrame
    y_test: np.ndarray
    folds: list[Fold]
    synthetic: bool
    data_hash: str
    split_hash: str
    primary_metric: str
    threshold_metric: str
    resampling: str
    seed: int
    prepare: Prepare
    file: str
    sampling: Sampling = BY_ROW
    terms: Terms = PLAIN
    terms_test: Terms = PLAIN
    monotone: dict[str, int] = field(default_factory=dict)
    date_formats: dict[str, list[str]] = field(default_factory=dict)
    seasonal: tuple[str, ...] = ()
    own: OwnParts = OwnParts()
    own_estimators: Mapping[str, OwnEstimator] = field(default_factory=dict)

    @property
    def fold(self) -> np.ndarray:
        """Return the number of the fold that predicts each training row, -1 where none does."""
        fold = np.full(len(self.X), -1)
        for number, positions in enumerate(self.folds):
            fold[positions.predict] = number
        return fold

    def weight_of(self, rows: np.ndarray) -> np.ndarray | None:
        """Return what some training rows, by their positions, count; None where all count alike."""
        return None if self.terms.weight is None else self.terms.weight[rows]

    @property
    def test_fold(self) -> np.ndarray:
        """Return the number of the fold whose model predicts each test row, drawn at random.

        Each predicts the share of the test rows that it predicts of the training rows, so that
        both compare.
        """
        predicted = np.sort(self.fold[self.fold >= 0])
        rows = len(self.X_test)
        middles = (np.arange(rows) + 0.5) / rows
        shared_out = predicted[(middles * len(predicted)).astype(int)]
        return np.random.default_rng(self.seed).permutation(shared_out)

    def model_spec(self, name: str, target_transform: str | None = None) -> ModelSpec:
        """Return what a model of this problem must know beside its preprocessing and estimator."""
        return ModelSpec(
            name=name,
            task=self.task,
            inputs=kinds.kinds_of(self.inputs),
            features=kinds.kinds_of(self.X),
            target=self.target,
            target_transform=target_transform or self.target_transform,
            classes=self.classes,
            threshold=None,
            date_formats=self.date_formats,
            seasonal=self.seasonal,
            monotone=self.monotone,
            own=replace(self.own, code={**self.own.code, **self._code_of_estimator(name)}),
            estimator=self.own_estimators.get(name),
        )

    def _code_of_estimator(self, name: str) -> dict[str, str]:
        """Return {path: sha256} of the file that a model's own class stands in, if one does."""
        estimator = self.own_estimators.get(name)
        if estimator is None or estimator.file is None:
            return {}
        where = f"models.{name}.class"
        return {estimator.file: loading.load(estimator.file, where).sha256}


def read_problem(dataset: str, settings: Params) -> Problem:
    """Return the problem that a prepared dataset poses under its settings.

    Raises DataError where splits or target do not fit, UsageError for an unknown excluded feature.
    """
    block = settings.dataset(dataset)
    data, train, quality = block.data, block.train, _quality_of_splits(dataset)
    train_split, test_split = (splits.read_split(dataset, part) for part in ("train", "test"))
    classes = _classes(train_split[data.target], data)
    tables = _feature_tables(dataset, block, train_split, test_split)
    y = _training_target(dataset, block, train_split, classes)
    y_test = targets.numeric_target(test_split[data.target], classes)
    codes = y_test if classes else None
    return Problem(
        dataset=dataset,
        task=data.task,
        target=data.target,
        target_transform=train.target_transform,
        classes=classes,
        **vars(tables),
        y=y,
        y_test=y_test,
        folds=_folds(train_split, block, settings.seed),
        **{key: quality[key] for key in ("synthetic", "data_hash", "split_hash")},
        primary_metric=train.primary_metric,
        threshold_metric=train.deciding_metric,
        resampling=train.resampling,
        seed=settings.seed,
        prepare=block.prepare,
        sampling=sampling_of_test(test_split, codes, block.prepare, len(train_split), data.file),
        file=data.file,
        terms=read_terms(train_split, y, classes, block),
        terms_test=read_terms(test_split, y_test, classes, block),
        monotone=_monotone(dataset, block, tables.X, classes),
        date_formats=tables.date_formats(data),
        seasonal=tuple(cleaning.seasonal_columns(tables.X, data, block.prepare)),
        own=_own_parts(dataset, block, quality),
        own_estimators=own_estimators(dataset, settings),
    )


@dataclass(frozen=True)
class _FeatureTables:
    """The training rows' inputs, and the features of both splits."""

    inputs: pd.DataFrame
    X: pd.DataFrame
    X_test: pd.DataFrame

    def date_formats(self, data: Data) -> dict[str, list[str]]:
        """Return {column: formats} of the inputs that are dates."""
        return {name: data.dates[name] for name in self.inputs if data.dates.get(name)}


def _feature_tables(
    dataset: str, block: Dataset, train_split: pd.DataFrame, test_split: pd.DataFrame
) -> _FeatureTables:
    """Return the inputs and the features; without a function of the user's they are the same."""
    columns = cleaning.feature_columns(train_split, block.data, block.prepare)
    if block.data.features is None:
        chosen = _chosen_features(dataset, columns, block)
        inputs = train_split[chosen]
        return _FeatureTables(inputs, inputs, test_split[chosen])
    made, made_test = (
        splits.read_split(dataset, splits.features_of(name)) for name in ("train", "test")
    )
    chosen = _chosen_features(dataset, list(made.columns), block)
    return _FeatureTables(train_split[columns], made[chosen], made_test[chosen])


def _own_parts(dataset: str, block: Dataset, quality: dict) -> OwnParts:
    """Return what of the models is the user's own code.

    Raises DataError where the features were made by another version of their file.
    """
    data, code = block.data, {}
    where = f"datasets.{dataset}.data"
    for place in data.transformers:
        transformers.check(place, f"{where}.transformers")
        path = place.partition(":")[0]
        code[path] = loading.load(path, f"{where}.transformers").sha256
    if data.features is not None:
        code[data.features] = loading.load(data.features, f"{where}.features").sha256
        if quality.get("code", {}).get(data.features) != code[data.features]:
            raise DataError(
                f"{paths.processed(dataset)} was prepared without this {data.features}; run "
                f"`python prepare_data.py --dataset {dataset}` again"
            )
    return OwnParts(data.features, tuple(data.transformers), code)


def _training_target(
    dataset: str, block: Dataset, split: pd.DataFrame, classes: list[str] | None
) -> np.ndarray:
    """Return the target as numbers; raise DataError where its transform is not defined for it."""
    y = targets.numeric_target(split[block.data.target], classes)
    if block.train.target_transform == "log1p" and y.min() <= -1:
        raise DataError(
            f"{block.data.file}: target {block.data.target!r} holds {y.min():g}, "
            f"for which log1p is not defined; set datasets.{dataset}.train.target_transform: none"
        )
    return y


def _monotone(
    dataset: str, block: Dataset, X: pd.DataFrame, classes: list[str] | None
) -> dict[str, int]:
    """Return the monotone constraints; raise UsageError where columns or classes take none."""
    constraints: dict[str, int] = dict(block.train.monotone)
    place = f"datasets.{dataset}.train.monotone"
    if constraints and classes and len(classes) > 2:
        raise UsageError(
            f"{paths.PARAMS}: {place}: with {len(classes)} classes no probability rises alone; "
            f"remove it, or predict two classes or a number"
        )
    monotone.check_columns(constraints, kinds.kinds_of(X), place)
    return constraints


def _quality_of_splits(dataset: str) -> dict:
    """Return the quality file of the prepared splits; refuse splits that it does not describe."""
    path, folder = paths.metrics(dataset, "quality"), paths.processed(dataset)
    quality = files.read_json(path, made_by=f"python prepare_data.py --dataset {dataset}")
    if folder.is_dir() and files.digest(folder) != quality["split_hash"]:
        raise DataError(
            f"{folder} is not what {path} describes; run `python prepare_data.py "
            f"--dataset {dataset}` again"
        )
    return quality


def _classes(target: pd.Series, data: Data) -> list[str] | None:
    """Return the class labels in their order; None for regression."""
    if data.task == "regression":
        return None
    return targets.class_labels(target, data.positive)


def _folds(train_split: pd.DataFrame, block: Dataset, seed: int) -> list[Fold]:
    """Return the folds of the training split, stratified where the target is a class."""
    labels = train_split[block.data.target] if block.data.task == "classification" else None
    return splits.folds(
        train_split, labels, block.prepare, block.train.cv_folds, seed, block.data.file
    )


def _chosen_features(dataset: str, columns: list[str], block: Dataset) -> list[str]:
    """Return the columns to fit on: all features but those that params.yaml excludes."""
    excluded = block.train.features.exclude
    unknown = [column for column in excluded if column not in columns]
    fault = None
    if unknown:
        fault = f"no feature {errors.listed(unknown)}"
    elif len(excluded) == len(columns):
        fault = "no feature is left"
    if fault:
        raise UsageError(
            f"{paths.PARAMS}: datasets.{dataset}.train.features.exclude: {fault}; "
            f"there are: {errors.listed(columns, most=100)}"
        )
    return [column for column in columns if column not in excluded]
