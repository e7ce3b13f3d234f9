"""Columns of a file come one at a time in the types that they have when the file is read as a
whole.
"""

import numpy as np
import pandas as pd
import pytest

from benchmarks import drift_scale
from pipeline.data import kinds, typed_tables
from pipeline.project.errors import DataError
from support.drift_tables import compare


def table(rows=3000, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=rows),
            "whole": rng.integers(0, 9, rows),
            "town": rng.choice(["a, b", 'c "d"', "e\nf"], rows),
            "flag": rng.random(rows) < 0.5,
            "day": pd.date_range("2026-01-01", periods=rows, freq="h").astype(str),
            "dirty": rng.normal(size=rows).round(3).astype(str),
        }
    )
    frame.loc[frame.index % 50 == 3, "dirty"] = "?"
    frame.loc[frame.index % 7 == 0, ["x", "town"]] = None
    return frame


def assert_alike(one, other):
    assert list(one) == list(other) and len(one) == len(other)
    for name in one:
        assert kinds.kind_of(one[name]) == kinds.kind_of(other[name]), name
        pd.testing.assert_series_equal(
            one[name],
            other[name],
            check_names=False,
            check_dtype=kinds.kind_of(one[name]) != "date",
        )
        assert one[name].attrs == other[name].attrs


def test_large_csv_file_read_by_columns_is_the_same_as_read_at_once(tmp_path, monkeypatch):
    table().to_csv(tmp_path / "a.csv", index=False)
    at_once = typed_tables.open_file(tmp_path / "a.csv")
    monkeypatch.setattr(typed_tables, "LARGE", 0)
    # so that some end within a quoted value of two lines
    monkeypatch.setattr(typed_tables, "BLOCK", 2_000)
    assert_alike(typed_tables.open_file(tmp_path / "a.csv"), at_once)
    assert [kinds.kind_of(at_once[name]) for name in at_once] == [
        "number",
        "number",
        "category",
        "category",
        "date",
        "number",
    ]
    assert at_once["dirty"].attrs["unreadable"] == 60


def test_parquet_file_is_the_same_as_the_frame_it_was_written_from(tmp_path):
    table().to_parquet(tmp_path / "a.parquet", row_group_size=500)
    assert_alike(typed_tables.open_file(tmp_path / "a.parquet"), typed_tables.of_frame(table()))


def test_what_counts_as_missing_is_what_pandas_takes_for_it():
    from pandas._libs.parsers import STR_NA_VALUES

    assert set(typed_tables.MISSING) == STR_NA_VALUES


def test_results_do_not_depend_on_how_a_file_is_read_nor_on_the_workers(tmp_path, monkeypatch):
    for seed, name in enumerate(("a", "b")):
        table(seed=seed).to_csv(tmp_path / f"{name}.csv", index=False)
    at_once = [typed_tables.open_file(tmp_path / f"{name}.csv") for name in ("a", "b")]
    monkeypatch.setattr(typed_tables, "LARGE", 0)
    by_columns = [typed_tables.open_file(tmp_path / f"{name}.csv") for name in ("a", "b")]
    one, other = compare(*at_once, n_workers=1), compare(*by_columns, n_workers=2)
    assert one.as_json() == other.as_json()
    for mine, theirs in (
        (one.samples.reference, other.samples.reference),
        (one.samples.current, other.samples.current),
    ):
        pd.testing.assert_frame_equal(mine, theirs, check_dtype=False)


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("a.csv", "x,y\n1,2\n1,2,3\n", "a.csv: not a table in UTF-8"),
        ("a.csv", "x,x\n1,2\n", "names 'x' more than once"),
        ("a.csv", "x,y\n", "a header and no rows"),
        ("a.csv", "", "an empty file"),
        ("a.parquet", "x", "not a whole Parquet file"),
        ("b.csv", None, "no such file"),
    ],
)
def test_broken_files_are_refused_by_name(tmp_path, monkeypatch, name, content, message):
    monkeypatch.setattr(typed_tables, "LARGE", 0)
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        typed_tables.open_file(tmp_path / name)


def test_text_that_becomes_numbers_late_in_a_column_is_text():
    values = pd.Series(["town"] * 15_000 + ["7"] * 5_000)
    assert kinds.kind_of(typed_tables.typed(values)) == "category"
    assert kinds.kind_of(typed_tables.typed(pd.Series(["7"] * 19_500 + ["town"] * 500))) == "number"


@pytest.mark.slow
def test_a_million_rows_are_decided_in_seconds_and_little_memory(tmp_path):
    paths = [tmp_path / name for name in ("a.parquet", "b.parquet")]
    for seed, path in enumerate(paths):
        drift_scale.write(path, 1_000_000, seed)
    tables_in_memory = 2 * 1_000_000 * 31 * 8 / 2**20
    line = drift_scale.measured(drift_scale.OURS.replace("{cores}", "2"), "no", *paths).split()
    assert float(line[0]) < 20  # under 10 on two cores that do nothing else
    assert float(line[1].replace(",", "")) < 1.5 * tables_in_memory


def test_small_parquet_file_is_read_once_however_many_columns_it_has(tmp_path):
    path = tmp_path / "wide.parquet"
    pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}).to_parquet(path)
    opened = typed_tables.open_file(path)
    path.unlink()
    assert opened["b"].tolist() == ["x", "y"]
