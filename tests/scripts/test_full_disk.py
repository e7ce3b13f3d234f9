"""A full disk or a read-only folder: one line, status 1, and nothing is spoilt."""

import os
import shutil
import subprocess
import sys

import pytest

from pipeline.project import params
from support.processes import ROOT
from support.projects import content, sales
from support.refusals import STAGES

SCRIPTS = ["generate_data", "prepare_data", "train"]


ON_A_DISK = """\
mount -t tmpfs -o size=20m tmpfs "$DISK" && cp -a . "$DISK" && cd "$DISK" || exit 99
case $KIND in
full) cat /dev/zero > filler 2> /dev/null; truncate -s -8K filler ;;
read-only) mount -o remount,ro "$DISK" || exit 99 ;;
esac
"$PYTHON" "$SCRIPT" --dataset sold
status=$?
rm -f filler
cp -a . "$AFTER"
exit $status
"""


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize(
    "kind, message",
    [
        ("full", "No space left on device; free some space and run again"),
        ("read-only", "Read-only file system; make the folder writable or run elsewhere"),
    ],
)
def test_full_disk_and_read_only_folder_are_told_in_one_line_and_spoil_nothing(
    here, tmp_path, kind, message, name
):
    disk, after = tmp_path / "disk", tmp_path / "after"
    disk.mkdir()
    after.mkdir()
    if (
        shutil.which("unshare") is None
        or subprocess.run(
            ["unshare", "-Urm", "mount", "-t", "tmpfs", "tmpfs", disk], capture_output=True
        ).returncode
    ):
        pytest.skip("this system lets a user mount no file system of their own (unshare -Urm)")
    (here / "sold.csv").write_bytes(sales(3000).to_csv(index=False).encode())
    for stage in STAGES[: SCRIPTS.index(name)]:
        stage("sold", params.load())
    before = content(here)
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", ON_A_DISK],
        capture_output=True,
        text=True,
        cwd=here,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DISK": str(disk),
            "AFTER": str(after),
            "KIND": kind,
            "PYTHON": sys.executable,
            "SCRIPT": str(ROOT / f"{name}.py"),
        },
    )
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert (
        done.stderr.startswith(f"{name}.py: error: ")
        and done.stderr.count("\n") == 1
        and message in done.stderr
    )
    place = {"generate_data": "sold_data.csv", "prepare_data": "data/processed/", "train": "sold"}[
        name
    ]
    assert place in done.stderr
    assert content(after) == before
