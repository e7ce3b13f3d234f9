"""What the pipeline costs beyond its work: a cold run against bare loops over the same fits, those of the trials among them, and
drift pages.

    python benchmarks/pipeline_overhead.py [--cores 2] [--dataset iris]

All run on the same cores, on copies of the project in a temporary folder. Prints the wall times of `dvc repro`, of the same
stages side by side as `make pipeline` runs them, of the bare loops, and of a run with nothing to do; then the wall time and peak
memory of each stage run by hand.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline.project import params

ROOT = Path(__file__).resolve().parent.parent
BARE_LOOPS = """
import sys
from joblib import Parallel, delayed
import detect_drift
from pipeline import drift, drift_pages, journal, models, params, study, workers
from pipeline.problem import read

def fit(problem, name, hyperparameters, resampling, seed, fit_rows, X_new):
    model = models.fit(problem.model_spec(name), hyperparameters, problem.X.iloc[fit_rows], problem.y[fit_rows], seed, resampling)
    return model.output(X_new)

settings = params.load()
for dataset in sys.argv[1:]:
    problem, train = read(dataset, settings), settings.dataset(dataset).train
    jobs = [(name, slice(None), problem.X_test) for name in train.models]
    jobs += [(name, rows, problem.X.iloc[new]) for name in train.models for rows, new in problem.folds]
    Parallel(n_jobs=settings.cores(), backend="threading")(
        delayed(fit)(problem, name, settings.hyperparameters(dataset, name), train.resampling, settings.seed, rows, new)
        for name, rows, new in jobs)
    with workers.pool(settings.cores()) as run, journal.opened(problem, settings) as folder:      # the study of the dvc repro
        trials, _ = study.search(problem, settings, settings.dataset(dataset).tune.trials, run, folder, lambda count, note: None)
        run(study.fit_fold, study.Folds(problem, settings), [(fold, trial.model, trial.hyperparameters, trial.early_stopping)
                                                             for trial in trials for fold in range(len(trial.folds))])
    limits = settings.dataset(dataset).drift
    reference, current, roles, measured, _, _ = detect_drift.splits_of(dataset, settings)
    results, samples = drift.judge(reference, current, roles, limits, settings.seed, settings.cores(), measured)
    drift_pages.pages(*samples, results, roles)
"""
STAGES = (
    ("generate", "generate_data.py"),
    ("prepare", "prepare_data.py"),
    ("train", "train.py"),
    ("tune", "tune_hyperparameters.py"),
    ("drift", "detect_drift.py"),
)


def timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Run a command; return its wall seconds and the peak memory of its largest process in MiB."""
    environment = {
        key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"
    }
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
    }
    environment |= {variable: "1" for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
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
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def copy_project(folder: Path) -> None:
    """Copy what git would track, without results, as a repository of its own."""
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


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cores", type=int, default=2, help="cores to run on (default 2)")
    parser.add_argument(
        "--dataset",
        action="append",
        help="one dataset; may be given again (default: all of params.yaml)",
    )
    args = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    datasets = args.dataset or list(params.load().datasets)
    targets = [f"drift@{dataset}" for dataset in datasets] if args.dataset else []
    with tempfile.TemporaryDirectory() as temporary:
        folder, other = Path(temporary) / "project", Path(temporary) / "side by side"
        for place in (folder, other):
            place.mkdir()
            copy_project(place)
        warm_up = "import mlflow, lightgbm, xgboost, catboost, matplotlib.figure, skops.io, pandera.pandas, evidently"
        timed(
            [sys.executable, "-c", warm_up], folder
        )  # so that byte code and file cache are there for both
        cold, _ = timed(["dvc", "repro", *targets], folder)
        side, _ = timed([sys.executable, "-m", "ops.repro", *targets], other)
        bare, _ = timed([sys.executable, "-c", BARE_LOOPS, *datasets], folder)
        idle, _ = timed([sys.executable, "-m", "ops.repro", *targets], folder)
        print(f"{len(datasets)} datasets on {args.cores} cores")
        print(f"cold dvc repro   {cold:7.1f} s")
        print(f"bare loops       {bare:7.1f} s")
        print(
            f"side by side     {side:7.1f} s, {side / bare:.2f} of the bare loops, {1 - side / cold:.0%} less than dvc repro"
        )
        print(f"idle             {idle:7.1f} s\n")
        print(f"{'stage by hand':36} {'seconds':>8} {'peak MiB':>9}")
        for dataset in datasets:
            for stage, script in STAGES:
                never = ["--fail-on", "never"] * (stage == "drift")
                seconds, peak = timed(
                    [sys.executable, script, "--dataset", dataset, *never], folder
                )
                print(f"{stage + '@' + dataset:36} {seconds:8.1f} {peak:9.0f}")
        for stage, script in (
            ("compare", "compare_results.py"),
            ("validate", "validate_metrics.py"),
        ):
            if not args.dataset:
                seconds, peak = timed([sys.executable, script], folder)
                print(f"{stage:36} {seconds:8.1f} {peak:9.0f}")


if __name__ == "__main__":
    main()
