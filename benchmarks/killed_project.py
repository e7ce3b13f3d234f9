"""A finished project that is killed again and again: a copy of this one with a small iris alone."""

import hashlib
import json
import os
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil
from ruamel.yaml import YAML

from benchmarks.stage_commands import stage_commands

ROOT = Path(__file__).resolve().parent.parent
DATASET = "iris"
MODELS = ["dummy", "logistic_regression", "decision_tree"]
TRIALS = 8
PYTHON = sys.executable
MAKE = ["make", "--silent", "pipeline"]
REPRO = [PYTHON, "-m", "dvc", "repro"]
SYNC = [PYTHON, "-m", "ops.sync"]
BATCH = f"data/{DATASET}_current.csv"
MAKE_BATCH = [PYTHON, "generate_data.py", "--dataset", DATASET, "--current-batch"]
MONITOR = [PYTHON, "-m", "ops.monitor", "--dataset", DATASET, "--batch", BATCH]
# what commands write besides the stages' files; with it there, they would find their work done
RECORD = ("mlflow.db", "mlruns", "studies", "logs")
NOTHING = "nothing"
FINISHED = "finished"
# the run of a pipeline is left out: it has its seconds
RUNS = """
    SELECT identity.value, runs.status FROM runs
    JOIN tags identity ON identity.run_uuid = runs.run_uuid AND identity.key = 'identity'
    JOIN tags stage ON stage.run_uuid = runs.run_uuid AND stage.key = 'stage'
    WHERE runs.lifecycle_stage = 'active' AND stage.value != 'pipeline' ORDER BY 1, 2
"""
VERSIONS = """
    SELECT model_versions.name, model_versions.version, status, alias FROM model_versions
    LEFT JOIN registered_model_aliases alias ON alias.name = model_versions.name
    AND alias.version = model_versions.version ORDER BY 1, 2, 4
"""

State = dict[str, str]  # of each file its SHA-256; of the record, what it holds


class Project:
    """The project, its state after each command that was left alone, and the way back to one.

    Before each stage the record is kept, so that the stage can be run anew from there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.records = folder / "records"
        self.seconds: dict[str, float] = {}
        self.states: dict[str, State] = {}
        copy_project(self.folder)
        self.warm = WarmPython(self.folder, folder / "output")
        self.seconds["make"] = self.run(MAKE)
        self.lock = (self.folder / "dvc.lock").read_bytes()
        self.states["make"] = self.state()
        self.restore(NOTHING)
        for stage, command in stage_commands(DATASET).items():
            self.keep_record(stage)
            self.seconds[stage] = self.run(command)
            self.states[stage] = self.state()
        self.keep_record(FINISHED)
        self.run(MAKE_BATCH)
        self.seconds["monitor"] = self.run(MONITOR)
        self.states["monitor"] = self.state()
        changed = differences(self.states["register"], self.states["make"])
        if changed:
            sys.exit(f"the stages by hand end otherwise than make: {'; '.join(changed)}")

    def keep_record(self, name: str) -> None:
        """Copy the record as it is now."""
        for part in RECORD:
            copy(self.folder / part, self.records / name / part)

    def restore(self, name: str) -> None:
        """Put a record back; NOTHING removes it."""
        for part in RECORD:
            remove(self.folder / part)
            copy(self.records / name / part, self.folder / part)
        remove(self.folder / "reports" / DATASET / "served")

    def forget_what_dvc_has(self) -> None:
        """Remove what would spare DVC the work."""
        remove(self.folder / ".dvc/cache/runs")
        remove(self.folder / "dvc.lock")

    def start(self, command: list[str]) -> "Running":
        """Start a command as a terminal does, in a process group of its own.

        One of Python's starts with its libraries loaded, but DVC, which does not use them.
        """
        if command[0] == PYTHON and command != REPRO:
            return self.warm.start(command[1:])
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment(),
            start_new_session=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=allow_ctrl_c,
        )

    def run(self, command: list[str]) -> float:
        """Run a command to its end; return its seconds. Raises CalledProcessError."""
        started = time.monotonic()
        process = self.start(command)
        output, _ = process.communicate()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, output)
        return time.monotonic() - started

    def at_work(self) -> list[psutil.Process]:
        """Return the processes that run in the project's folder, without the warm Python."""
        running = psutil.process_iter(["pid", "cwd"])
        here = [process for process in running if process.info["cwd"] == str(self.folder)]
        return [process for process in here if process.pid != self.warm.process.pid]

    def state(self) -> State:
        """Return what there is: files, dvc.lock, runs, versions and decisions."""
        state = dict(self.files())
        state["dvc.lock"] = digest(self.folder / "dvc.lock")
        state["runs of the store"] = self.rows(RUNS)
        state["registered versions"] = self.rows(VERSIONS)
        state["decisions"] = str(len(self.decisions()))
        state["left behind"] = "; ".join(self.left_behind())
        return state

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield each file of the stages' outputs that there is, with its SHA-256."""
        stages = YAML(typ="safe").load(self.lock)["stages"].values()
        outputs = [out["path"] for stage in stages for out in stage["outs"]]
        for output in [*outputs, f"reports/{DATASET}/served"]:
            path = self.folder / output
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if file.is_file():
                    yield file.relative_to(self.folder).as_posix(), digest(file)

    def left_behind(self) -> list[str]:
        """Return unfinished files that a killed command left and its next run did not remove."""
        found = [path for path in self.folder.rglob("*.partial") if ".venv" not in path.parts]
        return sorted(str(path.relative_to(self.folder)) for path in found)

    def decisions(self) -> list[str]:
        path = self.folder / "logs/promotions" / f"{DATASET}.jsonl"
        return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []

    def rows(self, query: str) -> str:
        """Return what the store says, as text; empty where there is none."""
        path = self.folder / "mlflow.db"
        if not path.is_file():
            return ""
        with closing(sqlite3.connect(path)) as store:
            return "\n".join(map(str, store.execute(query)))


class WarmPython:
    """A process of `benchmarks.warm_python`, which runs commands in forks of itself."""

    def __init__(self, folder: Path, output: Path) -> None:
        self.output = output
        self.process = subprocess.Popen(
            [PYTHON, "-m", "benchmarks.warm_python"],
            cwd=folder,
            env=environment(),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def start(self, command: list[str]) -> "Forked":
        """Start a command, once the one before it has ended."""
        wanted = {"command": command, "output": str(self.output)}
        self.process.stdin.write(f"{json.dumps(wanted)}\n".encode())
        return Forked(int(self.process.stdout.readline()), self.process, self.output)


@dataclass
class Forked:
    """A command that runs in a fork, to be asked as a Popen is."""

    pid: int
    warm: "subprocess.Popen[bytes]"
    output: Path
    returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit status; None while it runs."""
        has_ended = select.select([self.warm.stdout], [], [], 0)[0]
        if self.returncode is None and has_ended:
            self.returncode = int(self.warm.stdout.readline())
        return self.returncode

    def communicate(self) -> tuple[str, None]:
        """Wait for the end; return what was printed."""
        if self.returncode is None:
            self.returncode = int(self.warm.stdout.readline())
        return self.output.read_text(encoding="utf-8", errors="replace"), None


Running = subprocess.Popen[str] | Forked


def environment() -> dict[str, str]:
    path = f"{Path(PYTHON).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path}


def allow_ctrl_c() -> None:
    """Let a process take SIGINT as from a terminal; one of the background ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def differences(now: State, expected: State) -> list[str]:
    """Return the names of what is not as expected."""
    names = sorted({*now, *expected})
    return [name for name in names if now.get(name) != expected.get(name)]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def copy(source: Path, target: Path) -> None:
    """Copy a file or a folder, if it is there."""
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def copy_project(folder: Path) -> None:
    """Copy this project's committed files as a git repository, with little to do."""
    git = ["git", "-c", "user.name=kills", "-c", "user.email=kills@example.org"]
    subprocess.run([*git, "clone", "--quiet", str(ROOT), str(folder)], check=True)
    yaml = YAML()
    settings = yaml.load((folder / "params.yaml").read_text(encoding="utf-8"))
    for name in set(settings["datasets"]) - {DATASET}:
        del settings["datasets"][name]
    block = settings["datasets"][DATASET]
    block["train"]["models"] = MODELS
    block["tune"]["trials"] = TRIALS
    with open(folder / "params.yaml", "w", encoding="utf-8") as file:
        yaml.dump(settings, file)
    shutil.rmtree(folder / "metrics")
    (folder / "dvc.lock").unlink()
    (folder / ".venv").symlink_to(Path(sys.prefix))
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        os.utime(folder / name, (0, 0))  # make takes the environment for set up
    subprocess.run([*git, "commit", "--quiet", "-am", "one dataset"], cwd=folder, check=True)
