"""What counts as drift, and where it is reported."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from pipeline.project.settings.base import Settings, fault


class Drift(Settings):
    """What counts as drift: an adjusted p-value below alpha, and an effect size at or above its
    threshold."""

    alpha: float = Field(default=0.05, gt=0, lt=1)
    """Level of the false discovery rate over the columns of a table."""
    numbers: float = Field(default=0.1, ge=0)
    """Threshold of numbers: Wasserstein distance, in standard deviations of the reference."""
    categories: float = Field(default=0.08, ge=0, le=1)
    """Threshold of categories: Jensen-Shannon distance, base 2; 1 = nothing in common."""
    dates: float | None = Field(default=None, ge=0)
    """Threshold of dates: Wasserstein distance, in standard deviations. By default dates are not
    tested, as new rows have later ones."""
    texts: float = Field(default=0.1, ge=0, le=1)
    """Threshold of texts: the difference of their lengths or of the share of unseen words, or 2 AUC
    - 1 of a classifier that tells the tables apart by words."""
    missing: float = Field(default=0.05, ge=0, le=1)
    """Threshold of the difference of the shares of missing values."""
    correlation: float = Field(default=0.3, ge=0, le=2)
    """Threshold of the difference of two columns' rank correlation."""
    min_rows: int = Field(default=50, ge=2)
    """Minimum number of rows of each table; with fewer the answer is "not enough data"."""
    min_columns: int = Field(default=1, ge=1)
    """Number of drifted columns that make an alarm."""
    weighting: Literal["none", "importance"] = "none"
    """`importance`: drift in a column that the model ignores is no alarm."""
    report_rows: int = Field(default=5000, ge=50)
    """Number of rows of each table that the pages draw."""
    window_rows: int = Field(default=500, ge=2)
    """Number of rows of a window of the inference log."""
    windows: int = Field(default=3, ge=1)
    """Number of newest windows to judge."""
    alarm_windows: int = Field(default=2, ge=1)
    """Number of drifted windows that make an alarm."""
    z_threshold: float = Field(default=2.0, gt=0)
    """Number of standard errors of a window's mean from which the quick look marks a feature."""

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
    """Where drift is reported, besides the terminal; the environment variable ALERT_WEBHOOK comes
    first."""

    webhook: str | None = None
    """The address that messages about drift are sent to."""
    stages: bool = False
    """Whether the stages of `dvc repro` send messages too."""

    @field_validator("webhook", mode="before")
    @classmethod
    def _an_address(cls, value: object) -> object:
        if value is None:
            return value
        if isinstance(value, str) and re.fullmatch(r"https?://[^/\s]+\S*", value):
            return value
        # the value is not shown: it lets one in
        raise fault(None, "is not an address that begins with https:// or http://")
