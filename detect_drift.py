"""Tell whether two tables differ by more than chance: a dataset's training and test split, or any two files.

    python detect_drift.py --dataset iris
    python detect_drift.py --reference-data last_year.csv --current-data this_week.csv --target price --prediction predicted

Reads   params.yaml, data/processed/iris/, data/predictions/iris/, metrics/datasets/iris/{quality,train,tune}.json;
        or the two files, CSV or Parquet
Writes  metrics/datasets/iris/drift.json, reports/iris/drift/*_report.html; for two files drift.json and the reports to --output

Exit status 0: no drift, 3: drift, 4: not enough data to tell; --fail-on says which of them count.
"""

import os
import subprocess
import sys

from pipeline import command, files, params, paths
from pipeline.errors import DataError, UsageError

STATUS = {"drift": 3, "not enough data": 4}
FAIL_ON = {"never": (), "drift": ("drift",), "not-enough-data": ("drift", "not enough data")}
FEW_CLASSES = 10            # whole numbers with at most so many different values are taken for classes
MODEL_OUTPUT, MODEL_LABEL = "model output", "model label"


def judge(reference, current, roles, limits, measured=None, unreadable=None):
    """Return every result of comparing two typed tables; `roles` names their columns, see drift.pages."""
    from pipeline import drift
    answers = {roles["target"], roles["prediction"], roles["label"]}
    labels = {roles["label"]} - {roles["prediction"]}           # say the same as the probabilities
    both = drift.compare(*(frame[[column for column in frame if column not in labels]] for frame in (reference, current)), limits)
    one, other = (frame[[column for column in frame if column not in answers]] for frame in (reference, current))
    columns = {name: column for name, column in both.items() if name in one}
    changes, rows = drift.schema_drift(one, other, limits.min_rows), {"reference": len(reference), "current": len(current)}
    results = {"rows": rows, **drift.summary(columns, changes, rows, limits)}
    for part in ("target", "prediction"):
        results[part] = {"column": roles[part], **both[roles[part]]} if roles[part] in both else None
        if results[part] and results[part]["verdict"] == "drift":
            results["verdict"] = "drift"
    if results["target"]:
        results["target"]["mean"] = {"reference": mean(reference[roles["target"]], roles["positive"]),
                                     "current": mean(current[roles["target"]], roles["positive"])}
    results |= {"schema_drift": changes, "performance": measured, "columns": columns,
                "correlations": drift.correlation_changes(one, other, limits),
                "quality": drift.quality(one, other, columns, changes, limits, unreadable), "thresholds": limits.model_dump()}
    results["recommendation"] = drift.recommendation(results, limits)
    return drift.rounded({"verdict": results.pop("verdict"), "recommendation": results.pop("recommendation"), **results})


def mean(target, positive):
    """Return the mean of a numeric target, or the share of its positive class; None where there is neither."""
    if target.dtype.kind == "f":
        return float(target.mean())
    return float((target.dropna() == positive).mean()) if positive else None


# a dataset's splits

def splits_of(dataset, settings):
    """Return both splits of a dataset with the best candidate's predictions, the columns' roles, how it scored on either, and
    whether the data are synthetic.

    Training rows have the predictions of the fold that did not see them; rows without one are left out.
    """
    from pipeline import models, scoring, standing, tables
    spec = settings.dataset(dataset)
    trained, candidates = standing.read(dataset)
    name = scoring.best_candidate(candidates, trained["primary_metric"])
    best = candidates[name]
    labels = best["confusion_matrix"]["labels"] if trained["task"] == "classification" else None
    roles = {"task": trained["task"], "target": spec.data.target, "prediction": MODEL_OUTPUT,
             "label": MODEL_LABEL if labels and len(labels) == 2 else MODEL_OUTPUT if labels else None,
             "positive": labels[1] if labels and len(labels) == 2 else None}
    frames = []
    for split, part in (("train", "oof"), ("test", "test")):
        frame = tables.read_split(dataset, split)
        frame = frame[tables.feature_columns(frame, spec.data, spec.prepare.split_column) + [spec.data.target]]
        output = predictions(dataset, best["stage"], part, name, labels, frame.index)
        if labels is None:
            frame[MODEL_OUTPUT] = output
        else:
            if roles["positive"]:
                frame[MODEL_OUTPUT] = output[:, 1]
            decided = models.decide(output, best["threshold"])
            frame[roles["label"]] = [labels[number] for number in decided]
        frames.append(frame[~(output != output).reshape(len(frame), -1).any(axis=1)])
    return *frames, roles, scores(name, best, trained["primary_metric"]), trained["synthetic"]


def predictions(dataset, stage, part, name, labels, rows):
    """Return the stored output of a candidate for the rows of a split: numbers, or probabilities of shape (rows, classes)."""
    import pandas as pd
    columns = [f"{name}__{label}" for label in labels] if labels else [name]
    path = paths.predictions(dataset, stage) / f"{part}.parquet"
    if not path.is_file():
        raise DataError(f"{path} is not there; run `dvc repro {stage}@{dataset}` first")
    output = pd.read_parquet(path, columns=columns).reindex(rows).to_numpy()
    return output if labels else output[:, 0]


def scores(name, candidate, metric):
    """Return how a candidate scored on both sides, and whether it does worse now than the primary metric's interval allows."""
    from pipeline import scoring
    before, test = candidate["cv_oof"][metric], candidate["test"][metric]
    bounds = [value for value in (test.get("low"), test.get("high")) if value is not None]
    worse = before is not None and len(bounds) == 2 and all(scoring.is_better(metric, before, bound) for bound in bounds)
    return {"candidate": name, "metric": metric, "worse": worse, "reference": dict(candidate["cv_oof"]),
            "current": {key: figures["value"] for key, figures in candidate["test"].items()}}


def detect(dataset, settings):
    """Compare the splits of one dataset, write the results and the reports; return the former."""
    from pipeline import drift
    limits = settings.dataset(dataset).drift
    reference, current, roles, measured, synthetic = splits_of(dataset, settings)
    results = {"schema": 1, "dataset": dataset, "synthetic": synthetic, "reference": "training split", "current": "test split",
               **judge(reference, current, roles, limits, measured)}
    pages = drift.pages(reference, current, results, roles, limits, settings.seed)
    with files.replacing(paths.reports(dataset, "drift")) as folder:
        write_pages(folder, pages)
    files.write_json(paths.metrics(dataset, "drift"), results)
    return results


def write_pages(folder, pages):
    for name, page in pages.items():
        files.write_text(folder / f"{name}_report.html", page)


# any two files

def detect_files(args, limits, seed):
    """Compare two files, write drift.json and the reports to the output folder; return the results."""
    from pathlib import Path

    from pipeline import drift, tables
    typed = [drift.typed(tables.read(path)) for path in (args.reference_data, args.current_data)]
    (reference, _), (current, _) = typed
    for option, column in (("--target", args.target), ("--prediction", args.prediction)):
        if column and column not in reference and column not in current:
            raise UsageError(f"{option} {column}: neither file has that column; they have: {tables.listed(reference.columns)}")
    roles = file_roles(reference, current, args.target, args.prediction)
    if roles["task"] == "classification":                       # 0 and 1 are labels then
        reference, current = (frame.assign(**{column: tables.as_text(frame[column]) for column in (args.target, args.prediction)
                                              if column in frame}) for frame in (reference, current))
    measured = None
    if roles["task"]:
        measured = {side: drift.performance(roles["task"], frame[args.target], frame[args.prediction])
                    for side, frame in (("reference", reference), ("current", current))
                    if {args.target, args.prediction} <= set(frame)}
    unreadable = {side: lost for side, (_, lost) in zip(("reference", "current"), typed) if lost}
    results = {"schema": 1, "reference": Path(args.reference_data).name, "current": Path(args.current_data).name,
               **judge(reference, current, roles, limits, measured, unreadable)}
    write_pages(Path(args.output), drift.pages(reference, current, results, roles, limits, seed))
    files.write_json(Path(args.output) / "drift.json", results)
    return results


def file_roles(reference, current, target, prediction):
    """Return what the columns of two files are; a task only where one of them has both target and prediction of one kind."""
    import pandas as pd

    from pipeline import drift, tables
    found = [pd.concat([frame[column] for frame in (reference, current) if column in frame]) if column else None
             for column in (target, prediction)]
    task = None
    if target and prediction and drift.kind(found[0]) == drift.kind(found[1]):
        few = found[0].nunique() <= FEW_CLASSES
        number = drift.kind(found[0]) == "number" and not (few and all((values.dropna() % 1 == 0).all() for values in found))
        task = "regression" if number else "classification"
    labels = sorted(set(tables.as_text(found[0].dropna()))) if task == "classification" else []
    return {"task": task, "target": target, "prediction": prediction,
            "label": prediction if labels else None, "positive": labels[1] if len(labels) == 2 else None}


# what is told

def told(name, results, folder):
    """Return the closing line of one comparison."""
    drifted = f"{len(results['drifted'])} of {results['compared']} columns"
    data = " on synthetic data" if results.get("synthetic") else ""
    return f"drift {name}: {results['verdict']}{data}, {drifted} drifted; {results['recommendation']} -> {folder}/"


def details(results):
    """Return a line for every change of the tables and every column that drifted."""
    lines = [f"  {change['column']}: {change['change']}, {change['detail']}" for change in results["schema_drift"]]
    found = {name: results["columns"][name] for name in results["drifted"]}
    found |= {results[part]["column"]: results[part] for part in ("target", "prediction")
              if (results[part] or {}).get("verdict") == "drift"}
    for name, column in found.items():
        if "missing" in column["drift_in"]:
            missing = column["missing"]
            lines.append(f"  {name}: missing {missing['reference']:.1%} -> {missing['current']:.1%}, {p_of(missing)}")
        if "values" in column["drift_in"]:
            lines.append(f"  {name}: {column['test']}, {p_of(column)}, {column['effect']} distance {column['effect_size']:.3g}")
    return lines


def p_of(test):
    return f"adjusted p {test['p_adjusted']:.2g}"


def annotate(name, results):
    """Show drift among the annotations of a GitHub Actions run."""
    if results["verdict"] == "drift" and os.environ.get("GITHUB_ACTIONS") == "true":
        print(f"::warning title=drift {name}::{results['recommendation']}")


def status(verdicts, fail_on):
    """Return the exit status of some verdicts; drift goes before too few rows."""
    return min((STATUS[verdict] for verdict in verdicts if verdict in FAIL_ON[fail_on]), default=0)


def main(argv=None):
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    parser.add_argument("--reference-data", metavar="A", help="a CSV or Parquet file to compare with")
    parser.add_argument("--current-data", metavar="B", help="a CSV or Parquet file that may have drifted")
    parser.add_argument("--target", metavar="T", help="the column of true answers in the files")
    parser.add_argument("--prediction", metavar="P", help="the column of predictions in the files")
    parser.add_argument("--output", metavar="FOLDER", default="reports/drift", help="of the two files' reports (%(default)s)")
    parser.add_argument("--fail-on", choices=FAIL_ON, default="not-enough-data",
                        help="never: status 0; drift: 3 for drift; not-enough-data (the default): 4 for too few rows as well")
    args = parser.parse_args(argv)
    if bool(args.reference_data) != bool(args.current_data):
        raise UsageError("--reference-data and --current-data go together; give both")
    if not args.reference_data and (args.target or args.prediction):
        raise UsageError("--target and --prediction name columns of --reference-data; those of a dataset are known")
    found = {}
    if args.reference_data:
        settings = params.load() if args.dataset != "all" else None
        limits = settings.dataset(args.dataset).drift if settings else params.Drift()
        name = f"{args.reference_data} -> {args.current_data}"
        found[name] = detect_files(args, limits, settings.seed if settings else 0)
        print("\n".join([*details(found[name]), told(name, found[name], args.output)]))
    else:
        settings = params.load()
        for name in settings.names(args.dataset):
            found[name] = detect(name, settings)
            from pipeline import tracking
            tracking.record(name, "drift", settings)
            print("\n".join([*details(found[name]), told(name, found[name], paths.reports(name, "drift"))]))
    for name, results in found.items():
        annotate(name, results)
    return status([results["verdict"] for results in found.values()], args.fail_on)


def main_with_fixed_hashes():
    """Run main in a Python whose sets of text have one order: Evidently draws categories in it, and the pages are to repeat."""
    if os.environ.get("PYTHONHASHSEED") == "0":
        return main()
    return subprocess.run([sys.executable, *sys.argv], env={**os.environ, "PYTHONHASHSEED": "0"}).returncode


if __name__ == "__main__":
    command.run(main_with_fixed_hashes)
