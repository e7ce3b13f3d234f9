"""Seconds and memory of the drift decision on large tables, and of Evidently's drift preset on the
same.

    python -m benchmarks.drift_scale [--rows 16000 ...] [--theirs-up-to 1000000] [--cores 2]

Two tables drawn alike, of 31 columns (20 normal, 6 skewed and rounded, 5 of four categories), are
written to Parquet files; each line is a process of its own that reads both and decides. `in memory`
has both tables as DataFrames first, `by columns` reads the files a column at a time, `from CSV`
reads the same as CSV. Peak memory is that of the process, imports included (about 200 MiB).
Evidently runs Kolmogorov-Smirnov and chi-squared tests on all rows, as ours does, without HTML.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow
from pyarrow import csv, parquet

ROOT = Path(__file__).resolve().parent.parent
ROWS = (16_000, 200_000, 1_000_000, 5_000_000)
PART = 250_000  # rows that are made at a time
OURS = """
import sys, time
import pandas as pd
from pipeline.data import typed_tables
from pipeline.drift.comparison import Plan, compare_tables
from pipeline.drift.roles import Roles
from pipeline.project.settings.drift import Drift
import scipy.stats
in_memory, *paths = sys.argv[1:]
given = [pd.read_parquet(path) for path in paths] if in_memory == "yes" else paths
size = 0
if in_memory == "yes":
    size = sum(table.memory_usage(deep=True).sum() for table in given) / 2**20
started = time.perf_counter()
one, other = (table if in_memory == "yes" else typed_tables.open_file(table) for table in given)
found = compare_tables(one, other, Plan(Roles(), Drift()), n_workers={cores})
print(time.perf_counter() - started, size, found.verdict)
"""
THEIRS = """
import sys, time
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
one, other = (pd.read_parquet(path) for path in sys.argv[1:])
numbers = list(one.select_dtypes("number"))
others = [name for name in one if name not in numbers]
definition = DataDefinition(numerical_columns=numbers, categorical_columns=others)
started = time.perf_counter()
both = (Dataset.from_pandas(frame, definition) for frame in (other, one))
found = Report([DataDriftPreset(num_method="ks", cat_method="chisquare")]).run(*both)
seconds = time.perf_counter() - started
share = found.dict()["metrics"][0]["value"]["share"]
print(seconds, 0, "drift" if share >= 0.5 else "no drift")
"""


def write(path: Path, rows: int, seed: int) -> None:
    """Write a table of synthetic rows, part by part."""
    rng, writer = np.random.default_rng(seed), None
    for start in range(0, rows, PART):
        n = min(PART, rows - start)
        part = {f"normal {k}": rng.normal(size=n) for k in range(20)}
        part |= {f"skewed {k}": rng.exponential(size=n).round(2) for k in range(6)}
        part |= {
            f"class {k}": np.array(["a", "b", "c", "d"])[rng.choice(4, n, p=[0.5, 0.3, 0.15, 0.05])]
            for k in range(5)
        }
        table = pyarrow.table(part)
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def as_csv(path: Path) -> Path:
    target = path.with_suffix(".csv")
    with parquet.ParquetFile(path) as file, csv.CSVWriter(target, file.schema_arrow) as writer:
        for batch in file.iter_batches():
            writer.write_batch(batch)
    return target


def measured(code: str, *arguments: object) -> str:
    """Return a line of the seconds, the process's peak memory and the verdict of a program."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        return f"{'ended without a result':>40}"
    seconds, size, verdict = output.strip().splitlines()[-1].split(maxsplit=2)
    tables = f"{float(size):,.0f}" if float(size) else ""
    return f"{float(seconds):10.1f} {usage.ru_maxrss / 1024:12,.0f} {tables:>12}  {verdict}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help="of each table")
    parser.add_argument(
        "--theirs-up-to",
        type=int,
        default=1_000_000,
        metavar="ROWS",
        help="that Evidently is given",
    )
    parser.add_argument(
        "--csv-up-to", type=int, default=1_000_000, metavar="ROWS", help="that are read as CSV, too"
    )
    parser.add_argument("--cores", type=int, default=2)
    args = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    ours = OURS.replace("{cores}", str(args.cores))
    print(
        f"{args.cores} cores, {time.strftime('%Y-%m-%d')}, synthetic data\n"
        f"{'rows, 31 columns':18} {'':22} {'seconds':>10} "
        f"{'peak MiB':>12} {'tables MiB':>12}  verdict"
    )
    for rows in args.rows:
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / f"{name}.parquet" for name in ("reference", "current")]
            for seed, path in enumerate(paths):
                write(path, rows, seed)
            print(f"{rows:<18,} {'ours, in memory':22} {measured(ours, 'yes', *paths)}", flush=True)
            print(f"{'':18} {'ours, by columns':22} {measured(ours, 'no', *paths)}", flush=True)
            if rows <= args.csv_up_to:
                print(
                    f"{'':18} {'ours, from CSV':22} {measured(ours, 'no', *map(as_csv, paths))}",
                    flush=True,
                )
            if rows <= args.theirs_up_to:
                print(f"{'':18} {'Evidently, in memory':22} {measured(THEIRS, *paths)}", flush=True)


if __name__ == "__main__":
    main()
