"""Run the stages that are out of date, those that do not need each other at the same time.

    python -m ops.repro                     # as `dvc repro`
    python -m ops.repro drift@iris -j 1     # as `dvc repro drift@iris`
    python -m ops.repro --dataset iris      # the stages of iris, its comparison, gates and version

Each stage is run by a `dvc repro --single-item`, so that the cache, the checks and dvc.lock are
DVC's own, and dvc.lock ends the same. The cores are shared out: a stage that runs beside another
has half of them, one that runs alone has all.

On a terminal a live table shows the stages, elsewhere each prints its line as it ends. The time
left is that of the same stages when they last ran here.
"""

import argparse
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

from ops import board, dvc_marks, lifeline, pipeline_log, stage_graph, stage_times, turns
from ops.board import DONE, FAILED, Board, Ended, State
from ops.stage_graph import Graph
from ops.stage_job import SECONDS_BETWEEN_LOOKS, Job, stop
from pipeline import command
from pipeline.project import paths
from pipeline.project.errors import DataError, UsageError
from pipeline.project.files import write_text

# with more, the longest stage has one core and ends long after all others
JOBS = 2
MOST_NAMES = 6
# a run that was killed leaves it: dvc.lock holds its stages in the order in which they ended
LOCK_BEFORE = Path(".dvc/tmp/lock_before")
# DVC has them look at all datasets; for one alone they run as by hand, with its name
LAST_SCRIPTS = {
    "compare": "compare_results.py",
    "validate": "validate_metrics.py",
    "register": "register_model.py",
}


class Scheduler:
    """Runs stages, each after those it needs; after a failure it starts no other."""

    def __init__(
        self, needs: dict[str, set[str]], stages: list[str], jobs: int, cores: int, board: Board
    ) -> None:
        self.needs = needs
        self.jobs = jobs
        self.cores = cores
        self.board = board
        self.steps = stage_graph.steps_to_the_end(needs)
        self.state = State(list(stages))
        self.waiting = list(stages)
        self.seconds = stage_times.read()
        self.failure = ""

    @property
    def running(self) -> list[Job]:
        return self.state.running

    def run(self) -> None:
        """Run every stage; raise DataError with what the first that failed printed last."""
        try:
            while self.running or (self.waiting and not self.failure):
                self.start_ready()
                time.sleep(SECONDS_BETWEEN_LOOKS)
                self.collect_ended()
                self.state.left = self.seconds_left()
                self.board.look(self.state)
        finally:
            stop(self.running)
            stage_times.write(self.seconds)
        if self.failure:
            raise DataError(self.failure)

    def seconds_left(self) -> float | None:
        """Return how long the rest may take; None where that is not known, or nothing starts."""
        if self.failure:
            return None
        running = {job.stage: job.seconds() for job in self.running}
        return stage_times.seconds_left(self.needs, self.waiting, running, self.seconds, self.jobs)

    def ready(self) -> list[str]:
        """Return the stages that may start, those first that have the longest way to go."""
        unfinished = {*self.waiting, *(job.stage for job in self.running)}
        ready = [stage for stage in self.waiting if not self.needs[stage] & unfinished]
        return sorted(ready, key=lambda stage: self.steps[stage], reverse=True)

    def start_ready(self) -> None:
        """Start as many stages as there are free places and cores, which they share."""
        if self.failure:
            return
        ready = self.ready()
        free = self.cores - sum(job.cores for job in self.running)
        while ready and free > 0 and len(self.running) < self.jobs:
            beside = min(len(ready), self.jobs - len(self.running))
            share = max(1, free // beside)
            stage = ready.pop(0)
            self.running.append(Job(stage, share))
            self.waiting.remove(stage)
            free -= share

    def collect_ended(self) -> None:
        """Take the jobs that have ended from those that run, and show what came of them."""
        for job in filter(Job.has_ended, self.running[:]):
            self.running.remove(job)
            state, lines = (FAILED, job.printed()) if job.failed() else (DONE, job.result())
            one = Ended(job.stage, state, job.seconds(), lines)
            self.state.ended[job.stage] = one
            self.board.ended(self.state, one)
            if state == FAILED:
                self.report_failure(one)
            elif job.has_run():
                self.seconds[job.stage] = one.seconds
                pipeline_log.note(job.stage, one.seconds)

    def report_failure(self, one: Ended) -> None:
        """Show what a failed job printed; its last line comes at the end if nothing else runs."""
        *lines, last = one.lines or ["it printed nothing"]
        failure = f"{one.stage} failed: {last}"
        if self.failure or self.running:
            lines.append(failure)
        if self.running:
            others = ", ".join(other.stage for other in self.running)
            lines.append(f"waiting for {others}")
        if lines:
            self.board.say(lines)
        self.failure = self.failure or failure


def check(graph: Graph) -> None:
    """Raise DataError with the names of the stages whose files are not those of dvc.lock."""
    stale = stage_graph.stale(graph)
    if not stale:
        return
    names = ", ".join(stale[:MOST_NAMES])
    if len(stale) > MOST_NAMES:
        names += f" and {len(stale) - MOST_NAMES} more"
    raise DataError(
        f"out of date: {names}; run `make pipeline` and commit dvc.lock and {paths.METRICS}/"
    )


def lock_text() -> str:
    """Return the text of dvc.lock, empty where there is none yet."""
    return paths.DVC_LOCK.read_text(encoding="utf-8") if paths.DVC_LOCK.is_file() else ""


def lock_before() -> str:
    """Return dvc.lock as it was before this run, or before those that were killed ahead of it."""
    if not LOCK_BEFORE.is_file():
        write_text(LOCK_BEFORE, lock_text())
    return LOCK_BEFORE.read_text(encoding="utf-8")


def order_lock(before: str, order: list[str]) -> None:
    """Put the new stages of dvc.lock into DVC's order."""
    lock = lock_text()
    ordered = stage_graph.lock_in_order(lock, before, order)
    if ordered != lock:
        write_text(paths.DVC_LOCK, ordered)
    LOCK_BEFORE.unlink()


def tell(text: str) -> None:
    """Print what happens to the run on standard error."""
    print(f"repro: {text}", file=sys.stderr, flush=True)


def heal() -> None:
    """Remove what a killed DVC left that keeps DVC from working, and say so."""
    problem = dvc_marks.heal()
    if problem:
        tell(f"{problem}; removed it")


def interrupt(*_: object) -> NoReturn:
    """Stop as Ctrl-C does: a machine that ends the work sends SIGTERM before it kills."""
    raise KeyboardInterrupt


def add_shown(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how much is printed."""
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument(
        "-q", "--quiet", action="store_true", help="print failures and the end alone"
    )
    shown.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="print lines, on a terminal too, and what starts",
    )


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    parser.add_argument(
        "stages",
        nargs="*",
        default=["dvc.yaml"],
        metavar="STAGE",
        help="a stage of dvc.yaml (default: all)",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="run nothing; status 1 where files are not those of dvc.lock",
    )
    parser.add_argument(
        "-j",
        "--jobs",
        type=int,
        default=JOBS,
        metavar="N",
        help="stages at a time (default %(default)s)",
    )
    parser.add_argument(
        "--with-parent",
        action="store_true",
        help="stop when the process that started this one is gone, as a make that was killed",
    )
    add_shown(parser)
    args = parser.parse_args(argv)
    if args.jobs < 1:
        raise UsageError(f"--jobs {args.jobs}: give 1 or more")
    return args


def run_out_of_date(targets: list[str], cores: int, args: argparse.Namespace) -> None:
    """Run the stages that are out of date among those named and what these need."""
    graph = stage_graph.read(targets)
    stages = stage_graph.out_of_date(graph)
    if not stages:
        print("repro: everything is up to date")
        return
    before, started = lock_before(), time.monotonic()
    try:
        with board.opened(args.quiet, args.verbose) as shown:
            Scheduler(graph.needs, stages, args.jobs, cores, shown).run()
    finally:
        order_lock(before, list(graph.needs))
    print(f"repro: {len(stages)} stages in {time.monotonic() - started:.1f} s")


def finish_dataset(dataset: str) -> int:
    """Compare one dataset's candidates, look at its gates and register its best model.

    Return the status of the first script that fails, which has said why; else 0.
    """
    for stage, script in LAST_SCRIPTS.items():
        started = time.monotonic()
        done = subprocess.run([sys.executable, script, "--dataset", dataset])
        if done.returncode:
            return done.returncode
        if pipeline_log.under_way():  # else nothing was out of date: no pipeline to record
            pipeline_log.note(f"{stage}@{dataset}", time.monotonic() - started)
    return 0


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    settings = command.settings()
    settings.names(args.dataset)
    one = args.dataset != "all"
    targets = [f"drift@{args.dataset}"] if one else args.stages
    if args.check:
        heal()
        check(stage_graph.read(targets))
        return 0
    signal.signal(signal.SIGTERM, interrupt)
    if args.with_parent:
        lifeline.stop_with_parent()
    with turns.turn(tell):
        heal()
        run_out_of_date(targets, settings.cores(), args)
        status = finish_dataset(args.dataset) if one else 0
        if not status:
            pipeline_log.finish(settings)
        return status


if __name__ == "__main__":
    command.run(main, stopped=command.STOPPED_AND_GOES_ON)
