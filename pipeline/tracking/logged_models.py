"""The MLflow record of what the stages' files say; with registry.py the only importer of MLflow.

A stage writes its files and calls `record`; `make sync` calls the same for whatever the store lacks. A run is known by its
identity, a hash of what it records, so that writing a result twice makes no second run, and a store that was lost is written anew
from the files. No stage decides by what the store says.
"""

import importlib
from importlib.metadata import version
from pathlib import Path

from pipeline.data.kinds import KINDS
from pipeline.models import catalogue
from pipeline.project import files, paths
from pipeline.project.params import Params

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


def log_dataset_and_model(mlflow, dataset: str, folder: Path, settings: Params) -> None:
    """Log the training data by their hash, and the stored model."""
    import pandas as pd
    from mlflow.data.meta_dataset import MetaDataset
    from mlflow.data.sources import LocalArtifactDatasetSource

    metadata = files.read_json(
        folder / "metadata.json", made_by=f"python train.py --dataset {dataset}"
    )
    mlflow.log_input(
        MetaDataset(
            LocalArtifactDatasetSource(settings.dataset(dataset).data.file),
            name=dataset,
            digest=metadata["data_hash"],
            schema=_inputs(metadata),
        ),
        context="training",
    )
    example = pd.read_parquet(
        paths.processed(dataset) / "train.parquet", columns=list(metadata["inputs"])
    ).head(EXAMPLE_ROWS)
    log_model(mlflow, folder, metadata, example)


def _inputs(metadata: dict):
    """Return the schema of a model's features, said and not inferred: reading it off the values takes as long as a fit."""
    from mlflow.types.schema import ColSpec, Schema

    return Schema(
        [ColSpec(KINDS[kind].mlflow_type, name) for name, kind in metadata["inputs"].items()]
    )


def log_model(mlflow, folder: Path, metadata: dict, example):
    """Log a folder as a model that mlflow.pyfunc loads through pipeline.models; return what MLflow knows of it."""
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types.schema import Schema, TensorSpec

    answer = np.dtype("float64" if metadata["task"] == "regression" else "str")
    names = [member["name"] for member in metadata.get("members", [metadata])]
    # scikit-learn is needed for every model's preprocessing
    libraries = {catalogue.FAMILIES[name].library: None for name in names}
    libraries.pop("sklearn", None)
    return mlflow.pyfunc.log_model(
        name="model",
        loader_module="pipeline.models.storage",
        data_path=str(folder),
        code_paths=[str(Path(__file__).parents[1])],
        signature=ModelSignature(_inputs(metadata), Schema([TensorSpec(answer, (-1,))])),
        input_example=example,
        pip_requirements=[f"{name}=={version(name)}" for name in LOADING_LIBRARIES]
        + [f"{library}=={importlib.import_module(library).__version__}" for library in libraries],
    )
