"""How the best model is judged: on slices, at the gates, and against the champion."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.project.settings.base import Settings


class Slices(Settings):
    """Parts of the table on which the best model is scored separately."""

    columns: list[str] = []
    """Columns with one slice per category, or per quarter of the numbers."""
    depth: int = Field(default=3, ge=0, le=5)
    """Depth of the tree that looks for the worst slices; 0 = no search."""
    min_rows: int = Field(default=30, ge=10)
    """Minimum number of training rows of a slice."""


class Gate(Settings):
    """The bounds of a score on the test rows or out of fold, or of one end of its interval."""

    min: float | None = Field(None, allow_inf_nan=False)
    """The lowest value that passes."""
    max: float | None = Field(None, allow_inf_nan=False)
    """The highest value that passes."""
    on: Literal["test", "oof"] = "test"
    """The test rows, or the pooled out-of-fold predictions where the test rows are too few."""
    by: Literal["value", "low", "high"] = "value"
    """The score itself, or the worse end of its 95 % interval."""

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("a gate needs min or max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}, so that nothing passes")
        return self

    @model_validator(mode="after")
    def _worse_end_of_an_interval(self) -> Self:
        if self.by == "value":
            return self
        if self.on == "oof":
            raise ValueError(f"by: {self.by} is for on: test; out of fold there is no interval")
        bound, other = ("min", self.max) if self.by == "low" else ("max", self.min)
        if other is not None:
            raise ValueError(f"by: {self.by} goes with {bound} alone, else it asks for less")
        return self


class Register(Settings):
    """The model's name in the registry, and when a new version takes the champion's place."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$")
    """The model's name in the registry."""
    promote: Literal["better", "not_worse", "always"] = "not_worse"
    """When a new version replaces the champion."""
    margin: float = Field(0.02, ge=0, lt=1)
    """Share of the champion's score by which a challenger may be worse and still count as not
    worse."""
    min_rows: int = Field(50, ge=2)
    """Minimum number of test rows new to both models; with fewer there is no decision."""
