"""params.yaml as typed, checked settings; the only reader of that file."""

from typing import Any, Self

from joblib import cpu_count
from pydantic import Field, ValidationError, field_validator, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.error import YAMLError

from pipeline.project import paths
from pipeline.project.errors import UsageError
from pipeline.project.settings.base import Name, Settings, fault
from pipeline.project.settings.data import Data, Prepare
from pipeline.project.settings.drift import Alerts, Drift
from pipeline.project.settings.judging import Gate, Register, Slices
from pipeline.project.settings.own_code import (
    OWN_MODEL_KEYS,
    Hyperparameters,
    ModelEntry,
    OwnEstimator,
)
from pipeline.project.settings.serve import Serve
from pipeline.project.settings.train import Train
from pipeline.project.settings.tune import SearchSpace, Tune

OWN_PLACE = ".py:"  # of a file of the user's own and what it defines
DEEPEST = 20  # levels of params.yaml; the deepest setting is on the seventh


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
            raise fault(
                "train.resampling",
                f"{self.train.resampling!r} is for classification; set it to none",
            )
        if self.data.task == "regression" and self.train.costs:
            raise fault("train.costs", "are of decisions, which regression has none of; remove it")
        if self.data.task == "classification" and self.train.target_transform != "none":
            raise fault(
                "train.target_transform",
                f"{self.train.target_transform!r} is for regression; set it to none",
            )
        if self.data.task == "classification" and self.tune.target_transforms:
            raise fault("tune.target_transforms", "is for regression; remove it")
        if self.data.weight is not None and self.train.resampling == "smote":
            raise fault(
                "train.resampling",
                "smote makes rows up, which have no weight by data.weight; set it to undersample "
                "or none",
            )
        if self.data.weight is not None and self.prepare.split_column == self.data.weight:
            raise fault("data.weight", "is the column of prepare.split; name another one")
        if self.prepare.split_column == self.data.target:
            raise fault(
                "prepare.split", f"{self.prepare.split!r} names the target; name another column"
            )
        return self

    @model_validator(mode="after")
    def _importances_of_the_inputs(self) -> Self:
        own = "features" if self.data.features else "transformers"
        if self.drift.weighting == "importance" and getattr(self.data, own):
            raise fault(
                "drift.weighting",
                f"importances are of the columns that data.{own} makes, drift is of the table's "
                f"own; set it to none",
            )
        return self


class Params(Settings):
    seed: int = Field(ge=0, lt=2**32)
    """Seed of every random choice."""
    workers: int = -1
    """Number of fits in parallel, one thread each; -1 = all cores. Results do not depend on it."""
    dask: str | None = None
    """The address of a Dask scheduler that runs the fits."""
    alerts: Alerts = Alerts()
    datasets: dict[Name, Dataset] = Field(min_length=1)
    models: dict[str, ModelEntry]
    """Hyperparameters of the model families, for every dataset; for a model of your own also its
    `class`."""
    trust: list[str] = []
    """Types that stored models of your own may contain; their code runs when a model is loaded."""
    search_spaces: dict[str, dict[str, SearchSpace]] = {}
    portfolio: dict[str, list[Hyperparameters]] = {}
    """Configurations that the search tries first, by model family."""

    @field_validator("datasets")
    @classmethod
    def _names_and_files_of_their_own(cls, datasets: dict[str, Dataset]) -> dict[str, Dataset]:
        if "all" in datasets:
            raise fault("all", "stands for every dataset on the command line; choose another name")
        owners: dict[tuple[str, str], str] = {}
        for name, dataset in datasets.items():
            names = {"data.file": dataset.data.file, "register.name": dataset.registration.name}
            for key, value in names.items():
                owner = owners.setdefault((key, value), name)
                if owner != name:
                    raise fault(
                        f"{name}.{key}", f"{value!r} is that of {owner}, too; choose another name"
                    )
        return datasets

    @model_validator(mode="after")
    def _spaces_of_the_tuned_models(self) -> Self:
        for name, dataset in self.datasets.items():
            for model in dataset.tune.models:
                if model not in self.search_spaces:
                    known = ", ".join(self.search_spaces) or "none"
                    raise fault(
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

    def own_estimator(self, dataset: str, model: str) -> OwnEstimator | None:
        """Return the class of a model that its entry names; None of a model of the catalogue."""
        entry = self._entry(dataset, model)
        if "class" not in entry:
            return None
        return OwnEstimator(str(entry["class"]), str(entry.get("encoding", "scaled")))

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
        if OWN_PLACE in text:
            # DVC's parser is the one in C, which takes no such text in braces without quotes
            YAML(typ="safe").load(text)
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
    if mark is None:
        return str(error)
    quotes = "; put a text with a colon into quotes" if "':'" in error.problem else ""
    return f"line {mark.line + 1}: {error.problem}{quotes}"


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
