"""Tables: read them from files, check and clean them, describe their quality, and write and read the splits."""

import pandas as pd

from pipeline.data import kinds, reading
from pipeline.data.kinds import CATEGORY, NUMBER
from pipeline.project import paths
from pipeline.project.errors import DataError, listed
from pipeline.project.params import Data


def clean(
    frame: pd.DataFrame, data: Data, other: str | None = None, origin: str = ""
) -> pd.DataFrame:
    """Return the modelled columns in their final types: numbers as float64, categories as text, dropped columns gone.

    `other` is a column that orders or groups the rows: kept as it is. A column is one of numbers where params.yaml says so
    or at least 95 % of its values are numbers; the rest of it is then an error. Raises DataError that names every faulty column.
    """
    origin = origin or data.file
    _check_columns(frame, data, other, origin)
    columns, faults = {}, {}
    for column in frame.columns:
        if column in data.drop and column != other:
            continue
        values = kinds.blank_to_missing(frame[column])
        role = _role(column, values, data, other)
        if role == NUMBER:
            columns[column], fault = kinds.as_numbers(values)
            if fault:
                remedy = (
                    ""
                    if column == data.target
                    else ", or name the column in data.categorical or data.drop"
                )
                faults[column] = f"{fault}, in a column of numbers: mend it{remedy}"
        else:
            columns[column] = kinds.as_text(values) if role == CATEGORY else values
    cleaned = pd.DataFrame(columns, index=frame.index)
    faults |= _faulty_values(cleaned.drop(columns=list(faults)), data, other)
    if faults:
        raise DataError(
            f"{origin}: {'; '.join(f'{column}: {fault}' for column, fault in faults.items())}"
        )
    if not feature_columns(cleaned, data, other):
        raise DataError(
            f"{origin}: no feature column is left beside the target {data.target!r}; check data.drop"
        )
    if data.task == "classification":
        _check_classes(cleaned[data.target], data, origin)
    return cleaned


def _check_columns(frame: pd.DataFrame, data: Data, other: str | None, origin: str) -> None:
    wanted = [
        data.target,
        *data.drop,
        *data.numeric,
        *data.categorical,
        *([other] if other else []),
    ]
    missing = [column for column in dict.fromkeys(wanted) if column not in frame.columns]
    if missing:
        raise DataError(
            f"{origin}: no column {listed(missing)}, which {paths.PARAMS} names; the file has: "
            f"{listed(frame.columns, most=30)}"
        )


def _role(column: str, values: pd.Series, data: Data, other: str | None) -> str:
    """Tell what a column is: number, category, or other (the column that orders or groups the rows)."""
    if column == other:
        return "other"
    if column == data.target:
        return NUMBER if data.task == "regression" else CATEGORY
    if column in data.numeric:
        return NUMBER
    return NUMBER if column not in data.categorical and kinds.is_numeric(values) else CATEGORY


def _faulty_values(frame: pd.DataFrame, data: Data, other: str | None) -> dict[str, str]:
    """Return what pandera finds wrong in a cleaned table, by column, and what to do about it."""
    import pandera.pandas as pa

    def check(holds, error: str) -> pa.Check:
        return pa.Check(holds, error=error, ignore_na=False)

    def missing(column: str) -> str:
        return reading.rows_in_file(frame.index[frame[column].isna()])

    schema = {}
    for column in frame.columns:
        checks = [check(_some, "no value at all: name it in data.drop")]
        if column == data.target:
            checks = [
                check(_every, f"no target in {missing(column)}: fill it in or remove the rows"),
                check(
                    _several,
                    "the same target in every row: nothing to learn, choose another target",
                ),
            ]
        elif column == other:
            checks = [
                check(
                    _every, f"no value in {missing(column)}, which prepare.split needs: fill it in"
                )
            ]
        schema[column] = pa.Column(nullable=True, checks=checks)
    try:
        pa.DataFrameSchema(schema).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        return (
            errors.failure_cases.groupby("column", sort=False)["check"]
            .agg(lambda found: "; ".join(found.unique()))
            .to_dict()
        )
    return {}


def _some(values: pd.Series) -> bool:
    return bool(values.notna().any())


def _every(values: pd.Series) -> bool:
    return bool(values.notna().all())


def _several(values: pd.Series) -> bool:
    return values.nunique() != 1


def _check_classes(target: pd.Series, data: Data, origin: str) -> None:
    labels = target.unique()
    if len(labels) > 20 and len(labels) > 0.2 * len(target):
        raise DataError(
            f"{origin}: the target {data.target!r} has {len(labels)} different values in {len(target)} rows; "
            f"set task: regression or choose another target"
        )
    if data.positive is not None and data.positive not in labels:
        raise DataError(
            f"{origin}: no row of {data.target!r} is {data.positive!r}, which data.positive names; "
            f"found: {listed(sorted(labels))}"
        )


def feature_columns(frame: pd.DataFrame, data: Data, other: str | None = None) -> list[str]:
    """Return the columns that a model may see."""
    return [column for column in frame.columns if column not in (data.target, other)]
