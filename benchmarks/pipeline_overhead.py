"""What the pipeline costs beyond its work: a cold run against bare loops over the same work.

    python -m benchmarks.pipeline_overhead [--cores 2] [--dataset iris]

All run on the same cores, on copies of the project in a temporary folder. Prints the wall times of
`dvc repro`, of the same stages side by side as `make pipeline` runs them, of the bare loops, and of
a run with nothing to do; then the wall time and peak memory of each stage run by hand.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.stage_commands import stage_commands
from pipeline.command import ONE_THREAD
from pipeline.project import params

ROOT = Path(__file__).resolve().parent.parent
WARM_UP = (
    "import mlflow, lightgbm, xgboost, catboost, matplotlib.figure, skops.io, pandera.pandas, "
    "evidently"
)
OF_EACH_DATASET = ("generate", "prepare", "train", "tune", "drift")
OF_ALL_DATASETS = ("compare", "validate")


@dataclass(frozen=True)
class Timed:
    """The wall seconds of a command, and the peak memory of its largest process."""

    seconds: float
    peak_mib: float


def timed(command: list[str], folder: Path) -> Timed:
    """Run a command in a copy of the project, as one that has no cache of results."""
    environment = {
        key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment["PYTHONPATH"] = str(folder)
    for variable in ONE_THREAD:
        environment[variable] = "1"
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed:\n{output}")
    return Timed(time.perf_counter() - started, usage.ru_maxrss / 1024)


def copy_project(folder: Path) -> None:
    """Copy what git would track, without results, as a repository of its own."""
    folder.mkdir()
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in names:
        if (ROOT / name).is_file() and not name.startswith(("metrics/", "dvc.lock")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)


def compare(folder: Path, other: Path, datasets: list[str], targets: list[str]) -> None:
    """Print the wall times of cold runs, of the bare loops, and of an idle run."""
    python = sys.executable
    timed([python, "-c", WARM_UP], folder)  # byte code and file cache are then there for all
    cold = timed(["dvc", "repro", *targets], folder).seconds
    side = timed([python, "-m", "ops.repro", *targets], other).seconds
    bare = timed([python, "-m", "benchmarks.bare_loops", *datasets], folder).seconds
    idle = timed([python, "-m", "ops.repro", *targets], folder).seconds
    print(f"cold dvc repro   {cold:7.1f} s")
    print(f"bare loops       {bare:7.1f} s")
    print(
        f"side by side     {side:7.1f} s, {side / bare:.2f} of the bare loops, "
        f"{1 - side / cold:.0%} less than dvc repro"
    )
    print(f"idle             {idle:7.1f} s\n")


def print_stage(name: str, command: list[str], folder: Path) -> None:
    """Run a stage by hand and print its line."""
    figures = timed(command, folder)
    print(f"{name:36} {figures.seconds:8.1f} {figures.peak_mib:9.0f}")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--cores", type=int, default=2, help="cores to run on (default 2)")
    parser.add_argument(
        "--dataset",
        action="append",
        help="one dataset; may be given again (default: all of params.yaml)",
    )
    return parser.parse_args()


def main() -> None:
    args = options()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    os.chdir(ROOT)
    datasets = args.dataset or list(params.load().datasets)
    targets = [f"drift@{dataset}" for dataset in datasets] if args.dataset else []
    with tempfile.TemporaryDirectory() as temporary:
        folder, other = Path(temporary) / "project", Path(temporary) / "side by side"
        copy_project(folder)
        copy_project(other)
        print(f"{len(datasets)} datasets on {args.cores} cores")
        compare(folder, other, datasets, targets)
        print(f"{'stage by hand':36} {'seconds':>8} {'peak MiB':>9}")
        for dataset in datasets:
            for stage in OF_EACH_DATASET:
                print_stage(f"{stage}@{dataset}", stage_commands(dataset)[stage], folder)
        if not args.dataset:
            for stage in OF_ALL_DATASETS:
                print_stage(stage, stage_commands(datasets[0])[stage], folder)


if __name__ == "__main__":
    main()
