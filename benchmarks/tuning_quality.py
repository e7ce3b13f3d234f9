"""How good tuned models are beside what other tools find on the same rows in the same time.

    python -m benchmarks.tuning_quality                                  # all, goes on where it was
    python -m benchmarks.tuning_quality --tables telco wage --budgets 30
    python -m benchmarks.tuning_quality --half development --methods ours --limit 4
    python -m benchmarks.tuning_quality --file prices.csv --target SalePrice --budgets 60
    python -m benchmarks.tuning_quality --report                         # the document alone

Each table is split three times; each method gets the training rows, a budget of wall seconds and
--cores cores, and nothing of the test rows. Ours has the dataset's block as `generate_data.py
--new` proposes it, without its candidates of train: they would be fitted before the clock starts.

Writes logs/tuning_quality.csv, a line per table, split, budget and method, and the outputs on the
test rows beside it; docs/tuning_quality.md and its picture from both.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

from benchmarks import tuning_rivals, tuning_summary, tuning_tables
from benchmarks.tuning_lines import Line, append_line, read_lines
from benchmarks.tuning_rivals import RIVALS, Answer, Task, run
from benchmarks.tuning_tables import DEVELOPMENT, REPORT, TABLES, Table
from pipeline.models import storage
from pipeline.project import files, params, paths
from pipeline.scoring import metrics
from pipeline.scoring.rows import Rows
from pipeline.training import predictions
from pipeline.training.problem import Problem, read_problem
from pipeline.training.results.reading import read_tune

ROOT = Path(__file__).resolve().parent.parent
DATASET = "bench"
SCRIPTS = ("generate_data.py", "prepare_data.py", "train.py", "tune_hyperparameters.py")
RUN_TUNE = """
import runpy, sys
sys.path.insert(0, "")
sys.argv[0] = "tune_hyperparameters.py"
runpy.run_path(sys.argv[0], run_name="__main__")
"""
OURS = tuning_summary.OURS
BUDGETS = (30.0, 60.0, 300.0)
SPLITS = 3


@dataclass(frozen=True)
class Cell:
    """One method on one split of a table, with a budget of seconds; 0 where it takes none."""

    table: Table
    split: int
    budget: float
    method: str

    @property
    def key(self) -> tuple[str, int, float, str]:
        """Return what distinguishes its line."""
        return self.table.name, self.split, self.budget, self.method


def cells(args: argparse.Namespace) -> Iterator[Cell]:
    """Yield what is asked for: the first split of all tables first, then the next one."""
    tables = [table for table in TABLES if args.half in ("both", table.half)]
    if args.tables:
        tables = [table for table in tables if table.name in args.tables]
    if args.file:
        name = Path(args.file).stem
        tables = [Table(name, args.task, "file", args.file, args.target, REPORT)]
    for budget in args.budgets:
        for split in range(args.splits):
            for table in tables:
                for method in args.methods:
                    takes_time = method == OURS or RIVALS[method].by_time
                    yield Cell(table, split, budget if takes_time else 0.0, method)


@contextmanager
def project_of(table: Table, split: int, args: argparse.Namespace) -> Iterator[Path]:
    """Enter a project with the table as its only dataset, split; made where it is not there."""
    folder = Path(args.work) / f"{table.name}_{split}"
    if not (folder / "ready").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        environments = Path(args.environments)
        python = tuning_rivals.python_of("tables", tuning_tables.PACKAGES, environments)
        tuning_tables.write(table, python, folder / "table.csv")
        _fill_project(table, split, folder)
        (folder / "ready").touch()
    os.chdir(folder)
    try:
        yield folder
    finally:
        os.chdir(ROOT)


def _fill_project(table: Table, split: int, folder: Path) -> None:
    """Make a project that is trained as far as tune asks for."""
    shutil.copy(ROOT / "params.yaml", folder)
    for name in ("pipeline", "ops", *SCRIPTS):
        (folder / name).symlink_to(ROOT / name)
    proposal = ["--new", DATASET, "--source", "table.csv", "--target", table.target]
    task = ["--task", table.task] if table.task else []
    proposed = run([sys.executable, "generate_data.py", *proposal, *task], folder)
    yaml = YAML()
    settings = yaml.load(folder / "params.yaml")
    block = yaml.load(proposed)[DATASET]
    block["train"]["models"] = ["dummy"]
    settings["datasets"] = {DATASET: block}
    settings["seed"] = settings["seed"] + split
    yaml.dump(settings, folder / "params.yaml")
    for script in SCRIPTS[:-1]:
        run([sys.executable, script], folder)


def tuned(problem: Problem, budget: float, cores: int, by_processor: bool) -> Answer:
    """Return what tuning makes of the project that is the working directory."""
    shutil.rmtree(paths.studies(DATASET), ignore_errors=True)
    # the settings may be newer than the project
    started = time.perf_counter()
    clock = tuning_rivals.PROCESSOR_CLOCK if by_processor else ""
    options = ["--seconds", str(budget), "--workers", str(cores)]
    limit = tuning_rivals.LONGEST * (budget + 60)
    run([sys.executable, "-c", clock + RUN_TUNE, *options], Path.cwd(), limit)
    taken = files.read_json(paths.timings(DATASET, "tune"), made_by="tune")
    seconds = taken["search"] + taken["rest"]
    found = read_tune(DATASET)
    assert found is not None  # it was written just now
    best = found["best"]
    folder = paths.models(DATASET, "tune") / best
    model = storage.load(folder)
    rows = problem.X_test.iloc[np.arange(1000) % len(problem.X_test)]
    thousand = []
    for _ in range(3):
        started = time.perf_counter()
        model.output_of_features(rows)
        thousand.append(time.perf_counter() - started)
    output = predictions.read_output(DATASET, "tune", best, predictions.TEST, problem.classes)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Answer(output, seconds, size, sorted(thousand)[1])


def answer(cell: Cell, problem: Problem, args: argparse.Namespace) -> Answer:
    """Return what a method makes of the project that is the working directory.

    Raises RuntimeError where it fails.
    """
    if cell.method == OURS:
        return tuned(problem, cell.budget, args.cores, args.by_processor)
    task = Task(
        paths.processed(DATASET),
        problem.target,
        problem.primary_metric,
        cell.budget,
        args.cores,
        args.by_processor,
    )
    found = tuning_rivals.fitted(RIVALS[cell.method], Path(args.environments), task)
    if not problem.classes:
        return found
    # the classes of a rival are sorted, ours have the positive one last
    order = [sorted(problem.classes).index(label) for label in problem.classes]
    return replace(found, output=found.output[:, order])


def measured(cell: Cell, args: argparse.Namespace) -> Line:
    """Return the line of a cell, whose outputs are written."""
    with project_of(cell.table, cell.split, args):
        problem = read_problem(DATASET, params.load())
        line = Line(
            cell.table.name,
            cell.table.half,
            cell.split,
            cell.budget,
            cell.method,
            args.cores,
            len(problem.X) + len(problem.X_test),
            problem.X.shape[1],
            problem.primary_metric,
            clock="processor" if args.by_processor else "wall",
        )
        try:
            found = answer(cell, problem, args)
        except RuntimeError as error:
            return replace(line, failure=str(error))
        score = metrics.value(problem.primary_metric, Rows(problem.y_test, found.output))
    path = line.output
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, output=found.output, y=problem.y_test)
    return replace(
        line,
        score=score,
        seconds=round(found.seconds, 2),
        bytes=found.size,
        thousand=round(found.thousand, 5),
    )


def options() -> argparse.Namespace:
    """Return the checked options."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    names = [table.name for table in TABLES]
    methods = [OURS, *RIVALS]
    scratch = Path(tempfile.gettempdir())
    parser.add_argument("--tables", nargs="+", choices=names, metavar="T", help=", ".join(names))
    parser.add_argument("--half", choices=[DEVELOPMENT, REPORT, "both"], default="both")
    parser.add_argument("--methods", nargs="+", choices=methods, default=methods)
    parser.add_argument("--budgets", nargs="+", type=float, default=BUDGETS, help="seconds")
    parser.add_argument("--splits", type=int, default=SPLITS, help=f"of each (default {SPLITS})")
    parser.add_argument("--cores", type=int, default=2, help="cores for each (default 2)")
    parser.add_argument(
        "--by-processor",
        action="store_true",
        help="budgets in seconds of the processor, for a busy machine; with --cores 1",
    )
    parser.add_argument("--limit", type=int, help="measure at most so many lines now")
    parser.add_argument("--file", help="a CSV file of your own, in place of the tables")
    parser.add_argument("--target", help="its column to predict")
    parser.add_argument("--task", choices=["regression", "classification"], help="of --file")
    parser.add_argument("--report", action="store_true", help="write the document alone")
    parser.add_argument("--work", default=str(scratch / "tuning_quality"), help="for the projects")
    parser.add_argument(
        "--environments", default=str(scratch / "tuning_rivals"), help="the rivals' folder"
    )
    args = parser.parse_args()
    if bool(args.file) != bool(args.target):
        parser.error("--file and --target go together")
    if args.by_processor and args.cores > 1:
        parser.error("--by-processor counts the seconds of one core: add --cores 1")
    return args


def main() -> None:
    args = options()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    os.environ["OMP_NUM_THREADS"] = str(args.cores)
    known = {line.key for line in read_lines()}
    wanted = [] if args.report else [cell for cell in cells(args) if cell.key not in known]
    for cell in list({cell.key: cell for cell in wanted}.values())[: args.limit]:
        line = measured(cell, args)
        append_line(line)
        what = line.failure or f"{line.metric} {line.score:.5g} in {line.seconds:.0f} s"
        where = f"{line.table} {line.split} {line.budget:g} s {line.method}"
        print(f"{where}: {what}", flush=True)
    if not args.file:
        tuning_summary.write_document(read_lines())


if __name__ == "__main__":
    main()
