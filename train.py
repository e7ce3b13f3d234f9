"""Train the candidate models of one dataset; score each by cross-validation and on the test split.

    python train.py --dataset iris
    python train.py --dataset iris --model random_forest     # one model; keep the others' results
    python train.py --dataset iris --tune-hyperparameters    # then tune_hyperparameters.py

Reads   params.yaml, data/processed/iris/, metrics/datasets/iris/quality.json
Writes  models/iris/train/<model>/ and train_stats.json, metrics/datasets/iris/train.json and
        summary/train.json, data/predictions/iris/train/{oof,test,test_by_fold}.parquet,
        reports/iris/train/<model>/*.png; records one MLflow run per model
"""

from collections.abc import Callable
from typing import Any

import tune_hyperparameters
from pipeline import command
from pipeline.models import estimators
from pipeline.models.families import monotone
from pipeline.project import files, paths, workers
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Params
from pipeline.tracking import record
from pipeline.training import candidates
from pipeline.training.candidates import ALL_ROWS, CandidateOutputs, FitJob, Recipe
from pipeline.training.problem import Problem, read_problem
from pipeline.training.results.content import Candidate, StageResults
from pipeline.training.results.heading import heading
from pipeline.training.results.ranking import best_candidate, summary
from pipeline.training.results.reading import read_train
from pipeline.training.stage_output import write_stage


def chosen_models(dataset: str, settings: Params, only: str | None) -> dict[str, dict[str, Any]]:
    """Return {model: hyperparameters} of what is to be trained, all checked before any work."""
    task = settings.dataset(dataset).data.task
    listed = list(settings.dataset(dataset).train.models)
    own = estimators.own_estimators(dataset, settings)
    if only and only not in listed:
        estimators.check_model(only, task, {}, f"--model {only} on {dataset}", own)
        raise UsageError(
            f"--model {only}: {paths.PARAMS} lists for {dataset}: {', '.join(listed)}; add it there"
        )
    chosen = {}
    for name in [only] if only else listed:
        chosen[name] = settings.hyperparameters(dataset, name)
        place = f"{paths.PARAMS}: datasets.{dataset}.train.models"
        estimators.check_model(name, task, chosen[name], place, own)
    if settings.dataset(dataset).train.monotone:
        monotone.check_models(chosen, f"datasets.{dataset}.train.models")
    return chosen


def other_candidates(problem: Problem, listed: list[str]) -> dict[str, Candidate]:
    """Return the candidates of the last training that params.yaml still lists.

    Raises DataError where they are of other data or another seed, or their files are not there.
    """
    path = paths.metrics(problem.dataset, "train")
    if not path.is_file():
        return {}
    last = read_train(problem.dataset)
    if last["split_hash"] != problem.split_hash or last["seed"] != problem.seed:
        raise DataError(
            f"{path}: its models are of other data or another seed; run `python train.py --dataset "
            f"{problem.dataset}` without --model, so that all are compared on the same rows"
        )
    others = {name: last["candidates"][name] for name in last["candidates"] if name in listed}
    for folder in (
        paths.models(problem.dataset, "train"),
        paths.predictions(problem.dataset, "train"),
    ):
        if others and not folder.is_dir():
            raise DataError(
                f"{folder} is not there, but {path} names the models in it; run `dvc pull`, or "
                f"`python train.py --dataset {problem.dataset}` without --model"
            )
    return others


def fit_candidates(
    problem: Problem, chosen: dict[str, dict[str, Any]], run: Callable[..., Any]
) -> dict[str, CandidateOutputs]:
    """Fit each model on all training rows and on each fold; return what each puts out."""
    recipes = {
        name: Recipe(problem.model_spec(name), hyperparameters)
        for name, hyperparameters in chosen.items()
    }
    jobs = [FitJob(name, recipe, ALL_ROWS) for name, recipe in recipes.items()]  # longest first
    for name, recipe in recipes.items():
        for fold in range(len(problem.folds)):
            jobs.append(FitJob(name, recipe, fold))
    with command.progress(len(jobs), f"train {problem.dataset}") as step:
        fits = candidates.fit_all(problem, jobs, run, step)
    fitted = {}
    for name in recipes:
        final = candidates.fit_on_all_rows(name, fits)
        fitted[name] = CandidateOutputs(
            model=final.model,
            parameters=chosen[name],
            out_of_fold=candidates.out_of_fold(problem, name, fits),
            test=final.test_output,
            test_by_fold=candidates.test_by_fold(problem, name, fits),
            seconds=final.seconds,
        )
    return fitted


def train(
    dataset: str,
    settings: Params,
    only: str | None = None,
    n_workers: int | None = None,
    dask: str | None = None,
) -> StageResults:
    """Train, score and store the models of a dataset, or one of them; return its train.json."""
    chosen = chosen_models(dataset, settings, only)
    listed = list(settings.dataset(dataset).train.models)
    problem = read_problem(dataset, settings)
    others = other_candidates(problem, listed) if only else {}
    with workers.pool(n_workers or settings.cores(), dask or settings.dask) as run:
        fitted = fit_candidates(problem, chosen, run)
    scored = write_stage("train", problem, fitted, others)
    in_order = {name: scored[name] for name in listed if name in scored}
    trained: StageResults = {**heading(problem), "candidates": in_order}
    files.write_json(paths.metrics(dataset, "train"), trained)
    best = best_candidate(in_order, trained["primary_metric"])
    files.write_json(paths.summary(dataset, "train"), summary(trained, best))
    seconds = {name: outputs.seconds for name, outputs in fitted.items()}
    files.write_json(paths.timings(dataset, "train"), seconds)
    print(closing_line(trained, len(fitted)))
    return trained


def closing_line(trained: StageResults, n_models: int) -> str:
    """Return the line that says what came out and where it lies."""
    dataset, metric = trained["dataset"], trained["primary_metric"]
    best = best_candidate(trained["candidates"], metric)
    cv = trained["candidates"][best]["cv"][metric]
    data = " on synthetic data" if trained["synthetic"] else ""
    return (
        f"train {dataset}: {n_models} models, best {best} with cv {metric} "
        f"{cv['mean']:.4g} ± {cv['std']:.2g}{data} -> {paths.metrics(dataset, 'train')}"
    )


def main(argv: list[str] | None = None) -> None:
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    parser.add_argument(
        "--model", metavar="M", help="train only this model of the dataset's models in params.yaml"
    )
    parser.add_argument(
        "--tune-hyperparameters",
        action="store_true",
        help="also run tune_hyperparameters.py",
    )
    tune_hyperparameters.add_options(parser)
    command.add_workers(parser)
    args = parser.parse_args(argv)
    tune_hyperparameters.check_options(args)
    settings = command.settings()
    for dataset in settings.names(args.dataset):
        train(dataset, settings, args.model, args.workers, args.dask)
        record.record(dataset, "train", settings)
    if args.tune_hyperparameters:
        tune_hyperparameters.run(args, settings)


if __name__ == "__main__":
    command.run(main)
