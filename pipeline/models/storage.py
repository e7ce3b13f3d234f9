"""A stored model: a folder whose files run no code when they are loaded, and whose bytes repeat.

It holds preprocessing.skops, the estimator in its library's own format or skops, and metadata.json:
the model's spec and the sha256 of the other files. A blend has an estimator for each member, and
the preprocessings that these take their tables of. Of a model that the user's own code made there
are also copies of its files, and transformers.skops.
"""

import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.models import archive, catalogue, estimators
from pipeline.models.fitted import Blend, Fitted, Model, table_of
from pipeline.models.spec import SCHEMA, ModelSpec, from_json
from pipeline.own import loading, recorded
from pipeline.project import files
from pipeline.project.errors import DataError

METADATA = "metadata.json"
TRANSFORMERS = "transformers.skops"
# in the configuration that mlflow.pyfunc.load_model takes
TRUST_CODE = "trust_code"
REMEDY = "restore it with `dvc checkout` or train again"


def save(model: Fitted, folder: Path, metadata: dict[str, Any]) -> dict[str, Any]:
    """Write a model into a folder that is there; return the whole content of its metadata.json.

    `metadata` is what is to be known besides: the dataset, the candidate, its scores.
    """
    if isinstance(model, Blend):
        for name, preprocessing in model.preprocessings.items():
            _preprocessing_file(folder, name).write_bytes(archive.skops_bytes(preprocessing))
        for number, member in enumerate(model.models, start=1):
            _save_estimator(member, folder / f"estimator_{number}")
    elif isinstance(model, Model):
        _preprocessing_file(folder).write_bytes(archive.skops_bytes(model.preprocessing))
        _save_estimator(model, folder / "estimator")
    _save_transformers(model, folder)
    recorded.copy(model.spec.own.code, folder)
    stored = [file for file in files.folder_files(folder) if file.name != METADATA]
    hashes = {file.relative_to(folder).as_posix(): files.digest(file) for file in stored}
    content = {
        "schema": SCHEMA,
        **model.spec.as_json(),
        **metadata,
        "files": hashes,
        "model_sha256": model_hash(hashes, model.spec),
    }
    files.write_json(folder / METADATA, content)
    return content


def stored_size(model: Model) -> int:
    """Return how many bytes the estimator's file has, as its library writes it."""
    suffix = model.spec.family.suffix
    if suffix == catalogue.SKOPS:
        return len(archive.skops_bytes(model.estimator))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"estimator{suffix}"
        _library_file(model.estimator, path)
        return path.stat().st_size


def model_hash(hashes: dict[str, str], spec: ModelSpec) -> str:
    """Return the sha256 that stands for a model.

    It is that of its files' hashes and of the spec, which turns their output into predictions.
    """
    content = json.dumps([hashes, spec.as_json()], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def load(folder: Path, trust_code: bool = False) -> Fitted:
    """Return a stored model once its files are found unchanged.

    The user's own code that it was made with runs if the checkout has that version or, with
    `trust_code`, from the copy in the folder. Raises DataError where a file is missing, its sha256
    is not the recorded one, or it holds a type that is not on the list of reviewed ones.
    """
    folder = Path(folder)
    spec = verified_spec(folder)
    recorded.run_all(spec.own.code, folder, trust_code)
    return _read_blend(folder, spec) if spec.members else _read_model(folder, spec)


def verified_spec(folder: Path) -> ModelSpec:
    """Return a stored model's spec once all its files are found unchanged; raises as `load`."""
    path = folder / METADATA
    metadata = files.read_json(path, made_by="dvc repro")
    spec = from_json(metadata, str(path))
    for key in ("files", "model_sha256"):
        if key not in metadata:
            raise DataError(f"{path}: no key {key!r}; {REMEDY}")
    hashes = {}
    for name, expected in metadata["files"].items():
        hashes[name] = _verified_hash(folder / name, expected)
    _compare(path, model_hash(hashes, spec), metadata["model_sha256"])
    return spec


def _verified_hash(path: Path, expected: str) -> str:
    if not path.is_file():
        raise DataError(f"{path} is not there; train the model again")
    actual = files.digest(path)
    _compare(path, actual, expected)
    return actual


def _compare(path: Path, actual: str, expected: str) -> None:
    if actual != expected:
        raise DataError(
            f"{path}: sha256 {actual} is not the recorded {expected}: the file was changed; "
            f"{REMEDY}"
        )


def _own_modules(spec: ModelSpec) -> list[str]:
    """Return the modules of the user's own code that a model was made with."""
    return [loading.module_name(path, sha256) for path, sha256 in spec.own.code.items()]


def _save_transformers(model: Fitted, folder: Path) -> None:
    """Write the user's own transformers, which the members of a blend share."""
    places = model.spec.own.transformers
    if places:
        one = model.models[0] if isinstance(model, Blend) else model
        assert isinstance(one, Model)
        stored = list(one.transformers)
        content = archive.checked_bytes(stored, _own_modules(model.spec), ", ".join(places))
        (folder / TRANSFORMERS).write_bytes(content)


def _load_transformers(folder: Path, spec: ModelSpec) -> tuple[Any, ...]:
    if not spec.own.transformers:
        return ()
    return tuple(archive.load_skops(folder / TRANSFORMERS, _own_modules(spec)))


def _read_model(folder: Path, spec: ModelSpec) -> Model:
    preprocessing = archive.load_skops(_preprocessing_file(folder))
    estimator = _load_estimator(folder / "estimator", spec)
    return Model(preprocessing, estimator, spec, _load_transformers(folder, spec))


def _read_blend(folder: Path, spec: ModelSpec) -> Blend:
    preprocessings: dict[str, Any] = {}
    transformers = _load_transformers(folder, spec)
    models = []
    for number, member in enumerate(spec.members, start=1):
        table = table_of(member)
        if table not in preprocessings:
            preprocessings[table] = archive.load_skops(_preprocessing_file(folder, table))
        own = replace(
            spec,
            name=member.name,
            target_transform=member.target_transform,
            estimator=member.estimator,
            members=(),
        )
        estimator = _load_estimator(folder / f"estimator_{number}", own)
        models.append(Model(preprocessings[table], estimator, own, transformers))
    return Blend(preprocessings, tuple(models), spec)


def _preprocessing_file(folder: Path, name: str | None = None) -> Path:
    """Return the file of a model's preprocessing, or of one of a blend's by its name."""
    return folder / (f"preprocessing_{name}.skops" if name else "preprocessing.skops")


def _save_estimator(model: Model, stem: Path) -> None:
    """Write an estimator in the format of its family."""
    path = stem.with_suffix(model.spec.family.suffix)
    if path.suffix == catalogue.SKOPS:
        name = model.spec.name
        path.write_bytes(archive.checked_bytes(model.estimator, _own_modules(model.spec), name))
        return
    if path.suffix == ".cbm":
        _remove_stamps(model.estimator)
    _library_file(model.estimator, path)


def _library_file(estimator: Any, path: Path) -> None:
    """Write a booster in its library's own format; LightGBM's class holds its one in `booster_`."""
    getattr(estimator, "booster_", estimator).save_model(str(path))


def _remove_stamps(estimator: Any) -> None:
    """Blank the random identifier and the time that CatBoost stamps on each fit, in no fixed order.

    The estimator's own metadata is changed: it goes into the file.
    """
    metadata = estimator.get_metadata()
    stamped = {**dict(metadata.items()), "model_guid": "", "train_finish_time": ""}
    for key in list(metadata.keys()):
        del metadata[key]
    for key in sorted(stamped):
        metadata[key] = stamped[key]


def _load_estimator(stem: Path, spec: ModelSpec) -> Any:
    """Return the estimator of a file in the format of its family."""
    path = stem.with_suffix(spec.family.suffix)
    if path.suffix == catalogue.SKOPS:
        return archive.load_skops(path, _own_modules(spec))
    if path.suffix == ".txt":
        import lightgbm

        return lightgbm.Booster(model_file=path)
    estimator = estimators.estimator_class(spec.family, spec.task)()
    estimator.load_model(str(path))
    return estimator


def _load_pyfunc(path: str, model_config: dict[str, Any] | None = None) -> Fitted:
    """Load a model for mlflow.pyfunc, which finds this function by its name.

    `model_config` may hold trust_code, see `load`.
    """
    return load(Path(path), bool((model_config or {}).get(TRUST_CODE)))
