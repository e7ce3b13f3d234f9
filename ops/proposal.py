"""A block for params.yaml, inferred from a table: what a user starts from with their own data."""

import io
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pipeline.project.processor  # noqa: F401 - before numpy

import pandas as pd
from ruamel.yaml import YAML

from ops import proposal_trial
from pipeline.data import doubts, kinds, reading, sources
from pipeline.data.formats import columnar, text
from pipeline.data.formats.form import Format
from pipeline.data.kinds import NUMBER
from pipeline.data.sources import Wanted
from pipeline.project import downloads, errors, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Data, Params, Prepare

# at most so many different numbers are taken for classes
FEW = 20
# below this share of positives the ROC curve flatters, and classes need weights
RARE = 0.05
# a positive target this skewed is fitted on a logarithmic scale
SKEWED = 1.0
TEST_SIZE = 0.2
# test rows, of each class where there are classes: with fewer, the gate goes by the low end of the
# interval, as the score itself may be far above what the model is worth
FEW_TEST_ROWS = 50
WIDTH = 88  # of a line of comments, before its indentation
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


@dataclass(frozen=True)
class Found:
    """A table to describe, blanks missing, and what params.yaml is to say of its source."""

    frame: pd.DataFrame
    source: str
    depends_on: str
    separator: str
    codes: list[str]


@dataclass(frozen=True)
class Task:
    """What a target asks for: the positive class of two, how to train, a gate and its reason."""

    task: str
    positive: str | None
    train: dict[str, Any]
    gates: dict[str, Any]
    reason: str


def block(name: str, source: str, target: str, settings: Params) -> str:
    """Return the YAML text of a dataset's block, ready to stand under `datasets:` in params.yaml.

    Raises UsageError for a name that cannot be used, DataError for a source that holds no table or
    has no such target.
    """
    file = f"data/{name}_data.csv"
    _check_name(name, file, source, settings)
    table = _read(name, source)
    shown = sources.shown(source)
    answers = _target(table.frame, target, shown)
    task = _task(answers)
    data = _data(table, target, file, task)
    prepare: dict[str, Any] = {"test_size": TEST_SIZE, "split": "random"}
    trial = proposal_trial.tried(
        table.frame, Data(**data), Prepare(**prepare), settings.seed, shown
    )
    for role in ("categorical", "drop"):
        if columns := getattr(trial.data, role):
            data[role] = columns
    title = name.replace("_", " ").title()
    content = {
        "experiment": f"{title.replace(' ', '-')}-{task.task.title()}",
        "data": data,
        "prepare": prepare,
        "train": task.train | {"cv_folds": trial.cv_folds},
        "tune": {},
        "drift": {},
        "gates": task.gates,
        "register": {"name": f"{title.replace(' ', '')}Predictor"},
    }
    origin = f"fetched from {shown}; " if downloads.is_url(source) else ""
    comment = f"{origin}the gate says {task.reason}; raise it once you know the data"
    return _yaml({name: content}, [comment, *trial.remarks])


def _data(table: Found, target: str, file: str, task: Task) -> dict[str, Any]:
    """Return the `data` of a block: where the table is, its target, and columns to treat apart."""
    features = table.frame.drop(columns=target)
    dropped = [column for column in features if _is_useless(features[column])]
    codes = [column for column in table.codes if column not in (target, *dropped)]
    settings = {
        "source": table.source,
        "depends_on": table.depends_on,
        "file": file,
        "separator": table.separator if table.separator != "," else None,
        "task": task.task,
        "target": target,
        "positive": task.positive,
        "categorical": codes or None,
        "drop": dropped or None,
    }
    return {key: value for key, value in settings.items() if value is not None}


def added(text: str, block: str) -> str:
    """Return the text of params.yaml with a block as the last of its `datasets:`.

    All other lines stay as they are. Raises UsageError where there is no such line.
    """
    lines = text.splitlines()
    if "datasets:" not in lines:
        raise UsageError(f"{paths.PARAMS}: no line `datasets:` to put the block under; paste it")
    end = lines.index("datasets:") + 1
    while end < len(lines) and not re.match(r"[^\s#]", lines[end]):
        end += 1
    # what stands above the next key belongs to that key
    while end < len(lines) and re.match(r"#|$", lines[end - 1]):
        end -= 1
    return "\n".join([*lines[:end], "", block.rstrip("\n"), *lines[end:]]) + "\n"


def _read(name: str, source: str) -> Found:
    """Return the table of a source; of a file, its separator and the columns of codes as well."""
    wanted, place = Wanted(name, source), sources.source_of(source)
    sources.check(wanted)
    watched = place.watched(wanted)
    if not place.is_file:
        frame = place.read(wanted).apply(kinds.blank_to_missing)
        return Found(frame, source, watched, ",", [])
    separator = _separator(Path(watched))
    frame = reading.read(watched, Format(separator))
    as_spelt = reading.read(watched, Format(separator, codes=tuple(frame)))
    codes = [column for column in frame if as_spelt[column].dtype != frame[column].dtype]
    return Found(frame.apply(kinds.blank_to_missing), watched, watched, separator, codes)


def _target(frame: pd.DataFrame, target: str, origin: str) -> pd.Series:
    """Return the column to predict; raises DataError where there is nothing to learn."""
    if target not in frame.columns:
        raise DataError(
            f"{origin}: no column {target!r}; the file has: {errors.listed(frame.columns, most=30)}"
        )
    answers = frame[target]
    if answers.isna().any():
        raise DataError(
            f"{origin}: the target {target!r} has no value in {answers.isna().sum()} rows; fill "
            f"them in, remove them, or choose another column"
        )
    if answers.nunique() < 2:
        raise DataError(
            f"{origin}: the target {target!r} has one value in every row; choose another column"
        )
    is_text = not pd.api.types.is_numeric_dtype(answers)
    if is_text and doubts.is_meant_as_numbers(answers) and kinds.typed(answers).kind != NUMBER:
        raise DataError(
            f"{origin}: the target {target!r} holds numbers in another spelling, such as "
            f"{str(answers.iloc[0])!r}; write them as 1234.5"
        )
    return answers


def _yaml(content: dict[str, Any], comments: list[str]) -> str:
    """Return a block as it stands under `datasets:`, comments first, in DVC's own form."""
    writer: Any = YAML()
    stream = io.StringIO()
    writer.dump(content, stream)
    lines = []
    for comment in comments:
        # a name with a line break would end the comment
        one_line = " ".join(comment.split())
        lines += textwrap.wrap(one_line, WIDTH, break_long_words=False)
    above = "".join(f"# {line}\n" for line in lines)
    return textwrap.indent(f"{above}{stream.getvalue().rstrip()}", "  ")


def _task(answers: pd.Series) -> Task:
    """Return what the target asks for: a few different whole numbers are taken for classes."""
    found = kinds.typed(answers)
    if found.kind != NUMBER:
        return _classification(answers)
    numbers = found.values
    whole = (numbers % 1 == 0).all()
    few = numbers.nunique() <= min(FEW, len(numbers) / 10)
    return _classification(answers) if whole and few else _regression(numbers)


def _regression(numbers: pd.Series) -> Task:
    train = {"primary_metric": "rmse", "cv_folds": 5, "models": MODELS["regression"]}
    if numbers.min() >= 0 and numbers.skew() > SKEWED:
        train["target_transform"] = "log1p"
    gate = _gate("r2", 0.2, len(numbers))
    return Task("regression", None, train, gate, "better than the mean of the target")


def _classification(answers: pd.Series) -> Task:
    counts = kinds.as_text(answers).value_counts()
    shares = counts / counts.sum()
    models: list[str] | dict[str, Any] = MODELS["classification"]
    metric, positive = "log_loss", None
    if len(shares) == 2:
        positive, metric = _positive(shares), "roc_auc"
        if shares.min() < RARE:
            models = {model: WEIGHTS.get(model, {}) for model in models}
            metric = "average_precision"
    train = {"primary_metric": metric, "cv_folds": 5, "models": models}
    gate = _gate("roc_auc", 0.6, counts.min())
    return Task("classification", positive, train, gate, "better than chance")


def _gate(metric: str, least: float, rows: int) -> dict[str, Any]:
    """Return a gate on the test rows, given how many rows there are, of the rarest class if any."""
    gate: dict[str, Any] = {"min": least}
    if rows * TEST_SIZE < FEW_TEST_ROWS:
        gate["by"] = "low"
    return {metric: gate}


def _check_name(name: str, file: str, source: str, settings: Params) -> None:
    """Refuse a name under which the block would not load, or would write over what is there."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name == "all":
        raise UsageError(
            f"--new {name!r}: a dataset's name is lower-case letters, digits and _, starts with a "
            f"letter, and is not `all`, which means every dataset"
        )
    if name in settings.datasets or file in [spec.data.file for spec in settings.datasets.values()]:
        raise UsageError(
            f"--new {name}: a dataset of that name or with the file {file} is there already; "
            f"choose another name"
        )
    if Path(source).resolve() == Path(file).resolve():
        raise UsageError(
            f"--source {source}: generate_data.py will write that file itself; move yours to "
            f"data/raw/"
        )


def _separator(path: Path) -> str:
    """Return the likely delimiter of a file's header line."""
    if columnar.is_parquet(path):
        return ","
    with open(path, encoding="utf-8", errors="replace") as stream:
        header = stream.readline()
    return max(text.DELIMITERS, key=header.count)


def _positive(shares: pd.Series) -> str:
    """Return the class of two that the model looks for: the one that says yes, else the rarer."""
    named = [label for label in shares.index if label.lower() in YES]
    return named[0] if len(named) == 1 else shares.idxmin()


def _is_useless(values: pd.Series) -> bool:
    return bool(values.isna().all()) or _is_identifier(values)


def _is_identifier(values: pd.Series) -> bool:
    """Return whether a column names its row: text or whole numbers, all different, not measured."""
    if values.nunique() < len(values) or len(values) < FEW:
        return False
    if pd.api.types.is_integer_dtype(values):
        counted = values.max() - values.min() == len(values) - 1
        return bool(counted or re.search(r"(^|_)id$|Id$|ID$", str(values.name)))
    if pd.api.types.is_numeric_dtype(values):
        return False
    return not doubts.is_meant_as_numbers(values)
