"""Packed files: gzip, zip, zstd and the like, unpacked as far as limits allow."""

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow

from pipeline.project import errors
from pipeline.project.errors import DataError

# of an unpacked file; a larger one is for its owner to unpack
MOST_BYTES = 5 * 1024**3
# tables shrink to a fiftieth at best; what grows beyond both is made to fill a disk
MOST_TIMES, LARGE = 250, 100 * 1024**2
PART = 2**20  # bytes that are unpacked at a time
FAULTS = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pyarrow.ArrowException)


def _open_zstd(path: Path) -> Any:
    return pyarrow.CompressedInputStream(pyarrow.OSFile(str(path)), "zstd")


# the first bytes of a packed file, and what unpacks it
MAGIC: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": lambda path: gzip.open(path),
    b"BZh": lambda path: bz2.open(path),
    b"\xfd7zXZ": lambda path: lzma.open(path),
    b"\x28\xb5\x2f\xfd": _open_zstd,
}
ENDINGS = (".gz", ".bz2", ".xz", ".zst", ".zip")
ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
ENCRYPTED = 1  # of a zip entry's flags


def first_bytes(path: Path, n_bytes: int = 8) -> bytes:
    """Return how a file begins."""
    with open(path, "rb") as stream:
        return stream.read(n_bytes)


def is_packed(path: Path) -> bool:
    """Return whether a file is packed, by its first bytes; an Excel workbook is a zip as well."""
    start = first_bytes(path)
    if start.startswith((ZIP, EMPTY_ZIP)):
        return not is_workbook(path)
    return start.startswith(tuple(MAGIC))


def is_workbook(path: Path) -> bool:
    """Return whether a zip archive is an Excel workbook, by what is in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "[Content_Types].xml" in archive.namelist()
    except FAULTS:
        return False


def check_workbook(path: Path) -> None:
    """Raise DataError where the parts of a workbook are beyond the limits once unpacked."""
    if not first_bytes(path).startswith(ZIP):
        return
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    _check_size(size, path)


def unpack(path: Path, target: Path) -> Path:
    """Write the content of a packed file to another file; return the name that it has inside.

    table.tsv.gz holds table.tsv, and a zip archive says itself what it holds. Raises DataError
    where it is broken, grows beyond the limits, or is a zip of several files.
    """
    try:
        with _unpacking(path) as stream, open(target, "wb") as copy:
            name = getattr(stream, "name", None) if zipfile.is_zipfile(path) else path.stem
            size = 0
            while part := stream.read(PART):
                size += len(part)
                _check_size(size, path)
                copy.write(part)
        return Path(str(name))
    except FAULTS as error:
        raise DataError(
            f"{path}: cannot be unpacked ({error or type(error).__name__}); pack the file again"
        ) from None


def _check_size(size: int, path: Path) -> None:
    """Raise DataError where an unpacked file is larger than a table of a packed one can be."""
    if size > MOST_BYTES:
        raise DataError(
            f"{path}: larger than {MOST_BYTES:,} bytes once unpacked; unpack it and give that file"
        )
    if size > LARGE and size > MOST_TIMES * path.stat().st_size:
        raise DataError(
            f"{path}: grows to more than {MOST_TIMES} times its size, as no table does; if it is "
            f"right, unpack it and give that file"
        )


@contextmanager
def _unpacking(path: Path) -> Iterator[IO[bytes]]:
    start = first_bytes(path)
    if start.startswith((ZIP, EMPTY_ZIP)):
        with zipfile.ZipFile(path) as archive, archive.open(_only_file(path, archive)) as stream:
            yield stream
        return
    unpacks = next(opens for magic, opens in MAGIC.items() if start.startswith(magic))
    with unpacks(path) as stream:
        yield stream


def _only_file(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the one file of an archive, beside what macOS adds."""
    entries = []
    for entry in archive.infolist():
        name = entry.filename
        if not entry.is_dir() and not name.startswith("__MACOSX/") and ".DS_Store" not in name:
            entries.append(entry)
    if len(entries) != 1:
        held = errors.listed(entry.filename for entry in entries) or "nothing"
        raise DataError(
            f"{path}: a zip archive of {len(entries)} files ({held}), not of one table; unpack it "
            f"and give the table's file"
        )
    if entries[0].flag_bits & ENCRYPTED:
        raise DataError(f"{path}: a zip archive with a password; unpack it and give that file")
    return entries[0]
