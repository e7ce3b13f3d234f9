"""Run the stages that are out of date, those that do not need each other at the same time.

    python -m ops.repro                     # as `dvc repro`
    python -m ops.repro drift@iris -j 1     # as `dvc repro drift@iris`

Each stage is run by a `dvc repro --single-item`, so that the cache, the checks and dvc.lock are DVC's own, and dvc.lock ends the
same. The cores are shared out: a stage that runs beside another has half of them, one that runs alone has all.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline import command
from pipeline.project import paths
from pipeline.project.errors import DataError, UsageError
from pipeline.project.files import write_text

JOBS = 2  # with more, the longest stage has one core and ends long after all others
SECONDS_BETWEEN_LOOKS = 0.05
SECONDS_TO_STOP = 20
MOST_NAMES = 6
PROGRESS = re.compile(
    r": (\d+ of \d+ (?:fit|trial|column)s)(?:, .*)?$", re.M
)  # the lines of workers.progress
CORES = "LOKY_MAX_CPU_COUNT"  # joblib's own; Params.cores() heeds it
AFTER_THE_STAGE = re.compile(
    r"^(Updating lock file|Generating lock file|To track the changes|Use `dvc push`|ERROR: )", re.M
)


# what is to run, and in which order


def plan(targets: list[str]) -> tuple[dict[str, set[str]], dict[str, list]]:
    """Return {stage: stages it needs} in DVC's own order, and of the stages that changed {stage: what DVC says of it}."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.repo.reproduce import plan_repro

    try:
        with Repo() as repo:
            graph = repo.index.graph
            asked = [stage for target in targets for stage in repo.stage.collect(target)]
            order = plan_repro(graph, asked)
            needs = {
                stage.addressing: {need.addressing for need in graph.successors(stage)}
                for stage in order
            }
            return needs, repo.status(targets=targets, with_deps=True)
    except DvcException as error:
        raise UsageError(f"DVC: {error}") from None


def differs(said: list) -> bool:
    """Tell whether a stage's files are other ones than dvc.lock says, and not just missing here, as in a clone."""
    return any(
        not isinstance(part, dict)
        or any(
            state not in ("deleted", "not in cache")
            for files in part.values()
            for state in files.values()
        )
        for part in said
    )


def out_of_date(needs: dict[str, set[str]], changed: dict[str, list]) -> list[str]:
    """Return the changed stages and all that come after them."""
    late = []
    for stage, needed in needs.items():
        if stage in changed or needed & set(late):
            late.append(stage)
    return late


def steps_to_the_end(needs: dict[str, set[str]]) -> dict[str, int]:
    """Return how many stages follow each stage, one after the other; those with the longest way to go start first."""
    steps = dict.fromkeys(needs, 0)
    for stage in reversed(needs):
        for needed in needs[stage]:
            steps[needed] = max(steps[needed], steps[stage] + 1)
    return steps


# one stage


class Job:
    """A stage that runs, in a process group of its own so that it can be stopped as a whole."""

    def __init__(self, stage: str, cores: int):
        self.stage, self.cores, self.started = stage, cores, time.monotonic()
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

    def ended(self) -> bool:
        return self.process.poll() is not None

    def seconds(self) -> float:
        return time.monotonic() - self.started

    def printed(self) -> list[str]:
        """Return the lines that the stage has printed, without those of DVC around them."""
        self.output.seek(0)
        text = self.output.read().strip()
        _, ran, rest = text.partition("\n> ")
        if ran:
            return AFTER_THE_STAGE.split(rest.partition("\n")[2])[0].strip().splitlines()
        if self.process.returncode:  # DVC itself has something to say
            return text.splitlines()
        return [
            f"{self.stage}: {'restored from the cache' if 'is cached' in text else 'unchanged'}"
        ]

    def progress(self) -> str:
        """Return how far the stage is: its seconds and, where it tells, its fits."""
        counts = PROGRESS.findall("\n".join(self.printed()))
        return f"{self.stage} ({', '.join([f'{self.seconds():.0f} s', *counts[-1:]])})"

    def interrupt(self) -> None:
        """Send the signal of Ctrl-C to the stage and all that it started; Windows has sent it by itself."""
        if os.name != "nt" and not self.ended():
            os.killpg(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """End the stage and, where there are process groups, all that it started."""
        if os.name == "nt":
            self.process.kill()
        elif not self.ended():
            os.killpg(self.process.pid, signal.SIGKILL)


def stop(jobs: list[Job]) -> None:
    """Stop what runs as Ctrl-C does, so that each stage leaves what stood before it."""
    for job in jobs:
        job.interrupt()
    for job in jobs:
        try:
            job.process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            job.kill()


# all of them


def run(needs: dict[str, set[str]], late: list[str], jobs: int, cores: int) -> None:
    """Run the stages, each after those it needs, `jobs` at a time; the first that fails lets no other start."""
    steps = steps_to_the_end(needs)
    waiting, running, failure, told = list(late), [], None, time.monotonic()
    try:
        while running or waiting and not failure:
            unfinished = {*waiting, *(job.stage for job in running)}
            ready = sorted(
                (stage for stage in waiting if not needs[stage] & unfinished),
                key=steps.get,
                reverse=True,
            )
            free = cores - sum(job.cores for job in running)
            while ready and free > 0 and len(running) < jobs and not failure:
                share = max(1, free // min(len(ready), jobs - len(running)))
                running.append(Job(ready.pop(0), share))
                waiting.remove(running[-1].stage)
                free -= share
            time.sleep(SECONDS_BETWEEN_LOOKS)
            for job in filter(Job.ended, running[:]):
                running.remove(job)
                told = time.monotonic()
                if job.process.returncode == 0:
                    done = len(late) - len(waiting) - len(running)
                    result = [line for line in job.printed() if not PROGRESS.search(line)]
                    print(
                        f"[{done}/{len(late)}] {job.seconds():5.1f} s  " + "\n".join(result),
                        flush=True,
                    )
                else:
                    *before, last = job.printed() or ["it said nothing"]
                    others = (
                        [f"waiting for {', '.join(other.stage for other in running)}"]
                        if running
                        else []
                    )
                    print(
                        *before,
                        *([f"{job.stage} failed: {last}"] if failure or others else []),
                        *others,
                        sep="\n",
                        file=sys.stderr,
                        flush=True,
                    )
                    failure = failure or f"{job.stage} failed: {last}"
            if time.monotonic() - told > command.SECONDS_BETWEEN_LINES:
                told = time.monotonic()
                print(
                    f"running: {', '.join(job.progress() for job in running)}",
                    file=sys.stderr,
                    flush=True,
                )
    finally:
        stop(running)
    if failure:
        raise DataError(failure)


def in_order(text: str, before: str, order: list[str]) -> str:
    """Return dvc.lock's text with its new stages in DVC's order, not in that in which they happened to end."""
    head, *blocks = re.split(r"^(?=  \S)", text, flags=re.M)
    places = {
        stage: place
        for place, stage in enumerate(
            dict.fromkeys([*re.findall(r"^  (\S+):$", before, re.M), *order])
        )
    }
    return head + "".join(
        sorted(blocks, key=lambda block: places.get(block.partition(":\n")[0].strip(), len(places)))
    )


def interrupted(*_):
    raise KeyboardInterrupt


def main(argv=None):
    parser = command.parser(__doc__)
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
    args = parser.parse_args(argv)
    if args.jobs < 1:
        raise UsageError(f"--jobs {args.jobs}: give 1 or more")
    cores = command.settings().cores()
    needs, changed = plan(args.stages)
    if args.check:
        stale = [stage for stage in needs if differs(changed.get(stage, []))]
        if stale:
            more = f" and {len(stale) - MOST_NAMES} more" if len(stale) > MOST_NAMES else ""
            raise DataError(
                f"out of date: {', '.join(stale[:MOST_NAMES])}{more}; run `make pipeline` and commit dvc.lock and "
                f"{paths.METRICS}/"
            )
        return
    late = out_of_date(needs, changed)
    if not late:
        print("repro: everything is up to date")
        return
    signal.signal(
        signal.SIGTERM, interrupted
    )  # a machine that stops the work says so before it kills
    before, started = lock_text(), time.monotonic()
    try:
        run(needs, late, args.jobs, cores)
    finally:
        ordered = in_order(lock_text(), before, list(needs))
        if ordered != lock_text():
            write_text(paths.DVC_LOCK, ordered)
    print(f"repro: {len(late)} stages in {time.monotonic() - started:.1f} s")


def lock_text() -> str:
    return paths.DVC_LOCK.read_text(encoding="utf-8") if paths.DVC_LOCK.is_file() else ""


if __name__ == "__main__":
    command.run(main)
