"""Make the table of one dataset, or of all: synthetic by default, or from a file, a URL, scikit-learn or OpenML.

    python generate_data.py --dataset iris
    python generate_data.py --dataset customer_churn --rows 100000
    python generate_data.py --dataset credit_fraud --source openml:creditcard
    python generate_data.py --dataset iris --current-batch --drift 0.5          # rows with a known drift, to try detect_drift.py
    python generate_data.py --new telco --source data/raw/telco.csv --target Churn      # prints a block for params.yaml

Reads   params.yaml, the source file
Writes  data/iris_data.csv, metrics/datasets/iris/generate.json; or data/iris_current.csv alone
"""

import importlib.util
import re

from ops import proposal
from pipeline import command
from pipeline.data import reading, sources
from pipeline.project import files, paths
from pipeline.project.errors import UsageError
from pipeline.tracking import record

BATCH_ROWS = 1000  # of a batch, unless --rows says otherwise


def synthetic_table(module, rows, seed):
    """Return the table that a module of pipeline/sources makes; `module` is its path, as `depends_on` names it."""
    found = re.fullmatch(r"pipeline/builtin/(\w+)\.py", module)
    source = None
    if found and importlib.util.find_spec(f"pipeline.builtin.{found[1]}"):
        source = importlib.import_module(f"pipeline.builtin.{found[1]}")
    if not hasattr(source, "generate"):
        raise UsageError(
            f"{paths.PARAMS}: data.depends_on: {module!r} is no module that makes synthetic data; "
            f"see pipeline/builtin/"
        )
    try:
        return source.generate(rows or source.ROWS, seed)
    except ValueError as error:
        raise UsageError(f"{module}: {error}") from None


def source_and_rows(dataset, data, source=None, rows=None):
    """Return where a dataset's table comes from and how many rows it is to have; the options come before params.yaml."""
    if source is None:
        source, rows = data.source, rows or data.rows
    if rows and source != "synthetic":
        raise UsageError(
            f"{dataset}: the number of rows is chosen for synthetic data only; {source} has the rows it has"
        )
    return source, rows


def generate(dataset, settings, source=None, rows=None):
    """Write the CSV file of one dataset and what it is made of; return the latter."""
    data = settings.dataset(dataset).data
    source, rows = source_and_rows(dataset, data, source, rows)
    if source == "synthetic":
        frame = synthetic_table(data.depends_on, rows, settings.seed)
        with files.replacing(data.file) as partial:
            frame.to_csv(partial, index=False, lineterminator="\n")
    else:
        frame = sources.write_csv(dataset, source, data)
    figures = {
        "schema": 1,
        "dataset": dataset,
        "source": source,
        "synthetic": source == "synthetic",
        "rows": len(frame),
        "columns": frame.shape[1],
        "data_hash": files.digest(data.file, "md5"),
    }
    files.write_json(paths.metrics(dataset, "generate"), figures)
    return figures


def current_batch(frame, columns, rows, strength, seed):
    """Return rows drawn from a table as production might send them, every other one of some columns drifted.

    Numbers move up by `strength` standard deviations, whole ones stay whole; of the values of a text column the share
    `strength` / 2 becomes its rarest category. A strength of 0 changes nothing.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    batch = frame.iloc[rng.integers(len(frame), size=rows)].reset_index(drop=True)
    for column in columns[::2] if strength else ():
        values = batch[column]
        if values.dtype.kind in "if":
            moved = values + strength * frame[column].std()
            batch[column] = moved.round() if (values.dropna() % 1 == 0).all() else moved.round(6)
        else:
            replaced = (rng.random(rows) < strength / 2) & values.notna()
            batch[column] = values.mask(replaced, frame[column].value_counts().index[-1])
    return batch


def write_current_batch(dataset, settings, rows, strength):
    """Write a batch drawn from the dataset's table and say how to compare it."""
    spec = settings.dataset(dataset)
    data, path = spec.data, paths.current_batch(dataset)
    frame = reading.read(data.file, codes=data.categorical)
    kept_as_they_are = {data.target, spec.prepare.split_column, *data.drop}
    columns = [column for column in frame if column not in kept_as_they_are]
    batch = current_batch(frame, columns, rows or BATCH_ROWS, strength, settings.seed + 1)
    with files.replacing(path) as partial:
        batch.to_csv(partial, index=False, lineterminator="\n")
    print(
        f"{len(columns[::2])} of {len(columns)} columns drifted by {strength:g} -> {path}; compare: "
        f"python detect_drift.py --dataset {dataset} --reference-data {data.file} --current-data {path}"
    )


def main(argv=None):
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    parser.add_argument(
        "--source",
        help="synthetic, sklearn, openml:NAME, a path or a URL, in place of params.yaml's",
    )
    parser.add_argument("--rows", type=int, metavar="N", help="rows of a synthetic table")
    parser.add_argument(
        "--new",
        metavar="NAME",
        help="print a block for params.yaml that describes the file of --source",
    )
    parser.add_argument("--target", metavar="COLUMN", help="with --new: the column to predict")
    parser.add_argument(
        "--current-batch",
        action="store_true",
        help="write rows as production might send them, and nothing else",
    )
    parser.add_argument(
        "--drift",
        type=float,
        default=0,
        metavar="S",
        help="with --current-batch: how far, in deviations",
    )
    args = parser.parse_args(argv)
    if args.rows is not None and args.rows < 1:
        raise UsageError(f"--rows {args.rows}: give 1 or more")
    settings = command.settings()
    if args.new:
        if not (args.source and args.target):
            raise UsageError("--new NAME needs --source FILE and --target COLUMN")
        print(proposal.block(args.new, args.source, args.target, settings))
        return
    if not 0 <= args.drift < float("inf") or args.drift and not args.current_batch:
        raise UsageError(
            f"--drift {args.drift:g}: give a number of standard deviations from 0 on, with --current-batch"
        )
    if args.current_batch:
        for dataset in settings.names(args.dataset):
            write_current_batch(dataset, settings, args.rows, args.drift)
        return
    if args.source and args.dataset == "all":
        raise UsageError("--source is for one dataset; add --dataset NAME")
    datasets = settings.names(args.dataset)
    for dataset in datasets:  # all are checked before the first is made
        source_and_rows(dataset, settings.dataset(dataset).data, args.source, args.rows)
    for dataset in datasets:
        figures = generate(dataset, settings, args.source, args.rows)
        record.record(dataset, "generate", settings)
        print(
            f"generate {dataset}: {figures['rows']:,} rows x {figures['columns']} columns from {figures['source']} "
            f"-> {settings.dataset(dataset).data.file}"
        )
    if args.source or args.rows:
        print(
            "the next `dvc repro` makes this table as params.yaml says again; put the option there to keep it"
        )


if __name__ == "__main__":
    command.run(main)
