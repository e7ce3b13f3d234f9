"""Train the candidate models of one dataset; score each by cross-validation and on the test split.

    python train.py --dataset iris
    python train.py --dataset iris --model random_forest        # one model; the others' results stay
    python train.py --dataset iris --tune-hyperparameters       # and then tune_hyperparameters.py

Reads   params.yaml, data/processed/iris/, metrics/datasets/iris/quality.json
Writes  models/iris/train/<model>/ and train_stats.json, metrics/datasets/iris/train.json,
        data/predictions/iris/train/{oof,test}.parquet, reports/iris/train/<model>/*.png; records one MLflow run per model
"""

import tune_hyperparameters
from pipeline import command
from pipeline.models import catalogue
from pipeline.project import files, paths, workers
from pipeline.project.errors import DataError, UsageError
from pipeline.scoring import choice
from pipeline.tracking import record
from pipeline.training import candidates
from pipeline.training.problem import read_problem
from pipeline.training.results import write_results


def fit_candidates(problem, hyperparameters, resampling, seed, run):
    """Fit every model on all training rows and on each fold.

    Return {name: (model, out-of-fold output, test output)} and {name: seconds}; rows that no fold predicts are nan out of fold.
    """
    recipes = {
        name: (problem.model_spec(name), settings) for name, settings in hyperparameters.items()
    }
    wanted = [(name, candidates.ALL_ROWS) for name in recipes]  # the longest first
    wanted += [(name, fold) for name in recipes for fold in range(len(problem.folds))]
    with command.progress(len(wanted), f"train {problem.dataset}") as step:
        fitted, seconds = candidates.fit(problem, recipes, wanted, resampling, seed, run, step)
    results = {}
    for name in recipes:
        model, test_output = fitted[name, candidates.ALL_ROWS]
        results[name] = model, candidates.out_of_fold(problem, name, fitted), test_output
    return results, {name: seconds[name, candidates.ALL_ROWS] for name in recipes}


def chosen_models(dataset, settings, only):
    """Return {model: hyperparameters} of what is to be trained, all checked before any work."""
    spec = settings.dataset(dataset)
    listed = list(spec.train.models)
    if only and only not in listed:
        catalogue.check_model(only, spec.data.task, {}, f"--model {only} on {dataset}")
        raise UsageError(
            f"--model {only}: {paths.PARAMS} lists for {dataset}: {', '.join(listed)}; add it there"
        )
    chosen = {
        name: settings.hyperparameters(dataset, name) for name in ([only] if only else listed)
    }
    for name, hyperparameters in chosen.items():
        catalogue.check_model(
            name,
            spec.data.task,
            hyperparameters,
            f"{paths.PARAMS}: datasets.{dataset}.train.models",
        )
    return chosen


def standing_candidates(problem, settings):
    """Return the candidates that the last training left and params.yaml still lists; refuse those of other data."""
    path = paths.metrics(problem.dataset, "train")
    if not path.is_file():
        return {}
    standing = files.read_json(path, made_by=f"python train.py --dataset {problem.dataset}")
    if (standing["split_hash"], standing["seed"]) != (problem.split_hash, settings.seed):
        raise DataError(
            f"{path}: its models are of other data or another seed; run `python train.py --dataset "
            f"{problem.dataset}` without --model, so that all are compared on the same rows"
        )
    listed = settings.dataset(problem.dataset).train.models
    return {name: candidate for name, candidate in standing["candidates"].items() if name in listed}


def train(dataset, settings, only=None, n_workers=None, dask=None):
    """Train, score and store the models of one dataset, or one of them; return the content of its train.json."""
    chosen = chosen_models(dataset, settings, only)
    spec = settings.dataset(dataset).train
    problem = read_problem(dataset, settings)
    standing = standing_candidates(problem, settings) if only else {}
    with workers.pool(n_workers or settings.cores(), dask or settings.dask) as run:
        fitted, seconds = fit_candidates(problem, chosen, spec.resampling, settings.seed, run)
    scored = write_results("train", problem, settings, fitted, chosen, standing)
    results = {
        "schema": 1,
        "dataset": dataset,
        "task": problem.task,
        "primary_metric": spec.primary_metric,
        "seed": settings.seed,
        "synthetic": problem.synthetic,
        "data_hash": problem.data_hash,
        "split_hash": problem.split_hash,
        "rows": {"train": len(problem.X), "test": len(problem.X_test)},
        "cv_folds": len(problem.folds),
        "candidates": {name: scored[name] for name in spec.models if name in scored},
    }
    files.write_json(paths.metrics(dataset, "train"), results)
    files.write_json(paths.timings(dataset, "train"), seconds)
    best = choice.best_candidate(
        results["candidates"], spec.primary_metric, catalogue.SIMPLEST_FIRST
    )
    cv = results["candidates"][best]["cv"][spec.primary_metric]
    print(
        f"train {dataset}: {len(fitted)} models, best {best} with cv {spec.primary_metric} {cv['mean']:.4g} ± {cv['std']:.2g}"
        f"{' on synthetic data' * problem.synthetic} -> {paths.metrics(dataset, 'train')}"
    )
    return results


def main(argv=None):
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    parser.add_argument("--model", metavar="M", help="one of the dataset's models in params.yaml")
    parser.add_argument(
        "--tune-hyperparameters",
        action="store_true",
        help="then do what tune_hyperparameters.py does",
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
