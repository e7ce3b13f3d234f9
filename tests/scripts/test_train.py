"""train.py: whatever stops it, however many workers it has, and one model alone."""

import json
import shutil
import signal
import subprocess
import sys

from support.processes import kill_while_writing, script, shell, with_ctrl_c
from support.projects import edit


def read(folder, name: str) -> dict:
    return json.loads((folder / name).read_text())


def trained(folder) -> dict:
    """Return the bytes of all that a training of `tiny` leaves for DVC."""
    places = [folder / place / "tiny/train" for place in ("models", "reports", "data/predictions")]
    found = [path for place in places for path in place.rglob("*") if path.is_file()]
    return {
        path: path.read_bytes() for path in [*found, folder / "metrics/datasets/tiny/train.json"]
    }


def test_killed_training_leaves_the_old_result_and_its_rerun_gives_that_of_an_unbroken_one(
    pipeline_run, monkeypatch
):
    monkeypatch.chdir(pipeline_run)
    before = trained(pipeline_run)
    edit(pipeline_run, "decision_tree: {max_depth: 4}", "decision_tree: {max_depth: 3}")
    kill_while_writing("train", pipeline_run / "models", "--dataset", "tiny")
    assert trained(pipeline_run) == before
    assert script("train", "--dataset", "tiny").returncode == 0
    assert not list(pipeline_run.rglob("*.partial"))
    after_a_kill = trained(pipeline_run)
    shutil.rmtree(pipeline_run / "models/tiny")
    assert script("train", "--dataset", "tiny").returncode == 0
    assert trained(pipeline_run) == after_a_kill != before


TRAIN_AND_TELL_EVERY_FIT = """
import sys
import train
from pipeline import command
command.SECONDS_BETWEEN_LINES = -1
sys.argv[0] = "train.py"
command.run(train.main)
"""


def test_interrupted_training_ends_at_once_in_one_line_and_changes_nothing(pipeline_run):
    edit(
        pipeline_run,
        "models: [dummy, ridge, decision_tree]",
        "models: {dummy: {}, random_forest: {n_estimators: 50000}}",
    )
    before = (pipeline_run / "metrics/datasets/tiny/train.json").read_bytes()
    process = subprocess.Popen(
        [sys.executable, "-c", TRAIN_AND_TELL_EVERY_FIT, "--dataset", "tiny"],
        cwd=pipeline_run,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=with_ctrl_c,
    )
    try:
        assert (
            process.stderr.readline() == "train tiny: 1 of 8 fits\n"
        )  # that of the dummy; a forest takes minutes
        process.send_signal(signal.SIGINT)
        *fits, told = process.communicate(timeout=20)[1].splitlines()
    finally:
        process.kill()
    assert told == (
        "train.py: error: stopped; what was there before stays, the same command starts anew"
    )
    assert all(line.endswith(" of 8 fits") for line in fits)
    assert process.returncode == 130
    assert (pipeline_run / "metrics/datasets/tiny/train.json").read_bytes() == before
    assert not list(pipeline_run.rglob("*.partial"))


def test_any_number_of_workers_gives_the_same_bytes(pipeline_run):
    before = {
        path: path.read_bytes()
        for path in (pipeline_run / "models/tiny/train").rglob("*")
        if path.is_file()
    }
    assert shell("python train.py --dataset tiny --workers 1", pipeline_run).returncode == 0
    assert {
        path: path.read_bytes()
        for path in (pipeline_run / "models/tiny/train").rglob("*")
        if path.is_file()
    } == before
    assert "up to date" in shell("dvc status", pipeline_run).stdout


def test_one_model_is_trained_and_the_others_stay(pipeline_run):
    before = read(pipeline_run, "metrics/datasets/tiny/train.json")["candidates"]
    edit(pipeline_run, "decision_tree: {max_depth: 4}", "decision_tree: {max_depth: 2}")
    assert (
        shell("python train.py --dataset tiny --model decision_tree", pipeline_run).returncode == 0
    )
    after = read(pipeline_run, "metrics/datasets/tiny/train.json")["candidates"]
    assert (
        after["decision_tree"]["params"]["max_depth"] == 2
        and after["decision_tree"] != before["decision_tree"]
    )
    assert {name: after[name] for name in ("dummy", "ridge")} == {
        name: before[name] for name in ("dummy", "ridge")
    }
    assert (pipeline_run / "models/tiny/train/ridge/metadata.json").is_file()


def test_one_model_is_refused_when_the_others_are_of_other_data(pipeline_run):
    edit(
        pipeline_run,
        "prepare: {test_size: 0.25, split: random}",
        "prepare: {test_size: 0.3, split: random}",
    )
    assert shell("python prepare_data.py --dataset tiny", pipeline_run).returncode == 0
    done = shell("python train.py --dataset tiny --model ridge", pipeline_run)
    assert done.returncode == 1 and "other data" in done.stderr and "without --model" in done.stderr
