"""The files of the user's own code that the settings name, and the versions that are here."""

from pipeline.own import loading
from pipeline.project.params import Params


def versions(dataset: str, settings: Params) -> dict[str, str]:
    """Return {path: sha256} of each file that a dataset's settings name.

    quality.json holds them: the stages after prepare depend on that file, and so on these versions.
    Raises UsageError where one cannot be run.
    """
    code = {}
    for place, key in _places(dataset, settings).items():
        own_file = loading.named(place, key).code if ":" in place else loading.load(place, key)
        code[own_file.path] = own_file.sha256
    return code


def _places(dataset: str, settings: Params) -> dict[str, str]:
    """Return {place: key} of the files, or of what they define, that keys of params.yaml name."""
    block, where = settings.dataset(dataset), f"datasets.{dataset}"
    places = {place: f"{where}.data.transformers" for place in block.data.transformers}
    if block.data.features is not None:
        places[block.data.features] = f"{where}.data.features"
    for name in settings.models_of(dataset):
        own = settings.own_estimator(dataset, name)
        if own is not None and own.file is not None:
            places[own.class_path] = f"models.{name}.class"
    for name, metric in block.train.metrics.items():
        places[metric.function] = f"{where}.train.metrics.{name}"
    return places
