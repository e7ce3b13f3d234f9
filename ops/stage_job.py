"""One stage at work: a `dvc repro --single-item` in a process group of its own."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SECONDS_TO_STOP = 20
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
        self.output = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item", stage],
            stdin=subprocess.DEVNULL,
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

    def result(self) -> list[str]:
        """Return the lines that the stage has printed, without its signs of progress."""
        return [line for line in self.printed() if not PROGRESS.search(line)]

    def progress(self) -> str:
        """Return how far the stage is: its seconds and, where it counts them, its fits."""
        known = [f"{self.seconds():.0f} s"]
        known += PROGRESS.findall("\n".join(self.printed()))[-1:]
        return f"{self.stage} ({', '.join(known)})"

    def interrupt(self) -> None:
        """Send the signal of Ctrl-C to the stage and all that it started; Windows has sent it."""
        if os.name != "nt" and not self.has_ended():
            os.killpg(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """End the stage and, where there are process groups, all that it started."""
        if os.name == "nt":
            self.process.kill()
        elif not self.has_ended():
            os.killpg(self.process.pid, signal.SIGKILL)


def stop(jobs: list[Job]) -> None:
    """Stop jobs as Ctrl-C does, so that each stage leaves what was there before it."""
    for job in jobs:
        job.interrupt()
    for job in jobs:
        try:
            job.process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            job.kill()
