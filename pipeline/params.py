"""params.yaml as typed, checked settings; the only reader of that file."""

import os
import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from pipeline import paths
from pipeline.errors import UsageError

REGRESSION_METRICS = ("rmse", "mae", "r2")
CLASSIFICATION_METRICS = ("accuracy", "precision", "recall", "f1", "roc_auc", "average_precision", "log_loss")
METRICS = {"regression": REGRESSION_METRICS, "classification": CLASSIFICATION_METRICS}

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Hyperparameters = dict[str, bool | int | float | str | None]


class Settings(BaseModel):
    """A block of params.yaml: unknown keys are refused, values are not changed after the check."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(Settings):
    source: str = Field(min_length=1)
    depends_on: str = Field(min_length=1)
    file: str = Field(pattern=r"^data/[^/]+\.csv$")
    task: Literal["regression", "classification"]
    target: str
    positive: str | None = None
    drop: list[str] = []
    numeric: list[str] = []
    categorical: list[str] = []
    rows: int | None = Field(None, ge=1)
    separator: str = Field(",", min_length=1, max_length=1)
    encoding: str = "utf-8"

    @field_validator("positive", mode="before")
    @classmethod
    def _label_as_text(cls, value):
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _consistent(self):
        if self.task == "regression" and self.positive is not None:
            raise ValueError("positive is for classification; remove it or set task: classification")
        for role in ("drop", "numeric", "categorical"):
            if self.target in getattr(self, role):
                raise ValueError(f"{role} names the target {self.target!r}; remove it there")
        twice = set(self.numeric) & set(self.categorical)
        if twice:
            raise ValueError(f"{sorted(twice)[0]!r} stands in numeric and in categorical; keep one")
        return self


class Prepare(Settings):
    test_size: float = Field(0.2, gt=0, lt=1)
    split: str = Field("random", pattern=r"^(random|(time|group):.+)$")
    allow_leakage: list[str] = []

    @property
    def split_kind(self) -> str:
        return self.split.split(":", 1)[0]

    @property
    def split_column(self) -> str | None:
        """The column that orders or groups the rows; it is no feature."""
        return self.split.split(":", 1)[1] if ":" in self.split else None


class Features(Settings):
    exclude: list[str] = []


class Train(Settings):
    primary_metric: str
    cv_folds: int = Field(5, ge=2, le=50)
    models: dict[str, Hyperparameters] = Field(min_length=1)
    target_transform: Literal["none", "log1p"] = "none"
    features: Features = Features()
    resampling: Literal["none", "smote", "undersample"] = "none"
    threshold_metric: Literal["accuracy", "f1"] = "f1"

    @field_validator("models", mode="before")
    @classmethod
    def _list_of_names(cls, value):
        if isinstance(value, list):
            return {str(name): {} for name in value}
        return value


class Gate(Settings):
    min: float | None = None
    max: float | None = None
    on: Literal["test", "oof"] = "test"

    @model_validator(mode="after")
    def _one_bound(self):
        if self.min is None and self.max is None:
            raise ValueError("a gate needs min or max")
        return self


class Dataset(Settings):
    experiment: str = Field(min_length=1)
    data: Data
    prepare: Prepare
    train: Train
    gates: dict[str, Gate]

    @model_validator(mode="after")
    def _metrics_of_the_task(self):
        known = METRICS[self.data.task]
        for key, metric in [("train.primary_metric", self.train.primary_metric), *((f"gates.{g}", g) for g in self.gates)]:
            if metric.split("__")[0] not in known:
                raise ValueError(f"{key}: {metric!r} is no metric of {self.data.task}; allowed: {', '.join(known)}")
        if self.data.task == "regression" and self.train.resampling != "none":
            raise ValueError("train.resampling is for classification; set it to none")
        if self.data.task == "classification" and self.train.target_transform != "none":
            raise ValueError("train.target_transform is for regression; set it to none")
        return self


class Params(Settings):
    seed: int = Field(ge=0, lt=2**32)
    workers: int = -1
    datasets: dict[Name, Dataset] = Field(min_length=1)
    models: dict[str, Hyperparameters]

    @field_validator("workers")
    @classmethod
    def _a_number_of_workers(cls, value):
        if value == 0 or value < -1:
            raise ValueError("must be -1 (all cores) or 1 and more")
        return value

    def dataset(self, name: str) -> Dataset:
        """Return the block of one dataset; an unknown name is refused with the known ones."""
        if name not in self.datasets:
            raise UsageError(f"unknown dataset {name!r}; {paths.PARAMS} has: {', '.join(self.datasets)}")
        return self.datasets[name]

    def names(self, dataset: str) -> list[str]:
        """Return the datasets that `--dataset` means: all of them, or the one named."""
        if dataset == "all":
            return list(self.datasets)
        self.dataset(dataset)
        return [dataset]

    def hyperparameters(self, dataset: str, model: str) -> Hyperparameters:
        """Return a model's settings: the defaults under `models`, overridden by the dataset's own."""
        return {**self.models.get(model, {}), **self.dataset(dataset).train.models[model]}

    def cores(self) -> int:
        """Return how many fits may run at a time."""
        return len(os.sched_getaffinity(0)) if self.workers == -1 and hasattr(os, "sched_getaffinity") else (
            os.cpu_count() if self.workers == -1 else self.workers)


def load() -> Params:
    """Return the settings of params.yaml.

    Raises UsageError with the key's full name, the value and what is allowed, on the first fault of the file.
    """
    from ruamel.yaml import YAML            # YAML 1.2, as DVC reads it: `Yes` is text and 1e-3 is a number
    from ruamel.yaml.error import YAMLError
    try:
        content = YAML(typ="safe", pure=True).load(paths.PARAMS.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"no {paths.PARAMS} in this folder; run from the project's root") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{paths.PARAMS} is not valid YAML: {error}") from None
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise UsageError(_one_line(error)) from None


def _one_line(error: ValidationError) -> str:
    fault = error.errors()[0]
    key = ".".join(str(part) for part in fault["loc"] if part not in ("[key]",) and not _is_type_name(part))
    found = fault["input"]
    value = "" if isinstance(found, dict | list) or fault["type"] in ("missing", "extra_forbidden") else f" (found {found!r})"
    rest = f"; and {error.error_count() - 1} more" if error.error_count() > 1 else ""
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        message = "unknown key; remove it or mend its spelling"
    if fault["type"] == "string_pattern_mismatch":
        message = f"must match {fault['ctx']['pattern']}"
    return f"{paths.PARAMS}: {key or 'the file'}: {message}{value}{rest}"


def _is_type_name(part) -> bool:
    """Tell whether a part of pydantic's location names a member of a union and no key of the file."""
    return isinstance(part, str) and re.fullmatch(r"bool|int|float|str|none", part) is not None
