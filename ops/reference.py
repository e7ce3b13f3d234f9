"""docs/reference/: the settings, the commands and the metrics, as the code defines them."""

import ast
import inspect
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from pipeline.project.errors import DataError
from pipeline.project.params import Params
from pipeline.project.settings.base import Settings
from pipeline.scoring.metrics import METRICS

FOLDER = Path("docs/reference")
SCRIPTS = (
    "generate_data",
    "prepare_data",
    "train",
    "tune_hyperparameters",
    "detect_drift",
    "compare_results",
    "validate_metrics",
    "register_model",
    "serve",
    "predict",
    "evaluate",
    "rollback",
)
MADE = "Written by `make results` from the code, never by hand."
SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
PLAIN_TYPES = {str: "text", int: "integer", float: "number", bool: "true or false"}


@dataclass(frozen=True)
class Setting:
    """A key of params.yaml, as its page shows it."""

    key: str
    type: str
    allowed: str
    default: str
    description: str

    def row(self) -> str:
        cells = (f"`{self.key}`", self.type, self.allowed, self.default, self.description)
        return "| " + " | ".join(cells) + " |"


def pages() -> dict[Path, str]:
    """Return the text of each page of the reference by its path."""
    return {
        FOLDER / "settings.md": settings_page(),
        FOLDER / "commands.md": commands_page(),
        FOLDER / "metrics.md": metrics_page(),
    }


def settings_page() -> str:
    lines = ["# Settings", "", f"Every key of `params.yaml`. {MADE}", ""]
    for path, block in blocks(Params, ""):
        title = path.rstrip(".") or "The file"
        lines += [f"## `{title}`" if path else f"## {title}", ""]
        text = inspect.cleandoc(block.__dict__.get("__doc__") or "")
        if text:
            lines += [text, ""]
        lines += ["| key | type | allowed | default | meaning |", "| --- | --- | --- | --- | --- |"]
        lines += [setting.row() for setting in settings(path, block)]
        lines.append("")
    return "\n".join(lines)


def blocks(block: type[Settings], path: str) -> Iterator[tuple[str, type[Settings]]]:
    """Yield each block of settings with its place in the file, outer ones first."""
    yield path, block
    for name, field in block.model_fields.items():
        inner = inner_block(field.annotation)
        if inner:
            between = "" if is_block(field.annotation) else f"<{placeholder(name)}>."
            yield from blocks(inner, f"{path}{field.alias or name}.{between}")


def placeholder(name: str) -> str:
    """Return what stands for a key that the user chooses in a mapping of that name."""
    return {"datasets": "name", "gates": "metric", "search_spaces": "model>.<hyperparameter"}.get(
        name, "name"
    )


def is_block(annotation: Any) -> bool:
    return inspect.isclass(annotation) and issubclass(annotation, Settings)


def inner_block(annotation: Any) -> type[Settings] | None:
    """Return the block that a field holds, by itself or as the values of a mapping."""
    if is_block(annotation):
        return annotation
    for part in get_args(annotation):
        inner = inner_block(part)
        if inner:
            return inner
    return None


def settings(path: str, block: type[Settings]) -> Iterator[Setting]:
    """Yield the keys of a block that are no blocks themselves."""
    descriptions = attribute_docstrings(block)
    for name, field in block.model_fields.items():
        if inner_block(field.annotation):
            continue
        yield Setting(
            key=f"{field.alias or name}",
            type=type_text(field.annotation),
            allowed=allowed_text(field),
            default=default_text(field),
            description=descriptions.get(name, ""),
        )


def attribute_docstrings(block: type[Settings]) -> dict[str, str]:
    """Return the text below each field of a class, by the field's name."""
    body = ast.parse(inspect.getsource(block)).body[0].body  # type: ignore[attr-defined]
    texts = {}
    for field, text in zip(body, body[1:], strict=False):
        is_text = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
        if isinstance(field, ast.AnnAssign) and is_text:
            texts[field.target.id] = " ".join(text.value.value.split())  # type: ignore[union-attr]
    return texts


def type_text(annotation: Any) -> str:
    """Return a type as a user of the file would say it."""
    if annotation in PLAIN_TYPES:
        return PLAIN_TYPES[annotation]
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_text(parts[0])
    if origin is Literal:
        return "one of"
    if origin in (Union, UnionType):
        return " or ".join(type_text(part) for part in parts if part is not type(None))
    if origin is list:
        inner = "" if get_origin(parts[0]) is Literal else f" of {type_text(parts[0])}"
        return f"list{inner}"
    if origin is dict:
        return "mapping"
    return "any value"


def allowed_text(field: FieldInfo) -> str:
    """Return the choices or the range of a field."""
    choices = literal_choices(field.annotation)
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    bounds = []
    for rule in field.metadata:
        for name, sign in SIGNS.items():
            bound = getattr(rule, name, None)
            if bound is not None:
                bounds.append(f"{sign} {bound:,}")
    return ", ".join(bounds)


def literal_choices(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    for part in get_args(annotation):
        choices = literal_choices(part)
        if choices:
            return choices
    return ()


def default_text(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.default
    if default is None:
        return "none"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, list):
        return f"`[{', '.join(map(str, default))}]`"
    return f"`{default}`"


def commands_page() -> str:
    lines = ["# Commands", "", f"What each script says to `--help`. {MADE}", ""]
    for script in SCRIPTS:
        lines += [f"## {script}.py", "", "```text", help_of(script), "```", ""]
    return "\n".join(lines)


def help_of(script: str) -> str:
    """Return what a script prints for --help."""
    command = [sys.executable, f"{script}.py", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, env=plain_terminal())
    if done.returncode:
        raise DataError(f"{script}.py: --help failed: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout.strip()


def plain_terminal() -> dict[str, str]:
    return {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}


def metrics_page() -> str:
    names = (
        "The names that `primary_metric` and `gates` take; `cost_per_1000` needs `train.costs`, "
        f"and [your own](../decisions.md#metrics-of-your-own) come on top. {MADE}"
    )
    lines = ["# Metrics", "", names, ""]
    lines += [
        "| metric | task | better | perfect | computed from |",
        "| --- | --- | --- | ---: | --- |",
    ]
    for metric in METRICS.values():
        better = "higher" if metric.greater_is_better else "lower"
        perfect = f"{metric.perfect:g}" if math.isfinite(metric.perfect) else "–"
        cells = (f"`{metric.name}`", metric.task, better, perfect, metric.of)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])
