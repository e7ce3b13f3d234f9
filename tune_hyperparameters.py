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
from pipeline.models import fitted as models_fitted
from pipeline.project import files, params, paths, rounding, workers
from pipeline.project.errors import UsageError
from pipeline.scoring import metrics, scores
from pipeline.tracking import record
from pipeline.training import assessment, candidates, predictions, results
from pipeline.training.assessment import Contender
from pipeline.training.candidates import ALL_ROWS, CandidateOutputs, FitJob, Recipe
from pipeline.training.problem import read_problem
from pipeline.training.stage_output import write_stage
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
    spec = problem.model_spec(trial.model, hyperparameters.pop(TARGET_TRANSFORM, None))
    return Recipe(spec, hyperparameters)


def others_of_train(problem, trained, settings):
    """Return {name: (recipe, out-of-fold output)} of train's candidates of other models than those that are tuned."""
    tuned = {*settings.dataset(problem.dataset).tune.models, "dummy"}
    return {
        name: (
            Recipe(problem.model_spec(name), settings.hyperparameters(problem.dataset, name)),
            predictions.read_output(
                problem.dataset, "train", name, predictions.OUT_OF_FOLD, problem.classes
            ),
        )
        for name in trained["candidates"]
        if name not in tuned
    }


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
    metric = problem.primary_metric
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

    def fit(jobs):
        with command.progress(len(jobs), f"tune {problem.dataset}") as step:
            return candidates.fit_all(problem, jobs, run, step)

    def cv(name):
        return float(
            np.nanmean(
                scores.fold_scores(
                    problem.task,
                    problem.y,
                    oofs[name],
                    problem.fold,
                    metric,
                    spec.train.threshold_metric,
                )
            )
        )

    unscored = [
        name for name in dict.fromkeys([*map(name_of, best.values()), *members]) if name not in oofs
    ]
    fits = fit(
        [
            FitJob(name, recipes[name], fold)
            for name in unscored
            for fold in range(len(problem.folds))
        ]
    )
    oofs |= {name: candidates.out_of_fold(problem, name, fits) for name in unscored}
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
    fits = fit(
        [
            FitJob(name, recipes[name], ALL_ROWS)
            for name in dict.fromkeys([*weights, *wanted.values()])
        ]
    )
    fitted = {}
    for tuned, name in wanted.items():
        final = candidates.fit_on_all_rows(name, fits)
        parameters = best[tuned.removeprefix("tuned_")].settled()
        fitted[tuned] = CandidateOutputs(
            final.model, parameters, oofs[name], final.output, final.seconds
        )
    if weights:
        parts = [candidates.fit_on_all_rows(name, fits) for name in weights]
        fitted["blend"] = CandidateOutputs(
            model=models_fitted.blend(
                [part.model for part in parts],
                list(weights.values()),
                problem.model_spec("blend"),
            ),
            parameters={
                "members": {
                    name: {
                        "model": recipes[name].spec.name,
                        "weight": rounding.significant(weight),
                        **recipes[name].hyperparameters,
                    }
                    for name, weight in weights.items()
                }
            },
            out_of_fold=cross_fitted(
                problem.y, np.stack(list(library.values())), problem.fold, metric
            ),
            test=blended(
                np.stack([part.output for part in parts]), np.array(list(weights.values()))
            ),
            seconds=sum(part.seconds for part in parts),
        )
    return fitted


def improvements(problem, fitted, scored, trained):
    """Return how much better each candidate is than the same model untuned and than train's best."""
    standing = trained["candidates"]
    best = results.best_candidate(standing, problem.primary_metric)

    def over(name, other):
        output = predictions.read_output(
            problem.dataset, "train", other, predictions.TEST, problem.classes
        )
        return assessment.improvement(
            problem,
            Contender(name, scored[name], fitted[name].test),
            Contender(other, standing[other], output),
        )

    return {
        name: {
            "same_model": over(name, name.removeprefix("tuned_"))
            if name.removeprefix("tuned_") in standing
            else None,
            "best_of_train": over(name, best),
        }
        for name in fitted
    }


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


def tune(dataset, settings, n_trials=None, timeout=None, n_workers=None, dask=None):
    """Search, fit, score and store; return the content of the dataset's tune.json."""
    spec = settings.dataset(dataset)
    n_trials, metric = n_trials or spec.tune.trials, spec.train.primary_metric
    problem = read_problem(dataset, settings)
    check_search(problem, settings)
    trained = results.read_train_of(problem)
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
        fitted = fit_candidates(problem, trials, trained, settings, run)

    def beside(folders):
        parameters = {name: outputs.parameters for name, outputs in fitted.items()}
        files.write_json(folders.models / "best_params.json", parameters)
        files.write_text(folders.models / "trials.csv", trials_table(trials))
        title = f"{dataset}{' (synthetic data)' * problem.synthetic}"
        study_figures.draw(folders.reports, searched, spec.tune.objectives, metric, title)

    scored = write_stage("tune", problem, fitted, {}, beside)
    tuned = {
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
        "best": results.best_candidate(scored, metric),
        "improvement": improvements(problem, fitted, scored, trained),
        "candidates": scored,
    }
    files.write_json(paths.metrics(dataset, "tune"), tuned)
    files.write_json(
        paths.timings(dataset, "tune"),
        {
            "search": moment - started,
            "rest": time.perf_counter() - moment,
            "fits": {name: outputs.seconds for name, outputs in fitted.items()},
            "trials": {trial.number: trial.seconds for trial in trials},
        },
    )
    return tuned


def told(tuned):
    """Return the closing line."""
    trials, metric, name = tuned["trials"], tuned["primary_metric"], tuned["best"]
    cv, over = (
        tuned["candidates"][name]["cv"][metric],
        tuned["improvement"][name]["best_of_train"],
    )
    test = over["test"]
    return (
        f"tune {tuned['dataset']}: {trials['total']} trials ({trials['finished']} finished, {trials['pruned']} pruned, "
        f"{trials['failed']} failed), best {name} with cv {metric} {cv['mean']:.4g} ± {cv['std']:.2g}; on the test split "
        f"{test['absolute']:+.3g} [{test['low']:.3g}, {test['high']:.3g}] better than {over['over']}"
        f"{' on synthetic data' * tuned['synthetic']} -> {paths.metrics(tuned['dataset'], 'tune')}"
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
    run(args, params.load())


def run(args, settings):
    """Tune what the options name, record it, and say what came out."""
    if args.model:
        settings = settings.tuning_only(args.model)
    if args.objectives:
        settings = settings.tuning(objectives=args.objectives.split(","))
    for dataset in settings.names(args.dataset):
        tuned = tune(dataset, settings, args.trials, args.timeout, args.workers, args.dask)
        record.record(dataset, "tune", settings)
        print(told(tuned))
    if args.model or args.trials or args.timeout or args.objectives:
        print(
            "the next `dvc repro` tunes as params.yaml says again; put the option there to keep it"
        )


if __name__ == "__main__":
    command.run(main)
