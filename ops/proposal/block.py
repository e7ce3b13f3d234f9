"""The block of a new dataset: its YAML text with the reasons, and where it goes in params.yaml."""

import io
import re
import textwrap
from pathlib import Path
from typing import Any

import pipeline.project.processor  # noqa: F401 - before numpy

import pandas as pd
from ruamel.yaml import YAML

from ops.proposal import columns, trial
from ops.proposal.source import Found, found
from ops.proposal.split import split
from ops.proposal.task import TEST_SIZE, Task, checked_target, task
from ops.proposal.wish import Wish
from pipeline.data import doubts, kinds, sources
from pipeline.data.kinds import NUMBER
from pipeline.project import downloads, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Params
from pipeline.project.settings.data import Data, Prepare

WIDTH = 88  # of a line of comments, before its indentation


def block(wish: Wish, settings: Params) -> str:
    """Return the YAML text of a dataset's block, ready to stand under `datasets:` in params.yaml.

    Raises UsageError for a name that cannot be used, DataError for a source that holds no table or
    has no such target.
    """
    _check_name(wish.name, file_of(wish), wish.source, settings)
    table, shown = found(wish), sources.shown(wish.source)
    answers = checked_target(table.frame, wish.target, shown)
    _check_spelling(answers, shown)
    asked = task(answers, wish.task, table.frame.shape[1])
    taken = columns.taken(table.frame, wish.target, table.codes)
    proposed = split(table.frame, taken)
    prepare = Prepare(test_size=TEST_SIZE, split=proposed.by)
    data = _data(wish, table, asked, taken, prepare.split_column)
    tried = trial.tried(table.frame, Data(**data), prepare, settings.seed, shown)
    for role in ("categorical", "dates", "drop"):
        data.pop(role, None)
        if names := getattr(tried.data, role):
            data[role] = names
    remarks = [*asked.remarks, *table.remarks, *_gaps(table.frame, wish.target, answers)]
    remarks += columns.described(taken)
    if tried.prepare.split == proposed.by:
        remarks += proposed.remarks
    content = _content(wish.name, data, asked, tried)
    if downloads.is_url(wish.source):
        remarks.insert(0, f"fetched from {shown}")
    return _yaml({wish.name: content}, [*remarks, *tried.remarks])


def _content(name: str, data: dict[str, Any], asked: Task, tried: trial.Trial) -> dict[str, Any]:
    title = name.replace("_", " ").title()
    return {
        "experiment": f"{title.replace(' ', '-')}-{asked.task.title()}",
        "data": data,
        "prepare": {"test_size": TEST_SIZE, "split": tried.prepare.split},
        "train": asked.train | {"cv_folds": tried.cv_folds},
        "tune": {},
        "drift": {},
        "gates": asked.gates,
        "register": {"name": f"{title.replace(' ', '')}Predictor"},
    }


def _data(
    wish: Wish, table: Found, asked: Task, taken: list[columns.Taken], split_column: str | None
) -> dict[str, Any]:
    """Return the `data` of a block: where the table is, its target, and columns to treat apart."""
    has_gaps = table.frame[wish.target].isna().any()
    dropped = columns.of_role(taken, *columns.DROPPED)
    in_formats = {column.column: column.formats for column in taken if column.formats}
    settings = table.settings | {
        "file": file_of(wish),
        "task": asked.task,
        "target": wish.target,
        "positive": asked.positive,
        "categorical": columns.of_role(taken, columns.CODES),
        "dates": in_formats,
        "drop": [name for name in dropped if name != split_column],
        "missing_target": "drop" if has_gaps else None,
    }
    return {key: value for key, value in settings.items() if value}


def file_of(wish: Wish) -> str:
    """Return the CSV file that generate_data.py writes for a new dataset."""
    return f"data/{wish.name}_data.csv"


def _gaps(frame: pd.DataFrame, target: str, answers: pd.Series) -> list[str]:
    n_gaps = len(frame) - len(answers)
    return (
        [f"missing_target drop: {n_gaps:,} of {len(frame):,} rows have no {target}"]
        if n_gaps
        else []
    )


def _check_spelling(answers: pd.Series, origin: str) -> None:
    """Raise DataError where a target of numbers would be taken for classes."""
    is_text = not pd.api.types.is_numeric_dtype(answers)
    if is_text and doubts.is_meant_as_numbers(answers) and kinds.typed(answers).kind != NUMBER:
        raise DataError(
            f"{origin}: the target {answers.name!r} holds numbers in another spelling, such as "
            f"{str(answers.iloc[0])!r}; write them as 1234.5"
        )


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
