"""What the search costs beyond its fits: its trials per minute against a bare loop over these fits.

    python -m benchmarks.tuning_throughput [--dataset house_prices] [--trials 50] [--mlflow]

Needs the dataset prepared (`dvc repro prepare@house_prices`). The study lies in a temporary folder.
The bare loop has the same fits, on the same prepared and binned tables, all known beforehand: no
sampler, no pruner, no journal, no waiting for the end of a batch. Search and bare loop take turns,
as a machine that others use is not as fast at every moment.

With --mlflow it also writes the run of the search, as the stage left it
(`dvc repro tune@house_prices`), and those of its trials into a store of its own.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import command
from pipeline.project import params, workers
from pipeline.project.params import Params
from pipeline.tracking import store
from pipeline.tracking.recorded import stage_runs
from pipeline.tracking.runs import write_run
from pipeline.training.problem import Problem, read_problem
from pipeline.tuning.folds import Folds, fit_fold
from pipeline.tuning.search import search
from pipeline.tuning.trials import Limits, Plan, Trial, plan_of

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Turn:
    """One search, and the seconds that it and the bare loop over its fits took."""

    trials: list[Trial]
    fits: int
    searched: float
    bare: float


@dataclass(frozen=True)
class Recorded:
    """The seconds until MLflow has a store, those that the runs take, and how many there are."""

    ready: float
    written: float
    trials: int


def turn(
    problem: Problem, plan: Plan, n_trials: int, run: Callable[..., Any], folder: Path
) -> Turn:
    """Search in a folder, then do the same fits in a bare loop."""
    started = time.perf_counter()
    trials = search(problem, plan, Limits(n_trials), run, folder, lambda count, note: None).trials
    searched = time.perf_counter() - started
    fits = []
    for trial in trials:
        for fold in range(len(trial.folds)):
            fits.append((fold, trial.model, trial.hyperparameters, trial.early_stopping))
    started = time.perf_counter()
    run(fit_fold, Folds(problem, plan.tune), fits)
    return Turn(trials, len(fits), searched, time.perf_counter() - started)


def record(dataset: str, settings: Params, folder: Path) -> Recorded:
    """Write the run of the search and those of its trials into a store in the folder."""
    runs = stage_runs.STAGE_RUNS["tune"](dataset, settings)
    if not runs:
        sys.exit(f"{dataset} is not tuned; run `dvc repro tune@{dataset}` first")
    os.environ[store.TRACKING_URI] = f"{store.SQLITE}{folder}/mlflow.db"
    started = time.perf_counter()
    with store.open_store() as mlflow:
        experiment = mlflow.create_experiment("benchmark", artifact_location=folder.as_uri())
        mlflow.set_experiment(experiment_id=experiment)
        ready = time.perf_counter()
        write_run(mlflow, runs[0])
    written = time.perf_counter() - ready
    return Recorded(ready - started, written, len(runs[0].children))


def print_turns(turns: list[Turn], cores: int) -> None:
    """Print the medians of the turns, and the share of the last search that was spent in fits."""
    last = turns[-1]
    search_seconds = statistics.median(one.searched for one in turns)
    loop_seconds = statistics.median(one.bare for one in turns)
    ratios = [one.bare / one.searched for one in turns]
    for what, seconds in (("search   ", search_seconds), ("bare loop", loop_seconds)):
        per_minute = 60 * len(last.trials) / seconds
        print(f"{what}   {seconds:7.1f} s  {per_minute:7.1f} trials a minute")
    print(
        f"ratio       {statistics.median(ratios):7.2f}  from {min(ratios):.2f} to {max(ratios):.2f}"
    )
    in_fits = sum(trial.seconds for trial in last.trials) / cores / last.searched
    print(f"in fits     {in_fits:7.2f}  of the search's time on all cores, last turn")


def print_record(recorded: Recorded, search_seconds: float) -> None:
    """Print what the record in MLflow costs beside the search."""
    share = recorded.written / (search_seconds + recorded.written)
    print(
        f"MLflow      {recorded.written:7.1f} s  {share:7.1%}  of search and record: "
        f"the run of the search, {recorded.trials} runs of trials"
    )
    print(f"  its start {recorded.ready:7.1f} s  import and an empty store")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
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
    return parser.parse_args()


def main() -> None:
    args = options()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    command.limit_threads()
    settings = params.load()
    problem, plan = read_problem(args.dataset, settings), plan_of(args.dataset, settings)
    with workers.pool(args.cores) as run, tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        turn(problem, plan, 1, run, folder / "warm")  # imports
        turns = [
            turn(problem, plan, args.trials, run, folder / f"study{number}")
            for number in range(args.turns)
        ]
        recorded = record(args.dataset, settings, folder) if args.mlflow else None
    print(
        f"{args.dataset}: {len(turns[-1].trials)} trials, {turns[-1].fits} fits "
        f"on {args.cores} cores, medians of {args.turns} turns"
    )
    print_turns(turns, args.cores)
    if recorded:
        print_record(recorded, statistics.median(one.searched for one in turns))


if __name__ == "__main__":
    main()
