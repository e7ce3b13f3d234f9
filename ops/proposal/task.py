"""The task of a new dataset: what its target asks for, and how to train and judge it."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import CATEGORY, NUMBER
from pipeline.project import errors
from pipeline.project.errors import DataError, UsageError

# at most so many different numbers are taken for classes
FEW = 20
# from so many values on, whole numbers of which the middle ones are the commonest are a scale
FEWEST_OF_A_SCALE = 5
# how many times as frequent the commonest step of a scale is as the rarest; names may be even
UNEVEN = 1.3
# below this part of an even share of the rows a class is rare: the ROC curve flatters, and classes
# need weights; of two classes it is 5 % of the rows
RARE = 0.1
# a positive target this skewed is fitted on a logarithmic scale
SKEWED = 1.0
TEST_SIZE = 0.2
# test rows, of each class where there are classes: with fewer, the gate goes by the low end of the
# interval, as the score itself may be far above what the model is worth
FEW_TEST_ROWS = 50
# rows below which boosters have too little to learn from, and cells above which forests are slow
FEW_ROWS, MANY_CELLS = 200, 5_000_000
# a booster grows a tree for each class in each round, so these classes take as many times as long
SEVERAL_CLASSES, MANY_CLASSES = 5, 10
YES = ("yes", "true", "1", "y", "positive")
LINEAR = {"regression": "ridge", "classification": "logistic_regression"}
WEIGHTS = {
    "logistic_regression": {"class_weight": "balanced"},
    "random_forest": {"class_weight": "balanced"},
    "gradient_boosting": {"class_weight": "balanced"},
    "lightgbm": {"class_weight": "balanced"},
    "xgboost": {"scale_pos_weight": "balanced"},
    "catboost": {"auto_class_weights": "Balanced"},
}


@dataclass(frozen=True)
class Task:
    """What a target asks for: the positive class of two, how to train, a gate, and why."""

    task: str
    positive: str | None
    train: dict[str, Any]
    gates: dict[str, Any]
    remarks: list[str]


def task(answers: pd.Series, wanted: str | None, n_columns: int) -> Task:
    """Return what a target asks for, or what is wanted of it; `answers` has no missing ones.

    Raises DataError or UsageError where the target cannot be that.
    """
    found = kinds.typed(answers)
    numbers = found.values if found.kind == NUMBER and not len(found.unreadable) else None
    if wanted == "regression" and numbers is None:
        raise UsageError(
            f"--task regression: the target {answers.name!r} holds text, such as "
            f"{str(answers.iloc[0])!r}; choose another column or --task classification"
        )
    kind, why = _kind(answers, numbers)
    if wanted is not None and wanted != kind:
        kind, why = wanted, f"task {wanted}: as --task says"
    remarks = [why] if why else []
    if kind == "regression":
        assert numbers is not None
        return _regression(numbers, n_columns, remarks)
    return _classification(answers, n_columns, remarks)


def _kind(answers: pd.Series, numbers: pd.Series | None) -> tuple[str, str]:
    """Return the task, and why where it could be the other one."""
    if numbers is None:
        return "classification", ""
    whole = (numbers % 1 == 0).all()
    n_values = numbers.nunique()
    if not whole or n_values > min(FEW, len(numbers) / 10):
        return "regression", ""
    if is_scale(numbers):
        return "regression", (
            f"task regression: {answers.name} has {n_values} whole numbers in an order, the middle "
            f"ones the commonest; --task classification where they are names"
        )
    if n_values > 2:
        return "classification", (
            f"task classification: {answers.name} has {n_values} different whole numbers; --task "
            f"regression where they are an amount"
        )
    return "classification", ""


def is_scale(numbers: pd.Series) -> bool:
    """Return whether few whole numbers are steps of a scale, as grades are, rather than names.

    Then they follow each other and their counts rise to one peak and fall from it, which the
    counts of names do by chance alone.
    """
    counts = numbers.value_counts().sort_index()
    values = counts.index.to_numpy()
    if len(values) < FEWEST_OF_A_SCALE or values[-1] - values[0] != len(values) - 1:
        return False
    peak = int(counts.to_numpy().argmax())
    rises = counts.iloc[: peak + 1].is_monotonic_increasing
    falls = counts.iloc[peak:].is_monotonic_decreasing
    return bool(rises and falls and counts.max() >= UNEVEN * counts.min())


def _regression(numbers: pd.Series, n_columns: int, remarks: list[str]) -> Task:
    models = _models("regression", len(numbers), n_columns, 1, remarks)
    train: dict[str, Any] = {"primary_metric": "rmse", "cv_folds": 5, "models": models}
    if numbers.min() >= 0 and numbers.skew() > SKEWED:
        train["target_transform"] = "log1p"
        remarks.append("target_transform log1p: the target is skewed, with a long tail upwards")
    gate = _gate("r2", 0.2, len(numbers))
    return Task("regression", None, train, gate, [_gate_remark("the mean"), *remarks])


def _classification(answers: pd.Series, n_columns: int, remarks: list[str]) -> Task:
    counts = kinds.typed_as(answers, CATEGORY).values.value_counts()
    shares = counts / counts.sum()
    if len(counts) > FEW and len(counts) > len(answers) / 10:
        raise DataError(
            f"--target {answers.name}: {len(counts):,} different values in {len(answers):,} rows, "
            f"too many for classes; choose another column"
        )
    models: Any = _models("classification", len(answers), n_columns, len(counts), remarks)
    metric, positive = "log_loss", None
    if len(shares) == 2:
        positive, metric = _positive(shares), "roc_auc"
    if shares.min() < RARE / len(shares):
        models = {model: _weights(model, len(shares)) for model in models}
        metric = "average_precision"
        remarks.append(
            f"class weights and {metric}: the class {shares.idxmin()!r} is rare, "
            f"{counts.min():,} of {counts.sum():,} rows"
        )
    train = {"primary_metric": metric, "cv_folds": 5, "models": models}
    gate = _gate("roc_auc", 0.6, counts.min())
    return Task("classification", positive, train, gate, [_gate_remark("chance"), *remarks])


def _weights(model: str, n_classes: int) -> dict[str, Any]:
    """Return what weights classes in a model; XGBoost's setting is for two classes."""
    return {} if model == "xgboost" and n_classes > 2 else WEIGHTS.get(model, {})


def _models(
    kind: str, n_rows: int, n_columns: int, n_classes: int, remarks: list[str]
) -> list[str]:
    """Return the families that fit the size of a table; appends why some are left out."""
    linear = LINEAR[kind]
    if n_rows < FEW_ROWS:
        remarks.append(f"models: boosters need more than {n_rows:,} rows")
        return ["dummy", linear, "decision_tree", "random_forest"]
    if n_classes > MANY_CLASSES:
        remarks.append(f"models: boosters grow a tree for each of {n_classes} classes, so are slow")
        return ["dummy", linear, "decision_tree", "random_forest"]
    if n_classes > SEVERAL_CLASSES:
        remarks.append(f"models: without the boosters that are slow with {n_classes} classes")
        return ["dummy", linear, "random_forest", "xgboost"]
    if n_rows * n_columns > MANY_CELLS:
        remarks.append(f"models: those that are fast on {n_rows:,} rows")
        return ["dummy", linear, "gradient_boosting", "xgboost", "lightgbm"]
    last = "lightgbm" if kind == "regression" else "catboost"
    return ["dummy", linear, "random_forest", "gradient_boosting", "xgboost", last]


def _gate(metric: str, least: float, rows: int) -> dict[str, Any]:
    """Return a gate on the test rows, given how many rows there are, of the rarest class if any."""
    gate: dict[str, Any] = {"min": least}
    if rows * TEST_SIZE < FEW_TEST_ROWS:
        gate["by"] = "low"
    return {metric: gate}


def _gate_remark(guess: str) -> str:
    words = f"better than {guess}" + (" of the target" if guess == "the mean" else "")
    return f"the gate says {words}; raise it once you know the data"


def _positive(shares: pd.Series) -> str:
    """Return the class of two that the model looks for: the one that says yes, else the rarer."""
    named = [label for label in shares.index if label.lower() in YES]
    return named[0] if len(named) == 1 else shares.idxmin()


def checked_target(frame: pd.DataFrame, target: str, origin: str) -> pd.Series:
    """Return the answers that there are; raises DataError where there is nothing to learn."""
    if target not in frame.columns:
        raise DataError(
            f"{origin}: no column {target!r}; the file has: {errors.listed(frame.columns, most=30)}"
        )
    answers = frame[target].dropna()
    if answers.nunique() < 2:
        held = "one value in every row" if len(answers) else "no value"
        raise DataError(f"{origin}: the target {target!r} has {held}; choose another column")
    return answers
