"""The rivals of tuning: each fits in an environment of its own, on the same prepared rows."""

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LONGEST = 20  # times the budget, after which a method has failed
ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "flaml": ["flaml[automl]==2.7.0", "pandas<3", "pyarrow"],
    "autogluon": ["autogluon.tabular[lightgbm,catboost,xgboost]==1.6.3", "pyarrow"],
    "mljar": ["mljar-supervised==1.2.3", "pyarrow"],
}
# in front of a program, to have it count seconds of the processor in place of those that pass
PROCESSOR_CLOCK = """
import time
time.time = lambda: 1.7e9 + time.process_time()
time.perf_counter = time.monotonic = time.process_time
"""
BEFORE = """
import json, pickle, sys, time
from pathlib import Path
import numpy as np, pandas as pd
folder, scratch, target, metric, budget, cores, preset, out = sys.argv[1:]
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
FLAML = """
from flaml import AutoML
model = AutoML()
task = "regression" if regression else "classification"
name = {"average_precision": "ap"}.get(metric, metric)
model.fit(X, y, task=task, metric=name, time_budget=budget, n_jobs=cores, seed=42, verbose=0)
predict = model.predict if regression else model.predict_proba
"""
AUTOGLUON = """
from autogluon.tabular import TabularPredictor
eval_metric = "root_mean_squared_error" if metric == "rmse" else metric
kind = "regression" if regression else "binary" if y.nunique() == 2 else "multiclass"
model = TabularPredictor(
    "_target", problem_type=kind, eval_metric=eval_metric, verbosity=0, path=scratch
)
model.fit(X.assign(_target=y.to_numpy()), time_limit=budget, presets=preset, num_cpus=cores)
predict = model.predict if regression else model.predict_proba
model_bytes = sum(path.stat().st_size for path in Path(scratch).rglob("*") if path.is_file())
"""
MLJAR = """
from supervised import AutoML
task = "regression" if regression else "auto"
name = "auc" if metric == "roc_auc" else metric.replace("log_loss", "logloss")
model = AutoML(
    results_path=scratch, mode="Compete", total_time_limit=budget, n_jobs=cores, random_state=42,
    eval_metric=name, verbose=0
)
model.fit(X, y)
predict = model.predict if regression else model.predict_proba
model_bytes = sum(path.stat().st_size for path in Path(scratch).rglob("*") if path.is_file())
"""
DEFAULT_BOOSTER = """
texts = [name for name in X if not pd.api.types.is_numeric_dtype(X[name])]
levels = {name: sorted(X[name].dropna().unique(), key=str) for name in texts}
def typed(frame):
    frame = frame.copy()
    for name in texts:
        if preset == "catboost":
            frame[name] = frame[name].astype(str)
        else:
            frame[name] = pd.Categorical(frame[name], categories=levels[name])
    return frame
if preset == "catboost":
    from catboost import CatBoostClassifier, CatBoostRegressor
    options = {"cat_features": texts, "thread_count": cores, "verbose": 0}
    options["allow_writing_files"] = False
    model = (CatBoostRegressor if regression else CatBoostClassifier)(**options)
elif preset == "lightgbm":
    from lightgbm import LGBMClassifier, LGBMRegressor
    model = (LGBMRegressor if regression else LGBMClassifier)(n_jobs=cores, verbosity=-1)
else:
    from xgboost import XGBClassifier, XGBRegressor
    model = (XGBRegressor if regression else XGBClassifier)(n_jobs=cores, enable_categorical=True)
rename = {name: f"c{place}" for place, name in enumerate(X)}
prepared = typed(X)
if preset == "lightgbm":
    prepared = prepared.rename(columns=rename)
model.fit(prepared, y)
def predict(frame):
    frame = typed(frame)
    if preset == "lightgbm":
        frame = frame.rename(columns=rename)
    return model.predict(frame) if regression else model.predict_proba(frame)
"""
AFTER = """
seconds = time.perf_counter() - started
output = predict(X_test)
rows = X_test.iloc[np.arange(1000) % len(X_test)]
taken = []
for _ in range(3):
    started = time.perf_counter()
    predict(rows)
    taken.append(time.perf_counter() - started)
if "model_bytes" not in globals():
    model_bytes = len(pickle.dumps(model))
np.save(out, np.asarray(output, dtype=float))
found = {"seconds": seconds, "bytes": model_bytes, "thousand": sorted(taken)[1]}
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Rival:
    """A rival: the environment it runs in, the code that fits it, and its preset.

    A rival that is not `by_time` takes no budget: it is one fit.
    """

    environment: str
    code: str
    preset: str = ""
    by_time: bool = True


RIVALS = {
    "flaml": Rival("flaml", FLAML),
    "autogluon_medium": Rival("autogluon", AUTOGLUON, "medium_quality"),
    "autogluon_good": Rival("autogluon", AUTOGLUON, "good_quality"),
    "autogluon_best": Rival("autogluon", AUTOGLUON, "best_quality"),
    "mljar": Rival("mljar", MLJAR),
    "lightgbm": Rival("autogluon", DEFAULT_BOOSTER, "lightgbm", by_time=False),
    "xgboost": Rival("autogluon", DEFAULT_BOOSTER, "xgboost", by_time=False),
    "catboost": Rival("autogluon", DEFAULT_BOOSTER, "catboost", by_time=False),
}


@dataclass(frozen=True)
class Answer:
    """What was fitted: its output on the test rows, and what it costs.

    `seconds` are those of the fit, `thousand` those of 1,000 predictions, `size` is in bytes.
    """

    output: np.ndarray
    seconds: float
    size: int
    thousand: float


def python_of(name: str, packages: list[str], environments: Path) -> str:
    """Return the Python of an environment, which is made where it is not there."""
    environment = environments / name
    python = environment / "bin/python"
    if not (environment / "ready").is_file():
        print(f"making an environment: {', '.join(packages)}", file=sys.stderr, flush=True)
        run([sys.executable, "-m", "venv", "--clear", str(environment)], ROOT)
        run([str(python), "-m", "pip", "install", "--quiet", *packages], ROOT)
        (environment / "ready").touch()
    return str(python)


def run(command: list[str], folder: Path, limit: float | None = None) -> str:
    """Run a command to its end; return what it printed. Raises RuntimeError where it fails."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"gave nothing in {limit:.0f} s") from None
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise RuntimeError(lines[-1][:200] if lines else f"ended with {done.returncode}")
    return done.stdout


@dataclass(frozen=True)
class Task:
    """What is asked of a rival: the prepared split, the target, the metric, and what it may take.

    With `by_processor` the seconds are those of the processor.
    """

    data: Path
    target: str
    metric: str
    budget: float
    cores: int
    by_processor: bool


def fitted(rival: Rival, environments: Path, task: Task) -> Answer:
    """Return what a rival makes of a task.

    Class probabilities are in the labels' alphabetical order.
    """
    python = python_of(rival.environment, PACKAGES[rival.environment], environments)
    scratch = Path(tempfile.mkdtemp(prefix="tuning_rival_"))
    out = scratch / "output.npy"
    code = (PROCESSOR_CLOCK if task.by_processor else "") + BEFORE + rival.code + AFTER
    numbers = [str(task.budget), str(task.cores)]
    options = [task.target, task.metric, *numbers, rival.preset, str(out)]
    try:
        printed = run(
            [python, "-c", code, str(task.data.resolve()), str(scratch / "model"), *options],
            scratch,
            limit=LONGEST * (task.budget + 60),
        )
        known = json.loads(printed.strip().splitlines()[-1])
        return Answer(np.load(out), known["seconds"], known["bytes"], known["thousand"])
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
