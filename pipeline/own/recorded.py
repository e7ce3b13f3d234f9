"""Recorded code: the versions of the user's files that a model was made with, by their sha256.

A model's files hold a copy of each, in the folder COPIES. What runs is the file of this checkout,
if it is that version, and the copy only where that was asked for: no model brings code of its own.
"""

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

from pipeline.own import loading
from pipeline.own.loading import OwnCode
from pipeline.project.errors import DataError, UsageError

COPIES = "code"
TRUST_CODE = "--trust-code"
# of a sha256, in messages
DIGITS = 12


def copy(code: Mapping[str, str], folder: Path) -> None:
    """Write a copy of each file {path: sha256} below a folder; raises DataError as `version`."""
    for path, sha256 in code.items():
        target = folder / COPIES / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_of_checkout(path, sha256))


def run_all(code: Mapping[str, str], folder: Path | None = None, trust_code: bool = False) -> None:
    """Run the recorded version of each file {path: sha256}, so that what it defines is there.

    `folder` is the model's, whose copies run where `trust_code` is set and the checkout has another
    version. Raises DataError where a version is not to be had.
    """
    for path, sha256 in code.items():
        if loading.module_name(path, sha256) not in sys.modules:
            loading.run(_source(path, sha256, folder, trust_code), path, path)


def version(path: str, sha256: str) -> OwnCode:
    """Return the version of a file that ran before in this process, or that the checkout has.

    Raises DataError where neither is so.
    """
    name = loading.module_name(path, sha256)
    if name in sys.modules:
        return OwnCode(path, sha256, sys.modules[name])
    return loading.run(_of_checkout(path, sha256), path, path)


def _source(path: str, sha256: str, folder: Path | None, trust_code: bool) -> bytes:
    """Return the bytes of a version: of the checkout, or where that is trusted, of the copy."""
    try:
        return _of_checkout(path, sha256)
    except DataError:
        if folder is None or not trust_code:
            raise
    copied = folder / COPIES / path
    source = copied.read_bytes() if copied.is_file() else b""
    if hashlib.sha256(source).hexdigest() != sha256:
        raise DataError(
            f"{copied} is not the version of {path} that the model was made with (sha256 "
            f"{sha256[:DIGITS]}...); take another version of the model"
        )
    return source


def _of_checkout(path: str, sha256: str) -> bytes:
    """Return the bytes of the checkout's file; raises DataError where it is another version."""
    try:
        source = loading.content(path, path)
    except UsageError:
        found = "is not in this checkout"
    else:
        actual = hashlib.sha256(source).hexdigest()
        if actual == sha256:
            return source
        found = f"has the sha256 {actual[:DIGITS]}... here"
    raise DataError(
        f"{path} {found}, and the model was made with {sha256[:DIGITS]}...: check out the commit "
        f"of that version, or train again and register; {TRUST_CODE} runs the copy beside the model"
    )
