"""Train the candidate models of one dataset; score each by cross-validation and on the test split.

    python train.py --dataset iris
    python train.py --dataset iris --model random_forest        # one model; the others' results stay

Reads   params.yaml, data/processed/iris/, metrics/datasets/iris/quality.json
Writes  models/iris/train/<model>/ and train_stats.json, metrics/datasets/iris/train.json,
        data/predictions/iris/train/{oof,test}.parquet, reports/iris/train/<model>/*.png; records one MLflow run per model
"""

import time

from pipeline import command, files, params, paths, workers
from pipeline.errors import DataError, PipelineError, UsageError


def fit_and_predict(spec, hyperparameters, X, y, X_new, resampling, seed):
    """Return a model fitted on X and y, its output on new rows, and the seconds of both."""
    from pipeline import models
    started = time.perf_counter()
    try:
        model = models.fit(spec, hyperparameters, X, y, seed, resampling)
    except PipelineError:
        raise
    except Exception as error:              # each library raises errors of its own for a setting that it refuses
        raise UsageError(f"{paths.PARAMS}: train.models.{spec['name']}: cannot be fitted with {hyperparameters}: {error}"
                         ) from error
    fitted = time.perf_counter()
    output = model.output(X_new)
    return model, output, {"fit": fitted - started, "predict": time.perf_counter() - fitted}


def fit_candidates(problem, hyperparameters, resampling, seed, n_workers):
    """Fit every model on all training rows and on each fold.

    Return {name: (model, out-of-fold output, test output)} and {name: seconds}; rows that no fold predicts are nan out of fold.
    """
    import numpy as np
    X, y = problem.X, problem.y
    whole = [(problem.model_spec(name), settings, X, y, problem.X_test, resampling, seed)
             for name, settings in hyperparameters.items()]
    in_folds = [(problem.model_spec(name), settings, X.iloc[fit], y[fit], X.iloc[predict], resampling, seed)
                for name, settings in hyperparameters.items() for fit, predict in problem.folds]
    done = workers.run(fit_and_predict, whole + in_folds, n_workers, f"train {problem.dataset}")     # the longest first
    fitted, seconds, fold_fits = {}, {}, iter(done[len(whole):])
    for name, (model, test_output, seconds[name]) in zip(hyperparameters, done):
        oof = np.full((len(X), *test_output.shape[1:]), np.nan)
        for _, predict in problem.folds:
            _, oof[predict], _ = next(fold_fits)
        fitted[name] = model, oof, test_output
    return fitted, seconds


def chosen_models(dataset, settings, only):
    """Return {model: hyperparameters} of what is to be trained, all checked before any work."""
    from pipeline import models
    spec = settings.dataset(dataset)
    listed = list(spec.train.models)
    if only and only not in listed:
        models.check(only, spec.data.task, {}, f"--model {only} on {dataset}")
        raise UsageError(f"--model {only}: {paths.PARAMS} lists for {dataset}: {', '.join(listed)}; add it there")
    chosen = {name: settings.hyperparameters(dataset, name) for name in ([only] if only else listed)}
    for name, hyperparameters in chosen.items():
        models.check(name, spec.data.task, hyperparameters, f"{paths.PARAMS}: datasets.{dataset}.train.models")
    return chosen


def standing_candidates(problem, settings):
    """Return the candidates that the last training left and params.yaml still lists; refuse those of other data."""
    path = paths.metrics(problem.dataset, "train")
    if not path.is_file():
        return {}
    standing = files.read_json(path, made_by=f"python train.py --dataset {problem.dataset}")
    if (standing["split_hash"], standing["seed"]) != (problem.split_hash, settings.seed):
        raise DataError(f"{path}: its models are of other data or another seed; run `python train.py --dataset "
                        f"{problem.dataset}` without --model, so that all are compared on the same rows")
    listed = settings.dataset(problem.dataset).train.models
    return {name: candidate for name, candidate in standing["candidates"].items() if name in listed}


def train(dataset, settings, only=None, n_workers=None):
    """Train, score and store the models of one dataset, or one of them; return the content of its train.json."""
    chosen = chosen_models(dataset, settings, only)
    from pipeline import candidates, scoring
    from pipeline.problem import read
    spec = settings.dataset(dataset).train
    problem = read(dataset, settings)
    standing = standing_candidates(problem, settings) if only else {}
    fitted, seconds = fit_candidates(problem, chosen, spec.resampling, settings.seed, n_workers or settings.cores())
    scored = candidates.write("train", problem, settings, fitted, chosen, standing)
    results = {
        "schema": 1, "dataset": dataset, "task": problem.task, "primary_metric": spec.primary_metric, "seed": settings.seed,
        "synthetic": problem.synthetic, "data_hash": problem.data_hash, "split_hash": problem.split_hash,
        "rows": {"train": len(problem.X), "test": len(problem.X_test)}, "cv_folds": len(problem.folds),
        "candidates": {name: scored[name] for name in spec.models if name in scored},
    }
    files.write_json(paths.metrics(dataset, "train"), results)
    files.write_json(paths.timings(dataset, "train"), seconds)
    best = scoring.best_candidate(results["candidates"], spec.primary_metric)
    cv = results["candidates"][best]["cv"][spec.primary_metric]
    print(f"train {dataset}: {len(fitted)} models, best {best} with cv {spec.primary_metric} {cv['mean']:.4g} ± {cv['std']:.2g}"
          f"{' on synthetic data' * problem.synthetic} -> {paths.metrics(dataset, 'train')}")
    return results


def main(argv=None):
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    parser.add_argument("--model", metavar="M", help="one of the dataset's models in params.yaml")
    parser.add_argument("--workers", type=int, metavar="N", help="fits at a time, in place of params.yaml's")
    args = parser.parse_args(argv)
    if args.workers is not None and args.workers < 1:
        raise UsageError(f"--workers {args.workers}: give 1 or more")
    settings = params.load()
    for dataset in settings.names(args.dataset):
        train(dataset, settings, args.model, args.workers)
        from pipeline import tracking
        tracking.record(dataset, "train", settings)


if __name__ == "__main__":
    command.run(main)
