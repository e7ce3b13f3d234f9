"""rollback.py: an earlier version back in one command, or nothing changed, whatever is killed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rollback
from ops import sync
from pipeline.models.fitted import Model
from pipeline.project import files, params, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.registry import decisions, promotion_log, versions
from pipeline.tracking import store
from support.processes import ROOT, script
from support.registered import aliases, content, log

PREPARED = """\
import json, os, signal, sys, threading, time, traceback
import mlflow, skops.io, sklearn.linear_model, sklearn.compose, sqlalchemy.orm
import mlflow.store.tracking.sqlalchemy_store, mlflow.store.model_registry.sqlalchemy_store
import mlflow.pyfunc, register_model, rollback
from support import registered
from pipeline.project import params
from pipeline.registry import bundles, decisions, promotion_log, versions
# what takes long is done once; each try is a process forked from here
sqlalchemy.orm.configure_mappers()

def started(function):
    pid = os.fork()
    if not pid:
        try:
            function()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        sys.stdout.flush()
        os._exit(0)
    return pid

def ended(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""
KILL_AND_LOOK = (
    PREPARED
    + """
what, shares = sys.argv[1], json.loads(sys.argv[2])

def act(number, after):
    threading.Timer(after, os.kill, (os.getpid(), signal.SIGKILL)).start()
    if what == "rollback":
        rollback.main(["--dataset", "tiny"])
    else:
        registered.variant(number)
        register_model.main(["--dataset", "tiny"])

def look():
    print("found", decisions.verify("tiny", params.load()), len(promotion_log.read_log("tiny")))
    bundles.check(versions.resolve("tiny", params.load()).folder)

begun = time.monotonic()
assert ended(started(lambda: act(1, 600))) == 0     # how long it takes unbroken
whole = time.monotonic() - begun
for number, share in enumerate(shares, start=2):
    killed = ended(started(lambda: act(number, share * whole)))
    print("ended", killed, "looked", ended(started(look)), flush=True)
"""
)
RACE = (
    PREPARED
    + """
def back():
    rollback.main(["--dataset", "tiny", "--to", "1"])

print(sorted(map(ended, [started(back) for _ in range(4)])))
"""
)


def printed(capsys, *options: str) -> str:
    capsys.readouterr()
    rollback.main(["--dataset", "tiny", *options])
    return capsys.readouterr().out


def test_list_shows_every_version_with_its_figures_and_marks_the_champion(two, capsys):
    header, newest, oldest = printed(capsys, "--list").splitlines()
    assert header.split()[:4] == ["version", "candidate", "metric", "cv"]
    assert newest.startswith("*       2  ridge ") and newest.endswith("champion, production")
    assert oldest.startswith("        1  ridge ") and oldest.endswith("previous")
    test = json.loads(Path("models/tiny/train/ridge/metadata.json").read_text())["metrics"]["test"][
        "rmse"
    ]
    assert f"{test['value']:.4g} [{test['low']:.4g}, {test['high']:.4g}]" in newest


def test_one_command_puts_the_version_before_back_and_one_more_undoes_it(two, capsys):
    assert printed(capsys) == (
        "rollback tiny: TinyPredictor version 1 is the champion, in place of 2 "
        "-> logs/promotions/tiny.jsonl\n"
    )
    assert aliases() == {"champion": 1, "production": 1, "previous": 2}
    assert store.client().get_model_version("TinyPredictor", "1").current_stage == "Production"
    printed(capsys)
    assert aliases() == {"champion": 2, "production": 2, "previous": 1}


def test_any_version_can_be_named_and_the_log_says_who_when_from_to_and_why(
    first, register, capsys
):
    register("worse")
    printed(capsys, "--to", "2", "--reason", "the first one is slow")
    line = log()[-1]
    assert (
        line.entry.outcome,
        line.entry.champion_before,
        line.entry.champion,
        line.entry.reason,
    ) == (
        "rolled back",
        1,
        2,
        "the first one is slow",
    )
    assert line.who == promotion_log.who() and line.time.endswith("Z")
    assert line.before == log()[-2].sha256
    assert aliases() == {"champion": 2, "production": 2, "previous": 1}


def changes_nothing(function, error, message):
    before, aliases_before = content(), aliases()
    with pytest.raises(error, match=message):
        function()
    after = content()
    for name in (
        "mlflow.db",
        "mlflow.db.lock",
    ):  # opened for writing; what the store says is compared
        before.pop(Path(name), None), after.pop(Path(name), None)
    assert after == before and aliases() == aliases_before


def test_changed_file_is_refused_and_nothing_changes(two, capsys):
    path = versions.resolve("tiny", params.load(), 1).folder / "estimator.skops"
    registered = files.digest(path)
    path.write_bytes(path.read_bytes() + b" ")
    changes_nothing(
        lambda: rollback.main(["--dataset", "tiny"]),
        DataError,
        f"estimator.skops: sha256 {files.digest(path)} is not the registered {registered}",
    )


def test_version_that_predicts_otherwise_is_refused_and_nothing_changes(two, monkeypatch):
    monkeypatch.setattr(Model, "output", lambda self, X: np.full(len(X), 1.5))
    changes_nothing(
        lambda: rollback.main(["--dataset", "tiny"]),
        DataError,
        r"its output is \[1.5, .* the packages differ",
    )


@pytest.mark.parametrize(
    "options, error, message",
    [
        (["--to", "2"], UsageError, "TinyPredictor: version 2 is the champion already"),
        (["--to", "7"], DataError, "TinyPredictor: no version 7 in sqlite"),
        (
            ["--to", "one"],
            UsageError,
            "--to one: give the number of a version; `python rollback.py",
        ),
    ],
)
def test_versions_that_make_no_sense_are_refused_and_nothing_changes(two, options, error, message):
    changes_nothing(lambda: rollback.main(["--dataset", "tiny", *options]), error, message)


def test_without_a_version_before_it_says_so(first):
    changes_nothing(
        lambda: rollback.main(["--dataset", "tiny"]),
        DataError,
        "TinyPredictor: no @previous in sqlite",
    )


@pytest.mark.slow  # MLflow waits 20 s for the lock
def test_store_that_cannot_be_written_is_reported_and_nothing_changes(two):
    import sqlite3

    held = sqlite3.connect("mlflow.db", isolation_level=None)
    held.execute("BEGIN IMMEDIATE")  # as another program would that writes for long
    try:
        changes_nothing(
            lambda: rollback.main(["--dataset", "tiny"]),
            DataError,
            "sqlite:.*locked.*; fix the store",
        )
    finally:
        held.rollback()
    rollback.main(["--dataset", "tiny"])
    assert aliases()["champion"] == 1


def test_looking_writes_nothing(two, capsys):
    before = content()
    printed(capsys, "--list")
    assert "the log is whole, 2 lines; @champion is version 2" in printed(capsys, "--verify")
    versions.resolve("tiny", params.load(), "previous")
    assert content() == before


@pytest.mark.parametrize("option", ["--list", "--verify", "--to=1"])
def test_without_a_registry_it_says_what_to_run_and_makes_none(project, option):
    done = script("rollback", "--dataset", "tiny", option, cwd=project)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "no MLflow store; run `dvc repro`" in done.stderr
    assert not list(project.glob("mlflow.db*"))


def test_verify_reports_a_line_that_was_changed_and_lines_that_were_cut_off(two, capsys):
    rollback.main(["--dataset", "tiny"])
    path = paths.promotions("tiny")
    whole = path.read_text()
    first = whole.splitlines(keepends=True)[0]
    for broken, message in (
        (whole.replace("promoted", "refused", 1), "line 2 does not follow from the one before"),
        (first, "has 1 lines, TinyPredictor in .* has 3; run `make sync`"),
        (whole[:-9], "line 3 is not a whole JSON object"),
    ):
        path.write_text(broken)
        with pytest.raises(DataError, match=message):
            rollback.main(["--dataset", "tiny", "--verify"])
    path.write_text(whole)
    assert "the log is whole, 3 lines" in printed(capsys, "--verify")


def prepared(program: str, *arguments: str) -> subprocess.CompletedProcess:
    """Run a program that starts with PREPARED in the working directory."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
    )


def test_four_at_once_to_one_version_make_one_move(two):
    done = prepared(RACE)
    assert (
        done.stdout.splitlines()[-1] == "[0, 1, 1, 1]"
        and "version 1 is the champion already" in done.stderr
    )
    assert len(log()) == 3 and "the log is whole, 3 lines" in decisions.verify(
        "tiny", params.load()
    )


def killed(what: str, shares: list[float]) -> list[str]:
    """Run rollback.py or register_model.py again and again, each killed after a share of its time;
    return what was seen.
    """
    done = prepared(KILL_AND_LOOK, what, json.dumps(shares))
    assert done.returncode == 0, done.stderr
    seen = [line for line in done.stdout.splitlines() if line.startswith("ended")]
    assert len(seen) == len(shares) and all(line.endswith("looked 0") for line in seen), (
        done.stdout + done.stderr
    )
    return seen


def settled(register) -> None:
    """One more registration, unbroken, after which nothing is left undone."""
    register("worse")
    sync.main([])
    told = decisions.verify("tiny", params.load())
    assert "the log is whole" in told and "still to be carried out" not in told
    found = [version.sha256 for version in versions.list_versions("tiny", params.load())]
    assert len(set(found)) == len(found) and {line.entry.sha256 for line in log()} <= set(found)
    assert not list(Path().rglob("*.partial"))
    experiment = store.client().get_experiment_by_name("Tiny-Regression").experiment_id
    assert not store.client().search_runs([experiment], "attributes.status != 'FINISHED'")


@pytest.mark.parametrize(
    "what, number",
    [
        ("register", 4),
        pytest.param("register", 50, marks=pytest.mark.slow),
        pytest.param("rollback", 50, marks=pytest.mark.slow),
    ],
)
def test_killed_at_any_moment_the_log_is_whole_and_a_champion_loads(two, register, what, number):
    seen = killed(what, np.random.default_rng(number).uniform(0.05, 1.1, number).tolist())
    assert sum("ended -9" in line for line in seen) >= number / 3
    settled(register)
