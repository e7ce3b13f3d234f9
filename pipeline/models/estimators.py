"""The estimators: the classes of the catalogue and the user's own, and what they take."""

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from pipeline.models.catalogue import FAMILIES, Family, names_for
from pipeline.own import loading
from pipeline.project import paths
from pipeline.project.errors import UsageError
from pipeline.project.params import Params
from pipeline.project.settings.own_code import OwnEstimator


def own_estimators(dataset: str, settings: Params) -> dict[str, OwnEstimator]:
    """Return the dataset's models that are not in the catalogue, by name.

    Raises UsageError where one has the name of a model that is there.
    """
    own = {}
    for name in settings.models_of(dataset):
        estimator = settings.own_estimator(dataset, name)
        if estimator is None:
            continue
        if name in (*FAMILIES, "blend"):
            raise UsageError(
                f"{paths.PARAMS}: models.{name}.class: {name} is a model of the catalogue; give "
                f"yours another name"
            )
        own[name] = estimator
    return own


def family_of(name: str, own: OwnEstimator | None) -> Family:
    """Return the family of a model; a class of the user's own makes one, for both tasks."""
    if own is None:
        return FAMILIES[name]
    return Family(own.class_path, own.class_path, own.encoding, is_own=True)


def check_model(
    name: str,
    task: str,
    hyperparameters: Mapping[str, Any],
    where: str,
    own: Mapping[str, OwnEstimator],
) -> None:
    """Raise UsageError where a model or a hyperparameter (by its name) is not for the task.

    `own` are the models of the user's own, by name.
    """
    if name not in FAMILIES and name not in own:
        raise UsageError(
            f"{where}: unknown model {name!r}; known: {', '.join([*FAMILIES, *own])}; one that is "
            f"not there needs a class: models: {{{name}: {{class: sklearn.svm.SVR}}}}"
        )
    family = family_of(name, own.get(name))
    if name in own:
        _check_own(own[name].class_path, task, where)
    if family.class_path(task) is None:
        instead = family.counterpart or ", ".join(names_for(task))
        raise UsageError(f"{where}: {name} is not a model for {task}; use {instead}")
    known = _settings(family, task)
    for setting in hyperparameters:
        if setting not in known:
            there_are = ", ".join(sorted(known))
            raise UsageError(
                f"{where}: {name} has no hyperparameter {setting!r}; it has: {there_are}"
            )
        if setting in family.fixed:
            reason = "is fixed, so that results repeat; remove it"
            raise UsageError(f"{where}: {name}'s {setting} {reason}")


def unfitted_estimator(
    family: Family, task: str, hyperparameters: Mapping[str, Any], seed: int
) -> Any:
    """Return a model's estimator with the user's hyperparameters, one thread and the seed."""
    settings = {**hyperparameters, **family.fixed}
    if "random_state" in _settings(family, task):
        settings.setdefault("random_state", seed)
    return estimator_class(family, task)(**settings)


def estimator_class(family: Family, task: str) -> Any:
    """Return the class of a family's estimator; importing its library may take a second."""
    path = family.class_path(task)
    if path is None:
        raise UsageError(f"{family.regression or family.classification} is not for {task}")
    return _imported(path, path)


def _imported(path: str, where: str) -> Any:
    """Return the class of a dotted name, or of `path:name`; raises UsageError where there is none.

    What stands in a file of the user's own is asked of the file of this checkout.
    """
    if ":" in path:
        # the loader names params.yaml itself
        return loading.named(path, where.removeprefix(f"{paths.PARAMS}: ")).value
    module, _, attribute = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, ValueError, AttributeError) as error:
        raise UsageError(
            f"{where}: class {path} cannot be imported ({error}); correct its dotted name, or "
            f"install its package"
        ) from None


def _check_own(path: str, task: str, where: str) -> None:
    """Raise UsageError where a class is not an estimator of scikit-learn's interface for a task."""
    found = _imported(path, where)
    fault = None
    lacks = [name for name in ("fit", "predict", "get_params") if not hasattr(found, name)]
    if not isinstance(found, type):
        fault = "is not a class"
    elif lacks:
        fault = (
            f"is not an estimator: it has no {', '.join(lacks)}; derive it from "
            f"sklearn.base.BaseEstimator and give it fit(X, y) and predict(X)"
        )
    elif task == "regression" and _is_classifier(found):
        fault = "is a classifier, and data.task is regression; use its regressor"
    elif task == "classification" and not hasattr(found, "predict_proba"):
        fault = (
            "has no predict_proba, and classes are decided by their probabilities; take one that "
            "has it, or wrap it in a class of your own"
        )
    if fault:
        raise UsageError(f"{where}: class {path} {fault}")


def _is_classifier(found: type) -> bool:
    from sklearn.base import ClassifierMixin

    return issubclass(found, ClassifierMixin)


def _settings(family: Family, task: str) -> set[str]:
    """Return the names of all hyperparameters of a model."""
    names = set(family.more_settings) | set(family.fixed)
    # XGBoost's classes take theirs from a class above them
    found = estimator_class(family, task)
    if family.is_own and hasattr(found, "_get_param_names"):
        return set(found._get_param_names())
    for ancestor in found.__mro__:
        if "__init__" in vars(ancestor):
            names |= _named_arguments(ancestor)
    return names - {"self"}


def _named_arguments(cls: type) -> set[str]:
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(cls.__init__).parameters.values()  # type: ignore[misc]
    return {parameter.name for parameter in parameters if parameter.kind in named}


def default_value(family: Family, task: str, setting: str) -> Any:
    """Return the value of a hyperparameter where nothing is set; None where it is not known."""
    if setting in family.defaults:
        return family.defaults[setting]
    parameters = inspect.signature(estimator_class(family, task).__init__).parameters
    parameter = parameters.get(setting)
    if parameter is None or parameter.default is inspect.Parameter.empty:
        return None
    return parameter.default
