"""Test two tables for drift: a dataset's training and test split, any two files, or the rows that a
model served and those that it was trained on.

    python detect_drift.py --dataset iris
    python detect_drift.py --reference-data old.csv --current-data new.csv --target price
    python detect_drift.py --dataset iris --from-log --labels answers.csv

Reads   params.yaml, data/processed/iris/, data/predictions/iris/,
        metrics/datasets/iris/{quality,train,tune}.json; or the two files; or
        logs/inference/iris.jsonl and the registered version that it names
Writes  metrics/datasets/iris/drift.json and summary/drift.json, reports/iris/drift/*_report.html;
        for files drift.json and the pages in --output (reports/drift), for a log in
        reports/iris/served; sends a message on drift if ALERT_WEBHOOK or params.yaml has a
        webhook

Exit status 0: no drift, 3: drift, 4: not enough data; --fail-on says which of them count.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pipeline.project.processor  # noqa: F401 - before numpy

import pandas as pd
from joblib import cpu_count

from ops import notify
from pipeline import command
from pipeline.data import cleaning, quality, splits, typed_tables
from pipeline.data.formats.form import PLAIN, Format
from pipeline.drift import results, verdicts
from pipeline.drift.comparison import Plan, compare_tables
from pipeline.drift.pages.comparison_pages import pages
from pipeline.drift.results import TableComparison, closing_line
from pipeline.drift.roles import (
    Sides,
    roles_of_model,
    roles_of_tables,
    scores_by_side,
    with_output,
)
from pipeline.monitoring.log_comparison import compare_with_training, read_served_log
from pipeline.project import errors, figure_page, files, paths
from pipeline.project.errors import UsageError
from pipeline.project.figure_page import Link
from pipeline.project.params import Dataset, Params
from pipeline.project.settings.drift import Drift
from pipeline.scoring.thresholds import rule_of_json
from pipeline.tracking import record
from pipeline.training import split_scores
from pipeline.training.predictions import OUT_OF_FOLD, TEST_BY_FOLD, read_output
from pipeline.training.results.content import Candidate, StageResults, classes_of
from pipeline.training.results.reading import read_candidates


@dataclass(frozen=True)
class Compared:
    """One comparison: what it was called, what came out, and the folder of its reports."""

    name: str
    found: TableComparison
    folder: Path
    dataset: str | None = None
    synthetic: bool = False
    lines: list[str] = field(default_factory=list)

    @property
    def closing_line(self) -> str:
        """What the comparison came to."""
        return f"{closing_line(self.name, self.found, self.synthetic)} -> {self.folder}/"


# a dataset's splits


def compare_splits(dataset: str, settings: Params) -> Compared:
    """Compare the splits of one dataset, with the best candidate's predictions; write what came."""
    spec = settings.dataset(dataset)
    standing = read_candidates(dataset)
    trained, name = standing.trained, standing.best()
    best = standing.by_name[name]
    # both have predictions of the folds' models, on rows that these did not see
    train = with_predictions(read_split(dataset, "train", spec), dataset, name, best, OUT_OF_FOLD)
    test = with_predictions(read_split(dataset, "test", spec), dataset, name, best, TEST_BY_FOLD)

    ignored = verdicts.ignored_columns(best.get("importance"), train.columns, spec.drift, dataset)
    plan = Plan(
        roles_of_model(trained["task"], spec.data.target, classes_of(best)),
        spec.drift,
        settings.seed,
        frozenset(ignored),
    )
    found = compare_tables(
        train,
        test,
        plan,
        scores(name, best, trained, spec),
        settings.cores(),
        command.progress,
    )
    content = {
        "schema": 1,
        "dataset": dataset,
        "synthetic": trained["synthetic"],
        "reference": "training split",
        "current": "test split",
        **found.as_json(),
    }
    reports = paths.reports(dataset, "drift")
    with files.replacing(reports) as folder:
        back = figure_page.back_from_stage(dataset)
        write_pages(folder, found, dataset, trained["synthetic"], back)
    files.write_json(paths.metrics(dataset, "drift"), content)
    files.write_json(paths.summary(dataset, "drift"), summary(content))
    return Compared(dataset, found, reports, dataset, trained["synthetic"])


def summary(content: dict[str, Any]) -> dict[str, Any]:
    """Return what `dvc metrics show` prints of a comparison: its verdict and how much drifted."""
    return {
        "verdict": content["verdict"],
        "drift_share": content["drift_share"],
        "drifted_columns": len(content["drifted"]),
    }


def read_split(dataset: str, split: str, spec: Dataset) -> pd.DataFrame:
    """Return features and target of a split."""
    frame = splits.read_split(dataset, split)
    features = cleaning.feature_columns(frame, spec.data, spec.prepare)
    return frame[features + [spec.data.target]]


def with_predictions(
    frame: pd.DataFrame, dataset: str, name: str, candidate: Candidate, part: str
) -> pd.DataFrame:
    """Return the rows of a split that have a prediction, with what the candidate put out."""
    classes = classes_of(candidate)
    output = read_output(dataset, candidate["stage"], name, part, classes, frame.index)
    return with_output(frame, output, classes, rule_of_json(candidate))


def scores(name: str, candidate: Candidate, trained: StageResults, spec: Dataset) -> dict[str, Any]:
    """Return how a candidate scored on both splits, and whether train's do clearly worse on test.

    `gain` is how much better the folds' models do on the training rows that they did not see.
    """
    gain = split_scores.gain_on_training_rows(trained, spec)
    return {
        "candidate": name,
        "metric": trained["primary_metric"],
        "worse": split_scores.is_clear(gain),
        "gain_on_training_rows": gain.score.as_json(),
        "reference": dict(candidate["cv_oof"]),
        "current": {key: figures["value"] for key, figures in candidate["test"].items()},
    }


# any two files


def compare_files(args: argparse.Namespace, settings: Params | None) -> Compared:
    """Compare two files; write what came to the output folder."""
    tables = Sides(args.reference_data, args.current_data).map(
        lambda path: typed_tables.open_file(path, form_of(path, args.dataset, settings))
    )
    for option, column in (("--target", args.target), ("--prediction", args.prediction)):
        check_column(option, column, tables)
    roles = roles_of_tables(tables.reference, tables.current, args.target, args.prediction)
    if roles.task == "classification":
        # 0 and 1 are labels then
        labels = (args.target, args.prediction)
        tables = tables.map(lambda table: typed_tables.with_text(table, labels))
    limits = Drift()
    if settings is not None and args.dataset != "all":
        limits = settings.dataset(args.dataset).drift
    seed, n_workers = (settings.seed, settings.cores()) if settings else (0, cpu_count())

    found = compare_tables(
        tables.reference,
        tables.current,
        Plan(roles, limits, seed),
        scores_by_side(tables, roles),
        n_workers,
        command.progress,
    )
    content = {
        "schema": 1,
        "reference": Path(args.reference_data).name,
        "current": Path(args.current_data).name,
        **found.as_json(),
    }
    folder = Path(args.output or "reports/drift")
    name = f"{args.reference_data} -> {args.current_data}"
    write_pages(folder, found, name)
    files.write_json(folder / "drift.json", content)
    return Compared(name, found, folder)


def form_of(path: str, dataset: str, settings: Params | None) -> Format:
    """Return how a file is written: as the source of the dataset that --dataset names, if any."""
    if settings is None or dataset == "all":
        return PLAIN
    return quality.form_of_file(dataset, settings.dataset(dataset).data, path)


def check_column(option: str, column: str | None, tables: Sides[typed_tables.Table]) -> None:
    """Raise UsageError where neither file has the column that an option names."""
    if column and column not in tables.reference and column not in tables.current:
        raise UsageError(
            f"{option} {column}: neither file has that column; they have: "
            f"{errors.listed(tables.reference)}"
        )


# the inference log


def compare_log(args: argparse.Namespace, settings: Params) -> Compared:
    """Compare what a model served lately with what it was trained on; write what came."""
    dataset = args.dataset
    spec = settings.dataset(dataset)
    limits = spec.drift
    if args.windows:
        alarm_windows = min(limits.alarm_windows, args.windows)
        limits = limits.model_copy(update={"windows": args.windows, "alarm_windows": alarm_windows})
    log = read_served_log(dataset, settings, limits)
    print("\n".join(log.lines(limits.z_threshold)))
    compared = compare_with_training(
        log, limits, args.labels, spec.serve.log_redact, settings.seed, settings.cores()
    )
    folder = Path(args.output or paths.reports(dataset, "served"))
    content = compared.as_json()
    back = () if args.output else figure_page.back_from_stage(dataset)
    write_pages(folder, compared.found, log.version.name, content["synthetic"], back)
    files.write_json(folder / "drift.json", content)
    return Compared(
        dataset, compared.found, folder, dataset, content["synthetic"], compared.lines()
    )


# what comes of a comparison


def write_pages(
    folder: Path,
    found: TableComparison,
    subject: str,
    synthetic: bool = False,
    back: tuple[Link, ...] = (),
) -> None:
    """Write the pages of a comparison; `subject` says what was compared."""
    for name, page in pages(found, subject, synthetic, back).items():
        files.write_text(folder / f"{name}_report.html", page)


# the command line


def options(argv: list[str] | None) -> argparse.Namespace:
    """Return the options, which are found to go together."""
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    add = parser.add_argument
    add("--reference-data", metavar="A", help="the file to compare with")
    add("--current-data", metavar="B", help="the file that may have drifted")
    add("--target", metavar="T", help="the column of the target in the files")
    add("--prediction", metavar="P", help="the column of predictions in the files")
    add(
        "--from-log",
        action="store_true",
        help="compare the dataset's inference log with its training rows",
    )
    columns = "columns request_id, row and label"
    add("--labels", metavar="FILE", help=f"with --from-log: true labels, with {columns}")
    newest = "number of newest windows; overrides params.yaml"
    add("--windows", type=int, metavar="N", help=f"with --from-log: {newest}")
    add("--output", metavar="FOLDER", help="folder for the reports on files or a log")
    add(
        "--fail-on",
        choices=verdicts.FAIL_ON,
        default="not-enough-data",
        help="never: status 0; drift: 3 for drift; not-enough-data (the default): 4 for too few "
        "rows as well",
    )
    args = parser.parse_args(argv)
    check_options(args)
    return args


def check_options(args: argparse.Namespace) -> None:
    """Raise UsageError where options do not go together."""
    if bool(args.reference_data) != bool(args.current_data):
        raise UsageError("--reference-data and --current-data go together; give both")
    if args.from_log:
        check_log_options(args)
    elif args.labels or args.windows is not None:
        raise UsageError("--labels and --windows go with --from-log")
    if not args.reference_data and (args.target or args.prediction):
        raise UsageError(
            "--target and --prediction name columns of --reference-data; a dataset's are known"
        )
    if args.output and not (args.from_log or args.reference_data):
        raise UsageError(
            "--output is for two files or a log; the reports on a dataset's splits have their place"
        )


def check_log_options(args: argparse.Namespace) -> None:
    """Raise UsageError where options do not go with --from-log."""
    if args.reference_data or args.dataset == "all":
        raise UsageError(
            "--from-log reads the log of one dataset and nothing else; give --dataset D"
        )
    if args.windows is not None and args.windows < 1:
        raise UsageError(f"--windows {args.windows}: give 1 or more")


def comparisons(args: argparse.Namespace, settings: Params | None) -> Iterator[Compared]:
    """Yield each comparison that the options ask for; `settings` is None only with two files."""
    if args.reference_data or settings is None:
        yield compare_files(args, settings)
    elif args.from_log:
        yield compare_log(args, settings)
    else:
        for dataset in settings.names(args.dataset):
            compared = compare_splits(dataset, settings)
            record.record(dataset, "drift", settings)
            yield compared


def main(argv: list[str] | None = None) -> int:
    args = options(argv)
    needs_settings = paths.PARAMS.is_file() or not args.reference_data
    settings = command.settings() if needs_settings else None
    found = []
    for compared in comparisons(args, settings):
        lines = [*results.change_lines(compared.found), *compared.lines, compared.closing_line]
        print("\n".join(lines), flush=True)
        notify.announce_drift(
            compared.name, compared.closing_line, compared.found, compared.dataset, settings
        )
        found.append(compared.found.verdict)
    return verdicts.exit_status(found, args.fail_on)


if __name__ == "__main__":
    command.run(main)
