"""Predict the rows of a file of any size with a registered model, a part at a time.

    python predict.py --dataset iris --input new_rows.csv --output predictions.csv
    python predict.py --dataset iris --input new_rows.parquet --output predictions.parquet --version 2 --log

Reads   params.yaml, the registry, the CSV or Parquet file, which has to hold every feature
Writes  the file's columns with `prediction` and, for classes, `probability_<class>` beside them: all of it or nothing; with --log
        also logs/inference/iris.jsonl, under one request id, each row with its number in the file
"""

import sys
import tempfile
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

from pipeline import command
from pipeline.data import reading
from pipeline.inference_log.lines import Entry, as_lines
from pipeline.inference_log.writer import append
from pipeline.project import files, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.scoring import thresholds
from pipeline.serving import compiled, loaded

ROWS_AT_A_TIME = 20_000
SECONDS_BETWEEN_LINES = 10


def predict(served, part, first, origin):
    """Return the typed features of a part of the table, and its predictions and probabilities by column.

    Raises DataError where a row breaks the rule that the server's requests follow, too.
    """
    import numpy as np
    import pandas as pd

    frame = part.to_pandas(integer_object_nulls=True, ignore_metadata=True)
    frame.index = pd.RangeIndex(first, first + len(frame))
    features = served.signature.table(frame, origin)
    output, classes = served.model.output(features), served.model.spec.classes
    lost = loaded.not_finite(output)
    if len(lost):
        raise DataError(
            f"{origin}: {reading.rows_in_file(features.index[lost])}: {loaded.NOT_FINITE}; mend the values"
        )
    if classes is None:
        return features, {"prediction": output}
    decisions = thresholds.decide(output, served.model.spec.threshold)
    return features, {"prediction": np.array(classes)[decisions]} | {
        f"probability_{label}": output[:, number] for number, label in enumerate(classes)
    }


def check_names(part, answers, origin):
    """Raise where the file has a column of the name of one that is to be added."""
    twice = [name for name in answers if name in part.column_names]
    if twice:
        raise DataError(
            f"{origin}: has a column {twice[0]!r} already, which is to be added; rename it"
        )


@contextmanager
def writer(path, as_parquet):
    """Yield a function that writes a part of the result to a CSV or Parquet file."""
    if as_parquet:
        import pyarrow.parquet

        opened = []

        def write(part):
            if not opened:
                opened.append(pyarrow.parquet.ParquetWriter(path, part.schema, compression="zstd"))
            opened[0].write_table(part)

        try:
            yield write
        finally:
            for one in opened:
                one.close()
    else:
        with open(path, "w", encoding="utf-8", newline="") as stream:

            def write(part):
                part.to_pandas(integer_object_nulls=True, ignore_metadata=True).to_csv(
                    stream, index=False, header=stream.tell() == 0, lineterminator="\n"
                )

            yield write


def log_lines(served, features, answers, first, request_id, redact):
    """Return the lines of the inference log for a part."""
    rows = [dict(zip(features.columns, row)) for row in compiled.as_rows(features)]
    classes = served.model.spec.classes
    answered = [{"prediction": value} for value in answers["prediction"].tolist()]
    if classes:
        probabilities = zip(*(answers[f"probability_{label}"].tolist() for label in classes))
        answered = [
            {**one, "probabilities": dict(zip(classes, row))}
            for one, row in zip(answered, probabilities)
        ]
    return as_lines(
        Entry(time.time_ns(), request_id, served.name, served.version, rows, answered, first=first),
        frozenset(redact),
    )


def main(argv=None):
    parser = command.parser(__doc__)
    parser.add_argument("--dataset", required=True, metavar="D", help="a dataset of params.yaml")
    parser.add_argument(
        "--input", required=True, metavar="FILE", help="the rows: a CSV or Parquet file"
    )
    parser.add_argument(
        "--output", required=True, metavar="FILE", help="where the predictions go: .csv or .parquet"
    )
    parser.add_argument(
        "--version", default="champion", metavar="V", help="a version's number or alias (champion)"
    )
    parser.add_argument("--log", action="store_true", help="log the rows, as the server does")
    args = parser.parse_args(argv)
    settings = command.settings()
    data, serve = (getattr(settings.dataset(args.dataset), block) for block in ("data", "serve"))
    if Path(args.output).resolve() == Path(args.input).resolve():
        raise UsageError(f"--output {args.output}: is the input; choose another file")
    if not Path(args.output).suffix:
        raise UsageError(f"--output {args.output}: end it in .csv or .parquet")

    import pyarrow

    served = loaded.load(args.dataset, settings, args.version)
    request_id, rows, shown = uuid.uuid4().hex, 0, time.monotonic()
    with tempfile.TemporaryFile() as log:
        with (
            files.replacing(args.output) as partial,
            writer(partial, reading.is_parquet(args.output)) as write,
        ):
            for part in reading.parts(args.input, ROWS_AT_A_TIME, reading.form_of(data)):
                features, answers = predict(served, part, rows, args.input)
                check_names(part, answers, args.input)
                for name, values in answers.items():
                    part = part.append_column(name, pyarrow.array(values))
                write(part)
                if args.log:
                    log.write(
                        log_lines(served, features, answers, rows, request_id, serve.log_redact)
                    )
                rows += len(features)
                if time.monotonic() - shown > SECONDS_BETWEEN_LINES:
                    shown = time.monotonic()
                    print(f"predict {args.dataset}: {rows:,} rows", file=sys.stderr, flush=True)
        log.seek(0)  # into the log only now, when the predictions are there
        while lines := b"".join(log.readlines(serve.log_file_size)):
            append(paths.inference_log(args.dataset), lines, serve.log_file_size)
    print(
        f"predict {args.dataset}: {rows:,} rows by {served.name} version {served.version} -> {args.output}"
        f"{f', logged as request {request_id}' if args.log else ''}"
    )


if __name__ == "__main__":
    command.run(main)
