"""Packed files are unpacked within limits, and what cannot be is refused in one line."""

import bz2
import gzip
import io
import lzma
import zipfile

import pyarrow
import pytest

from pipeline.data import reading
from pipeline.data.formats import packed
from pipeline.project.errors import DataError

TABLE = b"size,town\n50,Aville\n60,Bford\n"


def zipped(**files: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def zstd(content: bytes) -> bytes:
    return pyarrow.Codec("zstd").compress(content, asbytes=True)


PACKED = {
    "gz": gzip.compress(TABLE),
    "bz2": bz2.compress(TABLE),
    "xz": lzma.compress(TABLE),
    "zst": zstd(TABLE),
    "zip": zipped(**{"table.csv": TABLE, "__MACOSX/._table.csv": b"x"}),
}


@pytest.mark.parametrize("ending", list(PACKED))
def test_packed_files_are_read_whole_and_in_parts(tmp_path, ending):
    path = tmp_path / f"table.csv.{ending}"
    path.write_bytes(PACKED[ending])
    assert reading.read(path).to_dict("list") == {"size": [50, 60], "town": ["Aville", "Bford"]}
    parts = list(reading.parts(path, 1))
    assert [part.num_rows for part in parts] == [1, 1]


def test_the_name_inside_says_what_separates_values(tmp_path):
    tabbed = TABLE.replace(b",", b"\t")
    for name, content in {
        "a.tsv.gz": gzip.compress(tabbed),
        "a.zip": zipped(**{"b.tsv": tabbed}),
    }.items():
        (tmp_path / name).write_bytes(content)
        assert list(reading.read(tmp_path / name)) == ["size", "town"]


@pytest.mark.parametrize(
    "content, message",
    [
        (gzip.compress(TABLE)[:-9], "cannot be unpacked .*; pack the file again"),
        (b"\x1f\x8b" + bytes(30), "cannot be unpacked"),
        (b"PK\x03\x04rest", "cannot be unpacked"),
        (zstd(TABLE)[:-5], "cannot be unpacked"),
        (lzma.compress(TABLE)[:-9], "cannot be unpacked"),
        (zipped(a=TABLE, b=TABLE), "a zip archive of 2 files .'a', 'b'., not of one table"),
        (zipped(), r"a zip archive of 0 files \(nothing\)"),
        (gzip.compress(gzip.compress(TABLE)), "packed twice; unpack it and give that file"),
    ],
    # archives hold the second they were made in, and every process must collect the same names
    ids=["cut gz", "empty gz", "broken zip", "cut zst", "cut xz", "two files", "no file", "twice"],
)
def test_what_cannot_be_unpacked_is_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"{path}: {message}") as error:
        reading.read(path)
    assert "\n" not in str(error.value)
    with pytest.raises(DataError, match=message):
        next(reading.parts(path, 10))


def test_a_zip_with_a_password_is_refused(tmp_path):
    content = bytearray(zipped(**{"table.csv": TABLE}))
    # the flag of both headers of the one file
    for header in (b"PK\x03\x04", b"PK\x01\x02"):
        place = content.index(header) + (6 if header.endswith(b"\x04") else 8)
        content[place] |= packed.ENCRYPTED
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match="a zip archive with a password; unpack it"):
        reading.read(tmp_path / "a.zip")


@pytest.mark.parametrize("ending", ["gz", "zip", "zst", "bz2", "xz"])
def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path, monkeypatch, ending):
    monkeypatch.setattr(packed, "LARGE", 2**20)
    zeros = TABLE + bytes(2**24)
    content = {
        "gz": gzip.compress,
        "bz2": bz2.compress,
        "xz": lzma.compress,
        "zst": zstd,
        "zip": lambda data: zipped(a=data),
    }[ending](zeros)
    path, target = tmp_path / f"bomb.{ending}", tmp_path / "unpacked"
    path.write_bytes(content)
    with pytest.raises(DataError, match="grows to more than 250 times its size, as no table does"):
        packed.unpack(path, target)
    assert target.stat().st_size < 2**23


def test_a_packed_file_has_a_largest_size(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "MOST_BYTES", 20)
    (tmp_path / "a.gz").write_bytes(gzip.compress(TABLE))
    with pytest.raises(DataError, match="larger than 20 bytes once unpacked; unpack it and give"):
        reading.read(tmp_path / "a.gz")
