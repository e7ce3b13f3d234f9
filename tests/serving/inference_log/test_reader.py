"""The inference log is read from its end, over rotated files, with broken lines counted.

No more is in memory than is taken.
"""

import json
import tracemalloc

import pytest

from pipeline.project import paths
from pipeline.project.errors import DataError
from pipeline.serving.inference_log import reader


def line(number, version=1, **other):
    return json.dumps(
        {
            "time": f"2026-01-31T12:00:00.{number:06}Z",
            "request_id": f"{number:032x}",
            "row": 0,
            "model": "TinyModel",
            "model_version": version,
            "features": {"size": number / 2, "town": "Aville"},
            "prediction": float(number),
            **other,
        }
    )


def write(lines, name="tiny.jsonl"):
    path = paths.inference_log("tiny").with_name(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{text}\n" for text in lines), encoding="utf-8")
    return path


def numbers(served):
    return served.rows["prediction"].astype(int).tolist()


def test_newest_rows_of_current_and_rotated_files_come_in_their_order(project):
    write([line(number) for number in range(3)], "tiny.20260101T000000000000.jsonl")
    write([line(number) for number in range(3, 6)], "tiny.20260102T000000000000.jsonl")
    write([line(number) for number in range(6, 9)])
    write([line(99)], "tiny.20260103T000000000000.jsonl.gz")
    write([line(98)], "tiny_other.jsonl")
    assert numbers(reader.read_log("tiny")) == list(range(9))
    served = reader.read_log("tiny", rows=5)
    assert numbers(served) == list(range(4, 9)) and (
        served.model,
        served.version,
        served.broken,
    ) == ("TinyModel", 1, 0)
    assert (
        served.features["size"].tolist() == [2.0, 2.5, 3.0, 3.5, 4.0]
        and served.probabilities is None
    )


@pytest.mark.parametrize("block", [1, 7, 64, 2**20])
def test_lines_are_whole_whatever_the_size_of_a_block(project, monkeypatch, block):
    monkeypatch.setattr(reader, "BLOCK", block)
    write(["", line(0), "", line(1, town="Straße"), line(2)])
    assert numbers(reader.read_log("tiny")) == [0, 1, 2]


def test_file_without_a_last_line_end_is_read(project):
    path = write([line(0), line(1)])
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert numbers(reader.read_log("tiny")) == [0, 1]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "7",
        "[]",
        "\x00",
        line(5)[:-9],
        line(5, model_version="1"),
        line(5, features=[]),
        line(5, prediction=None),
        line(5, probabilities={"a": "x"}),
        line(5, model_version=True),
    ],
)
def test_broken_lines_are_counted_and_skipped(project, text):
    write([line(0), text, line(1), text])
    served = reader.read_log("tiny")
    assert numbers(served) == [0, 1] and served.broken == 2


def test_rows_of_other_versions_and_of_shadows_are_left_out(project):
    write(
        [
            line(0, version=1),
            line(1, version=2),
            line(2, version=1),
            line(3, version=2),
            line(4, version=3, shadow=True),
        ]
    )
    newest, first, shadow = (
        reader.read_log("tiny", **options) for options in ({}, {"version": 1}, {"shadow": True})
    )
    assert (newest.version, numbers(newest), newest.others) == (2, [1, 3], {1: 2})
    assert numbers(first) == [0, 2] and (shadow.version, numbers(shadow)) == (3, [4])


def test_features_that_come_and_go_are_missing_elsewhere(project):
    write(
        [
            line(0, features={"size": 1}),
            line(1, features={"size": None, "age": 3}),
            line(2, features={"size": "big"}),
        ]
    )
    features = reader.read_log("tiny").features
    assert features["age"].isna().tolist() == [True, False, True] and features["size"].tolist()[
        ::2
    ] == [1, "big"]


def test_probabilities_are_columns(project):
    write(
        [
            line(0, prediction="a", probabilities={"a": 0.75, "b": 0.25}),
            line(1, prediction="b", probabilities={"a": 0, "b": 1}),
        ]
    )
    served = reader.read_log("tiny")
    assert served.probabilities["b"].tolist() == [0.25, 1.0] and served.rows[
        "prediction"
    ].tolist() == ["a", "b"]


def test_nothing_to_read_is_told_with_what_is_there(project):
    with pytest.raises(DataError, match="tiny.jsonl: no such file; serve the model first"):
        reader.read_log("tiny")
    write(["{", line(0, version=2)])
    found = (
        "no row that version 3 served; it holds 1 lines that cannot be read, 1 rows of version 2"
    )
    with pytest.raises(DataError, match=found):
        reader.read_log("tiny", version=3)


def test_log_that_is_rotated_while_it_is_read_gives_each_row_once(project, monkeypatch):
    path = write([line(number) for number in range(4)])
    backwards = reader._backwards

    def rotated(stream):
        if path.exists():
            path.rename(path.with_name("tiny.20260101T000000000000.jsonl"))
        return backwards(stream)

    monkeypatch.setattr(reader, "_backwards", rotated)
    assert numbers(reader.read_log("tiny")) == list(range(4))


def test_large_log_costs_what_is_taken_from_it(project, monkeypatch):
    write([line(number, padding="x" * 200) for number in range(60_000)])
    size = paths.inference_log("tiny").stat().st_size

    def peak(**options):
        tracemalloc.start()
        reader.read_log("tiny", **options)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    reader.read_log("tiny", rows=1)
    assert peak(rows=500) < 0.3 * size
    monkeypatch.setattr(reader, "ROWS_AT_A_TIME", 2_000)
    assert peak() < 2 * size
