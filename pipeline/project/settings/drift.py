"""What counts as drift, and where it is reported."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from pipeline.project.settings.base import Settings, fault


class Drift(Settings):
    """What counts as drift: an adjusted p-value below alpha and an effect size of its threshold."""

    alpha: float = Field(default=0.05, gt=0, lt=1)
    """Level of the false discovery rate over a table's columns."""
    numbers: float = Field(default=0.1, ge=0)
    """Wasserstein distance, in the reference's standard deviations."""
    categories: float = Field(default=0.08, ge=0, le=1)
    """Jensen-Shannon distance, base 2: 1 = nothing in common."""
    dates: float | None = Field(default=None, ge=0)
    """Wasserstein distance of dates, in standard deviations; without it dates are not tested: new
    rows have later ones."""
    texts: float = Field(default=0.1, ge=0, le=1)
    """Difference of texts: of their lengths, of the share of unseen words, or twice the AUC less 1
    of a classifier that tells the tables apart by words."""
    missing: float = Field(default=0.05, ge=0, le=1)
    """Difference of the shares of missing values."""
    correlation: float = Field(default=0.3, ge=0, le=2)
    """Difference of the rank correlations of two columns."""
    min_rows: int = Field(default=50, ge=2)
    """Rows of either table below which the answer is "not enough data"."""
    min_columns: int = Field(default=1, ge=1)
    """How many drifted columns make an alarm."""
    weighting: Literal["none", "importance"] = "none"
    """Importance: drift in a column that the model ignores does not alarm."""
    report_rows: int = Field(default=5000, ge=50)
    """Rows of either table that the pages draw."""
    window_rows: int = Field(default=500, ge=2)
    """Rows of a window of the inference log."""
    windows: int = Field(default=3, ge=1)
    """How many of the newest windows are judged."""
    alarm_windows: int = Field(default=2, ge=1)
    """How many of them must have drifted for an alarm."""
    z_threshold: float = Field(default=2.0, gt=0)
    """From how many standard errors of a window's mean the quick look marks a feature."""

    @model_validator(mode="after")
    def _an_alarm_can_be(self) -> Self:
        if self.alarm_windows > self.windows:
            raise fault(
                "alarm_windows",
                f"{self.alarm_windows} is more than windows, {self.windows}, so that nothing "
                f"alarms",
            )
        return self


class Alerts(Settings):
    """Where drift is reported beside the terminal; the environment's ALERT_WEBHOOK goes first."""

    webhook: str | None = None
    """The address that gets a message about drift."""
    stages: bool = False
    """Whether the stages of `dvc repro` send messages as well."""

    @field_validator("webhook", mode="before")
    @classmethod
    def _an_address(cls, value: object) -> object:
        if value is None:
            return value
        if isinstance(value, str) and re.fullmatch(r"https?://[^/\s]+\S*", value):
            return value
        # the value is not shown: it lets one in
        raise fault(None, "is not an address that begins with https:// or http://")
