"""The archive: skops's file of a scikit-learn estimator, in a form whose bytes repeat.

skops's own file differs from run to run, as it numbers objects by their address and dates its
entries; equal fits have to give equal files, so its numbers and dates are replaced here.
"""

import io
import json
import re
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pipeline.project import params, paths
from pipeline.project.errors import DataError

# Types beyond skops's own that a stored model may hold; each was read: none runs code when it is
# built from its state.
TRUSTED_TYPES = (
    "numpy.dtype",
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.model_selection._split.KFold",
    "pipeline.models.encoders.dates.DateEncoder",
    "pipeline.models.encoders.texts.TextEncoder",
    "pipeline.models.families.network.NetworkClassifier",
    "pipeline.models.families.network.NetworkRegressor",
)
# the first moment that a ZIP file can name
NO_DATE = (1980, 1, 1, 0, 0, 0)


def load_skops(path: Path, modules: Collection[str] = ()) -> Any:
    """Return the object of an archive; `modules` are those of the user's own code.

    Raises DataError where it holds a type that is neither of them, nor on the list of reviewed
    ones, nor in `trust` of params.yaml.
    """
    import skops.io

    unknown = skops.io.get_untrusted_types(file=path)
    _check_types(unknown, modules, str(path))
    return skops.io.load(path, trusted=[*TRUSTED_TYPES, *unknown])


def _check_types(unknown: Collection[str], modules: Collection[str], origin: str) -> None:
    """Raise DataError where types are not trusted."""
    others = {name for name in unknown if name.partition(".")[0] not in modules}
    others -= set(TRUSTED_TYPES)
    if others:
        # most models need none: params.yaml is read for those alone
        others -= set(params.load().trust if paths.PARAMS.is_file() else ())
    if others:
        raise DataError(
            f"{origin}: holds {', '.join(sorted(others))}, which is not on the list of reviewed "
            f"types; their code runs when the model is loaded: if you trust it, name them in "
            f"{paths.PARAMS}: trust: [{', '.join(sorted(others))}]"
        )


def checked_bytes(stored: object, modules: Collection[str], origin: str) -> bytes:
    """Return the archive of an object; raises DataError where `load_skops` would refuse it."""
    import skops.io

    try:
        content = skops_bytes(stored)
    except Exception as error:
        raise DataError(
            f"{origin}: cannot be stored ({type(error).__name__}: {error}); keep numbers, text, "
            f"lists, dicts, numpy arrays and scikit-learn's objects in its attributes"
        ) from error
    _check_types(skops.io.get_untrusted_types(data=content), modules, origin)
    return content


def skops_bytes(estimator: Any) -> bytes:
    """Return the archive of an estimator; equal estimators give equal bytes."""
    import skops.io

    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator))) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(entries.pop("schema.json"))
    numbers = _Numbers()
    numbers.replace_in(schema)
    renamed = {numbers.file_name(name): content for name, content in entries.items()}
    return _zipped({**renamed, "schema.json": json.dumps(schema).encode()})


class _Numbers:
    """The numbers of an archive's objects, given anew in the order in which its schema names them.

    Numbers and texts have one number by their value: whether two places hold the same object or an
    equal one differs once an estimator came from another process.
    """

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def _of(self, key: str) -> int:
        return self._given.setdefault(key, len(self._given))

    def file_name(self, name: str) -> str:
        """Return the name of an entry with its object's new number."""
        return re.sub(r"^\d+", lambda number: str(self._of(number[0])), name)

    def replace_in(self, node: dict[str, Any] | list[Any]) -> None:
        """Replace the numbers in a part of the schema, those of the parts below it first."""
        for child in node.values() if isinstance(node, dict) else node:
            if isinstance(child, dict | list):
                self.replace_in(child)
        if not isinstance(node, dict):
            return
        if isinstance(node.get("__id__"), int):
            key = str(node["__id__"])
            if node.get("is_json"):
                key = f"{node['__class__']} {node['content']}"
            node["__id__"] = self._of(key)
        if isinstance(node.get("file"), str):
            node["file"] = self.file_name(node["file"])


def _zipped(entries: dict[str, bytes]) -> bytes:
    """Return a ZIP file of entries in the order of their names, all of one date."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(entries):
            information = zipfile.ZipInfo(name, date_time=NO_DATE)
            archive.writestr(information, entries[name], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
