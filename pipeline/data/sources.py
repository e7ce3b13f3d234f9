"""Sources: the places that tables come from, how each is read, and what may be shown of it.

A source is added by one entry of SOURCES.
"""

import hashlib
import importlib
import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.builtin import iris
from pipeline.data import reading
from pipeline.data.formats import columnar, converted, packed
from pipeline.data.formats.form import PLAIN, TAB_ENDINGS, Format
from pipeline.project import downloads, paths
from pipeline.project.downloads import NETWORK_ERRORS
from pipeline.project.errors import DataError, UsageError

# of a file behind a URL, which its copy keeps; what it is, is known by its first bytes
ENDINGS = (*TAB_ENDINGS, *columnar.ENDINGS, *converted.ENDINGS, *packed.ENDINGS)
SKLEARN = ("california_housing", "iris")


@dataclass(frozen=True)
class Wanted:
    """The table that a dataset asks of a source; `rows` and `seed` are for synthetic tables."""

    dataset: str
    source: str
    depends_on: str = ""
    form: Format = PLAIN
    rows: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Source:
    """A place that tables come from.

    `spelling` is how help and errors name it, and `pattern` matches what params.yaml says.
    `check` raises UsageError or DataError, without touching the network, where there is no such
    table. `watched` returns what DVC watches: a change of it makes `dvc repro` read the source
    again. `shown` returns the source without secrets. A source that `is_file` holds its table in
    the file that it has DVC watch; one that is `synthetic` makes as many rows as it is asked for.
    """

    spelling: str
    pattern: str
    check: Callable[[Wanted], None]
    read: Callable[[Wanted], pd.DataFrame]
    watched: Callable[[Wanted], str]
    shown: Callable[[str], str] = str
    is_file: bool = False
    synthetic: bool = False


def source_of(text: str) -> Source:
    """Return the source that a setting names: the first of SOURCES whose pattern it matches."""
    return next(source for source in SOURCES if re.fullmatch(source.pattern, text))


def shown(text: str) -> str:
    """Return a source as messages and files may name it: without user, password and query."""
    return source_of(text).shown(text)


def is_synthetic(text: str) -> bool:
    """Return whether a source makes its table up."""
    return source_of(text).synthetic


def spellings() -> str:
    """Return how sources are spelled, for help and errors."""
    *others, last = [source.spelling for source in SOURCES]
    return f"{', '.join(others)} or {last}"


def check(wanted: Wanted) -> None:
    """Raise UsageError or DataError where the source can be seen to hold no such table."""
    source = source_of(wanted.source)
    if wanted.rows and not source.synthetic:
        raise UsageError(
            f"{wanted.dataset}: the number of rows is chosen for synthetic data only; "
            f"{source.shown(wanted.source)} has the rows it has"
        )
    source.check(wanted)


# synthetic: a module of pipeline/builtin


def _generator(wanted: Wanted) -> Callable[[int | None, int], pd.DataFrame]:
    """Return the function of a module, named by its path, that makes its table."""
    named = re.fullmatch(r"pipeline/builtin/(\w+)\.py", wanted.depends_on)
    module = None
    if named and importlib.util.find_spec(f"pipeline.builtin.{named[1]}"):
        module = importlib.import_module(f"pipeline.builtin.{named[1]}")
    if module is None or not hasattr(module, "generate"):
        raise UsageError(
            f"{paths.PARAMS}: data.depends_on: {wanted.depends_on!r} is not a module that makes "
            f"synthetic data; see pipeline/builtin/"
        )
    return lambda rows, seed: module.generate(rows or module.ROWS, seed)


def _check_synthetic(wanted: Wanted) -> None:
    _generator(wanted)


def _synthetic(wanted: Wanted) -> pd.DataFrame:
    try:
        return _generator(wanted)(wanted.rows, wanted.seed)
    except ValueError as error:
        raise UsageError(f"{wanted.depends_on}: {error}") from None


# scikit-learn's own tables


def _check_sklearn(wanted: Wanted) -> None:
    if wanted.dataset not in SKLEARN:
        raise UsageError(
            f"scikit-learn holds no table for {wanted.dataset!r}, only for: {', '.join(SKLEARN)}; "
            f"give --source openml:NAME, a path or a URL"
        )


def _sklearn(wanted: Wanted) -> pd.DataFrame:
    if wanted.dataset == "iris":
        return iris.generate()
    from sklearn.datasets import fetch_california_housing

    try:
        return fetch_california_housing(as_frame=True, n_retries=0).frame
    except NETWORK_ERRORS as error:
        raise DataError(
            f"sklearn: the California housing table cannot be fetched ({error}); try again online"
        ) from None


# OpenML


def _name_and_version(source: str) -> tuple[str, str]:
    """Return both parts of `openml:NAME@VERSION`; the version may be empty."""
    name, _, version = source.removeprefix("openml:").partition("@")
    return name, version


def _check_openml(wanted: Wanted) -> None:
    name, version = _name_and_version(wanted.source)
    if not name or (version and not version.isdigit()):
        raise UsageError(
            f"{wanted.source!r} names no table of OpenML; write openml:NAME, openml:NAME@VERSION "
            f"or openml:ID"
        )


def _openml(wanted: Wanted) -> pd.DataFrame:
    """Return a table of OpenML named by `openml:NAME`, `openml:NAME@VERSION` or `openml:ID`."""
    from sklearn.datasets import fetch_openml

    name, version = _name_and_version(wanted.source)
    which: dict[str, str | int] = {"name": name, "version": int(version) if version else "active"}
    if name.isdigit():
        which = {"data_id": int(name)}
    try:
        return fetch_openml(**which, as_frame=True, parser="pandas", n_retries=0).frame
    except NETWORK_ERRORS as error:
        raise DataError(
            f"{wanted.source}: cannot be fetched from OpenML ({error}); check the name, or save "
            f"the file and give its path"
        ) from None


# files, here or behind a URL


def _path(wanted: Wanted) -> str:
    return Path(wanted.source).as_posix()


def _check_file(wanted: Wanted) -> None:
    if not Path(wanted.source).is_file():
        raise DataError(f"{wanted.source}: no such file; a source is {spellings()}")


def _read_file(wanted: Wanted) -> pd.DataFrame:
    return reading.read(source_of(wanted.source).watched(wanted), wanted.form)


def _fetched(wanted: Wanted) -> str:
    """Return the file in data/raw that holds what a URL gave.

    It is fetched once; remove it to fetch it again. Its name holds a hash of the URL, so that
    another URL is another file.
    """
    url = wanted.source
    suffix = Path(downloads.without_secrets(url)).suffix.lower()
    if suffix not in ENDINGS:
        suffix = ".csv"
    named = hashlib.sha256(url.encode()).hexdigest()[:8]
    path = paths.RAW / f"{wanted.dataset}_{named}{suffix}"
    if not path.is_file():
        downloads.fetch(url, path)
    return path.as_posix()


# in the order in which they are tried; what matches nothing else is a path
SOURCES = (
    Source(
        spelling="synthetic",
        pattern="synthetic",
        check=_check_synthetic,
        read=_synthetic,
        watched=lambda wanted: wanted.depends_on,
        synthetic=True,
    ),
    Source(
        spelling="sklearn",
        pattern="sklearn",
        check=_check_sklearn,
        read=_sklearn,
        watched=lambda wanted: "pipeline/data/sources.py",
    ),
    Source(
        spelling="openml:NAME",
        pattern="openml:.*",
        check=_check_openml,
        read=_openml,
        watched=lambda wanted: "pipeline/data/sources.py",
    ),
    Source(
        spelling="a URL",
        pattern="https?://.*",
        check=lambda wanted: None,
        read=_read_file,
        watched=_fetched,
        shown=downloads.without_secrets,
        is_file=True,
    ),
    Source(
        spelling="the path of a file",
        pattern=".*",
        check=_check_file,
        read=_read_file,
        watched=_path,
        is_file=True,
    ),
)
