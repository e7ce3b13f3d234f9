"""The search for hyperparameters: its budget and the values that they may take."""

import math
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from pipeline.project.settings.base import PlainValue, Settings

BY_SECONDS = ("catboost", "extra_trees", "neural_network")


class Tune(Settings):
    """How hyperparameters are searched."""

    models: list[str] = Field(["lightgbm", "xgboost"], min_length=1)
    """The model families to search, together in one study. By default, a search by `seconds` also
    searches catboost, extra_trees and neural_network."""
    trials: int = Field(50, ge=1)
    """Number of trials, including the baselines and the portfolio."""
    seconds: float | None = Field(None, gt=0)
    """Time budget of the whole stage, in place of `trials`; the result then depends on the
    machine."""
    batch: int = Field(6, ge=1)
    """Number of trials that run at a time; the sampler knows the results of all before them."""
    pruner: Literal["race", "none"] = "race"
    """Whether a trial stops once its first folds show that it cannot beat the best one of its
    model."""
    patience: int = Field(50, ge=1)
    """Number of rounds without gain after which a booster stops."""
    stopping_share: float = Field(0.15, gt=0, lt=1)
    """Share of a fold's fitted rows that early stopping watches."""
    target_transforms: list[Literal["none", "log1p"]] = []
    """Transforms that each trial chooses from; empty: `train.target_transform`."""
    final: Literal["auto", "bag", "refit"] = "auto"
    """The final model of a trial: the mean of its folds' models, or one model refitted on all
    rows."""
    blend: bool = True
    """Whether a blend of the best models becomes a candidate."""
    objectives: list[Literal["metric", "size"]] = ["metric"]
    """`[metric, size]` searches for small models as well."""
    tolerance: float = Field(0.01, ge=0)
    """Share of the best metric that a smaller or faster model may give up."""

    @property
    def searched(self) -> list[str]:
        """Return the families that are searched.

        BY_SECONDS find what boosters with a fast fit miss, and are slow on some tables: by default
        they are searched where only so much time can be lost on them.
        """
        by_default = "models" not in self.model_fields_set
        return [*self.models, *BY_SECONDS] if by_default and self.seconds else self.models

    @field_validator("objectives")
    @classmethod
    def _metric_and_one_more(cls, objectives: list[str]) -> list[str]:
        if objectives not in (["metric"], ["metric", "size"]):
            raise ValueError("must be [metric] or [metric, size]")
        return objectives

    @field_validator("models")
    @classmethod
    def _named_once(cls, models: list[str]) -> list[str]:
        if len(set(models)) < len(models):
            raise ValueError("names a model twice")
        return models


class SearchSpace(Settings):
    """The values that a hyperparameter may take: a range, or choices."""

    low: int | float | None = None
    """The lowest value."""
    high: int | float | None = None
    """The highest value."""
    log: bool = False
    """Whether values are drawn on a logarithmic scale."""
    step: int | float | None = Field(None, gt=0)
    """The step between values."""
    choices: list[PlainValue] | None = Field(None, min_length=1)
    """The values to choose from, instead of a range."""

    @model_validator(mode="after")
    def _a_range_or_choices(self) -> Self:
        if self.choices is not None:
            bounds = (self.low, self.high, self.step)
            if self.log or any(value is not None for value in bounds):
                raise ValueError("choices stand alone, without low, high, log and step")
            return self
        if self.low is None or self.high is None or not _finite(self.low, self.high):
            raise ValueError("needs low and high, or choices")
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")
        if self.log:
            _check_log_scale(self.low, self.step)
        return self


def _check_log_scale(low: float, step: float | None) -> None:
    if low <= 0:
        raise ValueError(f"log: true needs a low above 0, and low is {low:g}")
    if step is not None:
        raise ValueError("log and step exclude each other")


def _finite(*values: float) -> bool:
    return all(math.isfinite(value) for value in values)
