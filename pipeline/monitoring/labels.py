"""The true answers to served rows, which come later and are matched to the rows by request."""

from pathlib import Path

import pandas as pd

from pipeline.data import kinds, reading
from pipeline.data.kinds import NUMBER
from pipeline.monitoring.known_version import KnownVersion
from pipeline.project import errors
from pipeline.project.errors import DataError
from pipeline.serving.inference_log.reader import LoggedRows

KEY = ["request_id", "row"]


def read_labels(path: str | Path) -> pd.DataFrame:
    """Return the true answers of a CSV or Parquet file, with columns request_id, row and label.

    `row` may be left out where each request has one row. Raises DataError where a column is missing
    or a row is answered twice.
    """
    frame = reading.read(path)
    missing = [column for column in ("request_id", "label") if column not in frame]
    if missing:
        raise DataError(
            f"{path}: no column {errors.listed(missing)}; the labels are to have request_id, label "
            f"and, for requests of several rows, row"
        )
    labels = pd.DataFrame(
        {
            "request_id": kinds.as_text(frame["request_id"]),
            "row": _row_numbers(frame, path),
            "label": kinds.blank_to_missing(frame["label"]),
        }
    ).dropna()
    twice = labels[labels.duplicated(KEY)]
    if len(twice):
        raise DataError(
            f"{path}: request {twice['request_id'].iloc[0]!r}, row {twice['row'].iloc[0]}, is "
            f"answered more than once; keep one"
        )
    return labels


def _row_numbers(frame: pd.DataFrame, path: str | Path) -> pd.Series:
    """Return the number of each label's row in its request, 0 where there is none."""
    if "row" not in frame:
        return pd.Series(0, index=frame.index)
    numbers = kinds.typed_as(frame["row"], NUMBER)
    if len(numbers.unreadable):
        fault = numbers.fault(frame["row"])
        raise DataError(
            f"{path}: row: {fault}; give the number of the row in its request, from 0 on"
        )
    return numbers.values.fillna(0).astype(int)


def matched_labels(served: LoggedRows, path: str | Path, version: KnownVersion) -> pd.Series:
    """Return the true answer of each served row, missing where it has not come yet.

    It is typed as the target is. Raises DataError where no label belongs to one of the rows, or
    one is not an answer that the model could give.
    """
    known = read_labels(path)
    matched = served.rows[KEY].merge(known, how="left", on=KEY)["label"]
    if not matched.notna().any():
        raise DataError(
            f"{path}: none of its {len(known)} labels belongs to one of the {len(matched)} newest "
            f"rows of the log; check request_id and row, or raise --windows"
        )
    if version.classes is None:
        labels = pd.to_numeric(matched, errors="coerce").astype("float64")
        unknown = matched[labels.isna() & matched.notna()]
        allowed = "numbers"
    else:
        labels = kinds.as_text(matched)
        unknown = labels[labels.notna() & ~labels.isin(version.classes)]
        allowed = errors.listed(version.classes)
    if len(unknown):
        raise DataError(
            f"{path}: label: found {errors.listed(unknown.unique())}; the model knows: {allowed}"
        )
    return labels.set_axis(served.rows.index)
