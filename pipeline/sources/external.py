"""Tables that come from elsewhere: a file, a URL, scikit-learn's own sets, OpenML."""

import re
import shutil
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pandas as pd

from pipeline import files, paths, tables
from pipeline.errors import DataError, UsageError
from pipeline.params import Data

SKLEARN = ("california_housing", "iris")
URL_TIMEOUT = 60            # seconds without an answer
FORMATS = (".csv", ".parquet")


def write_csv(dataset: str, source: str, data: Data) -> pd.DataFrame:
    """Write the table of a source to the dataset's CSV file, a CSV file in UTF-8 with commas byte for byte; return it.

    Raises DataError or UsageError where the source cannot be had or is no table; what stood there stays.
    """
    if source == "sklearn":
        return _write(_from_sklearn(dataset), data.file)
    if source.startswith("openml:"):
        return _write(_from_openml(source), data.file)
    path = fetch(dataset, source) if is_url(source) else Path(source)
    frame = tables.read(path, data.separator, data.encoding)
    if path.suffix == ".parquet" or data.separator != "," or data.encoding.lower() not in ("utf-8", "utf8"):
        return _write(frame, data.file)
    with files.replacing(data.file) as partial:
        shutil.copyfile(path, partial)
    return frame


def is_url(source: str) -> bool:
    """Tell whether a source is to be fetched over HTTP."""
    return re.match(r"https?://", source) is not None


def fetch(dataset: str, url: str) -> Path:
    """Return the file in data/raw that holds what a URL gave; it is fetched once, remove it to fetch it again."""
    suffix = Path(url.split("?")[0].split("#")[0]).suffix.lower()
    path = paths.RAW / f"{dataset}{suffix if suffix in FORMATS else '.csv'}"
    if path.is_file():
        return path
    try:
        with urlopen(Request(url, headers={"User-Agent": "python"}), timeout=URL_TIMEOUT) as answer, \
                files.replacing(path) as partial, open(partial, "wb") as stream:
            shutil.copyfileobj(answer, stream)
    except (URLError, TimeoutError) as error:
        reason = getattr(error, "reason", error)
        raise DataError(f"{url}: cannot be fetched ({reason}); check the address, or save the file and give its path") from None
    return path


def _from_sklearn(dataset: str) -> pd.DataFrame:
    if dataset == "iris":
        from pipeline.sources import iris
        return iris.generate(iris.ROWS, seed=0)
    if dataset != "california_housing":
        raise UsageError(f"scikit-learn holds no table for {dataset!r}, only for: {', '.join(SKLEARN)}; "
                         f"give --source openml:NAME, a path or a URL")
    from sklearn.datasets import fetch_california_housing
    try:
        return fetch_california_housing(as_frame=True).frame
    except URLError as error:
        raise DataError(f"sklearn: the California housing table cannot be fetched ({error.reason}); try again online") from None


def _from_openml(source: str) -> pd.DataFrame:
    """Return a table of OpenML named by `openml:NAME`, `openml:NAME@VERSION` or `openml:ID`."""
    from sklearn.datasets import fetch_openml
    name, _, version = source.removeprefix("openml:").partition("@")
    if not name or (version and not version.isdigit()):
        raise UsageError(f"{source!r} names no table of OpenML; write openml:NAME, openml:NAME@VERSION or openml:ID")
    which = {"data_id": int(name)} if name.isdigit() else {"name": name, "version": int(version) if version else "active"}
    try:
        return fetch_openml(**which, as_frame=True, parser="pandas").frame
    except (URLError, TimeoutError, ValueError) as error:
        raise DataError(f"{source}: cannot be fetched from OpenML ({error}); check the name, or save the file and give its path"
                        ) from None


def _write(frame: pd.DataFrame, path: str) -> pd.DataFrame:
    with files.replacing(path) as partial:
        frame.to_csv(partial, index=False, lineterminator="\n")
    return frame
