"""Tell whether two tables differ by more than chance: a dataset's training and test split, any two files, or what a model served
and what it was trained on.

    python detect_drift.py --dataset iris
    python detect_drift.py --reference-data last_year.csv --current-data this_week.csv --target price --prediction predicted
    python detect_drift.py --dataset iris --from-log --labels answers.csv

Reads   params.yaml, data/processed/iris/, data/predictions/iris/, metrics/datasets/iris/{quality,train,tune}.json;
        or the two files, CSV or Parquet; or logs/inference/iris.jsonl and the registered version that it names
Writes  metrics/datasets/iris/drift.json, reports/iris/drift/*_report.html; for files both to --output (reports/drift), for a
        log to reports/iris/served; sends a message on drift where ALERT_WEBHOOK or params.yaml has a webhook

Exit status 0: no drift, 3: drift, 4: not enough data to tell; --fail-on says which of them count.
"""

import os
import subprocess
import sys

from pipeline import command
from pipeline.data import cleaning, kinds, splits
from pipeline.data.kinds import NUMBER
from pipeline.drift import comparison, tables
from pipeline.drift import pages as drift_pages
from pipeline.drift import verdicts as drift_verdicts
from pipeline.drift.roles import Roles, roles_of_model, with_output
from pipeline.drift.verdicts import DRIFT, EXIT_STATUS, NOT_ENOUGH_DATA, ignored_columns
from pipeline.models import catalogue
from pipeline.monitoring import log_comparison
from pipeline.project import errors, files, paths
from pipeline.project.errors import UsageError
from pipeline.project.params import Drift
from pipeline.scoring import bootstrap, choice
from pipeline.tracking import record
from pipeline.training import predictions
from pipeline.training.results import read_candidates

FAIL_ON = {
    "never": (),
    "drift": (DRIFT,),
    "not-enough-data": (DRIFT, NOT_ENOUGH_DATA),
}
FEW_CLASSES = 10  # whole numbers with at most so many different values are taken for classes


# a dataset's splits


def splits_of(dataset, settings):
    """Return both splits of a dataset with the best candidate's predictions, the columns' roles, how it scored on either,
    whether the data are synthetic, and the columns whose drift is no alarm.

    Training rows have the predictions of the fold that did not see them; rows without one are left out.
    """
    spec = settings.dataset(dataset)
    trained, candidates = read_candidates(dataset)
    name = choice.best_candidate(candidates, trained["primary_metric"], catalogue.SIMPLEST_FIRST)
    best = candidates[name]
    classes = best["confusion_matrix"]["labels"] if trained["task"] == "classification" else None
    frames = []
    for split, part in (("train", "oof"), ("test", "test")):
        frame = splits.read_split(dataset, split)
        frame = frame[
            cleaning.feature_columns(frame, spec.data, spec.prepare.split_column)
            + [spec.data.target]
        ]
        frames.append(
            with_output(
                frame,
                predictions.stored_output(dataset, best, name, part, classes, frame.index),
                classes,
                best.get("threshold"),
            )
        )
    return (
        *frames,
        roles_of_model(trained["task"], spec.data.target, classes),
        scores(name, best, trained["primary_metric"]),
        trained["synthetic"],
        ignored_columns(best.get("importance"), frames[0].columns, spec.drift, dataset),
    )


def scores(name, candidate, metric):
    """Return how a candidate scored on both sides, and whether it does worse now than the primary metric's interval allows."""
    test = candidate["test"][metric]
    worse = bootstrap.clearly_worse(
        metric, candidate["cv_oof"][metric], (test.get("low"), test.get("high"))
    )
    return {
        "candidate": name,
        "metric": metric,
        "worse": worse,
        "reference": dict(candidate["cv_oof"]),
        "current": {key: figures["value"] for key, figures in candidate["test"].items()},
    }


def detect(dataset, settings):
    """Compare the splits of one dataset, write the results and the reports; return the former."""
    limits = settings.dataset(dataset).drift
    reference, current, roles, measured, synthetic, ignored = splits_of(dataset, settings)
    results, samples = comparison.compare_tables(
        reference,
        current,
        roles,
        limits,
        settings.seed,
        settings.cores(),
        measured,
        ignored,
        progress=command.progress,
    )
    results = {
        "schema": 1,
        "dataset": dataset,
        "synthetic": synthetic,
        "reference": "training split",
        "current": "test split",
        **results,
    }
    pages = drift_pages.pages(*samples, results, roles)
    with files.replacing(paths.reports(dataset, "drift")) as folder:
        write_pages(folder, pages)
    files.write_json(paths.metrics(dataset, "drift"), results)
    return results


def write_pages(folder, pages):
    for name, page in pages.items():
        files.write_text(folder / f"{name}_report.html", page)


# any two files


def detect_files(args, limits, settings, output):
    """Compare two files, write drift.json and the reports to the output folder; return the results."""
    from pathlib import Path

    from joblib import cpu_count

    reference, current = tables.open_file(args.reference_data), tables.open_file(args.current_data)
    for option, column in (("--target", args.target), ("--prediction", args.prediction)):
        if column and column not in reference and column not in current:
            raise UsageError(
                f"{option} {column}: neither file has that column; they have: {errors.listed(reference)}"
            )
    roles = file_roles(reference, current, args.target, args.prediction)
    if roles.task == "classification":  # 0 and 1 are labels then
        reference, current = (
            tables.with_text(table, (args.target, args.prediction))
            for table in (reference, current)
        )
    measured = None
    if roles.task:
        measured = {
            side: drift_verdicts.performance(roles.task, table[args.target], table[args.prediction])
            for side, table in (("reference", reference), ("current", current))
            if args.target in table and args.prediction in table
        }
    seed, n_workers = (settings.seed, settings.cores()) if settings else (0, cpu_count())
    results, samples = comparison.compare_tables(
        reference, current, roles, limits, seed, n_workers, measured, progress=command.progress
    )
    results = {
        "schema": 1,
        "reference": Path(args.reference_data).name,
        "current": Path(args.current_data).name,
        **results,
    }
    write_pages(Path(output), drift_pages.pages(*samples, results, roles))
    files.write_json(Path(output) / "drift.json", results)
    return results


def file_roles(reference, current, target, prediction):
    """Return what the columns of two files are; a task only where one of them has both target and prediction of one kind."""
    import pandas as pd

    found = [
        pd.concat([table[column] for table in (reference, current) if column in table])
        if column
        else None
        for column in (target, prediction)
    ]
    task = None
    if target and prediction and kinds.kind_of(found[0]) == kinds.kind_of(found[1]):
        few = found[0].nunique() <= FEW_CLASSES
        number = kinds.kind_of(found[0]) == NUMBER and not (
            few and all((values.dropna() % 1 == 0).all() for values in found)
        )
        task = "regression" if number else "classification"
    labels = sorted(set(kinds.as_text(found[0].dropna()))) if task == "classification" else []
    return Roles(
        task,
        target,
        prediction,
        label=prediction if labels else None,
        positive=labels[1] if len(labels) == 2 else None,
    )


# the inference log


def detect_log(dataset, settings, limits, labels_file, output):
    """Compare what a model served lately with what it was trained on, write the results and the reports; return the former."""
    from pathlib import Path

    results, samples, roles = log_comparison.compare_with_training(
        dataset, settings, limits, labels_file
    )
    write_pages(Path(output), drift_pages.pages(*samples, results, roles))
    files.write_json(Path(output) / "drift.json", results)
    return results


# what is told


def told(name, results, folder):
    """Return the closing line of one comparison."""
    drifted = f"{len(results['drifted'])} of {results['compared']} columns"
    data = " on synthetic data" if results.get("synthetic") else ""
    return f"drift {name}: {results['verdict']}{data}, {drifted} drifted; {results['recommendation']} -> {folder}/"


def details(results):
    """Return a line for every change of the tables and every column that drifted."""
    lines = [
        f"  {change['column']}: {change['change']}, {change['detail']}"
        for change in results["schema_drift"]
    ]
    found = {
        name: results["columns"][name] for name in results["drifted"] + results["drifted_ignored"]
    }
    found |= {
        results[part]["column"]: results[part]
        for part in ("target", "prediction")
        if (results[part] or {}).get("verdict") == DRIFT
    }
    for name, column in found.items():
        if "missing" in column["drift_in"]:
            missing = column["missing"]
            lines.append(
                f"  {name}: missing {missing['reference']:.1%} -> {missing['current']:.1%}, {p_of(missing)}"
            )
        if "values" in column["drift_in"]:
            lines.append(
                f"  {name}: {column['test']}, {p_of(column)}, {column['effect']} distance {column['effect_size']:.3g}"
            )
    return lines + (served_lines(results) if "windows" in results else [])


def served_lines(results):
    """Return a line for every window of a log, and how well the model did."""
    lines = [
        f"  window {window['first']} to {window['last']}: {window['verdict']}"
        f"{': ' * bool(window['drifted'])}{errors.listed(window['drifted'], most=3)}"
        for window in results["windows"]
    ]
    performance, labelled = (
        results["performance"] or {},
        f"{results['log']['labelled_rows']:,} labelled rows",
    )
    for metric, estimate in (performance.get("estimated") or {}).items():
        realised = performance["current"].get(metric)
        lines.append(
            f"  {metric}: out of fold {performance['reference'][metric]:.4g}, estimated without labels "
            f"{estimate['value']:.4g} [{estimate['low']:.4g}, {estimate['high']:.4g}]"
            + (f", measured {realised:.4g} on {labelled}" if realised is not None else "")
        )
    metric = performance.get("metric")
    if performance.get("current") and metric not in (performance["estimated"] or {}):
        lines.append(
            f"  {metric}: out of fold {performance['reference'][metric]:.4g}, measured "
            f"{performance['current'][metric]:.4g} on {labelled}"
        )
    return lines


def p_of(test):
    return f"adjusted p {test['p_adjusted']:.2g}"


def announce(name, results, folder, settings):
    """Tell of drift where somebody is to see it: among the annotations of a run of GitHub Actions, and by the webhook if any.

    Stages of `dvc repro` send only where params.yaml says so: their data are the same at each run.
    """
    if results["verdict"] != DRIFT:
        return
    if os.environ.get("GITHUB_ACTIONS") == "true":
        print(f"::warning title=drift {name}::{results['recommendation']}")
    from ops import notify

    url = notify.address(settings)
    if url and ("DVC_STAGE" not in os.environ or settings.alerts.stages):
        notify.post(
            url,
            told(name, results, folder),
            dataset=results.get("dataset"),
            verdict=results["verdict"],
            drifted=results["drifted"],
            recommendation=results["recommendation"],
        )


def status(verdicts, fail_on):
    """Return the exit status of some verdicts; drift goes before too few rows."""
    return min(
        (EXIT_STATUS[verdict] for verdict in verdicts if verdict in FAIL_ON[fail_on]), default=0
    )


def main(argv=None):
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    parser.add_argument(
        "--reference-data", metavar="A", help="a CSV or Parquet file to compare with"
    )
    parser.add_argument(
        "--current-data", metavar="B", help="a CSV or Parquet file that may have drifted"
    )
    parser.add_argument("--target", metavar="T", help="the column of true answers in the files")
    parser.add_argument("--prediction", metavar="P", help="the column of predictions in the files")
    parser.add_argument(
        "--from-log", action="store_true", help="compare its inference log with the training rows"
    )
    parser.add_argument(
        "--labels",
        metavar="FILE",
        help="with --from-log: true answers, with columns request_id, row and label",
    )
    parser.add_argument(
        "--windows",
        type=int,
        metavar="N",
        help="with --from-log: newest windows to look at, not params.yaml's",
    )
    parser.add_argument("--output", metavar="FOLDER", help="of the reports on two files or a log")
    parser.add_argument(
        "--fail-on",
        choices=FAIL_ON,
        default="not-enough-data",
        help="never: status 0; drift: 3 for drift; not-enough-data (the default): 4 for too few rows as well",
    )
    args = parser.parse_args(argv)
    check_options(args)
    settings = command.settings() if paths.PARAMS.is_file() or not args.reference_data else None
    verdicts = []
    for name, results, folder in comparisons(args, settings):
        print("\n".join([*details(results), told(name, results, folder)]), flush=True)
        announce(name, results, folder, settings)
        verdicts.append(results["verdict"])
    return status(verdicts, args.fail_on)


def check_options(args):
    """Refuse options that do not go together."""
    if bool(args.reference_data) != bool(args.current_data):
        raise UsageError("--reference-data and --current-data go together; give both")
    if not args.reference_data and (args.target or args.prediction):
        raise UsageError(
            "--target and --prediction name columns of --reference-data; those of a dataset are known"
        )
    if args.from_log and (args.reference_data or args.dataset == "all"):
        raise UsageError(
            "--from-log reads the log of one dataset and nothing else; give --dataset D"
        )
    if not args.from_log and (args.labels or args.windows is not None):
        raise UsageError("--labels and --windows go with --from-log")
    if args.output and not (args.from_log or args.reference_data):
        raise UsageError(
            "--output is for two files or a log; the reports on a dataset's splits have their place"
        )
    if args.windows is not None and args.windows < 1:
        raise UsageError(f"--windows {args.windows}: give 1 or more")


def comparisons(args, settings):
    """Yield the name, the results and the reports' folder of each comparison that the options ask for."""
    if args.reference_data:
        limits = (
            settings.dataset(args.dataset).drift if settings and args.dataset != "all" else Drift()
        )
        folder = args.output or "reports/drift"
        results = detect_files(args, limits, settings, folder)
        yield f"{args.reference_data} -> {args.current_data}", results, folder
    elif args.from_log:
        limits, folder = (
            settings.dataset(args.dataset).drift,
            args.output or paths.reports(args.dataset, "served"),
        )
        if args.windows:
            limits = limits.model_copy(
                update={
                    "windows": args.windows,
                    "alarm_windows": min(limits.alarm_windows, args.windows),
                }
            )
        yield args.dataset, detect_log(args.dataset, settings, limits, args.labels, folder), folder
    else:
        for name in settings.names(args.dataset):
            results = detect(name, settings)
            record.record(name, "drift", settings)
            yield name, results, paths.reports(name, "drift")


def main_with_fixed_hashes():
    """Run main in a Python whose sets of text have one order: Evidently draws categories in it, and the pages are to repeat."""
    if os.environ.get("PYTHONHASHSEED") == "0":
        return main()
    return subprocess.run(
        [sys.executable, *sys.argv], env={**os.environ, "PYTHONHASHSEED": "0"}
    ).returncode


if __name__ == "__main__":
    command.run(main_with_fixed_hashes)
