"""Files that are whole or absent: written beside their place and put there by rename; and their hashes."""

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from pipeline.project.errors import DataError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def replacing(path: str | os.PathLike):
    """Yield a path beside `path` to write a file or folder to; it takes the place of `path` when the block succeeds.

    A block that fails or is killed leaves what stood at `path` as it was. The name ends in `.partial`, which git and DVC
    ignore, and holds the process id, so that the next writer can drop what a killed one left.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _drop_leftovers(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        if partial.is_dir():
            _swap_folder(partial, path)
        else:
            os.replace(partial, path)
    except OSError as error:
        if error.filename == str(partial) or (error.errno in DISK_FULL and error.filename is None):
            error.filename = str(
                path
            )  # the name that the user knows; a write that fails knows none
        raise
    finally:
        _remove(partial)


def _swap_folder(new: Path, path: Path) -> None:
    """Put the folder `new` in the place of `path`; a folder, unlike a file, cannot be renamed over another."""
    old = new.with_name(new.name.replace(".partial", ".old.partial"))
    if path.exists():
        os.rename(path, old)
    os.rename(new, path)
    _remove(old)


def _drop_leftovers(path: Path) -> None:
    """Remove what a killed writer left; a folder that it had moved aside and not yet replaced goes back."""
    for leftover in sorted(path.parent.iterdir()):
        found = re.fullmatch(rf"\.{re.escape(path.name)}\.(\d+)(\.old)?\.partial", leftover.name)
        if not found or int(found[1]) != os.getpid() and psutil.pid_exists(int(found[1])):
            continue
        if found[2] and not path.exists():
            os.rename(leftover, path)
        else:
            _remove(leftover)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a text file whole, with the same bytes on every system."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: str | os.PathLike, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole; a number that JSON cannot hold is refused."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | os.PathLike, made_by: str) -> dict:
    """Return what a JSON file holds; `made_by` is the command that the error names where the file is missing."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} is not there; run `{made_by}` first") from None
    except ValueError as error:
        raise DataError(f"{path} is no whole JSON file ({error}); run `{made_by}` again") from None


def digest(path: str | os.PathLike, algorithm: str = "sha256") -> str:
    """Return the hexadecimal hash of a file, or of a folder's file names and contents."""
    path = Path(path)
    if path.is_dir():
        parts = [
            f"{file.relative_to(path).as_posix()} {digest(file, algorithm)}\n"
            for file in folder_files(path)
        ]
        return hashlib.new(algorithm, "".join(parts).encode()).hexdigest()
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def folder_files(path: Path) -> list[Path]:
    """Return the files below a folder in one order on every system."""
    return sorted(
        (file for file in path.rglob("*") if file.is_file()),
        key=lambda file: file.relative_to(path).parts,
    )
