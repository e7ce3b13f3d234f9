"""Models: name -> estimator, fitting, prediction, and files that run no code when they are loaded.

A stored model is a folder: `preprocessing.skops`, the estimator in its library's own format or skops, and `metadata.json`, which
holds what prediction needs beside them and the sha256 of both. A blend has an estimator per member, and a preprocessing per
encoding. The bytes repeat: equal fits give equal files.
"""

import io
import json
import re
import zipfile
from pathlib import Path

from pipeline.project.errors import DataError

# Types beyond skops's own that a stored model may hold; each was read: none runs code when it is built from its state.
TRUSTED_TYPES = (
    "numpy.dtype",
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)


def load_skops(path: Path):
    import skops.io

    unknown = set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED_TYPES)
    if unknown:
        raise DataError(
            f"{path}: holds {', '.join(sorted(unknown))}, which is not on the list of reviewed types; "
            f"do not load a model from an origin you do not trust"
        )
    return skops.io.load(path, trusted=list(TRUSTED_TYPES))


def skops_bytes(estimator) -> bytes:
    """Return skops's archive of an estimator in a canonical form.

    skops numbers objects by their address and dates the entries. Here they are numbered in the order in which schema.json names
    them, sorted, and dated alike, so that equal estimators give equal bytes. Numbers and texts have one number by their value:
    whether two places hold the same object or an equal one differs once an estimator came from another process.
    """
    import skops.io

    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator))) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    schema, numbers = json.loads(entries.pop("schema.json")), {}

    def renamed(name: str) -> str:
        return re.sub(r"^\d+", lambda found: str(numbers.setdefault(found[0], len(numbers))), name)

    def renumber(node) -> None:
        for child in node.values() if isinstance(node, dict) else node:
            if isinstance(child, dict | list):
                renumber(child)
        if isinstance(node, dict) and isinstance(node.get("__id__"), int):
            value = (
                f"{node['__class__']} {node['content']}"
                if node.get("is_json")
                else str(node["__id__"])
            )
            node["__id__"] = numbers.setdefault(value, len(numbers))
        if isinstance(node, dict) and isinstance(node.get("file"), str):
            node["file"] = renamed(node["file"])

    renumber(schema)
    entries = {renamed(name): content for name, content in entries.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(
            {**entries, "schema.json": json.dumps(schema).encode()}.items()
        ):
            archive.writestr(
                zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)),
                content,
                zipfile.ZIP_DEFLATED,
            )
    return buffer.getvalue()
