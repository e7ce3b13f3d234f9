"""Search better hyperparameters for the models of one dataset, and a blend of what was tried; score both as train does.

    python tune_hyperparameters.py --dataset iris
    python tune_hyperparameters.py --dataset iris --model random_forest --trials 100

Reads   params.yaml, data/processed/iris/, metrics/datasets/iris/train.json, data/predictions/iris/train/
Writes  models/iris/tune/ (tuned_<model>/, blend/, best_params.json, trials.csv), metrics/datasets/iris/tune.json,
        data/predictions/iris/tune/, reports/iris/tune/; records one MLflow run with a run per trial below it.
        studies/iris/ holds the search: run again, it goes on where it was stopped
"""

import math
import time

from pipeline import command
from pipeline.models import catalogue
from pipeline.models import fitted as models_fitted
from pipeline.project import files, paths, rounding, workers
from pipeline.project.errors import DataError, UsageError
from pipeline.scoring import bootstrap, choice, metrics, scores, thresholds
from pipeline.scoring.rows import OutOfFold, Rows
from pipeline.tracking import record
from pipeline.training import candidates
from pipeline.training.problem import read_problem
from pipeline.training.results import write_results
from pipeline.tuning import blending as tuning_blending
from pipeline.tuning import journal, search, study_figures
from pipeline.tuning.blending import blended, cross_fitted
from pipeline.tuning.trials import TARGET_TRANSFORM, best_trial, cheapest_near_best, check_search

OBJECTIVES = ("metric", "metric,size", "metric,latency")
MOST_MEMBERS = 25  # trials that the blend is chosen from, the best ones


def winners(trials, metric, tolerance):
    """Return {model: its best trial}, of the models that have a finished one; with two objectives the cheapest near the best."""
    by_model = {
        trial.model: cheapest_near_best(
            [other for other in trials if other.model == trial.model], metric, tolerance
        )
        for trial in trials
    }
    return {model: trial for model, trial in by_model.items() if trial}


def recipe(problem, trial):
    """Return the spec and the hyperparameters with which a trial is fitted on all rows."""
    hyperparameters = dict(trial.settled())
    return problem.model_spec(
        trial.model, hyperparameters.pop(TARGET_TRANSFORM, None)
    ), hyperparameters


def others_of_train(problem, trained, settings):
    """Return {name: (recipe, out-of-fold output)} of train's candidates of other models than those that are tuned."""
    tuned = {*settings.dataset(problem.dataset).tune.models, "dummy"}
    return {
        name: (
            (problem.model_spec(name), settings.hyperparameters(problem.dataset, name)),
            outputs(problem, name, "oof"),
        )
        for name in trained["candidates"]
        if name not in tuned
    }


def outputs(problem, name, part):
    """Return the stored output of one of train's candidates on the training rows, out of fold, or on the test split."""
    import pandas as pd

    columns = [f"{name}__{label}" for label in problem.classes] if problem.classes else [name]
    path = paths.predictions(problem.dataset, "train") / f"{part}.parquet"
    if not path.is_file():
        raise DataError(
            f"{path} is not there; run `python train.py --dataset {problem.dataset}` first"
        )
    frame = pd.read_parquet(path)
    missing = [column for column in columns if column not in frame]
    if missing:
        raise DataError(
            f"{path}: no column {missing[0]!r}; run `python train.py --dataset {problem.dataset}` again"
        )
    return frame[columns].to_numpy() if problem.classes else frame[name].to_numpy()


def promising(problem, trials, others, metric):
    """Return the names of what a blend of the best trials and train's other models is made of, by the search's own fits."""
    finished = sorted(
        (trial for trial in trials if trial.state == "finished"),
        key=lambda trial: (
            -metrics.sign(metric) * trial.value,
            trial.number,
        ),
    )
    oofs = {name_of(trial): trial.oof(problem) for trial in finished[:MOST_MEMBERS]} | {
        name: oof for name, (_, oof) in others.items()
    }
    return list(blend_weights(problem, oofs, metric))


def blend_weights(problem, oofs, metric):
    """Return {name: weight} of the best blend of some out-of-fold outputs, without those of no weight."""
    import numpy as np

    seen = problem.fold >= 0
    weights = tuning_blending.blend_weights(
        problem.y[seen], np.stack(list(oofs.values()))[:, seen], metric
    )
    return {name: float(weight) for name, weight in zip(oofs, weights) if weight > 0}


def name_of(trial):
    return f"trial_{trial.number}"


def fit_candidates(problem, trials, trained, settings, run):
    """Fit what the search chose as train fits, so that all are scored alike: on the folds, and what stands then on all rows.

    Return {name: (model, out-of-fold output, test output)}, {name: parameters} and {name: seconds of the fit on all rows}. A
    model whose best trial does no better under train's cross-validation than its baseline stays with that. The blend is chosen
    among the members that the search's own fits name, and the tuned models.
    """
    import numpy as np

    spec = settings.dataset(problem.dataset)
    metric, resampling = spec.train.primary_metric, spec.train.resampling
    best, several = winners(trials, metric, spec.tune.tolerance), len(spec.tune.objectives) > 1
    blending = spec.tune.blend and not several  # a blend is neither small nor fast
    others = others_of_train(problem, trained, settings) if blending else {}
    members = promising(problem, trials, others, metric) if blending else []
    baselines = {
        trial.model: trial
        for trial in trials
        if trial.origin == "baseline" and trial.state == "finished"
    }
    recipes = {
        name_of(trial): recipe(problem, trial) for trial in trials if trial.state == "finished"
    }
    recipes |= {name: known for name, (known, _) in others.items()}
    oofs = {name_of(trial): trial.oof(problem) for trial in baselines.values()} | {
        name: oof for name, (_, oof) in others.items()
    }

    def fit(wanted):
        with command.progress(len(wanted), f"tune {problem.dataset}") as step:
            return candidates.fit(problem, recipes, wanted, resampling, settings.seed, run, step)

    def cv(name):
        return float(
            np.nanmean(
                scores.fold_scores(
                    OutOfFold(problem.y, oofs[name], problem.fold),
                    metric,
                    spec.train.threshold_metric,
                )
            )
        )

    unscored = [
        name for name in dict.fromkeys([*map(name_of, best.values()), *members]) if name not in oofs
    ]
    fitted, _ = fit([(name, fold) for name in unscored for fold in range(len(problem.folds))])
    oofs |= {name: candidates.out_of_fold(problem, name, fitted) for name in unscored}
    for model, baseline in baselines.items():
        if (
            model in best
            and not several
            and not metrics.is_better(metric, cv(name_of(best[model])), baseline.value)
        ):
            best[model] = baseline
    wanted = {f"tuned_{model}": name_of(trial) for model, trial in best.items()}
    library = (
        {name: oofs[name] for name in dict.fromkeys([*members, *wanted.values()])}
        if blending
        else {}
    )
    weights = blend_weights(problem, library, metric) if blending else {}
    weights = weights if len(weights) > 1 else {}  # one model alone is no blend
    fitted, spent = fit(
        [(name, candidates.ALL_ROWS) for name in dict.fromkeys([*weights, *wanted.values()])]
    )
    results, parameters, seconds = {}, {}, {}
    for tuned, name in wanted.items():
        model, test_output = fitted[name, candidates.ALL_ROWS]
        results[tuned] = model, oofs[name], test_output
        seconds[tuned] = spent[name, candidates.ALL_ROWS]
        parameters[tuned] = best[tuned.removeprefix("tuned_")].settled()
    if weights:
        parts = [fitted[name, candidates.ALL_ROWS] for name in weights]
        blend = models_fitted.blend(
            [model for model, _ in parts], list(weights.values()), problem.model_spec("blend")
        )
        oof = cross_fitted(problem.y, np.stack(list(library.values())), problem.fold, metric)
        test_output = blended(
            np.stack([output for _, output in parts]), np.array(list(weights.values()))
        )
        results["blend"] = blend, oof, test_output
        seconds["blend"] = sum(spent[name, candidates.ALL_ROWS] for name in weights)
        parameters["blend"] = {
            "members": {
                name: {
                    "model": recipes[name][0]["name"],
                    "weight": rounding.significant(weight),
                    **recipes[name][1],
                }
                for name, weight in weights.items()
            }
        }
    return results, parameters, seconds


def improvements(problem, fitted, scored, trained, settings):
    """Return how much better each candidate is than the same model untuned and than the best of train's, with paired intervals.

    The folds' figures were what the choice was made by, so they flatter it; those of the test split were not.
    """
    metric, standing = trained["primary_metric"], trained["candidates"]
    best = choice.best_candidate(standing, metric, catalogue.SIMPLEST_FIRST)

    def on_test(output, candidate):
        rows = thresholds.decided(Rows(problem.y_test, output), candidate.get("threshold"))
        return bootstrap.resampled(metric, rows, settings.seed)

    def over(name, other):
        one, two = (
            part[key]["cv"][metric]["mean"] for part, key in ((scored, name), (standing, other))
        )
        test = bootstrap.difference(
            on_test(fitted[name][2], scored[name]),
            on_test(outputs(problem, other, "test"), standing[other]),
        ).score.as_json()
        base = standing[other]["test"][metric]["value"]
        return {
            "over": other,
            "cv_selected_on": gain(metric, one, two),
            "test": {
                "absolute": test["value"],
                "percent": percent(test["value"], base),
                "low": test["low"],
                "high": test["high"],
            },
        }

    return {
        name: {
            "same_model": over(name, name.removeprefix("tuned_"))
            if name.removeprefix("tuned_") in standing
            else None,
            "best_of_train": over(name, best),
        }
        for name in fitted
    }


def gain(metric, one, other):
    """Return how much better one value of a metric is than another, in its own unit and in per cent."""
    if one is None or other is None:
        return {"absolute": None, "percent": None}
    absolute = metrics.gain(metric, one, other)
    return {"absolute": rounding.significant(absolute), "percent": percent(absolute, other)}


def percent(absolute, base):
    """Return a difference in per cent of the value it starts from; None where that is 0 or not defined."""
    return (
        rounding.significant(100 * absolute / abs(base)) if base and absolute is not None else None
    )


def trials_table(trials):
    """Return the trials as CSV: what was tried, the folds' scores and what became of it."""
    import pandas as pd

    n_folds = max((len(trial.folds) for trial in trials), default=0)
    rows = []
    for trial in trials:
        folds = [rounding.significant(value) for value in trial.folds] + [None] * (
            n_folds - len(trial.folds)
        )
        rows.append(
            {
                "trial": trial.number,
                "origin": trial.origin,
                "model": trial.model,
                "state": trial.state,
                "value": rounding.significant(trial.value),
                **{f"fold_{number}": value for number, value in enumerate(folds, 1)},
                **({"cost": rounding.significant(trial.cost)} if trial.cost is not None else {}),
                "reason": trial.reason,
                **{f"{trial.model}.{name}": value for name, value in trial.settled().items()},
            }
        )
    return pd.DataFrame(rows).astype(object).to_csv(index=False, lineterminator="\n")


def course(trials):
    """Return [number, model, value] of the trials that came to their end, in order."""
    return [
        [trial.number, trial.model, rounding.significant(trial.value)]
        for trial in trials
        if trial.state == "finished"
    ]


def counts(trials):
    """Return how many trials came to which end, and why the failed ones did."""
    states = [trial.state for trial in trials]
    reasons = [trial.reason for trial in trials if trial.state == "failed"]
    return {
        "total": len(trials),
        **{state: states.count(state) for state in ("finished", "pruned", "failed")},
        "reasons": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
    }


def pareto(searched, trials, tune_settings):
    """Return the trials that no other one beats in both objectives, and how the winner is picked; nothing with one objective."""
    if len(tune_settings.objectives) < 2:
        return {}
    by_number = {trial.number: trial for trial in trials}
    front = sorted(
        (by_number[frozen.number] for frozen in searched.best_trials),
        key=lambda trial: (trial.cost, trial.number),
    )
    rows = [
        {
            "trial": trial.number,
            "model": trial.model,
            "value": rounding.significant(trial.value),
            tune_settings.objectives[1]: rounding.significant(trial.cost),
        }
        for trial in front
    ]
    rule = f"least {tune_settings.objectives[1]} within {100 * tune_settings.tolerance:.3g} % of the best metric"
    return {"pareto": rows, "picked": rule}


def train_figures(problem, settings):
    """Return what train.py found on the same rows; refuse what is of other data or settings."""
    dataset = problem.dataset
    path = paths.metrics(dataset, "train")
    trained = files.read_json(path, made_by=f"python train.py --dataset {dataset}")
    now = (
        problem.split_hash,
        settings.seed,
        settings.dataset(dataset).train.primary_metric,
        len(problem.folds),
    )
    if tuple(trained[key] for key in ("split_hash", "seed", "primary_metric", "cv_folds")) != now:
        raise DataError(
            f"{path}: its models are of other data or settings; run `python train.py --dataset {dataset}` first"
        )
    return trained


def tune(dataset, settings, n_trials=None, timeout=None, n_workers=None, dask=None):
    """Search, fit, score and store; return the content of the dataset's tune.json."""
    spec = settings.dataset(dataset)
    n_trials, metric = n_trials or spec.tune.trials, spec.train.primary_metric
    problem = read_problem(dataset, settings)
    check_search(problem, settings)
    trained = train_figures(problem, settings)
    started = time.perf_counter()
    with workers.pool(n_workers or settings.cores(), dask or settings.dask) as run:
        with (
            journal.opened(problem, settings) as folder,
            command.progress(n_trials, f"tune {dataset}", "trial") as step,
        ):
            trials, searched = search.search(
                problem, settings, n_trials, run, folder, step, timeout
            )
        if not best_trial(trials, metric):
            reasons = {trial.reason for trial in trials}
            raise UsageError(
                f"{paths.PARAMS}: datasets.{dataset}.tune: no trial of {len(trials)} came to its end"
                f"{': ' * bool(reasons)}{'; '.join(sorted(reasons - {None}))}"
            )
        moment = time.perf_counter()
        fitted, parameters, seconds = fit_candidates(problem, trials, trained, settings, run)

    def beside(model_folder, report_folder):
        files.write_json(model_folder / "best_params.json", parameters)
        files.write_text(model_folder / "trials.csv", trials_table(trials))
        title = f"{dataset}{' (synthetic data)' * problem.synthetic}"
        study_figures.draw(report_folder, searched, spec.tune.objectives, metric, title)

    scored = write_results("tune", problem, settings, fitted, parameters, {}, beside)
    results = {
        "schema": 1,
        "dataset": dataset,
        "task": problem.task,
        "primary_metric": metric,
        "seed": settings.seed,
        "synthetic": problem.synthetic,
        "data_hash": problem.data_hash,
        "split_hash": problem.split_hash,
        "rows": {"train": len(problem.X), "test": len(problem.X_test)},
        "cv_folds": len(problem.folds),
        "trials": counts(trials),
        "course": course(trials),
        **pareto(searched, trials, spec.tune),
        "best": choice.best_candidate(scored, metric, catalogue.SIMPLEST_FIRST),
        "improvement": improvements(problem, fitted, scored, trained, settings),
        "candidates": scored,
    }
    files.write_json(paths.metrics(dataset, "tune"), results)
    files.write_json(
        paths.timings(dataset, "tune"),
        {
            "search": moment - started,
            "rest": time.perf_counter() - moment,
            "fits": seconds,
            "trials": {trial.number: trial.seconds for trial in trials},
        },
    )
    return results


def told(results):
    """Return the closing line."""
    trials, metric, name = results["trials"], results["primary_metric"], results["best"]
    cv, over = (
        results["candidates"][name]["cv"][metric],
        results["improvement"][name]["best_of_train"],
    )
    test = over["test"]
    return (
        f"tune {results['dataset']}: {trials['total']} trials ({trials['finished']} finished, {trials['pruned']} pruned, "
        f"{trials['failed']} failed), best {name} with cv {metric} {cv['mean']:.4g} ± {cv['std']:.2g}; on the test split "
        f"{test['absolute']:+.3g} [{test['low']:.3g}, {test['high']:.3g}] better than {over['over']}"
        f"{' on synthetic data' * results['synthetic']} -> {paths.metrics(results['dataset'], 'tune')}"
    )


def add_options(parser):
    """Add the options that a search has beside --dataset and --model, for this script and for train.py."""
    parser.add_argument("--trials", type=int, metavar="N", help="trials, in place of params.yaml's")
    parser.add_argument(
        "--timeout",
        type=float,
        metavar="S",
        help="search for so many seconds at most, what it chose is fitted after them; the result then depends on "
        "the machine",
    )
    parser.add_argument(
        "--objectives",
        metavar="A,B",
        help="metric,size or metric,latency, in place of params.yaml's; latency "
        "depends on the machine",
    )


def check_options(args):
    """Raise UsageError where --trials, --timeout or --workers is not a number that they can be."""
    for option, least in (("trials", 1), ("timeout", 0)):
        value = getattr(args, option)
        if value is not None and not least <= value < math.inf:
            raise UsageError(f"--{option} {value:g}: give {least} or more")
    if args.objectives and args.objectives not in OBJECTIVES:
        raise UsageError(f"--objectives {args.objectives}: give one of {', '.join(OBJECTIVES)}")
    command.check_workers(args)


def main(argv=None):
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    parser.add_argument("--model", metavar="M", help="tune this model alone")
    add_options(parser)
    command.add_workers(parser)
    args = parser.parse_args(argv)
    check_options(args)
    run(args, command.settings())


def run(args, settings):
    """Tune what the options name, record it, and say what came out."""
    if args.model:
        settings = settings.tuning_only(args.model)
    if args.objectives:
        settings = settings.tuning(objectives=args.objectives.split(","))
    for dataset in settings.names(args.dataset):
        results = tune(dataset, settings, args.trials, args.timeout, args.workers, args.dask)
        record.record(dataset, "tune", settings)
        print(told(results))
    if args.model or args.trials or args.timeout or args.objectives:
        print(
            "the next `dvc repro` tunes as params.yaml says again; put the option there to keep it"
        )


if __name__ == "__main__":
    command.run(main)
