"""Check and clean the table of one dataset and split it into training and test rows.

    python prepare_data.py --dataset iris

Reads   params.yaml, data/iris_data.csv, metrics/datasets/iris/generate.json
Writes  data/processed/iris/train.parquet and test.parquet, metrics/datasets/iris/quality.json
        and summary/prepare.json
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pipeline.project.processor  # noqa: F401 - before numpy

import pandas as pd

from pipeline import command
from pipeline.data import cleaning, doubts, kinds, quality, reading, splits
from pipeline.data.leaks import search
from pipeline.data.leaks.table import Leak, leaks_in, lines, training_table
from pipeline.data.quality import RARER_KINDS, Origin
from pipeline.data.splits import Fold
from pipeline.own import features, named
from pipeline.own.features import Checked
from pipeline.project import errors, files, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Dataset, Params
from pipeline.project.settings.data import Data
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


@dataclass(frozen=True)
class OwnFeatures:
    """What the user's function made: tables for the splits, and what quality.json says of it."""

    tables: dict[str, pd.DataFrame]
    figures: dict[str, Any]


def own_features(
    dataset: str, spec: Dataset, cleaned: pd.DataFrame, rows: Fold, seed: int
) -> OwnFeatures:
    """Return what the user's function makes of the inputs; nothing where there is none.

    Raises DataError where it fails, or a row's features depend on more than the row.
    """
    data = spec.data
    if data.features is None:
        return OwnFeatures({}, {})
    found = features.load(data.features, f"datasets.{dataset}.data.features")
    inputs = cleaned[cleaning.feature_columns(cleaned, data, spec.prepare)]
    with command.progress(len(inputs), f"prepare {dataset}: {data.features}", "row") as step:
        made = features.apply(found, inputs, step)
    checked = Checked(
        inputs.iloc[rows.fit],
        cleaned[data.target].iloc[rows.fit],
        lambda index: f"{data.file} {reading.rows_in_file(index)}",
    )
    features.check(found, checked, made.iloc[rows.fit], seed)
    typed = kinds.typed_by_type(made)
    tables = {
        splits.features_of("train"): typed.iloc[rows.fit],
        splits.features_of("test"): typed.iloc[rows.predict],
    }
    made_of = {
        "file": data.features,
        "added": [column for column in typed if column not in inputs],
        "left_out": [column for column in inputs if column not in typed],
    }
    return OwnFeatures(tables, {"own_features": made_of})


def seen_by_models(
    tables: dict[str, pd.DataFrame], data: Data, split_column: str | None
) -> pd.DataFrame:
    """Return the training rows with the features that models are fitted on."""
    train = tables["train"]
    made = tables.get(splits.features_of("train"))
    if made is None:
        return train
    no_features = [column for column in (data.target, split_column, data.weight) if column]
    return made.drop(columns=no_features, errors="ignore").join(train[no_features])


def prepare(dataset: str, settings: Params) -> dict[str, Any]:
    """Write the splits and the quality figures of one dataset; return the latter."""
    spec = settings.dataset(dataset)
    data, split_column = spec.data, spec.prepare.split_column
    table, origin = read_table(dataset, data)
    raw = cleaning.with_target(table, data)

    cleaned = cleaning.clean(raw, data, spec.prepare)
    labels = cleaned[data.target] if data.task == "classification" else None
    rows = splits.train_test(cleaned, labels, spec.prepare, settings.seed, data.file)
    tables = {"train": cleaned.iloc[rows.fit], "test": cleaned.iloc[rows.predict]}
    code = named.versions(dataset, settings)
    own = own_features(dataset, spec, cleaned, rows, settings.seed)
    tables |= own.tables
    seen = seen_by_models(tables, data, split_column)
    dropped = raw[raw.columns.difference(seen.columns, sort=False)]
    leaks = search.search(training_table(seen, dropped, data, spec.prepare, settings.seed))
    no_features = (data.target, split_column, data.weight)
    columns = dict.fromkeys([*raw.columns, *seen.columns])
    others = [column for column in columns if column not in no_features]
    check_leaks(leaks.found, others, dataset, spec)

    splits.write_splits(paths.processed(dataset), tables)
    figures = {
        "schema": 1,
        "dataset": dataset,
        "source": origin.source,
        "synthetic": origin.synthetic,
        "data_hash": origin.data_hash,
        "split_hash": files.digest(paths.processed(dataset)),
        **quality.quality_figures(raw, cleaned, data, spec.prepare),
        **quality.reading_figures(origin, len(table) - len(raw)),
        **own.figures,
        **({"code": code} if code else {}),
        "split": {"by": spec.prepare.split, "train": len(rows.fit), "test": len(rows.predict)},
        **leaks.as_json(spec.prepare.allow_leakage),
        "doubts": [doubt.as_json() for doubt in doubts.find(raw, cleaned, data, split_column)],
    }
    write_figures(dataset, figures)
    return figures


def write_figures(dataset: str, figures: dict[str, Any]) -> None:
    """Write all figures, and the few of them that `dvc metrics show` prints."""
    files.write_json(paths.metrics(dataset, "quality"), figures)
    summary = {
        "train_rows": figures["split"]["train"],
        "test_rows": figures["split"]["test"],
        "missing_share": figures["missing_share"],
    }
    files.write_json(paths.summary(dataset, "prepare"), summary)


def closing_line(dataset: str, figures: dict[str, Any]) -> str:
    """Return the line that says what came out, where it lies, and which columns are doubtful."""
    split = figures["split"]
    kinds = [f"{key}: {errors.listed(figures[key])}" for key in RARER_KINDS if key in figures]
    features = f"{figures['features']} features"
    if kinds:
        features += f" ({'; '.join(kinds)})"
    line = (
        f"prepare {dataset}: {split['train']:,} training and {split['test']:,} test rows, "
        f"{features}{_after_own(figures)}, {figures['missing_share']:.1%} missing -> "
        f"{paths.processed(dataset)}/"
    )
    parts = [line, *quality.reading_lines(figures)]
    names = [doubt.column for doubt in doubts.in_figures(figures)]
    if names:
        parts.append(f"doubtful: {errors.listed(names, most=30)}")
    return "; ".join(parts)


def _after_own(figures: dict[str, Any]) -> str:
    """Return how many features the user's function makes of these, in words."""
    own = figures.get("own_features")
    if own is None:
        return ""
    count = figures["features"] + len(own["added"]) - len(own["left_out"])
    return f", {count} after {own['file']}"


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
