"""The results and settings of a commit, or of the working tree, from its files."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.project import paths
from pipeline.project.errors import DataError, UsageError
from pipeline.report import comparison
from pipeline.report.comparison import DatasetResult
from pipeline.scoring.gates import Verdict
from pipeline.tracking.git import git

Settings = dict[str, Any]  # by full name


@dataclass(frozen=True)
class Results:
    """The results and settings of a commit, or of the working tree; by dataset but the settings."""

    settings: Settings = field(default_factory=dict)
    datasets: dict[str, DatasetResult] = field(default_factory=dict)
    gates: dict[str, list[Verdict]] = field(default_factory=dict)
    drift: dict[str, dict[str, Any]] = field(default_factory=dict)


def read_here() -> Results:
    """Return the results and settings of the working tree."""
    names = [paths.PARAMS, *sorted(paths.METRICS.rglob("*.json"))]
    return results({name.as_posix(): name.read_text(encoding="utf-8") for name in names})


def commit_of(revision: str) -> str:
    """Return the hash of a revision; raise UsageError where git does not know it."""
    commit = git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if commit is None:
        raise UsageError(f"--base {revision}: no such commit here; fetch it or name another")
    return commit


def read_at(commit: str) -> Results:
    """Return the results and settings as a commit has them."""
    folders = (paths.PARAMS.as_posix(), paths.METRICS.as_posix())
    names = git("ls-tree", "-r", "--name-only", commit, "--", *folders) or ""
    return results({name: git("show", f"{commit}:{name}") or "" for name in names.splitlines()})


def results(texts: dict[str, str]) -> Results:
    """Return the results that files hold, {name: text}; other files are passed over."""
    read = Results()
    for name, text in texts.items():
        path = Path(name)
        if path == paths.PARAMS:
            read.settings.update(flat(_yaml(text)))
        elif path == paths.COMPARISON:
            read.datasets.update(comparison.parsed(_json(path, text)).datasets)
        elif path.parent == paths.VALIDATION:
            verdicts = _json(path, text)["gates"]
            read.gates[path.stem] = [Verdict(**verdict) for verdict in verdicts]
        elif path == paths.metrics(path.parent.name, "drift"):
            read.drift[path.parent.name] = _json(path, text)
    return read


def _yaml(text: str) -> Any:

    return YAML(typ="safe", pure=True).load(text)


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise DataError(f"{path} is not a whole JSON file ({error}); run `make pipeline`") from None


def flat(block: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield a block's settings by their full names; a list or an empty block is one value."""
    if not isinstance(block, dict) or not block:
        yield key, block
        return
    for name, value in block.items():
        yield from flat(value, f"{key}.{name}" if key else name)
