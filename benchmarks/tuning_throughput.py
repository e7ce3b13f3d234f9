"""What the search costs beyond its fits: trials per minute against a bare loop over the very same fits on the same cores.

    python benchmarks/tuning_throughput.py [--dataset house_prices] [--trials 50] [--cores 2] [--turns 3] [--mlflow]

Needs the dataset prepared (`dvc repro prepare@house_prices`). The study lies in a temporary folder. The bare loop has the same
fits, on the same prepared and binned tables, all known beforehand: no sampler, no pruner, no journal, no waiting for the end of a
batch. Search and bare loop take turns, as a machine that others use is not as fast at every moment.

With --mlflow it also writes the run of the search, as the stage left it (`dvc repro tune@house_prices`), and those of its trials
into a store of its own.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from pipeline import command
from pipeline.project import params, workers
from pipeline.tracking import stage_runs, store
from pipeline.tracking.runs import write_run
from pipeline.training.problem import read_problem
from pipeline.tuning import folds
from pipeline.tuning import search as tuning_search
from pipeline.tuning.folds import Folds
from pipeline.tuning.trials import plan_of

ROOT = Path(__file__).resolve().parent.parent


def recorded(dataset, settings, folder):
    """Return the seconds until MLflow has a store, those that the search and its trials take in it, and the number of these."""
    runs = stage_runs.RUNS["tune"](dataset, settings)
    if not runs:
        sys.exit(f"{dataset} is not tuned; run `dvc repro tune@{dataset}` first")
    os.environ[store.TRACKING_URI] = f"{store.SQLITE}{folder}/mlflow.db"
    started = time.perf_counter()
    with store.open_store() as mlflow:
        mlflow.set_experiment(
            experiment_id=mlflow.create_experiment(
                "benchmark", artifact_location=Path(folder).as_uri()
            )
        )
        ready = time.perf_counter()
        write_run(mlflow, runs[0])
    return ready - started, time.perf_counter() - ready, len(runs[0].children)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--dataset",
        default="house_prices",
        help="a prepared dataset of params.yaml (default %(default)s)",
    )
    parser.add_argument("--trials", type=int, default=50, help="default %(default)s")
    parser.add_argument("--cores", type=int, default=2, help="default %(default)s")
    parser.add_argument(
        "--turns", type=int, default=3, help="of search and bare loop (default %(default)s)"
    )
    parser.add_argument(
        "--mlflow",
        action="store_true",
        help="time the record in MLflow as well; needs the dataset tuned",
    )
    args = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    for variable in command.ONE_THREAD:
        os.environ[variable] = "1"
    settings = params.load()
    problem, plan = read_problem(args.dataset, settings), plan_of(args.dataset, settings)
    searched, bare, ratios = [], [], []
    with workers.pool(args.cores) as run, tempfile.TemporaryDirectory() as folder:
        tuning_search.search(
            problem, plan, 1, run, Path(folder) / "warm", lambda count, note: None
        )  # imports
        for turn in range(args.turns):
            started = time.perf_counter()
            trials = tuning_search.search(
                problem,
                plan,
                args.trials,
                run,
                Path(folder) / f"study{turn}",
                lambda count, note: None,
            ).trials
            searched.append(time.perf_counter() - started)
            fits = [
                (fold, trial.model, trial.hyperparameters, trial.early_stopping)
                for trial in trials
                for fold in range(len(trial.folds))
            ]
            started = time.perf_counter()
            run(folds.fit_fold, Folds(problem, plan.tune), fits)
            bare.append(time.perf_counter() - started)
            ratios.append(bare[-1] / searched[-1])
        record = recorded(args.dataset, settings, folder) if args.mlflow else None
    search, loop = statistics.median(searched), statistics.median(bare)
    print(
        f"{args.dataset}: {len(trials)} trials, {len(fits)} fits on {args.cores} cores, medians of {args.turns} turns"
    )
    print(f"search      {search:7.1f} s  {60 * len(trials) / search:7.1f} trials a minute")
    print(f"bare loop   {loop:7.1f} s  {60 * len(trials) / loop:7.1f} trials a minute")
    print(
        f"ratio       {statistics.median(ratios):7.2f}  from {min(ratios):.2f} to {max(ratios):.2f}"
    )
    print(
        f"in fits     {sum(trial.seconds for trial in trials) / args.cores / searched[-1]:7.2f}  "
        f"of the search's time on all cores, last turn"
    )
    if record:
        ready, written, trials = record
        share = written / (search + written)
        print(
            f"MLflow      {written:7.1f} s  {share:7.1%}  of search and record: the run of the search, {trials} runs of trials"
        )
        print(f"  its start {ready:7.1f} s  import and an empty store")


if __name__ == "__main__":
    main()
