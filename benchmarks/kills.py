"""What is lost when a run is killed: `kill -9` at a random moment, then the same command again.

    python -m benchmarks.kills                    # 20 kills of each stage, of dvc repro and of make
    python -m benchmarks.kills --kills 3 --only train make

Works on a copy of this project with iris alone, in a temporary folder. A first unbroken run is the
reference. Before each kill the MLflow store and the studies are removed, so that there is something
to write. After it every file that dvc.lock names must be the reference's; then the command runs
again, and the files, dvc.lock and the runs in the store must be those of the reference. Each kill
is a line of logs/kills.csv; those that are there are not repeated. Linux and macOS.
"""

import argparse
import csv
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "logs/kills.csv"
DATASET = "iris"
STAGES = {
    "generate": "generate_data.py",
    "prepare": "prepare_data.py",
    "train": "train.py",
    "tune": "tune_hyperparameters.py",
    "drift": "detect_drift.py",
    "compare": "compare_results.py",
    "validate": "validate_metrics.py",
    "register": "register_model.py",
}
WHOLE = {
    "dvc repro": [sys.executable, "-m", "dvc", "repro"],
    "make": ["make", "--silent", "pipeline"],
}


@dataclass(frozen=True)
class Kill:
    """One kill and what came after it."""

    command: str
    seed: int
    second: float  # after the start
    at_work: bool  # the command had not ended by itself
    half_done: str  # files that dvc.lock names and that were not the reference's after the kill
    failed: str  # what the command printed last where it failed when run again
    lost: str  # what differed from the reference in the end


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    names = [*STAGES, *WHOLE]
    parser.add_argument("--kills", type=int, default=20, help="of each command (default 20)")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="COMMAND")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(copy_project(Path(folder) / "project"))
        for seed in range(args.kills):
            for name in args.only:
                if (name, str(seed)) not in {(one["command"], one["seed"]) for one in recorded()}:
                    record(campaign.kill(name, seed))
    print_table()


class Campaign:
    """A finished project that is killed again and again."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.seconds: dict[str, float] = {}
        self.run(WHOLE["make"])
        self.lock = (project / "dvc.lock").read_bytes()
        self.files = dict(self.hashes())
        self.runs = self.runs_of_the_store()

    def kill(self, name: str, seed: int) -> Kill:
        """Kill a command at a random moment, look at what it left, and run it again."""
        command = WHOLE.get(name) or [sys.executable, STAGES[name], "--dataset", DATASET]
        self.remove_what_would_spare_the_work(whole=name in WHOLE)
        if name not in self.seconds:
            self.seconds[name] = self.run(command)
            self.remove_what_would_spare_the_work(whole=name in WHOLE)
        second = random.Random(f"{name} {seed}").uniform(0.1, self.seconds[name])
        at_work = self.run_and_kill(command, second)
        half_done = [path for path, sha in self.hashes() if sha != self.files.get(path)]
        failed = ""
        try:
            self.run(command)
            self.run([sys.executable, "-m", "ops.sync"])
        except subprocess.CalledProcessError as error:
            failed = (error.output.strip().splitlines() or ["nothing"])[-1]
        lost = "; ".join(self.differences())
        return Kill(name, seed, round(second, 2), at_work, "; ".join(half_done), failed, lost)

    def remove_what_would_spare_the_work(self, whole: bool) -> None:
        """Remove the store and the studies and, for the whole pipeline, what DVC would reuse."""
        for name in ("mlflow.db", "mlruns", "studies"):
            path = self.project / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        if whole:
            shutil.rmtree(self.project / ".dvc/cache/runs", ignore_errors=True)
            (self.project / "dvc.lock").unlink()

    def run(self, command: list[str]) -> float:
        """Run a command to its end; return the seconds that it took."""
        started = time.monotonic()
        subprocess.run(
            command,
            cwd=self.project,
            env=self.environment(),
            check=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return time.monotonic() - started

    def run_and_kill(self, command: list[str], second: float) -> bool:
        """Kill a command and the processes of its group; return whether it was at work."""
        process = subprocess.Popen(
            command,
            cwd=self.project,
            env=self.environment(),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(second)
        at_work = process.poll() is None
        if at_work:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return at_work

    def environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path}

    def hashes(self) -> Iterator[tuple[str, str]]:
        """Yield each file of the stages' outputs that there is, with its SHA-256."""
        content = YAML(typ="safe").load(self.lock)
        outputs = [out["path"] for stage in content["stages"].values() for out in stage["outs"]]
        for output in outputs:
            path = self.project / output
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if file.is_file():
                    name = file.relative_to(self.project).as_posix()
                    yield name, hashlib.sha256(file.read_bytes()).hexdigest()

    def runs_of_the_store(self) -> list[str]:
        """Return the identities of the stages' finished runs, sorted.

        The run of a pipeline is left out: it has its seconds.
        """
        with closing(sqlite3.connect(self.project / "mlflow.db")) as store:
            rows = store.execute(
                "SELECT identity.value FROM runs "
                "JOIN tags identity ON identity.run_uuid = runs.run_uuid "
                "AND identity.key = 'identity' "
                "JOIN tags stage ON stage.run_uuid = runs.run_uuid AND stage.key = 'stage' "
                "WHERE runs.status = 'FINISHED' AND runs.lifecycle_stage = 'active' "
                "AND stage.value != 'pipeline'"
            )
            return sorted(value for (value,) in rows)

    def differences(self) -> Iterator[str]:
        """Yield what is not as in the reference."""
        now = dict(self.hashes())
        for path in sorted({*now, *self.files}):
            if now.get(path) != self.files.get(path):
                yield path
        if (self.project / "dvc.lock").read_bytes() != self.lock:
            yield "dvc.lock"
        if self.runs_of_the_store() != self.runs:
            yield "runs of the store"


def copy_project(folder: Path) -> Path:
    """Return a copy of this project's own files with one dataset, as a git repository."""
    git = ["git", "-c", "user.name=kills", "-c", "user.email=kills@example.org"]
    subprocess.run([*git, "clone", "--quiet", str(ROOT), str(folder)], check=True)
    yaml = YAML()
    settings = yaml.load((folder / "params.yaml").read_text(encoding="utf-8"))
    for name in set(settings["datasets"]) - {DATASET}:
        del settings["datasets"][name]
    with open(folder / "params.yaml", "w", encoding="utf-8") as file:
        yaml.dump(settings, file)
    shutil.rmtree(folder / "metrics")
    (folder / "dvc.lock").unlink()
    (folder / ".venv").symlink_to(Path(sys.prefix))
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        os.utime(folder / name, (0, 0))  # make takes the environment for set up
    subprocess.run([*git, "commit", "--quiet", "-am", "one dataset"], cwd=folder, check=True)
    return folder


def recorded() -> list[dict[str, str]]:
    """Return the kills so far."""
    if not RECORD.is_file():
        return []
    with open(RECORD, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def record(kill: Kill) -> None:
    """Add a kill to the record, and print it where something went wrong."""
    RECORD.parent.mkdir(exist_ok=True)
    new = not RECORD.is_file()
    with open(RECORD, "a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Kill)])
        if new:
            writer.writeheader()
        writer.writerow(asdict(kill))
    if kill.half_done or kill.failed or kill.lost:
        print(json.dumps(asdict(kill)), flush=True)


def print_table() -> None:
    """Print per command how often it was killed, and what went wrong."""
    row = "{:12}{:>8}{:>10}{:>11}{:>14}{:>8}"
    print(row.format("command", "kills", "at work", "half done", "failed again", "lost"))
    kills = recorded()
    for name in [*STAGES, *WHOLE, "all"]:
        of_name = [kill for kill in kills if name in (kill["command"], "all")]
        counts = [
            sum(kill["at_work"] == "True" for kill in of_name),
            *(sum(bool(kill[key]) for kill in of_name) for key in ("half_done", "failed", "lost")),
        ]
        print(row.format(name, len(of_name), *counts))


if __name__ == "__main__":
    main()
