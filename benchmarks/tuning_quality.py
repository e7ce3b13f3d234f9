"""How good a tuned model is against what FLAML and AutoGluon find in the same time, on the same split and cores.

    python benchmarks/tuning_quality.py data/raw/telco.csv --target Churn --budget 60
    python benchmarks/tuning_quality.py prices.csv --target SalePrice --budget 60 --rivals flaml

Makes a project of its own in a temporary folder, with the dataset's block as `generate_data.py --new` proposes it and all three
boosters to tune, and an environment per rival below --environments, which is kept. Each has the prepared training split, --budget
seconds of wall time and --cores cores, and nothing of the test split. Prints a table of test scores, and what each took in all.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline.project import params
from pipeline.scoring import metrics
from pipeline.scoring.rows import Rows
from pipeline.training.problem import read_problem

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "flaml": ["flaml[automl]==2.7.0", "pandas<3", "pyarrow"],
    "autogluon": ["autogluon.tabular[lightgbm,catboost,xgboost]==1.6.3", "pyarrow"],
}
RIVALS = {
    "flaml": """
from flaml import AutoML
model = AutoML()
model.fit(X, y, task="regression" if regression else "classification", metric={"rmse": "rmse", "roc_auc": "roc_auc",
          "log_loss": "log_loss"}[metric], time_budget=budget, n_jobs=cores, seed=42, verbose=0)
output = model.predict(X_test) if regression else model.predict_proba(X_test)
""",
    "autogluon": """
from autogluon.tabular import TabularPredictor
model = TabularPredictor("_target", eval_metric={"rmse": "root_mean_squared_error"}.get(metric, metric), verbosity=0,
                         problem_type="regression" if regression else "binary" if y.nunique() == 2 else "multiclass")
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


def run(command, folder, **environment):
    """Run a command to its end; return what it printed."""
    clean = {
        key: value
        for key, value in os.environ.items()
        if key not in ("PYTHONDONTWRITEBYTECODE", "OMP_NUM_THREADS")
    }
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={**clean, **environment}
    )
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(map(str, command[:3]))} failed:\n{done.stdout[-500:]}{done.stderr[-1500:]}"
        )
    return done.stdout


def rival_python(name, environments):
    """Return the Python of a rival's environment, which is made where it is not there."""
    python = Path(environments) / name / "bin/python"
    if not (python.parent.parent / "ready").is_file():
        print(
            f"making an environment for {name}: {', '.join(PACKAGES[name])}",
            file=sys.stderr,
            flush=True,
        )
        run([sys.executable, "-m", "venv", "--clear", str(python.parent.parent)], ROOT)
        run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES[name]], ROOT)
        (python.parent.parent / "ready").touch()
    return str(python)


def project(folder, file, target, budget):
    """Make a project with the file as its only dataset, tuned over all boosters; return the dataset's task and primary metric."""
    from ruamel.yaml import YAML

    shutil.copy(ROOT / "params.yaml", folder)
    shutil.copy(file, folder / "table.csv")
    for name in (
        "pipeline",
        "generate_data.py",
        "prepare_data.py",
        "train.py",
        "tune_hyperparameters.py",
    ):
        (folder / name).symlink_to(ROOT / name)
    block = run(
        [
            sys.executable,
            "generate_data.py",
            "--new",
            "bench",
            "--source",
            "table.csv",
            "--target",
            target,
        ],
        folder,
    )
    yaml = YAML()
    settings, new = yaml.load(folder / "params.yaml"), yaml.load(block)
    spec = new["bench"]
    spec["train"]["models"] = {
        "dummy": {},
        **{
            name: {}
            for name in (
                ["ridge"] if spec["data"]["task"] == "regression" else ["logistic_regression"]
            )
        },
    }
    spec["tune"] = {"models": ["lightgbm", "xgboost", "catboost"], "trials": 10_000}
    if spec["data"]["task"] == "regression":
        spec["tune"]["target_transforms"] = ["none", "log1p"]
    settings["datasets"] = {"bench": spec}
    yaml.dump(settings, folder / "params.yaml")
    return spec["data"]["task"], spec["train"]["primary_metric"]


def scores(task, y, output, classes):
    """Return the metrics that are compared."""
    import numpy as np

    if task == "regression":
        found = metrics.score(Rows(y, output))
        return {
            **found,
            "rmsle": float(np.sqrt(np.mean((np.log1p(np.maximum(output, 0)) - np.log1p(y)) ** 2))),
        }
    rows = Rows(y, output)
    of_probabilities = [one for one in metrics.of_task(task) if one.of == "probabilities"]
    return {one.name: metrics.value(one.name, rows) for one in of_probabilities}


def ours(folder, task):
    """Return {candidate: test output} of what was tuned, the best by cross-validation first."""
    import pandas as pd

    figures = json.loads((folder / "metrics/datasets/bench/tune.json").read_text())
    frame = pd.read_parquet(folder / "data/predictions/bench/tune/test.parquet")
    found = {}
    for name in sorted(figures["candidates"], key=lambda name: name != figures["best"]):
        columns = (
            [name]
            if task == "regression"
            else [column for column in frame if column.startswith(f"{name}__")]
        )
        found[name] = (
            frame[columns].to_numpy()[:, 0] if task == "regression" else frame[columns].to_numpy()
        )
    return found, figures["trials"]["total"]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
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
    args = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    pythons = {name: rival_python(name, args.environments) for name in args.rivals}
    with tempfile.TemporaryDirectory() as temporary:
        folder, rows = Path(temporary), {}
        task, metric = project(folder, args.file, args.target, args.budget)
        for script in ("generate_data.py", "prepare_data.py", "train.py"):
            run([sys.executable, script], folder)
        # what follows the search, the fits on all rows, the figures and MLflow's record, is inside the budget too
        started = time.perf_counter()
        run([sys.executable, "tune_hyperparameters.py", "--timeout", str(args.budget / 2)], folder)
        taken = time.perf_counter() - started
        import numpy as np

        os.chdir(folder)
        problem = read_problem("bench", params.load())
        outputs, trials = ours(folder, task)
        for place, (name, output) in enumerate(outputs.items()):
            rows[f"ours: {name}"] = (
                scores(task, problem.y_test, output, problem.classes),
                taken if not place else None,
            )
        for name, python in pythons.items():
            started = time.perf_counter()
            try:
                run(
                    [
                        python,
                        "-c",
                        BEFORE + RIVALS[name] + AFTER,
                        str(folder / "data/processed/bench"),
                        args.target,
                        metric,
                        str(args.budget),
                        str(args.cores),
                        args.preset,
                    ],
                    folder,
                )
            except RuntimeError as error:
                print(f"{name}: {error}", file=sys.stderr)
                continue
            output = np.load(folder / "data/processed/bench/rival.npy")
            if task == "classification":  # the classes in our order
                order = [sorted(problem.classes).index(label) for label in problem.classes]
                output = output[:, order]
            rows[name] = (
                scores(task, problem.y_test, output, problem.classes),
                time.perf_counter() - started,
            )
        os.chdir(ROOT)
    names = list(next(iter(rows.values()))[0])
    print(
        f"{Path(args.file).name}: {len(problem.X):,} training and {len(problem.X_test):,} test rows, chosen by {metric}, "
        f"{args.budget:g} s on {args.cores} cores, {trials} trials of ours"
    )
    print(f"{'':24}" + "".join(f"{name:>18}" for name in names) + f"{'seconds in all':>16}")
    for name, (found, seconds) in rows.items():
        print(
            f"{name:24}"
            + "".join(f"{found[metric_name]:>18,.4f}" for metric_name in names)
            + (f"{seconds:>16.0f}" if seconds else "")
        )


if __name__ == "__main__":
    main()
