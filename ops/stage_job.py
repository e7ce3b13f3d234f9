"""One stage at work: a `dvc repro --single-item` that ends with the process that started it."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

DVC = (sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item")
SECONDS_TO_STOP = 20
SECONDS_BETWEEN_LOOKS = 0.05
# joblib's own variable, which Params.cores() respects
CORES = "LOKY_MAX_CPU_COUNT"
# the lines of command.progress
PROGRESS = re.compile(r": (\d+ of \d+ (?:fit|trial|column)s)(?:, .*)?$", re.M)
# DVC's own lines after those of the stage
AFTER_THE_STAGE = re.compile(
    r"^(Updating lock file|Generating lock file|To track the changes|Use `dvc push`|ERROR: )", re.M
)


class Job:
    """A stage that runs with so many cores; it can be stopped with all that it started."""

    def __init__(self, stage: str, cores: int) -> None:
        self.stage = stage
        self.cores = cores
        self.started = time.monotonic()
        self.interrupted: set[psutil.Process] = set()
        self.output = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ops.lifeline", *DVC, stage],
            stdin=subprocess.PIPE,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PATH": path, CORES: str(cores), "PYTHONUNBUFFERED": "1"},
        )

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def failed(self) -> bool:
        return bool(self.process.returncode)

    def seconds(self) -> float:
        return time.monotonic() - self.started

    def printed(self) -> list[str]:
        """Return the lines that the stage has printed, without those of DVC around them."""
        self.output.seek(0)
        text = self.output.read().strip()
        _, ran, rest = text.partition("\n> ")
        if ran:
            lines = rest.partition("\n")[2]
            return AFTER_THE_STAGE.split(lines)[0].strip().splitlines()
        if self.failed():
            return text.splitlines()
        outcome = "restored from the cache" if "is cached" in text else "unchanged"
        return [f"{self.stage}: {outcome}"]

    def has_run(self) -> bool:
        """Return whether the stage's command ran: DVC may find it unchanged, or in its cache."""
        self.output.seek(0)
        return "\n> " in self.output.read()

    def result(self) -> list[str]:
        """Return the lines that the stage has printed, without its signs of progress."""
        return [line for line in self.printed() if not PROGRESS.search(line)]

    def counted(self) -> str:
        """Return how many of its fits, trials or columns are done; empty where it counts none."""
        return "".join(PROGRESS.findall("\n".join(self.printed()))[-1:])

    def progress(self) -> str:
        """Return how far the stage is: its seconds and, where it counts them, its fits."""
        known = [f"{self.seconds():.0f} s", self.counted()]
        return f"{self.stage} ({', '.join(filter(None, known))})"

    def interrupt(self) -> None:
        """Send the signal of Ctrl-C to the stage's command, once to each process of it.

        DVC, which writes its own files before and after the command, gets none and ends by itself.
        Windows has sent the signal to all.
        """
        if os.name == "nt":
            return
        with suppress(psutil.NoSuchProcess):
            for dvc in psutil.Process(self.process.pid).children():
                for process in set(dvc.children(recursive=True)) - self.interrupted:
                    self.interrupted.add(process)
                    process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End the stage and all that it started, by cutting its lifeline."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def stop(jobs: list[Job]) -> None:
    """Stop jobs as Ctrl-C does, so that each stage leaves what was there before it."""
    ends = time.monotonic() + SECONDS_TO_STOP
    at_work = jobs
    while at_work and time.monotonic() < ends:
        for job in at_work:
            job.interrupt()
        time.sleep(SECONDS_BETWEEN_LOOKS)
        at_work = [job for job in jobs if not job.has_ended()]
    for job in at_work:
        job.kill()
