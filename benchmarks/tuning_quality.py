"""How good a tuned model is against what FLAML and AutoGluon find in the same time.

    python -m benchmarks.tuning_quality data/raw/telco.csv --target Churn --budget 60
    python -m benchmarks.tuning_quality prices.csv --target SalePrice --budget 60 --rivals flaml

Makes a project of its own in a temporary folder, with the dataset's block as `generate_data.py
--new` proposes it and all three boosters to tune, and an environment per rival below
--environments, which is kept. Each has the prepared training split, --budget seconds of wall time
and --cores cores, and nothing of the test split. Prints a table of test scores, and what each took
in all.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

from pipeline.project import params
from pipeline.scoring import metrics
from pipeline.scoring.rows import Rows
from pipeline.training import predictions
from pipeline.training.problem import Problem, read_problem
from pipeline.training.results.reading import read_tune

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "flaml": ["flaml[automl]==2.7.0", "pandas<3", "pyarrow"],
    "autogluon": ["autogluon.tabular[lightgbm,catboost,xgboost]==1.6.3", "pyarrow"],
}
RIVALS = {
    "flaml": """
from flaml import AutoML
model = AutoML()
task = "regression" if regression else "classification"
model.fit(X, y, task=task, metric=metric, time_budget=budget, n_jobs=cores, seed=42, verbose=0)
output = model.predict(X_test) if regression else model.predict_proba(X_test)
""",
    "autogluon": """
from autogluon.tabular import TabularPredictor
eval_metric = "root_mean_squared_error" if metric == "rmse" else metric
problem_type = "binary" if y.nunique() == 2 else "multiclass"
if regression:
    problem_type = "regression"
model = TabularPredictor(
    "_target", problem_type=problem_type, eval_metric=eval_metric, verbosity=0
)
model.fit(X.assign(_target=y.to_numpy()), time_limit=budget, presets=preset, num_cpus=cores)
output = (model.predict(X_test) if regression else model.predict_proba(X_test)).to_numpy()
""",
}
BEFORE = """
import json, sys, time
import numpy as np, pandas as pd
folder, target, metric, budget, cores, preset = sys.argv[1:]
budget, cores, regression = float(budget), int(cores), metric in ("rmse", "mae", "r2")
train, test = (pd.read_parquet(f"{folder}/{split}.parquet") for split in ("train", "test"))
for frame in (train, test):
    for column in frame.columns:
        if not pd.api.types.is_numeric_dtype(frame[column]):
            frame[column] = frame[column].astype(object).where(frame[column].notna(), None)
X, y, X_test = train.drop(columns=target), train[target], test.drop(columns=target)
if not regression:
    y = pd.Series(pd.Categorical(y, categories=sorted(y.unique())).codes.astype(int), index=y.index)
started = time.perf_counter()
"""
AFTER = """
np.save(f"{folder}/rival.npy", np.asarray(output, dtype=float))
print(json.dumps({"seconds": time.perf_counter() - started}))
"""


DATASET = "bench"
SCRIPTS = ("generate_data.py", "prepare_data.py", "train.py", "tune_hyperparameters.py")


@dataclass(frozen=True)
class Result:
    """What was found: its test scores, and the seconds it took in all, where that is its own."""

    scores: dict[str, float]
    seconds: float | None


def run(command: list[str], folder: Path) -> str:
    """Run a command to its end; return what it printed."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in ("PYTHONDONTWRITEBYTECODE", "OMP_NUM_THREADS")
    }
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(command[:3])} failed:\n{done.stdout[-500:]}{done.stderr[-1500:]}"
        )
    return done.stdout


def rival_python(name: str, environments: str) -> str:
    """Return the Python of a rival's environment, which is made where it is not there."""
    environment = Path(environments) / name
    python = str(environment / "bin/python")
    if not (environment / "ready").is_file():
        packages = ", ".join(PACKAGES[name])
        print(f"making an environment for {name}: {packages}", file=sys.stderr, flush=True)
        run([sys.executable, "-m", "venv", "--clear", str(environment)], ROOT)
        run([python, "-m", "pip", "install", "--quiet", *PACKAGES[name]], ROOT)
        (environment / "ready").touch()
    return python


def make_project(folder: Path, file: str, target: str) -> None:
    """Make a project with the file as its only dataset, tuned over all boosters."""
    shutil.copy(ROOT / "params.yaml", folder)
    shutil.copy(file, folder / "table.csv")
    for name in ("pipeline", *SCRIPTS):
        (folder / name).symlink_to(ROOT / name)
    proposal = ["--new", DATASET, "--source", "table.csv", "--target", target]
    proposed = run([sys.executable, "generate_data.py", *proposal], folder)
    yaml = YAML()
    settings = yaml.load(folder / "params.yaml")
    block = yaml.load(proposed)[DATASET]
    is_regression = block["data"]["task"] == "regression"
    linear = "ridge" if is_regression else "logistic_regression"
    block["train"]["models"] = {"dummy": {}, linear: {}}
    block["tune"] = {"models": ["lightgbm", "xgboost", "catboost"], "trials": 10_000}
    if is_regression:
        block["tune"]["target_transforms"] = ["none", "log1p"]
    settings["datasets"] = {DATASET: block}
    yaml.dump(settings, folder / "params.yaml")


def scores(problem: Problem, output: np.ndarray) -> dict[str, float]:
    """Return the metrics that are compared."""
    rows = Rows(problem.y_test, output)
    if problem.task == "classification":
        names = [metric.name for metric in metrics.of_task(problem.task)]
        compared = [name for name in names if metrics.lookup(name).of == "probabilities"]
        return {name: metrics.value(name, rows) for name in compared}
    errors = np.log1p(np.maximum(output, 0)) - np.log1p(problem.y_test)
    return {**metrics.score(rows), "rmsle": float(np.sqrt(np.mean(errors**2)))}


def tuned(problem: Problem, seconds: float) -> dict[str, Result]:
    """Return {candidate: its result} of what was tuned, the best by cross-validation first."""
    figures = read_tune(problem.dataset)
    names = sorted(figures["candidates"], key=lambda name: name != figures["best"])
    found = {}
    for name in names:
        output = predictions.read_output(
            problem.dataset, "tune", name, predictions.TEST, problem.classes
        )
        taken = seconds if name == figures["best"] else None
        found[f"ours: {name}"] = Result(scores(problem, output), taken)
    return found


def rival(name: str, python: str, problem: Problem, args: argparse.Namespace) -> Result:
    """Return what a rival finds on the same rows in its own environment."""
    started = time.perf_counter()
    folder = Path("data/processed") / DATASET
    code = BEFORE + RIVALS[name] + AFTER
    options = [problem.primary_metric, str(args.budget), str(args.cores), args.preset]
    run([python, "-c", code, str(folder.resolve()), args.target, *options], Path.cwd())
    output = np.load(folder / "rival.npy")
    if problem.classes:  # its classes are sorted, ours have the positive one last
        order = [sorted(problem.classes).index(label) for label in problem.classes]
        output = output[:, order]
    return Result(scores(problem, output), time.perf_counter() - started)


def compare(args: argparse.Namespace, pythons: dict[str, str]) -> None:
    """Tune in the project that is the working directory, let the rivals search, print a table."""
    folder = Path.cwd()
    for script in SCRIPTS[:-1]:
        run([sys.executable, script], folder)
    # the start of Python and MLflow's record are not in the budget, but in the seconds printed
    started = time.perf_counter()
    run([sys.executable, "tune_hyperparameters.py", "--seconds", str(args.budget)], folder)
    problem = read_problem(DATASET, params.load())
    found = tuned(problem, time.perf_counter() - started)
    for name, python in pythons.items():
        try:
            found[name] = rival(name, python, problem, args)
        except RuntimeError as error:
            print(f"{name}: {error}", file=sys.stderr)
    trials = read_tune(DATASET)["trials"]["total"]
    rows = f"{len(problem.X):,} training and {len(problem.X_test):,} test rows"
    print(
        f"{Path(args.file).name}: {rows}, chosen by {problem.primary_metric}, "
        f"{args.budget:g} s on {args.cores} cores, {trials} trials of ours"
    )
    print_table(found)


def print_table(found: dict[str, Result]) -> None:
    """Print a line of test scores for each result."""
    names = list(next(iter(found.values())).scores)
    heads = "".join(f"{name:>18}" for name in names)
    print(f"{'':24}{heads}{'seconds in all':>16}")
    for name, result in found.items():
        cells = "".join(f"{result.scores[metric]:>18,.4f}" for metric in names)
        seconds = f"{result.seconds:>16.0f}" if result.seconds else ""
        print(f"{name:24}{cells}{seconds}")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("file", help="a CSV file")
    parser.add_argument("--target", required=True, help="the column to predict")
    parser.add_argument("--budget", type=float, default=60, help="seconds for each (default 60)")
    parser.add_argument("--cores", type=int, default=2, help="cores for each (default 2)")
    parser.add_argument("--rivals", nargs="*", choices=list(RIVALS), default=list(RIVALS))
    parser.add_argument(
        "--preset", default="medium_quality", help="of AutoGluon (default medium_quality)"
    )
    parser.add_argument(
        "--environments",
        default=str(Path(tempfile.gettempdir()) / "tuning_rivals"),
        help="the rivals' folder",
    )
    return parser.parse_args()


def main() -> None:
    args = options()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    pythons = {name: rival_python(name, args.environments) for name in args.rivals}
    with tempfile.TemporaryDirectory() as temporary:
        make_project(Path(temporary), args.file, args.target)
        os.chdir(temporary)
        compare(args, pythons)
        os.chdir(ROOT)


if __name__ == "__main__":
    main()
