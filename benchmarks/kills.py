"""What is lost when a command is killed: `kill -9` at a random moment, then the same one again.

    python -m benchmarks.kills                    # 20 kills of each command
    python -m benchmarks.kills --kills 3 --only train make
    python -m benchmarks.kills --signal INT       # Ctrl-C in place of kill -9

Commands are the stages by hand, `dvc repro`, `make pipeline`, `ops.sync` and `ops.monitor`. Of
make, the process group is killed, or make alone; or two run at once, of which both are killed, or
the first.

Works on a copy of this project with a small iris alone, in a temporary folder. An unbroken run of
each command is the reference, and each command starts from the record that was there before it.
After the signal every file of a stage must be the reference's, and within ten seconds no process
may be left. Then the command runs again, and all files, dvc.lock, the runs and versions of the
store and the decisions must be the reference's. Each kill is a line of logs/kills.csv; those that
are there are not repeated. Linux and macOS.

Stages, sync and monitor run in forks of a Python that has loaded their libraries, so that they are
killed at their work and not while they load: `benchmarks.warm_python`.
"""

import argparse
import csv
import json
import os
import random
import signal
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from benchmarks.killed_project import (
    DATASET,
    FINISHED,
    MAKE,
    MONITOR,
    NOTHING,
    REPRO,
    ROOT,
    SYNC,
    Project,
    Running,
    differences,
)
from benchmarks.stage_commands import stage_commands

RECORD = ROOT / "logs/kills.csv"
SECONDS_TO_END = 10
SECONDS_TO_STOP = 40
STOPPED = "stopped; "  # how the project's own commands begin to say what Ctrl-C left


@dataclass(frozen=True)
class Target:
    """A command that is killed, and how.

    `before` is the record that it starts from, `after` the command whose state is the reference.
    """

    command: list[str]
    before: str
    after: str
    again: list[list[str]]  # what is run afterwards; empty where the second one goes on by itself
    at_once: int = 1
    whole_group: bool = True
    says_stopped: bool = True  # on Ctrl-C; DVC has words of its own


@dataclass(frozen=True)
class Kill:
    """One kill and what came after it."""

    command: str
    signal: str
    seed: int
    second: float  # after the start
    at_work: bool  # the command had not ended by itself
    half_done: str = ""  # files that were not the reference's after the kill
    orphans: str = ""  # processes that were still at work
    failed: str = ""  # what the command printed last where it failed when run again
    lost: str = ""  # what differed from the reference in the end


@dataclass(frozen=True)
class Stopped:
    """What a signal did: whether the command was at work, what it printed, what it left running."""

    at_work: bool
    said: str = ""
    orphans: list[str] = field(default_factory=list)


def targets() -> dict[str, Target]:
    """Return what is killed, by name."""
    found = {
        stage: Target(command, before=stage, after=stage, again=[command])
        for stage, command in stage_commands(DATASET).items()
    }
    found["sync"] = Target(SYNC, before=NOTHING, after="make", again=[SYNC])
    found["monitor"] = Target(MONITOR, before=FINISHED, after="monitor", again=[MONITOR])
    repro_and_sync = [REPRO, SYNC]
    found["dvc repro"] = Target(REPRO, NOTHING, "make", repro_and_sync, says_stopped=False)
    found["make"] = Target(MAKE, NOTHING, "make", [MAKE])
    found["make alone"] = Target(MAKE, NOTHING, "make", [MAKE], whole_group=False)
    found["two makes"] = Target(MAKE, NOTHING, "make", [MAKE], at_once=2)
    found["one of two makes"] = Target(MAKE, NOTHING, "make", [], at_once=2)
    return found


TARGETS = targets()


class Campaign:
    """Kills, one after the other, of one project."""

    def __init__(self, project: Project, number: signal.Signals) -> None:
        self.project = project
        self.signal = number

    def kill(self, name: str, seed: int) -> Kill:
        """Kill a command at a random moment, look at what it left, and run it again."""
        target, project = TARGETS[name], self.project
        self.prepare(target)
        if name not in project.seconds:
            project.seconds[name] = project.run(target.command)
            self.prepare(target)
        expected = project.states[target.after]
        second = random.Random(f"{name} {seed}").uniform(0.1, project.seconds[name])
        running = [project.start(target.command) for _ in range(target.at_once)]
        time.sleep(second)
        stopped = self.stop(running, target)
        half_done = [path for path, sha in project.files() if sha != expected.get(path)]
        failed = self.fault_of_what_it_said(stopped, target)
        try:
            for command in target.again:
                project.run(command)
        except subprocess.CalledProcessError as error:
            failed = last_line(error.output)
        lost = differences(project.state(), expected)
        return Kill(
            name,
            self.signal.name,
            seed,
            round(second, 2),
            stopped.at_work,
            "; ".join(half_done),
            "; ".join(stopped.orphans),
            failed,
            "; ".join(lost),
        )

    def prepare(self, target: Target) -> None:
        """Put the record back that the command starts from."""
        self.project.restore(target.before)
        if target.before == NOTHING and target.command != SYNC:
            self.project.forget_what_dvc_has()

    def stop(self, running: list[Running], target: Target) -> Stopped:
        """Send the signal; wait for the end, or let the second of two go on to its own."""
        killed = running if target.again else running[:1]
        at_work = [process for process in killed if process.poll() is None]
        for process in at_work:
            if target.whole_group:
                os.killpg(process.pid, self.signal)
            else:
                os.kill(process.pid, self.signal)
        if not target.again:
            output, _ = running[1].communicate()
            return Stopped(bool(at_work), last_line(output) if running[1].returncode else "")
        orphans = self.orphans()
        said = "\n".join(process.communicate()[0] for process in running)
        return Stopped(bool(at_work), said, orphans)

    def orphans(self) -> list[str]:
        """Return what still runs after a while, and end it."""
        seconds = SECONDS_TO_END if self.signal == signal.SIGKILL else SECONDS_TO_STOP
        ends = time.monotonic() + seconds
        while self.project.at_work() and time.monotonic() < ends:
            time.sleep(0.05)
        left = []
        for process in self.project.at_work():
            left.append(" ".join(process.cmdline()))
            process.kill()
        return left

    def fault_of_what_it_said(self, stopped: Stopped, target: Target) -> str:
        """Return what is wrong with what was printed: no word of what Ctrl-C left, or a failure."""
        if not target.again:
            return stopped.said
        must_say = self.signal == signal.SIGINT and stopped.at_work and target.says_stopped
        if must_say and STOPPED not in stopped.said:
            return f"said on Ctrl-C: {last_line(stopped.said)}"
        return ""


def last_line(output: str) -> str:
    return (output.strip().splitlines() or ["nothing"])[-1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = list(TARGETS)
    parser.add_argument("--kills", type=int, default=20, help="of each command (default 20)")
    parser.add_argument("--signal", choices=["KILL", "INT"], default="KILL")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="COMMAND")
    args = parser.parse_args()
    number = signal.Signals[f"SIG{args.signal}"]
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(Project(Path(folder).resolve()), number)
        for seed in range(args.kills):
            for name in args.only:
                if (name, number.name, str(seed)) not in done():
                    record(campaign.kill(name, seed))
    print_table()


def recorded() -> list[dict[str, str]]:
    """Return the kills so far."""
    if not RECORD.is_file():
        return []
    with open(RECORD, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def done() -> set[tuple[str, str, str]]:
    """Return the kills so far, by their command, signal and seed."""
    return {(one["command"], one["signal"], one["seed"]) for one in recorded()}


def record(kill: Kill) -> None:
    """Add a kill to the record, and print it where something went wrong."""
    RECORD.parent.mkdir(exist_ok=True)
    new = not RECORD.is_file()
    with open(RECORD, "a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [column.name for column in fields(Kill)])
        if new:
            writer.writeheader()
        writer.writerow(asdict(kill))
    if kill.half_done or kill.orphans or kill.failed or kill.lost:
        print(json.dumps(asdict(kill)), flush=True)


def print_table() -> None:
    """Print per command and signal how often it was stopped, and what went wrong."""
    row = "{:9}{:18}{:>7}{:>9}{:>11}{:>9}{:>8}{:>6}"
    head = ("signal", "command", "tried", "at work", "half done", "orphans", "failed", "lost")
    print(row.format(*head))
    kills = recorded()
    for number in sorted({kill["signal"] for kill in kills}, reverse=True):
        for name in [*TARGETS, "all"]:
            of_name = [
                kill
                for kill in kills
                if kill["signal"] == number and name in (kill["command"], "all")
            ]
            if not of_name:
                continue
            at_work = sum(kill["at_work"] == "True" for kill in of_name)
            faults = ("half_done", "orphans", "failed", "lost")
            counts = [sum(bool(kill[key]) for kill in of_name) for key in faults]
            print(row.format(number, name, len(of_name), at_work, *counts))


if __name__ == "__main__":
    main()
