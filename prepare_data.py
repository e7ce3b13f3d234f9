"""Check and clean the table of one dataset and split it into training and test rows.

    python prepare_data.py --dataset iris

Reads   params.yaml, data/iris_data.csv, metrics/datasets/iris/generate.json
Writes  data/processed/iris/train.parquet and test.parquet, metrics/datasets/iris/quality.json
"""

from pathlib import Path
from typing import Any

import pipeline.project.processor  # noqa: F401 - before numpy

import pandas as pd

from pipeline import command
from pipeline.data import cleaning, doubts, quality, reading, splits
from pipeline.data.leaks import search
from pipeline.data.leaks.table import Leak, leaks_in, lines, training_table
from pipeline.data.quality import RARER_KINDS, Origin
from pipeline.project import errors, files, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Data, Dataset, Params
from pipeline.tracking import record


def read_table(dataset: str, data: Data) -> tuple[pd.DataFrame, Origin]:
    """Return the dataset's table as it is, and where it came from.

    Raises DataError where it is missing, or is not the table that generate_data.py wrote.
    """
    generate = f"python generate_data.py --dataset {dataset}"
    origin = quality.read_origin(dataset)
    if not Path(data.file).is_file():
        raise DataError(f"{data.file} is not there; run `{generate}` first")
    if files.digest(data.file, "md5") != origin.data_hash:
        raise DataError(
            f"{data.file} is not the file that {paths.metrics(dataset, 'generate')} describes; run "
            f"`{generate}` again, and change data at their source"
        )
    return reading.read_table(data), origin


def check_leaks(found: list[Leak], columns: list[str], dataset: str, spec: Dataset) -> None:
    """Raise DataError at a certain leak that params.yaml does not allow."""
    data, allowed = spec.data, spec.prepare.allow_leakage
    unknown = [column for column in allowed if column not in columns]
    if unknown:
        raise UsageError(
            f"{paths.PARAMS}: datasets.{dataset}.prepare.allow_leakage: no feature "
            f"{errors.listed(unknown)} in {data.file}; there are: "
            f"{errors.listed(columns, most=30)}"
        )
    refused = [leak for leak in found if leak.certain and not leak.allowed(allowed)]
    if refused:
        raise DataError(f"{data.file}: the target is given away: {'; '.join(lines(refused))}")


def prepare(dataset: str, settings: Params) -> dict[str, Any]:
    """Write the splits and the quality figures of one dataset; return the latter."""
    spec = settings.dataset(dataset)
    data, split_column = spec.data, spec.prepare.split_column
    raw, origin = read_table(dataset, data)

    cleaned = cleaning.clean(raw, data, split_column)
    labels = cleaned[data.target] if data.task == "classification" else None
    rows = splits.train_test(cleaned, labels, spec.prepare, settings.seed, data.file)
    train, test = cleaned.iloc[rows.fit], cleaned.iloc[rows.predict]
    dropped = raw[raw.columns.difference(train.columns, sort=False)]
    leaks = search.search(training_table(train, dropped, data, spec.prepare, settings.seed))
    no_features = (data.target, split_column, data.weight)
    others = [column for column in raw.columns if column not in no_features]
    check_leaks(leaks.found, others, dataset, spec)

    splits.write_splits(paths.processed(dataset), train, test)
    figures = {
        "schema": 1,
        "dataset": dataset,
        "source": origin.source,
        "synthetic": origin.synthetic,
        "data_hash": origin.data_hash,
        "split_hash": files.digest(paths.processed(dataset)),
        **quality.quality_figures(raw, cleaned, data, split_column),
        "split": {"by": spec.prepare.split, "train": len(train), "test": len(test)},
        **leaks.as_json(spec.prepare.allow_leakage),
        "doubts": [doubt.as_json() for doubt in doubts.find(raw, cleaned, data, split_column)],
    }
    files.write_json(paths.metrics(dataset, "quality"), figures)
    return figures


def closing_line(dataset: str, figures: dict[str, Any]) -> str:
    """Return the line that says what came out, where it lies, and which columns are doubtful."""
    split = figures["split"]
    kinds = [f"{key}: {errors.listed(figures[key])}" for key in RARER_KINDS if key in figures]
    features = f"{figures['features']} features"
    if kinds:
        features += f" ({'; '.join(kinds)})"
    line = (
        f"prepare {dataset}: {split['train']:,} training and {split['test']:,} test rows, "
        f"{features}, {figures['missing_share']:.1%} missing -> {paths.processed(dataset)}/"
    )
    names = [doubt.column for doubt in doubts.in_figures(figures)]
    return f"{line}; doubtful: {errors.listed(names, most=30)}" if names else line


def main(argv: list[str] | None = None) -> None:
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    args = parser.parse_args(argv)
    settings = command.settings()
    for dataset in settings.names(args.dataset):
        figures = prepare(dataset, settings)
        record.record(dataset, "prepare", settings)
        print(closing_line(dataset, figures))
        for line in doubts.lines(doubts.in_figures(figures)):
            print(f"  doubtful: {line}")
        for line in lines(leaks_in(figures)):
            print(f"  may be a leak: {line}")


if __name__ == "__main__":
    command.run(main)
