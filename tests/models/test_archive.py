"""The archive of an estimator: what is not on the list of reviewed types is not loaded."""

import functools
import json
import os

import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer

from pipeline.models import storage
from pipeline.models.spec import from_json
from pipeline.project import files
from pipeline.project.errors import DataError
from support.model_cases import rows


def signed(folder):
    """Write the hashes of changed files into the metadata, as one who forges a model would."""
    metadata = json.loads((folder / "metadata.json").read_text())
    metadata["files"] = {name: files.digest(folder / name) for name in metadata["files"]}
    metadata["model_sha256"] = storage.model_hash(metadata["files"], from_json(metadata))
    files.write_json(folder / "metadata.json", metadata)


@pytest.mark.parametrize(
    "content, named",
    [
        (FunctionTransformer(func=os.system), r"system"),
        (FunctionTransformer(func=print), r"print"),
        (functools.partial(os.system, "true"), r"functools.partial|system"),
        (FunctionTransformer(func=rows), r"model_cases.rows"),
    ],
)
@pytest.mark.parametrize("name", ["preprocessing.skops", "estimator.skops"])
def test_type_that_is_not_on_the_list_is_refused_even_with_right_hashes(
    content, named, name, stored
):
    folder = stored("ridge-regression")
    skops.io.dump(content, folder / name)
    signed(folder)
    with pytest.raises(
        DataError, match=rf"{name}: holds .*({named}).*, which is not on the list of reviewed types"
    ):
        storage.load(folder)
