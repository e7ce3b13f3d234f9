"""A block for params.yaml, inferred from a file: what a user starts from with data of their own."""

import json
import re
from pathlib import Path

import pandas as pd

from pipeline import tables
from pipeline.errors import DataError, UsageError
from pipeline.sources import external

FEW = 20                    # at most so many different numbers are taken for classes
RARE = 0.05                 # below this share of positives the ROC curve flatters, and classes need weights
SKEWED = 1.0                # a positive target this skewed is fitted on a logarithmic scale
YES = ("yes", "true", "1", "y", "positive")
MODELS = {"regression": ["dummy", "ridge", "random_forest", "gradient_boosting", "xgboost", "lightgbm"],
          "classification": ["dummy", "logistic_regression", "random_forest", "gradient_boosting", "xgboost", "catboost"]}
WEIGHTS = {"logistic_regression": {"class_weight": "balanced"}, "random_forest": {"class_weight": "balanced"},
           "gradient_boosting": {"class_weight": "balanced"}, "xgboost": {"scale_pos_weight": "balanced"},
           "catboost": {"auto_class_weights": "Balanced"}}


def block(name: str, source: str, target: str) -> str:
    """Return the YAML text of a dataset's block, ready to stand under `datasets:` in params.yaml.

    Raises UsageError for a name that cannot be used, DataError for a file that is no table or has no such target.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UsageError(f"--new {name!r}: a dataset's name is lower-case letters, digits and _, and starts with a letter")
    path = external.fetch(name, source) if external.is_url(source) else Path(source)
    separator = _separator(path)
    frame = tables.read(path, separator)
    if target not in frame.columns:
        raise DataError(f"{source}: no column {target!r}; the file has: {', '.join(map(repr, frame.columns[:30]))}")
    answers = frame[target].dropna()
    if answers.nunique() < 2:
        raise DataError(f"{source}: the target {target!r} has one value in every row; choose another column")
    task = _task(answers)
    identifiers = [column for column in frame.columns if column != target and _is_identifier(frame[column])]
    data = {"source": path.as_posix(), "depends_on": path.as_posix(), "file": f"data/{name}_data.csv", "task": task,
            "target": target}
    data |= {"separator": separator} if separator != "," else {}
    data |= {"drop": identifiers} if identifiers else {}
    if task == "regression":
        skewed = answers.min() >= 0 and answers.skew() > SKEWED
        train = {"primary_metric": "rmse", "cv_folds": 5, "models": MODELS[task],
                 "target_transform": "log1p" if skewed else "none"}
        gates, reason = {"r2": {"min": 0.2}}, "better than the mean of the target"
    else:
        shares = answers.map(_label).value_counts(normalize=True)
        binary = len(shares) == 2
        rare = binary and shares.min() < RARE
        data |= {"positive": _positive(shares)} if binary else {}
        models = {model: WEIGHTS.get(model, {}) for model in MODELS[task]} if rare else MODELS[task]
        metric = ("average_precision" if rare else "roc_auc") if binary else "log_loss"
        train = {"primary_metric": metric, "cv_folds": 5, "models": models}
        gates, reason = {"roc_auc": {"min": 0.6}}, "better than chance"
    origin = f"    # {source}\n" if external.is_url(source) else ""
    return (f"  {name}:\n{origin}"
            f"    experiment: {name.replace('_', '-').title()}-{task.title()}\n"
            f"    data: {_flow(data)}\n"
            f"    prepare: {{test_size: 0.2, split: random}}\n"
            f"    train: {_flow(train)}\n"
            f"    gates: {_flow(gates)}      # {reason}; raise it once you know the data")


def _separator(path: Path) -> str:
    """Return the likely delimiter of a file's header line."""
    if path.suffix == ".parquet" or not path.is_file():
        return ","
    with open(path, encoding="utf-8", errors="replace") as stream:
        header = stream.readline()
    return max("," + tables.DELIMITERS, key=header.count)


def _task(answers: pd.Series) -> str:
    if not pd.api.types.is_numeric_dtype(answers) or pd.api.types.is_bool_dtype(answers):
        return "classification"
    return "classification" if (answers % 1 == 0).all() and answers.nunique() <= min(FEW, len(answers) / 10) else "regression"


def _label(value) -> str:
    """Return a class as prepare_data.py spells it: 1.0 is "1"."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _positive(shares: pd.Series) -> str:
    named = [label for label in shares.index if label.strip().lower() in YES]
    return named[0] if len(named) == 1 else shares.idxmin()


def _is_identifier(values: pd.Series) -> bool:
    """Tell whether a column names its row: text or whole numbers, all different, and no measurement."""
    if values.nunique() < len(values) or len(values) < FEW:
        return False
    if pd.api.types.is_integer_dtype(values):
        return bool(values.is_monotonic_increasing or re.search(r"(^|_)id$|Id$|ID$", str(values.name)))
    return not pd.api.types.is_numeric_dtype(values) and pd.to_numeric(values, errors="coerce").isna().all()


def _flow(content: dict) -> str:
    """Return a mapping in YAML's flow style, which JSON is part of."""
    return json.dumps(content, ensure_ascii=False)
