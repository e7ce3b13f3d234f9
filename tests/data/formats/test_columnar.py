"""Parquet and Feather files are read as pandas reads them, within limits of what they grow to."""

import numpy as np
import pandas as pd
import pyarrow
import pytest
from pyarrow import parquet

from pipeline.data import reading, typed_tables
from pipeline.data.formats import columnar, packed
from pipeline.project.errors import DataError
from support.houses import houses

WRITERS = {
    "parquet": lambda frame, path: frame.to_parquet(path),
    "feather": lambda frame, path: frame.to_feather(path),
}


@pytest.mark.parametrize(
    "kind, name",
    [
        ("parquet", "table.parquet"),
        ("parquet", "table.csv"),
        ("feather", "table.feather"),
        ("feather", "table"),
    ],
)
def test_columns_are_read_as_they_were_written_whatever_the_name(tmp_path, kind, name):
    path = tmp_path / name
    frame = houses(400).assign(day=pd.date_range("2024-01-01", periods=400), old=True)
    WRITERS[kind](frame, path)
    pd.testing.assert_frame_equal(reading.read(path), frame, check_dtype=False)
    assert list(typed_tables.open_file(path)) == list(frame)
    parts = list(reading.parts(path, 150))
    assert [part.num_rows for part in parts] == [150, 150, 100]


def test_named_rows_are_a_column(tmp_path):
    path = tmp_path / "a.parquet"
    houses(4).set_index("town").to_parquet(path)
    assert list(reading.read(path))[0] == "town"


def bomb(path) -> int:
    """Write a column of one long value that stands in every row; return the file's size."""
    values = pyarrow.DictionaryArray.from_arrays(np.zeros(20_000, "int32"), ["x" * 10_000])
    parquet.write_table(pyarrow.table({"a": values.cast(pyarrow.string())}), path)
    return path.stat().st_size


def test_a_parquet_bomb_is_refused(tmp_path, monkeypatch):
    """Some kilobytes become 200 MB."""
    monkeypatch.setattr(packed, "MOST_BYTES", 50_000_000)
    path = tmp_path / "bomb.parquet"
    assert bomb(path) < 100_000
    with pytest.raises(DataError, match="larger than 50,000,000 bytes once unpacked; give fewer"):
        reading.read(path)
    monkeypatch.setattr(typed_tables, "SMALL", 0)
    with pytest.raises(DataError, match="larger than 50,000,000 bytes once unpacked"):
        typed_tables.open_file(path)["a"]


def test_a_parquet_file_that_says_itself_that_it_is_too_large_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "long.parquet"
    parquet.write_table(pyarrow.table({"a": np.zeros(1_000_000)}), path)
    monkeypatch.setattr(packed, "MOST_BYTES", 4_000_000)
    monkeypatch.setattr(columnar, "in_parts", None)
    with pytest.raises(DataError, match="larger than 4,000,000 bytes once unpacked"):
        reading.read(path)


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_nested_columns_are_refused_by_name(tmp_path, ending):
    path = tmp_path / f"mine.{ending}"
    frame = pd.DataFrame({"a": [1, 2], "tags": [["x"], ["y", "z"]]})
    WRITERS[ending](frame, path)
    with pytest.raises(DataError, match="column 'tags' holds a list, a struct or a map"):
        reading.read(path)
    with pytest.raises(DataError, match="column 'tags' holds a list, a struct or a map"):
        next(reading.parts(path, 10))


def test_an_old_feather_file_is_refused(tmp_path):
    (tmp_path / "a.feather").write_bytes(b"FEA1" + bytes(100))
    with pytest.raises(DataError, match="a Feather file of version 1; write it again in version 2"):
        reading.read(tmp_path / "a.feather")


def test_a_broken_feather_file_is_refused(tmp_path):
    path = tmp_path / "a.feather"
    houses(400).to_feather(path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match="a.feather: not a whole Feather file"):
        reading.read(path)
