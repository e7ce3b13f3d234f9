"""Files: written beside their place and put there by rename, so that writes are atomic; hashes."""

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from pipeline.project.errors import DataError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a path beside `path` to write a file or folder to; it takes the place of `path`.

    A block that fails or is killed leaves what stood at `path` as it was. The name ends in
    `.partial`, which git and DVC ignore, and holds the process id, so that the next writer can drop
    what a killed one left.
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
        _name_final_file(error, partial, path)
        raise
    finally:
        _remove(partial)


def _name_final_file(error: OSError, partial: Path, path: Path) -> None:
    """Put the name that the user knows into an error; a write to a full disk names none."""
    names_partial = error.filename == str(partial)
    names_none = error.filename is None and error.errno in DISK_FULL
    if names_partial or names_none:
        error.filename = str(path)


def _swap_folder(new: Path, path: Path) -> None:
    """Put the folder `new` in the place of `path`; it cannot be renamed over another, as a file."""
    old = new.with_name(new.name.replace(".partial", ".old.partial"))
    if path.exists():
        os.rename(path, old)
    os.rename(new, path)
    _remove(old)


def _drop_leftovers(path: Path) -> None:
    """Remove what a killed writer left; a folder that it had moved aside goes back."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.(?P<process>\d+)(?P<old>\.old)?\.partial")
    for leftover in sorted(path.parent.iterdir()):
        name = pattern.fullmatch(leftover.name)
        if name is None or _is_another_running(int(name["process"])):
            continue
        if name["old"] and not path.exists():
            os.rename(leftover, path)
        else:
            _remove(leftover)


def _is_another_running(process: int) -> bool:
    return process != os.getpid() and psutil.pid_exists(process)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file atomically, with the same bytes on every system."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: str | os.PathLike[str], content: Mapping[str, Any]) -> None:
    """Write a JSON file atomically; raises ValueError for a number that JSON cannot hold."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | os.PathLike[str], made_by: str) -> dict[str, Any]:
    """Return what a JSON file holds.

    Raises DataError, which names the command `made_by`, where the file is missing or broken.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} is not there; run `{made_by}` first") from None
    except ValueError as error:
        raise DataError(
            f"{path} is not a whole JSON file ({error}); run `{made_by}` again"
        ) from None


def digest(path: str | os.PathLike[str], algorithm: str = "sha256") -> str:
    """Return the hexadecimal hash of a file, or of a folder's file names and contents."""
    path = Path(path)
    if path.is_dir():
        lines = []
        for file in folder_files(path):
            lines.append(f"{file.relative_to(path).as_posix()} {digest(file, algorithm)}\n")
        return hashlib.new(algorithm, "".join(lines).encode()).hexdigest()
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def folder_files(path: Path) -> list[Path]:
    """Return the files below a folder in one order on every system."""
    return sorted(
        (file for file in path.rglob("*") if file.is_file()),
        key=lambda file: file.relative_to(path).parts,
    )
