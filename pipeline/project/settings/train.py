"""How the models of a dataset are fitted and compared, and how they decide."""

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from pipeline.project.settings.base import Name, Settings, fault
from pipeline.project.settings.costs import costs_checked
from pipeline.project.settings.own_code import ModelEntry, OwnMetric


class Features(Settings):
    exclude: list[str] = []
    """Prepared columns that the models of this dataset do not use."""


class Train(Settings):
    primary_metric: str
    """The metric by which models are compared."""
    cv_folds: int = Field(5, ge=2, le=50)
    """Folds of the cross-validation."""
    models: dict[str, ModelEntry] = Field(min_length=1)
    """A list of model families, or a mapping of them to their hyperparameters."""
    target_transform: Literal["none", "log1p"] = "none"
    """Transform of the target before a model is fitted."""
    features: Features = Features()
    resampling: Literal["none", "smote", "undersample"] = "none"
    """How the classes are balanced inside each fit."""
    metrics: dict[Name, OwnMetric] = {}
    """Metrics of your own, which `primary_metric`, `threshold_metric` and `gates` may name."""
    threshold_metric: str = "f1"
    """The metric that the decision threshold of a binary classifier maximises out of fold: `f1`,
    `accuracy` or one of `metrics`; not with `costs`."""
    monotone: dict[str, Literal[-1, 1]] = {}
    """Numeric columns along which the prediction, or the probability of the positive class, may
    only rise (1) or only fall (-1)."""
    costs: dict[str, Any] = {}
    """What decisions cost: `{false_positive: 1, false_negative: 12}`, by class
    `{actual: {decided: cost}}`, or with a column of amounts in place of a number."""

    @property
    def deciding_metric(self) -> str:
        """The metric by which decisions are made out of probabilities."""
        return "cost_per_1000" if self.costs else self.threshold_metric

    @field_validator("costs", mode="before")
    @classmethod
    def _outcomes_or_a_table(cls, value: object) -> object:
        return costs_checked(value) if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _metric_of_decisions(self) -> Self:
        allowed = ["accuracy", "f1"]
        allowed += [name for name, metric in self.metrics.items() if metric.of == "decisions"]
        if self.threshold_metric not in allowed:
            raise fault(
                "threshold_metric",
                f"must be one of: {', '.join(allowed)} (found {self.threshold_metric!r})",
            )
        for name in self.metrics:
            if "__" in name:
                raise fault(f"metrics.{name}", "must have no __, which metrics of a class have")
        return self

    @model_validator(mode="after")
    def _costs_alone_decide(self) -> Self:
        if self.costs and "threshold_metric" in self.model_fields_set:
            raise fault(
                "threshold_metric",
                "train.costs decide, so that it has no effect; remove one of the two",
            )
        return self

    @field_validator("models", mode="before")
    @classmethod
    def _list_of_names(cls, value: object) -> object:
        if isinstance(value, list):
            return {str(name): {} for name in value}
        return value
