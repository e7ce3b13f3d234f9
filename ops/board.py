"""What a person sees of a run of stages: a live table on a terminal, lines everywhere else."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ops import stage_times
from ops.stage_job import Job
from pipeline import command

SECONDS_BETWEEN_FRAMES = 0.5
ROWS_BESIDE = 4  # of a terminal: head of the table, its foot, and the prompt
DONE, RUNNING, WAITING, FAILED = "done", "running", "waiting", "failed"
SIGNS = {DONE: "✓", RUNNING: "●", WAITING: "·", FAILED: "✕"}
STYLES = {DONE: "green", RUNNING: "bold", WAITING: "dim", FAILED: "bold red"}


@dataclass(frozen=True)
class Ended:
    """A stage that has ended: how, in how many seconds, and the lines that it printed."""

    stage: str
    state: str
    seconds: float
    lines: list[str]


@dataclass
class State:
    """How far a run is: the stages in DVC's order, and those that have ended and run now."""

    stages: list[str]
    ended: dict[str, Ended] = field(default_factory=dict)
    running: list[Job] = field(default_factory=list)
    left: float | None = None

    @property
    def summary(self) -> str:
        """The numbers of stages, and the time that is left if it is known."""
        done = f"{len(self.ended)} of {len(self.stages)} stages done"
        if self.left is None:
            return done
        return f"{done}, about {stage_times.in_words(self.left)} left"


class Board(Protocol):
    """Shows a run."""

    def ended(self, state: State, one: Ended) -> None:
        """Show that a stage has ended."""

    def say(self, lines: list[str]) -> None:
        """Show lines about a failure."""

    def look(self, state: State) -> None:
        """Show how far the running stages are; it is called many times a second."""


class Lines:
    """A line for each stage that ends, and one on what runs where nothing ended for a while.

    `quiet` leaves both out, `verbose` also says what starts.
    """

    def __init__(self, quiet: bool = False, verbose: bool = False) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self.started: set[str] = set()
        self.spoke = time.monotonic()

    def ended(self, state: State, one: Ended) -> None:
        self.spoke = time.monotonic()
        if self.quiet or one.state == FAILED:
            return
        result = "\n".join(one.lines)
        print(
            f"[{len(state.ended)}/{len(state.stages)}] {one.seconds:5.1f} s  {result}", flush=True
        )

    def say(self, lines: list[str]) -> None:
        print("\n".join(lines), file=sys.stderr, flush=True)

    def look(self, state: State) -> None:
        if self.verbose:
            self.say_what_started(state)
        if self.quiet or time.monotonic() - self.spoke <= command.SECONDS_BETWEEN_LINES:
            return
        self.spoke = time.monotonic()
        running = ", ".join(job.progress() for job in state.running)
        left = "" if state.left is None else f"; about {stage_times.in_words(state.left)} left"
        print(f"running: {running}{left}", file=sys.stderr, flush=True)

    def say_what_started(self, state: State) -> None:
        for job in state.running:
            if job.stage not in self.started:
                self.started.add(job.stage)
                print(f"started: {job.stage}, cores: {job.cores}", file=sys.stderr, flush=True)


class LiveTable:
    """A table of all stages that is drawn anew twice a second; it stays when the run has ended."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.drawn = 0.0

    def ended(self, state: State, one: Ended) -> None:
        self.draw(state)

    def say(self, lines: list[str]) -> None:
        for line in lines:
            self.live.console.print(Text(line))

    def look(self, state: State) -> None:
        if time.monotonic() - self.drawn >= SECONDS_BETWEEN_FRAMES:
            self.draw(state)

    def draw(self, state: State) -> None:
        self.drawn = time.monotonic()
        self.live.update(table(state, most_rows=self.live.console.height - ROWS_BESIDE))
        self.live.refresh()


@dataclass(frozen=True)
class Row:
    """A stage in the table."""

    stage: str
    state: str
    time: str
    what: str


def rows(state: State) -> list[Row]:
    """Return a row per stage, in DVC's order."""
    running = {job.stage: job for job in state.running}
    found = []
    for stage in state.stages:
        if stage in state.ended:
            one = state.ended[stage]
            last = one.lines[-1] if one.lines else ""
            found.append(Row(stage, one.state, f"{one.seconds:.1f} s", last))
        elif stage in running:
            job = running[stage]
            found.append(Row(stage, RUNNING, f"{job.seconds():.0f} s", job.counted()))
        else:
            found.append(Row(stage, WAITING, "", ""))
    return found


def shown_rows(every: list[Row], most: int) -> list[Row]:
    """Return the rows that fit: all that run or failed, then the first waiting, the last done."""
    most = max(most, 3)
    if len(every) <= most:
        return every
    kept = [row for row in every if row.state in (RUNNING, FAILED)]
    waiting = [row for row in every if row.state == WAITING]
    done = [row for row in every if row.state == DONE]
    places = max(0, most - len(kept))
    first_waiting = waiting[: max(places // 2, places - len(done))]
    last_done = done[len(done) - min(len(done), places - len(first_waiting)) :]
    chosen = {row.stage for row in [*kept, *first_waiting, *last_done]}
    return [row for row in every if row.stage in chosen]


def table(state: State, most_rows: int) -> Table:
    """Return the table of the stages, as many as fit, with a summary below."""
    made = Table(caption=state.summary, caption_justify="left", box=None, pad_edge=False)
    # rich narrows the columns that may wrap: the last one, whose cells are cut to one line
    made.add_column("", no_wrap=True)
    made.add_column("stage", no_wrap=True)
    made.add_column("time", justify="right", no_wrap=True)
    made.add_column("result or progress")
    for row in shown_rows(rows(state), most_rows):
        style = STYLES[row.state]
        what = Text(row.what, no_wrap=True, overflow="ellipsis")
        made.add_row(Text(SIGNS[row.state], style), Text(row.stage, style), row.time, what)
    return made


@contextmanager
def opened(quiet: bool, verbose: bool) -> Iterator[Board]:
    """Yield the board that fits: a live table on a terminal, unless quiet or verbose is asked for.

    Colours are left out where NO_COLOR is set (https://no-color.org).
    """
    console = Console(highlight=False)
    is_plain = quiet or verbose or not console.is_terminal or console.is_dumb_terminal
    if is_plain or "CI" in os.environ:
        yield Lines(quiet, verbose)
        return
    with Live(console=console, auto_refresh=False, redirect_stderr=False) as live:
        yield LiveTable(live)
