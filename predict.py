"""Predict the rows of a file with a registered model, in parts, so that any size fits in memory.

    python predict.py --dataset iris --input new_rows.csv --output predictions.csv
    python predict.py --dataset iris --input rows.parquet --output out.parquet --version 2 --log

Reads   params.yaml, the registry, the file, which must have every feature
Writes  the file's columns with `prediction` and, for classes, `probability_<class>`: the whole
        file or nothing; with --log also logs/inference/iris.jsonl, under one request id
"""

import argparse
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pipeline.project.processor  # noqa: F401 - before numpy

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet

from pipeline import command
from pipeline.data import quality, reading
from pipeline.data.formats import columnar, spreadsheets
from pipeline.project import files, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.project.settings.serve import Serve
from pipeline.scoring import thresholds
from pipeline.serving import compiled, loaded
from pipeline.serving.inference_log import writer
from pipeline.serving.inference_log.lines import Answer, Entry, as_lines
from pipeline.serving.loaded import ServedModel

ROWS_AT_A_TIME = 20_000
SECONDS_BETWEEN_LINES = 10


@dataclass(frozen=True)
class Predicted:
    """A part of the file: its typed features, and the predictions in columns to be added."""

    features: pd.DataFrame
    columns: dict[str, np.ndarray]


def predict(served: ServedModel, part: pyarrow.Table, first: int, origin: str) -> Predicted:
    """Return the predictions for a part of the file, whose first row has the number `first`.

    Raises DataError where a row breaks the rule that the server's requests follow, too.
    """
    frame = part.to_pandas(integer_object_nulls=True, ignore_metadata=True)
    frame.index = pd.RangeIndex(first, first + len(frame))
    features = served.signature.table(frame, origin)
    output = served.model.output(features)
    lost = loaded.not_finite(output)
    if len(lost):
        lines = reading.rows_in_file(features.index[lost])
        raise DataError(f"{origin}: {lines}: {loaded.NOT_FINITE}; fix the values")
    classes = served.model.spec.classes
    if classes is None:
        return Predicted(features, {"prediction": output})
    decisions = thresholds.decide(output, served.model.spec.rule)
    columns = {"prediction": np.array(classes)[decisions]}
    for position, label in enumerate(classes):
        columns[f"probability_{label}"] = output[:, position]
    return Predicted(features, columns)


def with_columns(part: pyarrow.Table, columns: dict[str, np.ndarray], origin: str) -> pyarrow.Table:
    """Return a part with columns added; raises DataError where it has one of that name already."""
    for name, values in columns.items():
        if name in part.column_names:
            raise DataError(
                f"{origin}: has a column {name!r} already, which is to be added; rename it"
            )
        part = part.append_column(name, pyarrow.array(values))
    return part


Write = Callable[[pyarrow.Table], None]


@contextmanager
def result_file(path: Path, as_parquet: bool, spreadsheet_safe: bool) -> Iterator[Write]:
    """Yield a function that writes a part of the result to a CSV or Parquet file."""
    file = _parquet_file(path) if as_parquet else _csv_file(path, spreadsheet_safe)
    with file as write:
        yield write


@contextmanager
def _parquet_file(path: Path) -> Iterator[Write]:
    opened: list[pyarrow.parquet.ParquetWriter] = []

    def write(part: pyarrow.Table) -> None:
        # the first part says of which types the columns are
        if not opened:
            opened.append(pyarrow.parquet.ParquetWriter(path, part.schema, compression="zstd"))
        opened[0].write_table(part)

    try:
        yield write
    finally:
        for file in opened:
            file.close()


@contextmanager
def _csv_file(path: Path, spreadsheet_safe: bool) -> Iterator[Write]:
    with open(path, "w", encoding="utf-8", newline="") as stream:

        def write(part: pyarrow.Table) -> None:
            frame = part.to_pandas(integer_object_nulls=True, ignore_metadata=True)
            if spreadsheet_safe:
                frame = spreadsheets.safe(frame)
            header = stream.tell() == 0
            frame.to_csv(stream, index=False, header=header, lineterminator="\n")

        yield write


def log_lines(
    served: ServedModel, predicted: Predicted, first: int, request_id: str, redact: list[str]
) -> bytes:
    """Return the lines of the inference log for a part."""
    rows = compiled.as_rows(predicted.features)
    answers = logged_answers(predicted.columns, served.model.spec.classes)
    entry = Entry(
        time.time_ns(), request_id, served.name, served.version, rows, answers, first=first
    )
    return as_lines(entry, frozenset(redact))


def logged_answers(columns: dict[str, np.ndarray], classes: list[str] | None) -> list[Answer]:
    """Return what the server would have answered for each row."""
    predictions = columns["prediction"].tolist()
    if classes is None:
        return [{"prediction": prediction} for prediction in predictions]
    probabilities = np.column_stack([columns[f"probability_{label}"] for label in classes])
    return [
        {"prediction": prediction, "probabilities": dict(zip(classes, row))}
        for prediction, row in zip(predictions, probabilities.tolist())
    ]


def append_to_log(dataset: str, log: BinaryIO, serve: Serve) -> None:
    """Append the lines of a file to a dataset's inference log."""
    log.seek(0)
    while lines := b"".join(log.readlines(serve.log_file_size)):
        writer.append(paths.inference_log(dataset), lines, serve.log_file_size, serve.log_fsync)


class RowCount:
    """The rows that are done, reported on standard error every ten seconds."""

    def __init__(self, dataset: str) -> None:
        self.dataset = dataset
        self.rows = 0
        self._reported = time.monotonic()

    def add(self, rows: int) -> None:
        """Count rows, and report them where it is time."""
        self.rows += rows
        if time.monotonic() - self._reported > SECONDS_BETWEEN_LINES:
            self._reported = time.monotonic()
            print(f"predict {self.dataset}: {self.rows:,} rows", file=sys.stderr, flush=True)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the options; raises UsageError where the output cannot be written."""
    parser = command.parser(__doc__)
    command.add_dataset(parser, required=True)
    parser.add_argument(
        "--input",
        required=True,
        metavar="FILE",
        help="the rows, in any form that the dataset's source may have",
    )
    parser.add_argument(
        "--output",
        required=True,
        metavar="FILE",
        help="the file for the predictions: .csv or .parquet",
    )
    parser.add_argument(
        "--version",
        default="champion",
        metavar="V",
        help="a version's number or alias (default champion)",
    )
    parser.add_argument(
        "--spreadsheet-safe",
        action="store_true",
        help="in a CSV output, put an apostrophe before text that spreadsheets would run "
        "as a formula",
    )
    parser.add_argument("--log", action="store_true", help="log the rows, as the server does")
    command.add_trust_code(parser)
    return parser.parse_args(argv)


def check_output(args: argparse.Namespace) -> None:
    """Raise UsageError where the output is the input, or its format is not said."""
    if Path(args.output).resolve() == Path(args.input).resolve():
        raise UsageError(f"--output {args.output}: is the input; choose another file")
    if not Path(args.output).suffix:
        raise UsageError(f"--output {args.output}: end it in .csv or .parquet")
    if args.spreadsheet_safe and columnar.is_parquet(args.output):
        raise UsageError(
            f"--spreadsheet-safe is for CSV files, and --output {args.output} is a Parquet file; "
            f"leave it out"
        )


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    settings = command.settings()
    dataset = settings.dataset(args.dataset)
    check_output(args)

    served = loaded.load(
        args.dataset, settings, args.version, args.trust_code, for_single_rows=False
    )
    request_id = uuid.uuid4().hex
    count = RowCount(args.dataset)
    parts = reading.parts(
        args.input, ROWS_AT_A_TIME, quality.form_of_file(args.dataset, dataset.data, args.input)
    )
    with tempfile.TemporaryFile() as log:
        with (
            files.replacing(args.output) as partial,
            result_file(partial, columnar.is_parquet(args.output), args.spreadsheet_safe) as write,
        ):
            for part in parts:
                predicted = predict(served, part, count.rows, args.input)
                write(with_columns(part, predicted.columns, args.input))
                if args.log:
                    redact = dataset.serve.log_redact
                    log.write(log_lines(served, predicted, count.rows, request_id, redact))
                count.add(len(predicted.features))
        # into the log only now, when the predictions are there
        append_to_log(args.dataset, log, dataset.serve)
    logged = f", logged as request {request_id}" if args.log else ""
    version = f"{served.name} version {served.version}"
    print(f"predict {args.dataset}: {count.rows:,} rows by {version} -> {args.output}{logged}")


if __name__ == "__main__":
    command.run(main)
