"""A block for params.yaml, inferred from a file: what a user starts from with data of their own."""

import io
import re
import textwrap
from pathlib import Path

import pandas as pd

from pipeline.data import kinds, reading, sources
from pipeline.data.kinds import NUMBER
from pipeline.project import errors
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Params

FEW = 20  # at most so many different numbers are taken for classes
RARE = 0.05  # below this share of positives the ROC curve flatters, and classes need weights
SKEWED = 1.0  # a positive target this skewed is fitted on a logarithmic scale
WIDTH = 110  # of a line, before its indentation
YES = ("yes", "true", "1", "y", "positive")
MODELS = {
    "regression": ["dummy", "ridge", "random_forest", "gradient_boosting", "xgboost", "lightgbm"],
    "classification": [
        "dummy",
        "logistic_regression",
        "random_forest",
        "gradient_boosting",
        "xgboost",
        "catboost",
    ],
}
WEIGHTS = {
    "logistic_regression": {"class_weight": "balanced"},
    "random_forest": {"class_weight": "balanced"},
    "gradient_boosting": {"class_weight": "balanced"},
    "xgboost": {"scale_pos_weight": "balanced"},
    "catboost": {"auto_class_weights": "Balanced"},
}


def block(name: str, source: str, target: str, settings: Params) -> str:
    """Return the YAML text of a dataset's block, ready to stand under `datasets:` in params.yaml.

    Raises UsageError for a name that cannot be used, DataError for a file that is no table or has no such target.
    """
    file = f"data/{name}_data.csv"
    _check_name(name, file, source, settings)
    path = sources.local_file(name, source)
    separator = _separator(path)
    frame = reading.read(path, separator)
    as_spelt = reading.read(path, separator, codes=frame)
    codes = [
        column
        for column in frame
        if as_spelt[column].dtype != frame[column].dtype and column != target
    ]
    frame = frame.apply(kinds.blank_to_missing)
    if target not in frame.columns:
        raise DataError(
            f"{source}: no column {target!r}; the file has: {errors.listed(frame.columns, most=30)}"
        )
    answers = frame.pop(target)
    if answers.isna().any():
        raise DataError(
            f"{source}: the target {target!r} has no value in {answers.isna().sum()} rows; fill them in, remove "
            f"them, or choose another column"
        )
    if answers.nunique() < 2:
        raise DataError(
            f"{source}: the target {target!r} has one value in every row; choose another column"
        )
    task = _task(answers)
    positive, train, gates, reason = (
        _regression(answers) if task == "regression" else _classification(answers)
    )
    dropped = [
        column for column in frame if frame[column].isna().all() or _is_identifier(frame[column])
    ]
    data = {
        "source": path.as_posix(),
        "depends_on": path.as_posix(),
        "file": file,
        "separator": separator if separator != "," else None,
        "task": task,
        "target": target,
        "positive": positive,
        "categorical": [column for column in codes if column not in dropped] or None,
        "drop": dropped or None,
    }
    content = {
        "experiment": f"{name.replace('_', '-').title()}-{task.title()}",
        "data": {key: value for key, value in data.items() if value is not None},
        "prepare": {"test_size": 0.2, "split": "random"},
        "train": train,
        "tune": {},
        "drift": {},
        "gates": gates,
        "register": {"name": f"{name.replace('_', ' ').title().replace(' ', '')}Predictor"},
    }
    origin = f"fetched from {source}; " if sources.is_url(source) else ""
    return _yaml(
        {name: content}, f"{origin}the gate says {reason}; raise it once you know the data"
    )


def _yaml(content: dict, comment: str) -> str:
    """Return a block as it stands under `datasets:`, a comment first."""
    from ruamel.yaml import YAML

    writer, stream = YAML(typ="safe", pure=True), io.StringIO()
    writer.default_flow_style, writer.sort_base_mapping_type_on_output, writer.width = (
        None,
        False,
        WIDTH,
    )
    writer.dump(content, stream)
    return textwrap.indent(f"# {comment}\n{stream.getvalue().rstrip()}", "  ")


def _regression(answers: pd.Series) -> tuple[None, dict, dict, str]:
    """Return the positive class, which there is none of, the settings of training, the gates and what they stand for."""
    numbers = kinds.typed_as(answers, NUMBER).values
    train = {"primary_metric": "rmse", "cv_folds": 5, "models": MODELS["regression"]}
    if numbers.min() >= 0 and numbers.skew() > SKEWED:
        train["target_transform"] = "log1p"
    return None, train, {"r2": {"min": 0.2}}, "better than the mean of the target"


def _classification(answers: pd.Series) -> tuple[str | None, dict, dict, str]:
    """Return the positive class of two, the settings of training, the gates and what they stand for."""
    shares = kinds.as_text(answers).value_counts(normalize=True)
    models, metric, positive = MODELS["classification"], "log_loss", None
    if len(shares) == 2:
        positive, metric = _positive(shares), "roc_auc"
        if shares.min() < RARE:
            models, metric = (
                {model: WEIGHTS.get(model, {}) for model in models},
                "average_precision",
            )
    train = {"primary_metric": metric, "cv_folds": 5, "models": models}
    return positive, train, {"roc_auc": {"min": 0.6}}, "better than chance"


def _check_name(name: str, file: str, source: str, settings: Params) -> None:
    """Refuse a name under which the block would not load, or would write over what is there."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name == "all":
        raise UsageError(
            f"--new {name!r}: a dataset's name is lower-case letters, digits and _, starts with a letter, and is "
            f"not `all`, which means every dataset"
        )
    if name in settings.datasets or file in [spec.data.file for spec in settings.datasets.values()]:
        raise UsageError(
            f"--new {name}: a dataset of that name or with the file {file} is there already; choose another name"
        )
    if Path(source).resolve() == Path(file).resolve():
        raise UsageError(
            f"--source {source}: generate_data.py will write that file itself; move yours to data/raw/"
        )


def _separator(path: Path) -> str:
    """Return the likely delimiter of a file's header line."""
    if reading.is_parquet(path):
        return ","
    with open(path, encoding="utf-8", errors="replace") as stream:
        header = stream.readline()
    return max(reading.DELIMITERS, key=header.count)


def _task(answers: pd.Series) -> str:
    """Return what the target asks for: a few different whole numbers are taken for classes."""
    found = kinds.typed(answers)
    if found.kind != NUMBER:
        return "classification"
    numbers = found.values
    whole = (numbers % 1 == 0).all()
    few = numbers.nunique() <= min(FEW, len(numbers) / 10)
    return "classification" if whole and few else "regression"


def _positive(shares: pd.Series) -> str:
    """Return the class of two that the model looks for: the one that says yes, else the rarer."""
    named = [label for label in shares.index if label.lower() in YES]
    return named[0] if len(named) == 1 else shares.idxmin()


def _is_identifier(values: pd.Series) -> bool:
    """Tell whether a column names its row: text or whole numbers, all different, and no measurement."""
    if values.nunique() < len(values) or len(values) < FEW:
        return False
    if pd.api.types.is_integer_dtype(values):
        counted = values.max() - values.min() == len(values) - 1
        return bool(counted or re.search(r"(^|_)id$|Id$|ID$", str(values.name)))
    return (
        not pd.api.types.is_numeric_dtype(values)
        and pd.to_numeric(values, errors="coerce").isna().all()
    )
