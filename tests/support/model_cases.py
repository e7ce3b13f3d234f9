"""Models of every family and task, fitted on one small table."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.models import catalogue, fitting, storage
from pipeline.models.fitted import Model
from pipeline.models.spec import ModelSpec

# more rounds, for models that have to have learnt something
LONGER = {
    "gradient_boosting": {"max_iter": 30},
    "xgboost": {"n_estimators": 30},
    "lightgbm": {"n_estimators": 30},
    "catboost": {"iterations": 30},
}
CLASSES = {"regression": None, "two": ["no", "yes"], "three": ["p", "q", "r"]}


def task_of(kind: str) -> str:
    """Return the task of a kind of target: regression, two classes or three."""
    return "regression" if kind == "regression" else "classification"


# every family with each kind of target that it takes
CASES = [
    f"{name}-{kind}"
    for kind in CLASSES
    for name, family in catalogue.FAMILIES.items()
    if family.class_path(task_of(kind))
]


def rows(seed: int, towns: tuple[str, ...] = ("a", "b", "c"), n: int = 120) -> pd.DataFrame:
    """Return typed features with missing numbers and categories."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "size": rng.normal(size=n).round(2),
            "age": rng.integers(0, 60, n).astype(float),
            "town": pd.Series(rng.choice(towns, n)).astype("str"),
        }
    )
    X.loc[::7, "size"] = np.nan
    X.loc[::11, "town"] = None
    return X


X = rows(0)
NEW_ROWS = rows(1, towns=("a", "b", "elsewhere"))
BASE = (
    X["age"].to_numpy()
    + 10 * (X["town"] == "a").to_numpy()
    + np.random.default_rng(2).normal(size=len(X))
)
# targets with a rare class
RARE = {
    "two": np.arange(120) % 6 == 0,
    "three": (np.arange(120) % 6 == 0) + 2 * (np.arange(120) % 10 == 1),
}
TARGETS = {
    "regression": BASE,
    "two": (BASE > 45).astype(int),
    "three": (BASE > 40).astype(int) + (BASE > 52),
}


def spec(name: str, kind: str, **other: Any) -> ModelSpec:
    columns = kinds.kinds_of(X)
    content: dict[str, Any] = {
        "name": name,
        "task": task_of(kind),
        "inputs": columns,
        "features": columns,
        "target": "price",
        "target_transform": "none",
        "classes": CLASSES[kind],
        "threshold": 0.4 if kind == "two" else None,
        **other,
    }
    return ModelSpec(**content)


def fit(
    case: str,
    hyperparameters: dict[str, Any] | None = None,
    resampling: str = "none",
    y: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    **other: Any,
) -> Model:
    """Return the fitted model of a case; `other` are fields of its spec."""
    name, kind = case.split("-")
    settings = {**catalogue.FAMILIES[name].small, **(hyperparameters or {})}
    target = TARGETS[kind] if y is None else y
    return fitting.fit(spec(name, kind, **other), settings, X, target, 7, resampling, weight)


def save(model: Model, folder: Path) -> dict[str, Any]:
    folder.mkdir(parents=True)
    return storage.save(model, folder, {"dataset": "tiny"})


def fit_and_save_all(folder: Path) -> None:
    """Fit every family for every task; save each twice, with its output on new rows."""
    for case in CASES:
        model = fit(case)
        save(model, folder / case / "first")
        save(model, folder / case / "second")
        np.save(folder / case / "output.npy", model.output(NEW_ROWS))
