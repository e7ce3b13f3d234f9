"""Models: name -> estimator, fitting, prediction, and files that run no code when they are loaded.

A stored model is a folder: `preprocessing.skops`, the estimator in its library's own format or skops, and `metadata.json`, which
holds what prediction needs beside them and the sha256 of both. A blend has an estimator per member, and a preprocessing per
encoding. The bytes repeat: equal fits give equal files.
"""

import json
from dataclasses import replace
from pathlib import Path

from pipeline.models import archive, catalogue
from pipeline.models.fitted import Blend, Fitted, Model
from pipeline.models.spec import REQUIRED, SCHEMA, ModelSpec, from_json
from pipeline.project import files
from pipeline.project.errors import DataError


def stored_size(model: Model) -> int:
    """Return how many bytes the estimator's file has."""
    import tempfile

    if catalogue.FAMILIES[model.spec.name].suffix == ".skops":
        return len(archive.skops_bytes(model.estimator))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"estimator{catalogue.FAMILIES[model.spec.name].suffix}"
        getattr(model.estimator, "booster_", model.estimator).save_model(str(path))
        return path.stat().st_size


def save(model: Fitted, folder: Path, metadata: dict) -> dict:
    """Write a model into a folder that is there; return the metadata with the files' sha256 and the model's own."""
    if isinstance(model, Blend):
        for encoding, preprocessing in model.preprocessings.items():
            (folder / f"preprocessing_{encoding}.skops").write_bytes(
                archive.skops_bytes(preprocessing)
            )
        for number, part in enumerate(model.models, start=1):
            _save_estimator(part, folder / f"estimator_{number}")
    else:
        (folder / "preprocessing.skops").write_bytes(archive.skops_bytes(model.preprocessing))
        _save_estimator(model, folder / "estimator")
    hashes = {
        file.name: files.digest(file)
        for file in files.folder_files(folder)
        if file.name != "metadata.json"
    }
    metadata = {
        "schema": SCHEMA,
        **model.spec.as_json(),
        **metadata,
        "files": hashes,
        "model_sha256": model_hash(hashes, model.spec),
    }
    files.write_json(folder / "metadata.json", metadata)
    return metadata


def _save_estimator(model: Model, stem: Path) -> None:
    path = stem.with_suffix(catalogue.FAMILIES[model.spec.name].suffix)
    if path.suffix == ".skops":
        path.write_bytes(archive.skops_bytes(model.estimator))
    elif path.suffix == ".txt":
        model.estimator.booster_.save_model(path)
    else:
        if (
            path.suffix == ".cbm"
        ):  # CatBoost stamps each fit with a random identifier and the time, in no fixed order
            metadata = model.estimator.get_metadata()
            stamped = {**dict(metadata.items()), "model_guid": "", "train_finish_time": ""}
            for key in list(metadata.keys()):
                del metadata[key]
            for key in sorted(stamped):
                metadata[key] = stamped[key]
        model.estimator.save_model(str(path))


def model_hash(hashes: dict, spec: ModelSpec) -> str:
    """Return the sha256 that stands for a model: of its files' hashes and of what turns their output into predictions."""
    import hashlib

    return hashlib.sha256(json.dumps([hashes, spec.as_json()], sort_keys=True).encode()).hexdigest()


def load(folder: Path) -> Fitted:
    """Return a stored model once its files are found unchanged.

    Raises DataError where a file is missing, its sha256 is not the recorded one, or it holds a type that is not on the list.
    """
    folder = Path(folder)
    metadata = files.read_json(folder / "metadata.json", made_by="dvc repro")
    absent = [key for key in (*REQUIRED, "files", "model_sha256") if key not in metadata]
    if absent:
        raise DataError(
            f"{folder / 'metadata.json'}: no key {absent[0]!r}; restore it with `dvc checkout` or train again"
        )
    hashes = {}
    for name, expected in metadata["files"].items():
        if not (folder / name).is_file():
            raise DataError(f"{folder / name} is not there; train the model again")
        hashes[name] = files.digest(folder / name)
        if hashes[name] != expected:
            raise DataError(
                f"{folder / name}: sha256 {hashes[name]} is not the recorded {expected}: the file was changed; "
                f"restore it with `dvc checkout` or train again"
            )
    spec = from_json(metadata)
    found = model_hash(hashes, spec)
    if found != metadata["model_sha256"]:
        raise DataError(
            f"{folder / 'metadata.json'}: sha256 {found} is not the recorded {metadata['model_sha256']}: "
            f"the file was changed; restore it with `dvc checkout` or train again"
        )
    if not spec.members:
        return Model(
            archive.load_skops(folder / "preprocessing.skops"),
            _load_estimator(folder / "estimator", spec),
            spec,
        )
    encodings = dict.fromkeys(catalogue.FAMILIES[member.name].encoding for member in spec.members)
    preprocessings = {
        encoding: archive.load_skops(folder / f"preprocessing_{encoding}.skops")
        for encoding in encodings
    }
    parts = []
    for number, member in enumerate(spec.members, start=1):
        own = replace(spec, name=member.name, target_transform=member.target_transform, members=())
        parts.append(
            Model(
                preprocessings[catalogue.FAMILIES[member.name].encoding],
                _load_estimator(folder / f"estimator_{number}", own),
                own,
            )
        )
    return Blend(preprocessings, tuple(parts), spec)


def _load_estimator(stem: Path, spec: ModelSpec):
    path = stem.with_suffix(catalogue.FAMILIES[spec.name].suffix)
    if path.suffix == ".skops":
        return archive.load_skops(path)
    if path.suffix == ".txt":
        import lightgbm

        return lightgbm.Booster(model_file=path)
    estimator = catalogue.estimator_class(spec.name, spec.task)()
    estimator.load_model(str(path))
    return estimator


def _load_pyfunc(path: str) -> Fitted:
    """Load a model for mlflow.pyfunc, which finds this function by its name."""
    return load(Path(path))
