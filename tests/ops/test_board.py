"""What a run shows: a live table on a terminal, in colour unless NO_COLOR says no; else lines."""

import os
import pty
import re
import shutil
import subprocess
import sys

import pytest
from rich.console import Console

from ops import board
from ops.board import DONE, FAILED, RUNNING, WAITING, Ended, Row, State
from support.processes import ROOT
from support.toy_stages import stage, write

COLOUR = re.compile(r"\x1b\[[\d;]*3[1-7]m")
STAGES = {"first": stage("first"), "second": stage("second", "first", seconds=1)}


def on_a_terminal(folder, *options: str, **variables: str) -> str:
    """Run ops.repro on a terminal of its own; return all that it wrote there."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", **variables}
    environment.pop("CI", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "ops.repro", *options],
        cwd=folder,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:  # the other end is closed
            more = b""
        if not more:
            break
        written += more
    os.close(ours)
    assert process.wait() == 0, written.decode()
    return written.decode()


def test_terminal_has_a_table_whose_last_state_stays_with_each_result(toy):
    write(toy, STAGES)
    text = on_a_terminal(toy, COLUMNS="100", LINES="40")
    plain = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", text)
    assert re.search(r"● +first +\d+ s", plain) and re.search(r"· +second", plain)
    last = plain.rpartition("stage ")[2]
    assert re.search(r"✓ +first +\d+\.\d s +made first", last)
    assert re.search(r"✓ +second +\d+\.\d s +made second", last)
    assert "2 of 2 stages done" in last and "repro: 2 stages in" in last
    assert COLOUR.search(text)


def test_no_color_has_a_table_without_colours_and_the_time_left_of_the_last_run(toy):
    write(toy, STAGES)
    on_a_terminal(toy, "--quiet")
    (toy / "second").unlink()
    (toy / "dvc.lock").unlink()
    shutil.rmtree(toy / ".dvc/cache")
    text = on_a_terminal(toy, NO_COLOR="1", COLUMNS="100", LINES="40")
    assert not COLOUR.search(text) and "made second" in text
    assert re.search(r"about \d+ s left", text)


@pytest.mark.parametrize(
    "option, told", [("--quiet", r"repro: 2 stages in [\d.]+ s"), ("--verbose", "started: first")]
)
def test_quiet_and_verbose_print_lines_on_a_terminal_too(toy, option, told):
    write(toy, STAGES)
    text = on_a_terminal(toy, option)
    text = text.removesuffix("\x1b[0m")  # DVC's, as it ends
    assert "\x1b" not in text and re.search(told, text)
    assert ("made first" in text) == (option == "--verbose")


def test_low_terminal_shows_what_runs_and_failed_then_the_next_and_the_last_done():
    states = [DONE] * 6 + [FAILED] + [RUNNING] * 2 + [WAITING] * 6
    every = [Row(f"s{place}", state, "", "") for place, state in enumerate(states)]
    shown = [row.stage for row in board.shown_rows(every, 7)]
    assert shown == ["s4", "s5", "s6", "s7", "s8", "s9", "s10"]
    assert board.shown_rows(every, 15) == every
    assert [row.stage for row in board.shown_rows(every, 1)] == ["s6", "s7", "s8"]


def test_long_result_is_cut_and_leaves_the_stage_and_its_time_whole():
    state = State(["train@california_housing"])
    state.ended["train@california_housing"] = Ended(state.stages[0], DONE, 1234.5, ["result " * 30])
    console = Console(width=80, record=True, file=open(os.devnull, "w"))
    console.print(board.table(state, 20))
    line = console.export_text().splitlines()[1]
    assert line.startswith("✓ ") and "train@california_housing " in line
    assert " 1234.5 s  result" in line and line.rstrip().endswith("…")


def test_what_a_stage_printed_is_no_markup():
    state = State(["x"], {"x": Ended("x", DONE, 1.0, ["[red]loss[/red] [/]"])}, left=75)
    console = Console(width=80, record=True, file=open(os.devnull, "w"))
    console.print(board.table(state, 20))
    text = console.export_text()
    assert "[red]loss[/red] [/]" in text and "1 of 1 stages done, about 1 min left" in text
