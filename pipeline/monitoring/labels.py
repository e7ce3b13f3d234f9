"""The inference log: what a served model was asked and what it answered, one JSON object a line for each row.

    {"time": "2026-01-31T12:00:00.123456Z", "request_id": "<uuid hex>", "row": 0, "model": "IrisClassifier", "model_version": 3,
     "features": {"petal length": 1.4, ...}, "prediction": "setosa", "probabilities": {"setosa": 0.9, ...}}

Regression has a number as prediction and no probabilities; a line of a model that only runs along has "shadow": true besides. The
current file is logs/inference/D.jsonl; full ones lie beside it as D.<time>.jsonl, so that their names sort by age.

A Writer collects rows in memory and appends them every half second, whole lines in one write, under a lock that all writers of
the dataset share. One that was killed in the middle of a write leaves a broken last line, which the next write cuts off.
"""

from pathlib import Path

import pandas as pd

from pipeline.data import kinds, reading
from pipeline.data.kinds import NUMBER
from pipeline.project import errors
from pipeline.project.errors import DataError


def read_labels(path: str | Path) -> pd.DataFrame:
    """Return the true answers that came later, request_id, row and label, from a CSV or Parquet file.

    `row` may be left out where each request has one. Raises DataError where a column is missing or a row is answered twice.
    """
    frame = reading.read(path)
    missing = [column for column in ("request_id", "label") if column not in frame]
    if missing:
        raise DataError(
            f"{path}: no column {errors.listed(missing)}; the labels are to have request_id, label and, for requests "
            f"of several rows, row"
        )
    raw = frame["row"] if "row" in frame else pd.Series(0.0, index=frame.index)
    place = kinds.typed_as(raw, NUMBER)
    if len(place.unreadable):
        raise DataError(
            f"{path}: row: {place.fault(raw)}; give the number of the row in its request, from 0 on"
        )
    labels = pd.DataFrame(
        {
            "request_id": kinds.as_text(frame["request_id"]),
            "row": place.values.fillna(0).astype(int),
            "label": kinds.blank_to_missing(frame["label"]),
        }
    ).dropna()
    twice = labels[labels.duplicated(["request_id", "row"])]
    if len(twice):
        raise DataError(
            f"{path}: request {twice['request_id'].iloc[0]!r}, row {twice['row'].iloc[0]}, is answered more than "
            f"once; keep one"
        )
    return labels
