"""Write the table of one dataset, or of all.

    python generate_data.py --dataset iris
    python generate_data.py --dataset customer_churn --rows 100000
    python generate_data.py --dataset credit_fraud --source openml:creditcard
    python generate_data.py --dataset iris --current-batch --drift 0.5
    python generate_data.py --new telco --source data/raw/telco.csv --target Churn --write

--current-batch writes rows with a known amount of drift, to try detect_drift.py. --new prints a
block for params.yaml. A table comes from a file, a URL, scikit-learn or OpenML, or is synthetic.

Reads   params.yaml, the source file
Writes  data/iris_data.csv, metrics/datasets/iris/generate.json; or data/iris_current.csv alone
"""

import argparse

import pipeline.project.processor  # noqa: F401 - before numpy

import numpy as np
import pandas as pd

from ops.proposal.block import added, block
from ops.proposal.wish import TASKS, Wish, separator_of
from pipeline import command
from pipeline.data import reading, sources
from pipeline.data.formats.form import form_of
from pipeline.data.quality import Origin
from pipeline.data.sources import Wanted
from pipeline.data.written import write_csv
from pipeline.project import files, params, paths
from pipeline.project.errors import UsageError
from pipeline.project.params import Params
from pipeline.tracking import record

BATCH_ROWS = 1000  # of a batch, unless --rows says otherwise


def wanted_table(
    dataset: str, settings: Params, source: str | None = None, rows: int | None = None
) -> Wanted:
    """Return which table a dataset asks of which source; the options go before params.yaml.

    Raises UsageError or DataError where there is no such source.
    """
    data = settings.dataset(dataset).data
    if source is None:
        source, rows = data.source, rows or data.rows
    wanted = Wanted(dataset, source, data.depends_on, form_of(data), rows, settings.seed)
    sources.check(wanted)
    return wanted


def generate(
    dataset: str, settings: Params, source: str | None = None, rows: int | None = None
) -> Origin:
    """Write the CSV file of one dataset and what it is made of; return the latter."""
    data = settings.dataset(dataset).data
    wanted = wanted_table(dataset, settings, source, rows)
    written = write_csv(wanted, data.file)
    origin = Origin(
        dataset=dataset,
        source=sources.shown(wanted.source),
        synthetic=sources.is_synthetic(wanted.source),
        rows=len(written.frame),
        columns=written.frame.shape[1],
        data_hash=files.digest(data.file, "md5"),
        signs=dict(written.form.signs),
        truths=list(written.form.truths),
    )
    origin.write()
    return origin


def current_batch(
    frame: pd.DataFrame, columns: list[str], rows: int, strength: float, seed: int
) -> pd.DataFrame:
    """Return rows drawn from a table as production might send them, every other column drifted.

    Numbers move up by `strength` standard deviations, whole ones stay whole; of the values of a
    text column the share `strength` / 2 becomes its rarest category. 0 changes nothing.
    """
    rng = np.random.default_rng(seed)
    batch = frame.iloc[rng.integers(len(frame), size=rows)].reset_index(drop=True)
    if not strength:
        return batch
    for column in columns[::2]:
        values = batch[column]
        if values.dtype.kind in "if":
            moved = values + strength * frame[column].std()
            whole = (values.dropna() % 1 == 0).all()
            batch[column] = moved.round() if whole else moved.round(6)
        else:
            rarest = frame[column].value_counts().index[-1]
            replaced = (rng.random(rows) < strength / 2) & values.notna()
            batch[column] = values.mask(replaced, rarest)
    return batch


def write_current_batch(dataset: str, settings: Params, rows: int | None, strength: float) -> None:
    """Write a batch drawn from the dataset's table and say how to compare it."""
    spec = settings.dataset(dataset)
    data, path = spec.data, paths.current_batch(dataset)
    frame = reading.read_table(data)
    kept_as_they_are = {data.target, spec.prepare.split_column, *data.drop}
    columns = [column for column in frame if column not in kept_as_they_are]
    batch = current_batch(frame, columns, rows or BATCH_ROWS, strength, settings.seed + 1)
    with files.replacing(path) as partial:
        batch.to_csv(partial, index=False, lineterminator="\n")
    print(
        f"{len(columns[::2])} of {len(columns)} columns drifted by {strength:g} -> {path}; "
        f"compare: python detect_drift.py --dataset {dataset} --reference-data {data.file} "
        f"--current-data {path}"
    )


def propose(args: argparse.Namespace, settings: Params) -> None:
    """Print the block of a new dataset and, with --write, add it to params.yaml."""
    separator = separator_of(args.separator)
    wish = Wish(args.new, args.source, args.target, separator, args.encoding, args.sheet, args.task)
    proposed = block(wish, settings)
    print(proposed)
    if args.write:
        text = added(paths.PARAMS.read_text(encoding="utf-8"), proposed)
        command.checked(params.parse(text))
        files.write_text(paths.PARAMS, text)
        print(f"added to {paths.PARAMS}; read it, then: make pipeline DATASET={args.new}")


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the checked options."""
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    parser.add_argument("--source", help=f"{sources.spellings()}, overrides params.yaml")
    parser.add_argument("--rows", type=int, metavar="N", help="number of rows of a synthetic table")
    parser.add_argument(
        "--new",
        metavar="NAME",
        help="propose a block of params.yaml for the table of --source",
    )
    parser.add_argument("--target", metavar="COLUMN", help="with --new: the column to predict")
    add_how_to_read(parser)
    parser.add_argument(
        "--write", action="store_true", help="with --new: add the block to params.yaml"
    )
    parser.add_argument(
        "--current-batch",
        action="store_true",
        help="write only a batch of new rows, as production might send them",
    )
    parser.add_argument(
        "--drift",
        type=float,
        default=0,
        metavar="S",
        help="with --current-batch: shift of the columns, in standard deviations",
    )
    args = parser.parse_args(argv)
    check_options(args)
    return args


def add_how_to_read(parser: argparse.ArgumentParser) -> None:
    """Add the options that say with --new how a source is read, where its values do not."""
    add = parser.add_argument
    add("--separator", metavar="S", help="with --new: the separator of values, or the word tab")
    add("--encoding", metavar="E", help="with --new: the character encoding (latin-1, ...)")
    add("--sheet", metavar="S", help="with --new: the sheet of an Excel workbook")
    add("--task", choices=TASKS, help="with --new: the task, if the proposed one is wrong")


def check_options(args: argparse.Namespace) -> None:
    """Raise UsageError where options make no sense together."""
    if args.rows is not None and args.rows < 1:
        raise UsageError(f"--rows {args.rows}: give 1 or more")
    for option in ("write", "separator", "encoding", "sheet", "task"):
        if getattr(args, option) and not args.new:
            raise UsageError(f"--{option} goes with --new NAME")
    if args.new and not (args.source and args.target):
        raise UsageError("--new NAME needs --source FILE and --target COLUMN")
    check_drift(args.drift, args.current_batch)
    if args.source and args.dataset == "all" and not (args.new or args.current_batch):
        raise UsageError("--source is for one dataset; add --dataset NAME")


def check_drift(drift: float, current_batch: bool) -> None:
    """Raise UsageError where --drift is not a strength, or has no batch to apply to."""
    if not 0 <= drift < float("inf") or drift and not current_batch:
        raise UsageError(
            f"--drift {drift:g}: give a number of standard deviations from 0 on, with "
            f"--current-batch"
        )


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    settings = command.settings()
    if args.new:
        propose(args, settings)
        return
    datasets = settings.names(args.dataset)
    if args.current_batch:
        for dataset in datasets:
            write_current_batch(dataset, settings, args.rows, args.drift)
        return
    # all are checked before the first is made
    for dataset in datasets:
        wanted_table(dataset, settings, args.source, args.rows)
    for dataset in datasets:
        made = generate(dataset, settings, args.source, args.rows)
        record.record(dataset, "generate", settings)
        print(
            f"generate {dataset}: {made.rows:,} rows x {made.columns} columns from {made.source} "
            f"-> {settings.dataset(dataset).data.file}"
        )
    if args.source or args.rows:
        print(
            "the next `dvc repro` makes this table as params.yaml says again; put the option there "
            "to keep it"
        )


if __name__ == "__main__":
    command.run(main)
