"""params.yaml as typed, checked settings; the only reader of that file."""

import math
import re
from itertools import combinations
from typing import Annotated, Any, Literal, NamedTuple, Self

from joblib import cpu_count
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.error import YAMLError

from pipeline.project import downloads, paths
from pipeline.project.errors import UsageError

DEEPEST = 20  # levels of params.yaml; the deepest setting is on the seventh


def _plain(value: object) -> object:
    finite = isinstance(value, float) and math.isfinite(value)
    if finite or isinstance(value, bool | int | str | None):
        return value
    raise ValueError("must be a number, text, true, false or null")


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
HostName = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])$")]
# where the costs of two classes stand in a table: [actual][decided], the positive class last
OUTCOMES = {
    "true_negative": (0, 0),
    "false_positive": (0, 1),
    "false_negative": (1, 0),
    "true_positive": (1, 1),
}
Cost = float | str


def _own_file(path: str) -> str:
    parts = path.split("/")
    if parts[0] == "features" and ".." not in parts and path.endswith(".py"):
        return path
    raise ValueError(
        "must be a Python file in features/, the folder that every prepare stage of dvc.yaml "
        "depends on, such as features/flights.py"
    )


def _own_place(place: str) -> str:
    path, _, name = place.partition(":")
    if not name.isidentifier():
        raise ValueError("must name a file and what it defines, such as features/flights.py:Means")
    _own_file(path)
    return place


OwnFile = Annotated[str, AfterValidator(_own_file)]
OwnPlace = Annotated[str, AfterValidator(_own_place)]
Hyperparameters = dict[str, Annotated[Any, AfterValidator(_plain)]]


def _fault(key: str | None, message: str) -> PydanticCustomError:
    """Return the error of a key below the block that is being checked."""
    return PydanticCustomError("fault", "{message}", {"key": key, "message": message})


# of a model's entry, beside its hyperparameters
OWN_MODEL_KEYS = ("class", "encoding")
ENCODINGS = ("scaled", "filled", "native", "integer")


class OwnClass(NamedTuple):
    """The class of a model that is not in the catalogue: a dotted name, or FILE:NAME."""

    path: str
    encoding: str


def _own_class(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a model's entry; raises ValueError where it names its class in no known way."""
    path, encoding = entry.get("class"), entry.get("encoding", "scaled")
    if "encoding" in entry and path is None:
        raise ValueError("has an encoding, which goes with a class; add the class or remove it")
    if encoding not in ENCODINGS:
        raise ValueError(f"encoding {encoding!r} must be one of {', '.join(ENCODINGS)}")
    if path is None:
        return entry
    if not isinstance(path, str) or "." not in path:
        raise ValueError(f"class {path!r} must be a dotted name, such as sklearn.svm.SVC")
    if ":" in path:
        _own_place(path)
    return entry


ModelEntry = Annotated[Hyperparameters, AfterValidator(_own_class)]


class Settings(BaseModel):
    """A block of params.yaml: unknown keys and other types are refused, values never change."""

    model_config = ConfigDict(frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, block: object) -> object:
        if not isinstance(block, dict):
            return block
        known = [field.alias or name for name, field in cls.model_fields.items()]
        for key in block:
            if key not in known:
                raise _fault(str(key), f"unknown key; allowed: {', '.join(known)}")
        return block


class Data(Settings):
    source: str = Field(min_length=1)
    """Where the table comes from: `synthetic`, `sklearn`, `openml:NAME@VERSION`, a path or a
    URL."""
    depends_on: str = Field(min_length=1)
    """The file whose change makes `dvc repro` read the source again."""
    file: str = Field(pattern=r"^data/[^/]+\.csv$")
    """The CSV under `data/` that the pipeline works on."""
    task: Literal["regression", "classification"]
    """What is predicted: a number or a class."""
    target: str
    """The column to predict."""
    positive: str | None = None
    """With two classes, the one that counts."""
    drop: list[str] = []
    """Columns that no model may see, such as identifiers."""
    numeric: list[str] = []
    """Columns to read as numbers whatever their values look like."""
    categorical: list[str] = []
    """Columns to read as categories, such as codes made of digits."""
    features: OwnFile | None = None
    """A file of your own below `features/`, whose function `features` makes the columns that models
    are fitted on from those of the table."""
    transformers: list[OwnPlace] = []
    """Transformers of your own that are fitted inside each fit, as `features/FILE.py:CLASS`."""
    dates: dict[str, list[str]] = {}
    """Columns to read as dates, a list of names, or a mapping of them to their format as strptime
    has it, such as `"%d.%m.%Y"`, to `unix` or `unix_ms` (seconds and milliseconds since 1970), or
    to a list of formats."""
    text: list[str] = []
    """Columns to read as free text, of which models see words and parts of words."""
    weight: str | None = None
    """The column that says how much each row counts in fits and scores; it is not a feature."""
    rows: int | None = Field(None, ge=1)
    """Rows of a synthetic table."""
    separator: str | None = Field(None, min_length=1, max_length=1)
    """What separates the values of the source; by default a tab in .tsv files, else a comma."""
    encoding: str = "utf-8"
    """How the source encodes its characters; a byte order mark goes before it."""
    sheet: str | None = None
    """The sheet of an Excel workbook that has several."""
    decimal: Literal[".", ","] = "."
    """The decimal mark of the source's numbers."""
    thousands: Literal[",", ".", " ", "'", "_"] | None = None
    """The mark between groups of three digits in the source's numbers."""
    missing: list[str] = []
    """Words of the source that mean a missing value, beside NA, NaN, null and the like."""
    true_words: list[str] = []
    """Words for true; a column of nothing but these and false_words becomes True and False."""
    false_words: list[str] = []
    """Words for false."""
    missing_target: Literal["refuse", "drop"] = "refuse"
    """What becomes of rows without a target: an error, or they are left out and counted."""

    @field_validator("source")
    @classmethod
    def _no_password(cls, source: str) -> str:
        if downloads.has_password(source):
            raise _fault(
                None,
                "names a user or a password, which git would keep; give that URL by --source, or "
                "fetch the file to data/raw/",
            )
        return source

    @field_validator("transformers", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("dates", mode="before")
    @classmethod
    def _names_or_formats(cls, value: object) -> object:
        if isinstance(value, list):
            return {str(name): [] for name in value}
        if not isinstance(value, dict):
            return value
        formats: dict[object, object] = {}
        for name, given in value.items():
            formats[name] = [given] if isinstance(given, str) else given or []
        return formats

    @field_validator("dates")
    @classmethod
    def _formats_of_dates(cls, formats: dict[str, list[str]]) -> dict[str, list[str]]:
        for column, names in formats.items():
            for name in names:
                _check_date_format(column, name)
        return formats

    @field_validator("positive", mode="before")
    @classmethod
    def _label_as_text(cls, value: object) -> object:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return str(value) if is_number else value

    @field_validator("missing", "true_words", "false_words", mode="before")
    @classmethod
    def _words_as_text(cls, words: object) -> object:
        if not isinstance(words, list):
            return words
        return [_word(word) for word in words]

    @model_validator(mode="after")
    def _spellings_apart(self) -> Self:
        if self.thousands == self.decimal:
            raise _fault("thousands", f"{self.thousands!r} is the decimal mark, too; change either")
        twice = set(self.true_words) & set(self.false_words)
        if twice:
            raise _fault("true_words", f"{sorted(twice)[0]!r} stands in false_words, too; keep one")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.task == "regression" and self.positive is not None:
            raise _fault(
                "positive",
                f"{self.positive!r} is for classification; remove it or set task: classification",
            )
        for role in ("drop", *ROLES_OF_KINDS):
            if self.target in getattr(self, role):
                raise _fault(role, f"names the target {self.target!r}; remove it there")
        if self.weight == self.target:
            raise _fault("weight", f"names the target {self.target!r}; name another column")
        for role in ("drop", *ROLES_OF_KINDS):
            if role != "numeric" and self.weight in getattr(self, role):
                raise _fault(role, f"names {self.weight!r}, which is data.weight; remove it there")
        for role, other in combinations(ROLES_OF_KINDS, 2):
            twice = set(getattr(self, role)) & set(getattr(self, other))
            if twice:
                raise _fault(role, f"{sorted(twice)[0]!r} stands in {other}, too; keep one")
        return self


def _word(value: object) -> object:
    """Return a word of a list in params.yaml as text: -999 and 1 are words, too."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


# the settings that say of what kind a column is
ROLES_OF_KINDS = ("numeric", "categorical", "dates", "text")


def _check_date_format(column: str, name: str) -> None:
    """Raise a fault where dates cannot be read in a format: it must have a year."""
    if name in ("unix", "unix_ms"):
        return
    if not re.search(r"%[YyGcDxs]", name):
        raise _fault(
            None,
            f'{column!r}: {name!r} has no year; give a format such as "%d.%m.%Y", unix or unix_ms',
        )


class Prepare(Settings):
    test_size: float = Field(0.2, gt=0, lt=1)
    """Share of the rows that become test rows."""
    split: str = Field("random", pattern=r"^(random|(time|group):.+)$")
    """`random`, `time:COLUMN` (the latest rows are tested) or `group:COLUMN` (a group stays
    together)."""
    allow_leakage: list[str] = []
    """Columns that may predict the target almost perfectly."""

    @property
    def split_kind(self) -> str:
        return self.split.split(":", 1)[0]

    @property
    def split_column(self) -> str | None:
        """The column that orders or groups the rows; it is not a feature."""
        return self.split.split(":", 1)[1] if ":" in self.split else None


def costs_checked(value: dict[Any, Any]) -> dict[str, Any]:
    """Return train.costs with class labels as text; raises the fault of a key below it."""
    if not any(isinstance(cost, dict) for cost in value.values()):
        return _outcomes_checked(value)
    checked: dict[str, Any] = {}
    for actual, row in value.items():
        if not isinstance(row, dict):
            raise _fault(str(actual), "must be a table, {DECIDED: COST}, as the others are")
        checked[str(actual)] = {str(decided): cost for decided, cost in row.items()}
        for decided, cost in checked[str(actual)].items():
            _check_cost(cost, f"{actual}.{decided}")
        _check_right_one_is_cheapest(checked[str(actual)], str(actual), str(actual))
    return checked


def _outcomes_checked(costs: dict[Any, Any]) -> dict[str, Any]:
    for outcome, cost in costs.items():
        if outcome not in OUTCOMES:
            allowed = f"{', '.join(OUTCOMES)}, or a table {{ACTUAL: {{DECIDED: COST}}}}"
            raise _fault(str(outcome), f"unknown; allowed: {allowed}")
        _check_cost(cost, outcome)
    if costs:
        for right, wrong in (
            ("true_negative", "false_positive"),
            ("true_positive", "false_negative"),
        ):
            row = {name: costs.get(name, 0) for name in (right, wrong)}
            _check_right_one_is_cheapest(row, right, wrong)
    return costs


def _check_cost(cost: object, key: str) -> None:
    if isinstance(cost, str) and cost:
        return
    is_number = isinstance(cost, int | float) and not isinstance(cost, bool)
    if not is_number or not math.isfinite(cost):  # type: ignore[arg-type]
        raise _fault(key, f"must be a number or the name of a column (found {cost!r})")


def _check_right_one_is_cheapest(row: dict[str, Any], right: str, key: str) -> None:
    """Raise the fault of an actual class of which no error costs more than the right decision.

    The amounts of columns are not known here.
    """
    costs = {right: 0, **row}
    if any(isinstance(cost, str) for cost in costs.values()):
        return
    errors = [cost for decided, cost in costs.items() if decided != right]
    if not errors or min(errors) < costs[right] or max(errors) == costs[right]:
        shown = ", ".join(f"{decided} {cost:g}" for decided, cost in costs.items())
        raise _fault(key, f"an error must cost more than the right decision (found {shown})")


class Features(Settings):
    exclude: list[str] = []
    """Prepared columns that the models of this dataset do not use."""


class OwnMetric(Settings):
    """A metric of the user's own."""

    function: OwnPlace
    """The function, as `features/FILE.py:NAME`."""
    greater_is_better: bool
    """Its direction."""
    of: Literal["decisions", "probabilities"] = "decisions"
    """What a classifier's predictions are handed over as; a regression's are numbers."""


class Train(Settings):
    primary_metric: str
    """The metric by which models are compared."""
    cv_folds: int = Field(5, ge=2, le=50)
    """Folds of the cross-validation."""
    models: dict[str, ModelEntry] = Field(min_length=1)
    """A list of model families, or a mapping of them to their hyperparameters."""
    target_transform: Literal["none", "log1p"] = "none"
    """What the target is transformed by before a model is fitted."""
    features: Features = Features()
    resampling: Literal["none", "smote", "undersample"] = "none"
    """How the classes are balanced inside each fit."""
    metrics: dict[Name, OwnMetric] = {}
    """Metrics of your own, which `primary_metric`, `threshold_metric` and `gates` may name."""
    threshold_metric: str = "f1"
    """What the decision threshold of a binary classifier maximises out of fold: `f1`, `accuracy` or
    one of `metrics`; `costs` take its place."""
    monotone: dict[str, Literal[-1, 1]] = {}
    """Columns of numbers along which models may only rise (1) or only fall (-1): the prediction, or
    the probability of the positive class."""
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
            raise _fault(
                "threshold_metric",
                f"must be one of: {', '.join(allowed)} (found {self.threshold_metric!r})",
            )
        for name in self.metrics:
            if "__" in name:
                raise _fault(f"metrics.{name}", "must have no __, which metrics of a class have")
        return self

    @model_validator(mode="after")
    def _costs_alone_decide(self) -> Self:
        if self.costs and "threshold_metric" in self.model_fields_set:
            raise _fault(
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


class Tune(Settings):
    """How the hyperparameters of a dataset's models are searched."""

    models: list[str] = Field(["lightgbm", "xgboost"], min_length=1)
    """The families that are searched, together in one study."""
    trials: int = Field(50, ge=1)
    """How many trials, with the baselines and the portfolio among them."""
    seconds: float | None = Field(None, gt=0)
    """In place of `trials`, the seconds that the whole stage may take; what is found then depends
    on the machine."""
    batch: int = Field(6, ge=1)
    """Trials that are under way at a time: the sampler knows the results of all before them."""
    pruner: Literal["race", "none"] = "race"
    """Whether a trial ends once its first folds show that it cannot beat its model's best one."""
    patience: int = Field(50, ge=1)
    """Rounds without gain after which a booster stops."""
    stopping_share: float = Field(0.15, gt=0, lt=1)
    """Share of a fold's fitted rows that early stopping watches."""
    target_transforms: list[Literal["none", "log1p"]] = []
    """Transforms that each trial chooses from; empty: `train.target_transform`."""
    final: Literal["auto", "bag", "refit"] = "auto"
    """What becomes of a trial: the mean of its folds' models, or one model refitted on all rows."""
    blend: bool = True
    """Whether a blend of the models that did well becomes a candidate."""
    objectives: list[Literal["metric", "size"]] = ["metric"]
    """`[metric, size]` searches for small models as well."""
    tolerance: float = Field(0.01, ge=0)
    """Share of the best metric that a smaller or faster model may lose."""

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
    """The distance between two values."""
    choices: list[Annotated[Any, AfterValidator(_plain)]] | None = Field(None, min_length=1)
    """The values to choose from, in place of a range."""

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
            raise _fault(
                "alarm_windows",
                f"{self.alarm_windows} is more than windows, {self.windows}, so that nothing "
                f"alarms",
            )
        return self


class Serve(Settings):
    """How a dataset's model answers requests and what of them is kept."""

    unseen: Literal["accept", "refuse"] = "accept"
    """Unseen categories: accept or refuse them."""
    allowed_hosts: list[HostName] = []
    """Names, beside localhost, by which the server may be called without a token."""
    max_body: int = Field(default=1_000_000, ge=1_000)
    """Most bytes of a request."""
    reload_seconds: float = Field(default=2.0, ge=0.1)
    """Seconds between two looks at the champion's alias."""
    shadow: bool = False
    """The challenger answers too, into the log only."""
    log_sample: float = Field(default=1.0, ge=0, le=1)
    """Share of the requests that are logged."""
    log_redact: list[str] = []
    """Features that are left out of the log."""
    log_file_size: int = Field(default=50_000_000, ge=10_000)
    """Bytes at which a new log file begins."""
    log_fsync: bool = False
    """Each write of the log is put on the disk, for power failures."""


class Slices(Settings):
    """Parts of the table on which the best model is scored by itself."""

    columns: list[str] = []
    """Columns with one slice per category, or per quarter of the numbers."""
    depth: int = Field(default=3, ge=0, le=5)
    """Depth of the tree that looks for the worst slices; 0 = no search."""
    min_rows: int = Field(default=30, ge=10)
    """Fewest training rows of a slice."""


class Gate(Settings):
    """The bounds of a score, of the test rows or out of fold, or of an end of its interval."""

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
    """Test rows new to both models, below which there is no decision."""


class Dataset(Settings):
    experiment: str = Field(min_length=1)
    """The name of the experiment in MLflow."""
    data: Data
    prepare: Prepare
    train: Train
    tune: Tune
    drift: Drift
    slices: Slices = Slices()
    gates: dict[str, Gate]
    registration: Register = Field(alias="register")
    """A pydantic class has a `register` of its own."""
    serve: Serve = Serve()

    @model_validator(mode="after")
    def _settings_of_the_task(self) -> Self:
        if self.data.task == "regression" and self.train.resampling != "none":
            raise _fault(
                "train.resampling",
                f"{self.train.resampling!r} is for classification; set it to none",
            )
        if self.data.task == "regression" and self.train.costs:
            raise _fault("train.costs", "are of decisions, which regression has none of; remove it")
        if self.data.task == "classification" and self.train.target_transform != "none":
            raise _fault(
                "train.target_transform",
                f"{self.train.target_transform!r} is for regression; set it to none",
            )
        if self.data.task == "classification" and self.tune.target_transforms:
            raise _fault("tune.target_transforms", "is for regression; remove it")
        if self.data.weight is not None and self.train.resampling == "smote":
            raise _fault(
                "train.resampling",
                "smote makes rows up, which have no weight by data.weight; set it to undersample "
                "or none",
            )
        if self.data.weight is not None and self.prepare.split_column == self.data.weight:
            raise _fault("data.weight", "is the column of prepare.split; name another one")
        if self.prepare.split_column == self.data.target:
            raise _fault(
                "prepare.split", f"{self.prepare.split!r} names the target; name another column"
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
        raise _fault(None, "is not an address that begins with https:// or http://")


class Params(Settings):
    seed: int = Field(ge=0, lt=2**32)
    """Seed of every random choice."""
    workers: int = -1
    """Fits at a time, one thread each; -1 = all cores. Results do not depend on it."""
    dask: str | None = None
    """The address of a Dask scheduler that does the fits."""
    alerts: Alerts = Alerts()
    datasets: dict[Name, Dataset] = Field(min_length=1)
    models: dict[str, ModelEntry]
    """Hyperparameters of the families, for every dataset; of a model of your own also its
    `class`."""
    trust: list[str] = []
    """Types that stored models of your own may hold, whose code runs when one is loaded."""
    search_spaces: dict[str, dict[str, SearchSpace]] = {}
    portfolio: dict[str, list[Hyperparameters]] = {}
    """Configurations that the search tries first, by family."""

    @field_validator("datasets")
    @classmethod
    def _names_and_files_of_their_own(cls, datasets: dict[str, Dataset]) -> dict[str, Dataset]:
        if "all" in datasets:
            raise _fault("all", "stands for every dataset on the command line; choose another name")
        owners: dict[tuple[str, str], str] = {}
        for name, dataset in datasets.items():
            names = {"data.file": dataset.data.file, "register.name": dataset.registration.name}
            for key, value in names.items():
                owner = owners.setdefault((key, value), name)
                if owner != name:
                    raise _fault(
                        f"{name}.{key}", f"{value!r} is that of {owner}, too; choose another name"
                    )
        return datasets

    @model_validator(mode="after")
    def _spaces_of_the_tuned_models(self) -> Self:
        for name, dataset in self.datasets.items():
            for model in dataset.tune.models:
                if model not in self.search_spaces:
                    known = ", ".join(self.search_spaces) or "none"
                    raise _fault(
                        f"search_spaces.{model}",
                        f"is not there, and datasets.{name}.tune.models names it; "
                        f"there are: {known}",
                    )
        return self

    @field_validator("workers")
    @classmethod
    def _a_number_of_workers(cls, value: int) -> int:
        if value == 0 or value < -1:
            raise ValueError("must be -1 (all cores) or 1 and more")
        return value

    def dataset(self, name: str) -> Dataset:
        """Return the block of one dataset; an unknown name is refused with the known ones."""
        if name not in self.datasets:
            raise UsageError(
                f"unknown dataset {name!r}; {paths.PARAMS} has: {', '.join(self.datasets)}"
            )
        return self.datasets[name]

    def names(self, dataset: str) -> list[str]:
        """Return the datasets that `--dataset` means: all of them, or the one named."""
        if dataset == "all":
            return list(self.datasets)
        self.dataset(dataset)
        return [dataset]

    def hyperparameters(self, dataset: str, model: str) -> Hyperparameters:
        """Return a model's settings: the defaults under `models`, then the dataset's own."""
        return {
            name: value
            for name, value in self._entry(dataset, model).items()
            if name not in OWN_MODEL_KEYS
        }

    def _entry(self, dataset: str, model: str) -> Hyperparameters:
        return {**self.models.get(model, {}), **self.dataset(dataset).train.models.get(model, {})}

    def models_of(self, dataset: str) -> list[str]:
        """Return the models that a dataset trains or tunes."""
        block = self.dataset(dataset)
        return list(dict.fromkeys([*block.train.models, *block.tune.models]))

    def own_class(self, dataset: str, model: str) -> OwnClass | None:
        """Return the class of a model that its entry names; None of a model of the catalogue."""
        entry = self._entry(dataset, model)
        if "class" not in entry:
            return None
        return OwnClass(str(entry["class"]), str(entry.get("encoding", "scaled")))

    def tuning(self, **changed: Any) -> "Params":
        """Return these settings with other ones in the tune block of every dataset."""
        datasets = {}
        for name, dataset in self.datasets.items():
            tune = dataset.tune.model_copy(update=changed)
            datasets[name] = dataset.model_copy(update={"tune": tune})
        return self.model_copy(update={"datasets": datasets})

    def tuning_only(self, model: str) -> "Params":
        """Return these settings with one model to tune for every dataset."""
        if model not in self.search_spaces:
            known = ", ".join(self.search_spaces)
            raise UsageError(f"--model {model}: {paths.PARAMS} has search_spaces of: {known}")
        return self.tuning(models=[model])

    def cores(self) -> int:
        """Return how many fits may run at a time: `workers`, or the cores this process may use.

        Beside another stage a process may use its share alone, which ops.repro says in joblib's own
        variable.
        """

        return cpu_count() if self.workers == -1 else min(self.workers, cpu_count())


def load() -> Params:
    """Return the settings of params.yaml.

    Raises UsageError with the key's full name, the value and what is allowed, on the first fault.
    """
    try:
        return parse(paths.PARAMS.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"no {paths.PARAMS} in this folder; run from the project's root") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{paths.PARAMS} is not valid YAML: {error}") from None


def parse(text: str) -> Params:
    """Return the settings that a text of params.yaml holds, as `load` does.

    It is YAML 1.2, as DVC reads it: `Yes` is text and 1e-3 is a number.
    """
    try:
        yaml = YAML(typ="safe", pure=True)
        yaml.Composer = _ShallowComposer
        content = yaml.load(text)
    except YAMLError as error:
        raise UsageError(f"{paths.PARAMS} is not valid YAML: {_yaml_reason(error)}") from None
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise UsageError(_one_line(error)) from None


class _ShallowComposer(Composer):
    """Refuses a file that is nested deeper than any setting, before Python's stack ends."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ComposerError(
                problem=f"nested deeper than {DEEPEST} levels",
                problem_mark=self.parser.peek_event().start_mark,
            )
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _yaml_reason(error: Any) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}: {error.problem}" if mark else str(error)


def _one_line(error: ValidationError) -> str:
    """Return the first fault of the file: its key, what is allowed, and what was found."""
    fault = error.errors()[0]
    context = fault.get("ctx", {})
    parts = [part for part in (*fault["loc"], context.get("key")) if part not in ("[key]", None)]
    key = ".".join(str(part) for part in parts) or "the file"
    found, message = fault["input"], fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "string_pattern_mismatch":
        message = f"must match {context['pattern']}"
    elif fault["type"] in ("dict_type", "model_type"):
        message = "must be a block of keys; an empty one is {}"
    if fault["type"] not in ("missing", "fault") and not isinstance(found, dict):
        message = f"{message} (found {found!r})"
    more = error.error_count() - 1
    rest = f"; and {more} more" if more else ""
    return f"{paths.PARAMS}: {key}: {message}{rest}"
