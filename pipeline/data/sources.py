"""Tables that come from elsewhere: a file, a URL, scikit-learn's own sets, OpenML."""

import hashlib
import re
import shutil
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pandas as pd

from pipeline.builtin import iris
from pipeline.data import reading
from pipeline.project import files, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Data

SKLEARN = ("california_housing", "iris")
URL_TIMEOUT = 60  # seconds without an answer


def write_csv(dataset: str, source: str, data: Data) -> pd.DataFrame:
    """Write the table of a source to the dataset's CSV file, a CSV file in UTF-8 with commas byte for byte; return it.

    Raises DataError or UsageError where the source cannot be had or is no table; what stood there stays.
    """
    if source == "sklearn":
        return _write(_from_sklearn(dataset), data.file)
    if source.startswith("openml:"):
        return _write(_from_openml(source), data.file)
    path = local_file(dataset, source)
    frame = reading.read(path, data.separator, data.encoding, data.categorical)
    if (
        reading.is_parquet(path)
        or data.separator != ","
        or data.encoding.lower() not in ("utf-8", "utf8")
    ):
        return _write(frame, data.file)
    with (
        files.replacing(data.file) as partial,
        open(path, "rb") as original,
        open(partial, "wb") as copy,
    ):
        shutil.copyfileobj(original, copy)
    return frame


def local_file(dataset: str, source: str) -> Path:
    """Return the file that a source names: the path itself, or the file in data/raw to which a URL was fetched."""
    if is_url(source):
        return _fetch(dataset, source)
    if not Path(source).is_file():
        raise DataError(
            f"{source}: no such file; a source is the path or URL of a CSV or Parquet file, synthetic, sklearn "
            f"or openml:NAME"
        )
    return Path(source)


def is_url(source: str) -> bool:
    """Tell whether a source is to be fetched over HTTP."""
    return re.match(r"https?://", source) is not None


def _fetch(dataset: str, url: str) -> Path:
    """Return the file in data/raw that holds what a URL gave; it is fetched once, remove it to fetch it again.

    The file's name holds a hash of the URL, so that another URL is another file.
    """
    suffix = ".parquet" if reading.is_parquet(re.split("[?#]", url)[0]) else ".csv"
    path = paths.RAW / f"{dataset}_{hashlib.sha256(url.encode()).hexdigest()[:8]}{suffix}"
    if path.is_file():
        return path
    try:
        with (
            urlopen(Request(url, headers={"User-Agent": "python"}), timeout=URL_TIMEOUT) as answer,
            files.replacing(path) as partial,
            open(partial, "wb") as stream,
        ):
            if answer.headers.get_content_type() == "text/html":
                raise DataError(
                    f"{url}: gives a web page, not a file; find the address of the file itself"
                )
            shutil.copyfileobj(answer, stream)
            if answer.length:  # what is still to come: the connection was cut
                raise DataError(
                    f"{url}: the answer broke off, {answer.length} bytes are missing; run again"
                )
    except (URLError, HTTPException, TimeoutError, ConnectionError, ValueError) as error:
        raise DataError(
            f"{url}: cannot be fetched ({error}); check the address, or save the file and give its path"
        ) from None
    return path


def _from_sklearn(dataset: str) -> pd.DataFrame:
    if dataset == "iris":
        return iris.generate()
    if dataset != "california_housing":
        raise UsageError(
            f"scikit-learn holds no table for {dataset!r}, only for: {', '.join(SKLEARN)}; "
            f"give --source openml:NAME, a path or a URL"
        )
    from sklearn.datasets import fetch_california_housing

    try:
        return fetch_california_housing(as_frame=True, n_retries=0).frame
    except (URLError, TimeoutError, ValueError) as error:
        raise DataError(
            f"sklearn: the California housing table cannot be fetched ({error}); try again online"
        ) from None


def _from_openml(source: str) -> pd.DataFrame:
    """Return a table of OpenML named by `openml:NAME`, `openml:NAME@VERSION` or `openml:ID`."""
    name, _, version = source.removeprefix("openml:").partition("@")
    if not name or (version and not version.isdigit()):
        raise UsageError(
            f"{source!r} names no table of OpenML; write openml:NAME, openml:NAME@VERSION or openml:ID"
        )
    from sklearn.datasets import fetch_openml

    which = (
        {"data_id": int(name)}
        if name.isdigit()
        else {"name": name, "version": int(version) if version else "active"}
    )
    try:
        return fetch_openml(**which, as_frame=True, parser="pandas", n_retries=0).frame
    except (URLError, TimeoutError, ValueError) as error:
        raise DataError(
            f"{source}: cannot be fetched from OpenML ({error}); check the name, or save the file and give its path"
        ) from None


def _write(frame: pd.DataFrame, path: str) -> pd.DataFrame:
    with files.replacing(path) as partial:
        frame.to_csv(partial, index=False, lineterminator="\n")
    return frame
