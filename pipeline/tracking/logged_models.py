"""Logged models: stored models as MLflow keeps them, which mlflow.pyfunc loads with their code."""

import importlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data.kinds import KINDS
from pipeline.models import spec, storage
from pipeline.models.spec import ModelSpec
from pipeline.project import files, paths

LOADER = "pipeline.models.storage"  # its function _load_pyfunc; written into MLflow's files
# what loading any model needs: the room of models with those below it, and libraries
LOADING_ROOMS = ("project", "builtin", "own", "data", "scoring", "models")
LOADING_LIBRARIES = (
    "numpy",
    "pandas",
    "scikit-learn",
    "skops",
    "pydantic",
    "ruamel.yaml",
    "psutil",
)
EXAMPLE_ROWS = 5
DELETED = 2  # mlflow.entities.ViewType.DELETED_ONLY


@dataclass(frozen=True)
class StoredModel:
    """A folder as models.storage writes it, the spec of its model, and the hash of its table."""

    folder: Path
    spec: ModelSpec
    data_hash: str


def read_stored_model(folder: Path, made_by: str) -> StoredModel:
    """Return a stored model; DataError names the command `made_by` where it does not exist."""
    metadata = files.read_json(folder / "metadata.json", made_by=made_by)
    return StoredModel(folder, spec.from_json(metadata), metadata["data_hash"])


def log_trained_model(mlflow: Any, dataset: str, folder: Path, table: str) -> Any:
    """Log a trained model with some rows as an example, and by its hash the table it comes from."""
    from mlflow.data.meta_dataset import MetaDataset
    from mlflow.data.sources import LocalArtifactDatasetSource

    model = read_stored_model(folder, made_by=f"python train.py --dataset {dataset}")
    trained_on = MetaDataset(
        LocalArtifactDatasetSource(table),
        name=dataset,
        digest=model.data_hash,
        schema=_table_schema(model.spec.inputs),
    )
    mlflow.log_input(trained_on, context="training")
    rows = pd.read_parquet(
        paths.processed(dataset) / "train.parquet", columns=list(model.spec.inputs)
    )
    return log_model(mlflow, model, rows.head(EXAMPLE_ROWS))


def log_model(mlflow: Any, model: StoredModel, example: pd.DataFrame) -> Any:
    """Log a stored model with rows as an example; return MLflow's ModelInfo of it."""
    with _loading_code() as code:
        return mlflow.pyfunc.log_model(
            name="model",
            loader_module=LOADER,
            data_path=str(model.folder),
            code_paths=[str(code)],
            signature=signature(model.spec),
            input_example=example,
            pip_requirements=_requirements(model.spec),
            # MLflow lets a caller set only what is there; models without own code need no setting
            model_config={storage.TRUST_CODE: False} if model.spec.own.code else None,
        )


@contextmanager
def _loading_code() -> Iterator[Path]:
    """Yield a folder `pipeline` with the rooms that load a model, a third of all files.

    MLflow keeps a copy with each model.
    """
    package = Path(__file__).parents[1]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / package.name
        copy.mkdir()
        shutil.copy(package / "__init__.py", copy)
        for room in LOADING_ROOMS:
            no_byte_code = shutil.ignore_patterns("__pycache__")
            shutil.copytree(package / room, copy / room, ignore=no_byte_code)
        yield copy


def delete_left_behind(mlflow: Any, experiment_id: str) -> None:
    """Delete the logged models of an experiment whose runs were deleted: MLflow leaves them.

    The model of a registered version stays.
    """
    client = mlflow.MlflowClient()
    runs = client.search_runs([experiment_id], run_view_type=DELETED)
    deleted = {run.info.run_id for run in runs}
    if not deleted:
        return
    deleted -= {version.run_id for version in client.search_model_versions()}
    for model in mlflow.search_logged_models([experiment_id], output_format="list"):
        if model.source_run_id in deleted:
            client.delete_logged_model(model.model_id)


def signature(model: ModelSpec) -> Any:
    """Return MLflow's signature of a model."""
    from mlflow.models import ModelSignature

    return ModelSignature(_input_schema(model.inputs), _prediction_schema(model.task))


def _table_schema(inputs: dict[str, str]) -> Any:
    """Return MLflow's schema of the inputs in a typed table."""
    from mlflow.types.schema import ColSpec, Schema

    return Schema([ColSpec(KINDS[kind].mlflow_type, column) for column, kind in inputs.items()])


def _input_schema(inputs: dict[str, str]) -> Any:
    """Return MLflow's schema of the rows that a model takes, as a user has them, of any type.

    The model types its rows itself, as everywhere in this project. MLflow would refuse what pandas
    reads from a CSV file: whole numbers for a column of type double, and for one of type string
    categories that look like numbers.
    """
    from mlflow.types.schema import AnyType, ColSpec, Schema

    return Schema([ColSpec(AnyType(), column) for column in inputs])


def _prediction_schema(task: str) -> Any:
    """Return MLflow's schema of predictions: numbers, or class labels as text."""
    from mlflow.types.schema import Schema, TensorSpec

    dtype = np.dtype("float64" if task == "regression" else "str")
    return Schema([TensorSpec(dtype, (-1,))])


def _requirements(model: ModelSpec) -> list[str]:
    """Return the pinned packages that loading a model needs."""
    needed = [f"{package}=={version(package)}" for package in LOADING_LIBRARIES]
    families = [member.family for member in model.members] or [model.family]
    libraries = dict.fromkeys(family.library for family in families)
    for library in libraries:
        # every model's preprocessing needs scikit-learn; a file of the user's own is no package
        if library and library != "sklearn":
            # the module's own version: the package may have another name, such as xgboost-cpu
            needed.append(f"{library}=={importlib.import_module(library).__version__}")
    return needed
