"""A small project: its params.yaml, its table, and copies of this repository with them."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from support.processes import ROOT, shell

PARAMS = """\
seed: 42
workers: 2
datasets:
  iris:
    experiment: Iris-Classification
    data: {source: sklearn, depends_on: pipeline/builtin/iris.py, file: data/iris_data.csv,
           task: classification, target: species}
    prepare: {test_size: 0.2, split: random}
    train: {primary_metric: log_loss, cv_folds: 3,
            models: [dummy, logistic_regression, decision_tree]}
    tune: {models: [logistic_regression], trials: 3, batch: 2}
    drift: {}
    gates: {accuracy: {min: 0.80}}
    register: {name: IrisClassifier, min_rows: 30}
  tiny:
    experiment: Tiny-Regression
    data: {source: tiny.csv, depends_on: tiny.csv, file: data/tiny_data.csv,
           task: regression, target: price, drop: [id]}
    prepare: {test_size: 0.25, split: random}
    train: {primary_metric: rmse, cv_folds: 3, models: [dummy, ridge, decision_tree]}
    tune: {models: [lightgbm, ridge], trials: 6, batch: 3}
    drift: {}
    gates: {r2: {min: 0.5}}
    register: {name: TinyPredictor}
models:
  logistic_regression: {max_iter: 2000}
  ridge: {alpha: 1.0}
  decision_tree: {max_depth: 4}
  lightgbm: {n_estimators: 20}
search_spaces:
  logistic_regression: {C: {low: 0.01, high: 100.0, log: true}}
  ridge: {alpha: {low: 0.01, high: 100.0, log: true}}
  lightgbm: {n_estimators: {low: 5, high: 40}, num_leaves: {low: 3, high: 15},
             learning_rate: {low: 0.05, high: 0.3, log: true}}
  xgboost: {n_estimators: {low: 5, high: 40}, max_depth: {low: 2, high: 5}}
portfolio:
  lightgbm: [{num_leaves: 7}]
"""


def tiny_table(rows: int = 200, seed: int = 0) -> pd.DataFrame:
    """Return a small table with numbers, categories, blanks, and a price that depends on some."""
    rng = np.random.default_rng(seed)
    size = rng.normal(100, 20, rows).round(1)
    town = rng.choice(["Aville", "Bford", "Cham"], rows)
    age = rng.integers(0, 60, rows)
    price = 2 * size + 30 * (town == "Aville") - age + rng.normal(0, 8, rows)
    table = pd.DataFrame(
        {
            "id": np.arange(1, rows + 1),
            "size": size,
            "town": town,
            "age": age,
            "price": price.round(2),
        }
    )
    table.loc[table.index % 17 == 0, "size"] = np.nan
    table.loc[table.index % 23 == 0, "town"] = None
    return table


def edit(folder: Path, old: str, new: str) -> None:
    """Change the one place of a project's params.yaml that reads `old`."""
    text = (folder / "params.yaml").read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    (folder / "params.yaml").write_text(text.replace(old, new), encoding="utf-8")


def real_table(name: str) -> str:
    """Return where one of the real tables lies, which are not ours to pass on.

    The test is skipped where nobody brought it.
    """
    for path in (
        ROOT / "data/raw" / name,
        ROOT.parent / "shared/data" / name,
    ):  # one for all checkouts beside it
        if path.is_file():
            return str(path)
    pytest.skip(f"{name} is not ours to pass on: it is tested where someone put it into data/raw/")


def copy_project(folder: Path, params: str = PARAMS) -> Path:
    """Copy the project's own files into a new folder, with other params.yaml, without outputs.

    The copy is a git and DVC repository.
    """
    tracked = shell("git ls-files --cached --others --exclude-standard", ROOT).stdout.splitlines()
    for name in tracked:
        if (ROOT / name).is_file() and not name.startswith(("metrics/", "tests/", "dvc.lock")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / "params.yaml").write_text(params, encoding="utf-8")
    tiny_table().to_csv(folder / "tiny.csv", index=False)
    done = shell(
        "git init -q -b main . && git config user.email a@example.org && git config user.name a "
        "&& git add -A && git commit -q -m start",
        folder,
    )
    assert done.returncode == 0, done.stderr
    return folder


def link_environment(folder: Path) -> None:
    """Give a folder a .venv that make takes for its own: this Python's, so nothing is installed."""
    (folder / ".venv").mkdir()
    for part in Path(sys.prefix).iterdir():
        if part.name not in (".ready", ".ready-to-test"):
            (folder / ".venv" / part.name).symlink_to(part)
    for ready in (".ready", ".ready-to-test"):
        (folder / ".venv" / ready).touch()


HOUSING = """\
  housing:
    experiment: Housing
    data: {source: synthetic, depends_on: pipeline/builtin/housing.py, file: data/housing_data.csv,
           task: regression, target: MedHouseVal, rows: 300}
    prepare: {}
    train: {primary_metric: rmse, models: [dummy]}
    tune: {}
    drift: {}
    gates: {r2: {min: 0}}
    register: {name: Housing}
"""


def add(project, block: str) -> None:
    """Put a dataset's block before the others of params.yaml."""
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("\ndatasets:\n", f"\ndatasets:\n{block}"))


def content(folder) -> dict:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


SOLD = """\
  sold:
    experiment: Sold
    data: {source: sold.csv, depends_on: sold.csv, file: data/sold_data.csv,
           task: classification, target: sold, positive: "Yes"}
    prepare: {split: random, allow_leakage: []}
    train: {primary_metric: roc_auc, cv_folds: 3, models: [dummy]}
    tune: {}
    drift: {}
    gates: {accuracy: {min: 0}}
    register: {name: Other}
"""


def sales(rows: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    table = tiny_table(rows).drop(columns=["id"])
    return table.assign(sold=np.where(table["price"] + rng.normal(0, 60, rows) > 200, "Yes", "No"))
