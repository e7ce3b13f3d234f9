"""Search for better hyperparameters and a blend for one dataset; score them as train.py does.

    python tune_hyperparameters.py --dataset iris
    python tune_hyperparameters.py --dataset iris --model random_forest --trials 100

Reads   params.yaml, data/processed/iris/, metrics/datasets/iris/train.json,
        data/predictions/iris/train/
Writes  models/iris/tune/ (tuned_<model>/, blend/, best_params.json, trials.csv),
        metrics/datasets/iris/tune.json and summary/tune.json, data/predictions/iris/tune/,
        reports/iris/tune/; records one MLflow run with a run per trial below it.
        studies/iris/ holds the search; if it is stopped, the next run resumes it
"""

import argparse
import math
import time
from collections.abc import Callable
from typing import Any

from pipeline import command
from pipeline.project import figure_page, files, paths, workers
from pipeline.project.errors import UsageError
from pipeline.project.params import Params
from pipeline.tracking import record
from pipeline.training.candidates import CandidateOutputs
from pipeline.training.problem import Problem, read_problem
from pipeline.training.results.content import Candidate, StageResults, TuneResults
from pipeline.training.results.heading import heading
from pipeline.training.results.ranking import best_candidate, summary
from pipeline.training.results.reading import read_train_of
from pipeline.training.stage_output import StageFolders, write_stage
from pipeline.tuning import journal, selection, study_report
from pipeline.tuning.search import Searched, search
from pipeline.tuning.selection import WhatFollows
from pipeline.tuning.trials import Plan, Trial, best_trial, check_plan, plan_of

OBJECTIVES = ("metric", "metric,size", "metric,latency")


def search_trials(
    problem: Problem,
    plan: Plan,
    settings: Params,
    n_trials: int | None,
    n_workers: int,
    run: Callable[..., Any],
    started: float,
    what_follows: Callable[[list[Trial]], float],
) -> Searched:
    """Search in the study's own folder; raise UsageError where no trial came to its end.

    A search by seconds counts from the moment `started`; `what_follows` says what it has to leave.
    """
    with (
        journal.opened(problem, settings) as folder,
        journal.limits(folder, plan, n_trials, n_workers, started, what_follows) as limits,
    ):
        total = 0 if limits.is_by_time else limits.trials
        with command.progress(total, f"tune {problem.dataset}", "trial") as step:
            searched = search(problem, plan, limits, run, folder, step)
    if best_trial(searched.trials, problem.primary_metric) is None:
        reasons = sorted({trial.reason for trial in searched.trials if trial.reason})
        why = f": {'; '.join(reasons)}" if reasons else ""
        raise UsageError(
            f"{paths.PARAMS}: datasets.{problem.dataset}.tune: "
            f"no trial of {len(searched.trials)} came to its end{why}"
        )
    return searched


def write_search(
    folders: StageFolders,
    problem: Problem,
    plan: Plan,
    searched: Searched,
    fitted: dict[str, CandidateOutputs],
) -> None:
    """Write what the search leaves beside its models: parameters, trials and figures."""
    parameters = {name: outputs.parameters for name, outputs in fitted.items()}
    files.write_json(folders.models / "best_params.json", parameters)
    files.write_text(folders.models / "trials.csv", study_report.trials_table(searched.trials))
    title = f"{problem.dataset}{' (synthetic data)' if problem.synthetic else ''}"
    outcome = study_report.outcome(searched.trials, problem.primary_metric)
    top = study_report.Top(title, outcome, figure_page.back_from_stage(problem.dataset))
    study_report.draw(folders.reports, searched.study, plan, problem.primary_metric, top)


def tune_results(
    problem: Problem,
    plan: Plan,
    searched: Searched,
    fitted: dict[str, CandidateOutputs],
    scored: dict[str, Candidate],
    trained: StageResults,
) -> TuneResults:
    """Return the content of tune.json."""
    return {
        **heading(problem),
        "trials": study_report.counts(searched.trials),
        "course": study_report.course(searched.trials),
        **study_report.pareto(searched.study, searched.trials, plan),
        "best": best_candidate(scored, problem.primary_metric),
        "improvement": selection.improvements(problem, fitted, scored, trained),
        "candidates": scored,
    }


def tune(
    dataset: str,
    settings: Params,
    n_trials: int | None = None,
    n_workers: int | None = None,
    dask: str | None = None,
) -> TuneResults:
    """Search, fit, score and store; return the content of the dataset's tune.json."""
    began, started = time.time(), time.perf_counter()
    problem, plan = read_problem(dataset, settings), plan_of(dataset, settings)
    check_plan(problem, plan)
    trained = read_train_of(problem)
    n_workers, dask = n_workers or settings.cores(), dask or settings.dask
    after = WhatFollows(problem, plan, 0 if dask else n_workers)
    with workers.pool(n_workers, dask) as run:
        searched = search_trials(
            problem, plan, settings, n_trials, n_workers, run, began, after.seconds
        )
        search_ended = time.perf_counter()
        others = selection.read_others(problem, plan, trained, settings)
        fitted = selection.fit_candidates(problem, plan, searched, others, run, command.progress)
    scored = write_stage(
        "tune",
        problem,
        fitted,
        kept={},
        beside=lambda folders: write_search(folders, problem, plan, searched, fitted),
    )
    tuned = tune_results(problem, plan, searched, fitted, scored, trained)
    files.write_json(paths.metrics(dataset, "tune"), tuned)
    files.write_json(paths.summary(dataset, "tune"), summary(tuned, tuned["best"]))
    timings = {
        "search": search_ended - started,
        "rest": time.perf_counter() - search_ended,
        "fits": {name: outputs.seconds for name, outputs in fitted.items()},
        "trials": {trial.number: trial.seconds for trial in searched.trials},
    }
    files.write_json(paths.timings(dataset, "tune"), timings)
    return tuned


def closing_line(tuned: TuneResults) -> str:
    """Return the line that says what came out and where it lies."""
    dataset, metric, name = tuned["dataset"], tuned["primary_metric"], tuned["best"]
    trials = tuned["trials"]
    cv = tuned["candidates"][name]["cv"][metric]
    over = tuned["improvement"][name]["best_of_train"]
    test = over["test"]
    data = " on synthetic data" if tuned["synthetic"] else ""
    return (
        f"tune {dataset}: {trials['total']} trials ({trials['finished']} finished, "
        f"{trials['pruned']} pruned, {trials['failed']} failed), best {name} with cv {metric} "
        f"{cv['mean']:.4g} ± {cv['std']:.2g}; on the test split {test['absolute']:+.3g} "
        f"[{test['low']:.3g}, {test['high']:.3g}] better than {over['over']}{data} "
        f"-> {paths.metrics(dataset, 'tune')}"
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a search beside --dataset and --model; train.py takes them too."""
    parser.add_argument(
        "--trials", type=int, metavar="N", help="number of trials; overrides params.yaml"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        help="time budget of the whole stage, in place of a number of trials; "
        "the result then depends on the machine",
    )
    parser.add_argument(
        "--objectives",
        metavar="A,B",
        help="metric,size or metric,latency; overrides params.yaml; latency depends on the machine",
    )


def check_options(args: argparse.Namespace) -> None:
    """Raise UsageError where an option has a value that it cannot have."""
    for option, least in (("trials", 1), ("seconds", 1)):
        value = getattr(args, option)
        if value is not None and not least <= value < math.inf:
            raise UsageError(f"--{option} {value:g}: give {least} or more")
    if args.objectives and args.objectives not in OBJECTIVES:
        raise UsageError(f"--objectives {args.objectives}: give one of {', '.join(OBJECTIVES)}")
    command.check_workers(args)


def main(argv: list[str] | None = None) -> None:
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    parser.add_argument("--model", metavar="M", help="tune only this model")
    add_options(parser)
    command.add_workers(parser)
    args = parser.parse_args(argv)
    check_options(args)
    run(args, command.settings())


def run(args: argparse.Namespace, settings: Params) -> None:
    """Tune what the options name, record it, and print what came out."""
    if args.model:
        settings = settings.tuning_only(args.model)
    if args.objectives:
        settings = settings.tuning(objectives=args.objectives.split(","))
    if args.seconds:
        settings = settings.tuning(seconds=args.seconds)
    for dataset in settings.names(args.dataset):
        tuned = tune(dataset, settings, args.trials, args.workers, args.dask)
        record.record(dataset, "tune", settings)
        print(closing_line(tuned))
    if args.model or args.trials or args.seconds or args.objectives:
        print(
            "the next `dvc repro` tunes as params.yaml says again; put the option there to keep it"
        )


if __name__ == "__main__":
    command.run(main, stopped=command.STOPPED_AND_GOES_ON)
