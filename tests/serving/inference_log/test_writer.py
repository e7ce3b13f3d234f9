"""The inference log as it is written: whole lines, bounded memory, rotation, killed writers."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from pipeline.project import paths
from pipeline.serving.inference_log import reader
from pipeline.serving.inference_log import writer as module
from pipeline.serving.inference_log.lines import as_lines
from pipeline.serving.inference_log.writer import Writer, append
from support.inference_rows import LARGE, entry
from support.processes import ROOT


def logged(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_lines_are_of_the_format_that_is_read(project):
    writer = Writer("iris", 1.0, [], LARGE)
    writer.put(entry("r1", rows=2))
    writer.close()
    assert logged(paths.inference_log("iris"))[1] == {
        "time": "2023-11-14T22:13:20.123456Z",
        "request_id": "r1",
        "row": 1,
        "model": "M",
        "model_version": 3,
        "features": {"size": 1.5, "town": None},
        "prediction": "x",
        "probabilities": {"x": 0.75, "y": 0.25},
    }
    served = reader.read_log("iris")
    assert (len(served.rows), served.version, served.broken) == (2, 3, 0)


def test_redacted_features_are_left_out_and_shadow_lines_say_so(project):
    writer = Writer("iris", 1.0, ["town"], LARGE)
    writer.put(entry("r1"))
    writer.add(entry("r1", shadow=True))
    writer.close()
    first, second = logged(paths.inference_log("iris"))
    assert first["features"] == second["features"] == {"size": 1.5}
    assert "shadow" not in first and second["shadow"] is True
    assert len(reader.read_log("iris").rows) == len(reader.read_log("iris", shadow=True).rows) == 1


def test_a_share_of_the_requests_is_logged(project):
    writer = Writer("iris", 0.3, [], LARGE)
    for number in range(2000):
        writer.put(entry(str(number)))
    writer.close()
    assert 500 < len(logged(paths.inference_log("iris"))) < 700


def test_memory_is_bounded_while_the_file_cannot_be_written(project, monkeypatch, capfd):
    """Serving goes on: no request waits for a log that is broken, and what is lost is counted."""
    monkeypatch.setattr(module, "MOST_WAITING", 10)
    monkeypatch.setattr(module, "SECONDS_BETWEEN_WRITES", 60)
    counts = Counter()
    writer = Writer("iris", 1.0, [], LARGE, count=lambda *count: counts.update([count]))
    paths.inference_log("iris").mkdir(parents=True)
    writer.put(entry("a", rows=2))
    writer.flush()
    for _ in range(8):
        writer.put(entry("b", rows=2))
        assert not writer.is_behind()
    assert counts == {("disk", 2): 1, ("full", 2): 3}
    paths.inference_log("iris").rmdir()
    writer.close()
    assert counts[("written", 10)] == 1
    told = capfd.readouterr().err.splitlines()
    assert "Is a directory; nothing is logged until that is fixed" in told[0]
    assert told[1].endswith("logged again")


def test_fault_that_is_not_the_systems_is_told_with_its_type(project, monkeypatch, capfd):
    def broken(*arguments):
        raise KeyError("rows")

    monkeypatch.setattr(module, "append", broken)
    writer = Writer("iris", 1.0, [], LARGE)
    writer.put(entry("a"))
    writer.close()
    assert "iris.jsonl: KeyError: 'rows'; nothing is logged" in capfd.readouterr().err


def test_requests_write_before_they_are_answered_where_lines_wait_too_long(project, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_WRITES", 60)
    writer = Writer("iris", 1.0, [], LARGE)
    writer.put(entry("a"))
    assert not writer.is_behind()
    time.sleep(module.SECONDS_BEHIND)
    writer.put(entry("b"))
    assert writer.is_behind()
    writer.flush()
    assert not writer.is_behind()
    assert [row["request_id"] for row in logged(paths.inference_log("iris"))] == ["a", "b"]
    writer.put(entry("c", rows=5000))
    assert writer.is_behind(), "a long write would take too long"
    writer.close()


def test_requests_wait_while_a_write_hangs(project, monkeypatch):
    """What waits behind a write that does not end could not be in the file in time."""
    hangs, goes_on = threading.Event(), threading.Event()

    def slow(*arguments):
        hangs.set()
        goes_on.wait(20)

    monkeypatch.setattr(module, "append", slow)
    writer = Writer("iris", 1.0, [], LARGE)
    writer.put(entry("a"))
    assert hangs.wait(20)
    time.sleep(module.SECONDS_BEHIND)
    writer.put(entry("b"))
    assert writer.is_behind()
    goes_on.set()
    writer.flush()
    assert not writer.is_behind()
    writer.close()


def test_each_write_is_put_on_the_disk_where_that_is_set(project, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file).st_size))
    writer = Writer("iris", 1.0, [], LARGE, fsync=True)
    writer.put(entry("a"))
    writer.flush()
    # the file, with its line in it, and its folder
    assert len(synced) == 2 and synced[0] == paths.inference_log("iris").stat().st_size
    writer.put(entry("b"))
    writer.close()
    assert len(synced) == 3
    quick = Writer("iris", 1.0, [], LARGE)
    quick.put(entry("c"))
    quick.close()
    assert len(synced) == 3


def test_full_files_are_put_aside_and_none_is_larger_than_set(project):
    for number in range(50):
        append(paths.inference_log("iris"), as_lines(entry(str(number))), 1000)
    assert all(path.stat().st_size <= 1000 for path in reader.rotated_files("iris"))
    assert len(reader.rotated_files("iris")) > 5
    assert list(reader.read_log("iris").rows["request_id"]) == [str(number) for number in range(50)]


def test_broken_last_line_of_a_killed_writer_is_cut_off(project):
    path = paths.inference_log("iris")
    line = as_lines(entry("whole"))
    append(path, line, LARGE)
    with open(path, "ab") as stream:
        stream.write(line[:40])
    append(path, as_lines(entry("next")), LARGE)
    assert [row["request_id"] for row in logged(path)] == ["whole", "next"]
    path.write_bytes(b"x" * (2 * module.BLOCK))  # nothing but a broken line
    append(path, line, LARGE)
    assert path.read_bytes() == line


def test_full_disk_is_counted_and_leaves_whole_lines(project):
    """A limit on the size of files stands for a full disk: it, too, takes a part of a write."""
    program = """
import resource, signal, sys
sys.path.insert(0, "{tests}")
from pipeline.serving.inference_log.lines import as_lines
from pipeline.serving.inference_log.writer import Writer, append
from pipeline.project import paths
from support.inference_rows import LARGE, entry
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
append(paths.inference_log("iris"), as_lines(entry("before")), LARGE)
size = paths.inference_log("iris").stat().st_size
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
counts = []
writer = Writer("iris", 1.0, [], LARGE, count=lambda *count: counts.append(count))
writer.put(entry("lost", rows=3))
writer.close()
assert paths.inference_log("iris").stat().st_size == size
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
writer = Writer("iris", 1.0, [], LARGE, count=lambda *count: counts.append(count))
writer.put(entry("after"))
writer.close()
print(counts)
"""
    done = subprocess.run(
        [sys.executable, "-c", program.replace("{tests}", str(ROOT / "tests"))],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.strip() == "[('disk', 3), ('written', 1)]", done.stderr
    assert "nothing is logged until that is fixed" in done.stderr
    assert [row["request_id"] for row in logged(paths.inference_log("iris"))] == ["before", "after"]


WRITE_ON = """
import itertools, sys, time
sys.path.insert(0, "{tests}")
from pipeline.serving.inference_log import writer as module
from support.inference_rows import entry
module.SECONDS_BETWEEN_WRITES = 0.002
writer = module.Writer("iris", 1.0, [], 200_000)
print("ready", flush=True)
for number in itertools.count():
    writer.put(entry(f"{sys.argv[1]}-{number}", rows=40))
    time.sleep(0.002)
"""


def kill_writers(rounds: int) -> int:
    """Kill two writers of one log at random moments, again and again; return the log's rows."""
    import random

    for number in range(rounds):
        writers = [
            subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    WRITE_ON.replace("{tests}", str(ROOT / "tests")),
                    f"{number}{name}",
                ],
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
            for name in "ab"
        ]
        for process in writers:
            process.stdout.readline()
        time.sleep(0.2 + random.random() / 4)
        for process in writers:
            process.send_signal(signal.SIGKILL)
            process.wait()
        *whole, _ = paths.inference_log("iris").read_bytes().split(b"\n")
        assert all(json.loads(line) for line in whole)
    append(paths.inference_log("iris"), as_lines(entry("last")), LARGE)
    served = reader.read_log("iris")
    assert served.broken == 0
    return len(served.rows)


def test_killed_writers_leave_no_broken_line_in_the_middle(project):
    assert kill_writers(2) > 500


@pytest.mark.slow
def test_writers_killed_many_times_leave_no_broken_line_in_the_middle(project):
    assert kill_writers(50) > 12_500


def test_two_writers_share_a_log(project):
    writers = [Writer("iris", 1.0, [], 20_000) for _ in range(2)]
    for number in range(500):
        writers[number % 2].put(entry(str(number)))
        if number % 50 == 0:
            time.sleep(0.02)
    for one in writers:
        one.close()
    assert sorted(reader.read_log("iris").rows["request_id"], key=int) == [
        str(number) for number in range(500)
    ]
