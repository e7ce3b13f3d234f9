"""A file or folder is whole or as it was, whatever happens to its writer; equal content has one
hash.
"""

import errno
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.project import files
from pipeline.project.errors import DataError
from support.processes import ROOT

DIE = "os.kill(os.getpid(), signal.SIGKILL)"
NO_PROCESS = 2**22 + 1  # above the largest process number


def killed_child(code):
    """Run Python code in a process that kills itself, as `kill -9` does."""
    done = subprocess.run(
        [sys.executable, "-c", f"import os, signal\nfrom pipeline.project import files\n{code}"],
        cwd=ROOT,
    )
    assert done.returncode == -signal.SIGKILL


def fill(folder, **contents):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        (folder / name).write_text(text)
    return folder


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in files.folder_files(folder)
    }


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_file_takes_the_place_of_the_old_one_and_nothing_is_left(tmp_path):
    path = tmp_path / "new" / "report.html"
    for text in ("one", "two"):
        with files.replacing(path) as partial:
            partial.write_text(text)
            assert partial.parent == path.parent and partial.name.endswith(".partial")
        assert path.read_text() == text
    assert names(path.parent) == ["report.html"]


def test_folder_takes_the_place_of_the_old_one_as_a_whole(tmp_path):
    path = fill(tmp_path / "model", old="1", both="1")
    with files.replacing(path) as partial:
        fill(partial, both="2", new="2")
        assert contents(path) == {"old": "1", "both": "1"}
    assert contents(path) == {"both": "2", "new": "2"}
    assert names(tmp_path) == ["model"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_error_leaves_the_old_file_and_the_old_folder(tmp_path, error):
    file, folder = tmp_path / "figures.json", fill(tmp_path / "model", old="1")
    file.write_text("old")
    for path in (file, folder):
        with pytest.raises(error), files.replacing(path) as partial:
            fill(partial, new="2") if path == folder else partial.write_text("half")
            raise error
    assert file.read_text() == "old" and contents(folder) == {"old": "1"}
    assert names(tmp_path) == ["figures.json", "model"]


def test_writer_killed_in_the_middle_of_a_file_leaves_the_old_one_and_the_next_cleans_up(tmp_path):
    path = tmp_path / "figures.json"
    path.write_text("old")
    killed_child(
        f"with files.replacing({str(path)!r}) as partial:\n"
        f"    partial.write_text('half')\n    {DIE}"
    )
    assert path.read_text() == "old" and len(names(tmp_path)) == 2
    files.write_text(path, "new")
    assert path.read_text() == "new" and names(tmp_path) == ["figures.json"]


def test_writer_killed_in_the_middle_of_a_folder_leaves_the_old_one_and_the_next_cleans_up(
    tmp_path,
):
    path = fill(tmp_path / "model", old="1")
    killed_child(
        f"with files.replacing({str(path)!r}) as partial:\n    partial.mkdir()\n"
        f"    (partial / 'new').write_text('half')\n    {DIE}"
    )
    assert contents(path) == {"old": "1"} and len(names(tmp_path)) == 2
    with files.replacing(path) as partial:
        fill(partial, new="2")
    assert contents(path) == {"new": "2"} and names(tmp_path) == ["model"]


SWAP = """
rename, done = os.rename, []
def rename_and_die(one, other):
    rename(one, other)
    done.append(other)
    if len(done) == {renames}:
        {die}
os.rename = rename_and_die
with files.replacing({path!r}) as partial:
    partial.mkdir()
    (partial / "new").write_text("2")
"""


def test_folder_moved_aside_by_a_writer_that_was_killed_comes_back_with_the_next(tmp_path):
    path = fill(tmp_path / "model", old="1")
    killed_child(SWAP.format(renames=1, die=DIE, path=str(path)))
    assert not path.exists() and len(names(tmp_path)) == 2
    with pytest.raises(ZeroDivisionError), files.replacing(path):
        assert contents(path) == {"old": "1"}
        raise ZeroDivisionError
    assert contents(path) == {"old": "1"} and names(tmp_path) == ["model"]


def test_writer_killed_after_the_swap_leaves_the_new_folder_and_the_next_cleans_up(tmp_path):
    path = fill(tmp_path / "model", old="1")
    killed_child(SWAP.format(renames=2, die=DIE, path=str(path)))
    assert contents(path) == {"new": "2"} and len(names(tmp_path)) == 2
    with files.replacing(path) as partial:
        fill(partial, newer="3")
    assert contents(path) == {"newer": "3"} and names(tmp_path) == ["model"]


def test_only_what_is_left_of_the_same_file_by_a_dead_writer_is_dropped(tmp_path):
    dead, alive, others = (
        f".train.{NO_PROCESS}.partial",
        f".train.{os.getppid()}.partial",
        [
            f".train.json.{NO_PROCESS}.partial",
            f".train.x.{NO_PROCESS}.old.partial",
            ".train.notes.partial",
        ],
    )
    for name in (dead, alive, *others):
        (tmp_path / name).write_text("half")
    files.write_text(tmp_path / "train", "whole")
    assert names(tmp_path) == sorted([alive, *others, "train"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk_is_told_with_the_file_that_was_to_be_written(tmp_path):
    path = tmp_path / "table.csv"
    with pytest.raises(OSError) as caught, files.replacing(path) as partial:
        partial.symlink_to("/dev/full")
        partial.write_text("x")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    assert names(tmp_path) == []


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_json_refuses_a_number_it_cannot_hold_and_keeps_the_old_file(tmp_path, number):
    path = tmp_path / "metrics.json"
    files.write_json(path, {"rmse": 0.5, "unit": "€"})
    with pytest.raises(ValueError):
        files.write_json(path, {"rmse": number})
    assert files.read_json(path, "train.py") == {"rmse": 0.5, "unit": "€"}
    assert path.read_bytes() == '{\n  "rmse": 0.5,\n  "unit": "€"\n}\n'.encode()


def test_missing_or_broken_json_is_told_with_the_command_that_makes_it(tmp_path):
    path = tmp_path / "best.json"
    with pytest.raises(
        DataError, match=r"best.json is not there; run `python compare_results.py` first"
    ):
        files.read_json(path, "python compare_results.py")
    path.write_text('{"half": ')
    with pytest.raises(
        DataError,
        match=r"best.json is not a whole JSON file \(.*\); run `python compare_results.py` again",
    ):
        files.read_json(path, "python compare_results.py")


def test_digest_of_a_file_is_the_hash_of_its_bytes(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,b\n1,2\n" * 100_000)
    assert files.digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert files.digest(path, "md5") == hashlib.md5(path.read_bytes()).hexdigest()


def test_digest_of_a_folder_changes_with_a_name_and_with_a_byte_only(tmp_path):
    first = fill(tmp_path / "first", a="1", b="2")
    second = fill(tmp_path / "second", b="2", a="1")
    digest = files.digest(first)
    assert files.digest(second) == digest
    (second / "b").write_text("3")
    assert files.digest(second) != digest
    (second / "b").write_text("2")
    assert files.digest(second) == digest
    (second / "b").rename(second / "c")
    assert files.digest(second) != digest
    (second / "c").unlink()
    fill(second / "b", b="2")
    assert files.digest(second) != digest


def test_files_of_a_folder_come_in_one_order_on_every_system(tmp_path):
    fill(tmp_path / "a", b="", C="")
    fill(tmp_path / "a-b", c="")
    fill(tmp_path, B="", c="")
    assert list(contents(tmp_path)) == ["B", "a/C", "a/b", "a-b/c", "c"]
