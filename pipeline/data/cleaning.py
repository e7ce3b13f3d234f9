"""Cleaning: a table as a file holds it becomes the typed columns that are modelled, or an error."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from pipeline.data import kinds, reading
from pipeline.data.kinds import CATEGORY, DATE, LARGEST, NUMBER, TEXT, Typed
from pipeline.data.spelling import dates
from pipeline.project import paths
from pipeline.project.errors import DataError, listed
from pipeline.project.settings.data import Data, Prepare

# a target with more classes than both, the second a share of the rows, is taken for a number
MOST_CLASSES = 20
MOST_CLASSES_SHARE = 0.2
# of a target of numbers: the squares of larger ones, and of smaller differences, leave 32 bits
LARGEST_TARGET, SMALLEST_SPREAD = 1e18, 1e-18
RANDOM = Prepare(test_size=0.2, split="random")


def clean(
    frame: pd.DataFrame, data: Data, prepare: Prepare = RANDOM, origin: str = ""
) -> pd.DataFrame:
    """Return the modelled columns in their final types, see data/kinds.py.

    Dropped columns are gone. The column that groups the rows is kept as it is, and so are numbers
    that order them; else the rows are ordered by dates. A column is one of numbers or dates where
    params.yaml says so or at least 95 % of its values are; the rest of it is then an error. Raises
    DataError that names every faulty column.
    """
    origin, split_column = origin or data.file, prepare.split_column
    _check_columns(frame, data, split_column, origin)
    columns, faults = {}, {}
    for column in frame.columns:
        raw = kinds.blank_to_missing(frame[column])
        if column == split_column and not _are_moments(raw, data, prepare):
            columns[column] = raw
        elif column == split_column or column not in data.drop:
            found = _moments(raw, data) if column == split_column else typed_column(raw, data)
            columns[column] = found.values
            if len(found.unreadable):
                faults[column] = _unreadable(found, raw, data, prepare)
    cleaned = pd.DataFrame(columns, index=frame.index)
    faults |= _faulty_values(cleaned.drop(columns=list(faults)), data, split_column)
    if faults:
        message = "; ".join(f"{column}: {fault}" for column, fault in faults.items())
        raise DataError(f"{origin}: {message}")
    if not feature_columns(cleaned, data, prepare):
        raise DataError(
            f"{origin}: no feature column is left beside the target {data.target!r}; check "
            f"data.drop"
        )
    if data.task == "classification":
        _check_classes(cleaned[data.target], data, origin)
    return cleaned


def with_target(frame: pd.DataFrame, data: Data) -> pd.DataFrame:
    """Return the rows of a table that have a target, where params.yaml leaves the others out."""
    if data.missing_target == "refuse" or data.target not in frame:
        return frame
    return frame[kinds.blank_to_missing(frame[data.target]).notna()]


def typed_column(raw: pd.Series, data: Data) -> Typed:
    """Return a column typed as params.yaml says, or as its values read."""
    if raw.name == data.target:
        return kinds.typed_as(raw, NUMBER if data.task == "regression" else CATEGORY)
    if raw.name == data.weight:
        return kinds.typed_as(raw, NUMBER)
    kind = declared_kind(str(raw.name), data)
    if kind is None:
        return kinds.typed(raw)
    return kinds.typed_as(raw, kind, data.dates.get(str(raw.name), ()))


def _are_moments(raw: pd.Series, data: Data, prepare: Prepare) -> bool:
    """Return whether the column of the split holds dates: numbers order rows as they are."""
    is_of_numbers = pd.api.types.is_numeric_dtype(raw) and raw.name not in data.dates
    return prepare.split_kind == "time" and not is_of_numbers


def _moments(raw: pd.Series, data: Data) -> Typed:
    return kinds.typed_as(raw, DATE, data.dates.get(str(raw.name), ()))


def declared_kind(column: str, data: Data) -> str | None:
    """Return the kind that params.yaml names for a column; None where it names none."""
    declared = {
        NUMBER: data.numeric,
        CATEGORY: data.categorical,
        DATE: data.dates,
        TEXT: data.text,
    }
    for kind, columns in declared.items():
        if column in columns:
            return kind
    return None


def _unreadable(found: Typed, raw: pd.Series, data: Data, prepare: Prepare) -> str:
    """Return what is wrong in a column of numbers or dates, and what to do about it."""
    column, fault = str(raw.name), found.fault(raw)
    if found.kind == DATE:
        return _not_dates(fault, raw, data, prepare)
    message = f"{fault}, in a column of numbers: fix it"
    if column == data.target:
        return message
    if column == data.weight:
        return f"{message}, or name another column in data.weight"
    return f"{message}, or name the column in data.categorical or data.drop"


def _not_dates(fault: str, raw: pd.Series, data: Data, prepare: Prepare) -> str:
    """Return which formats a column of dates holds beside the values that are in none of them."""
    column = str(raw.name)
    formats = dates.found_formats(kinds.as_text(raw.dropna()))
    message = f"{fault}, which is not a date as {_known_formats(data.dates.get(column, []))}"
    if formats:
        message += f" (the column's formats: {dates.in_words(formats)})"
    remedy = "fix it, name the column's formats in data.dates"
    if column == prepare.split_column:
        return f"{message}: {remedy}, or change prepare.split, which orders the rows by it"
    return f"{message}: {remedy}, or name it in data.categorical or data.drop"


def _known_formats(formats: list[str]) -> str:
    return " or ".join([*formats, f"{dates.ISO} (2024-12-31)"])


def _check_columns(frame: pd.DataFrame, data: Data, split_column: str | None, origin: str) -> None:
    wanted = [data.target, *data.drop]
    wanted += [*data.numeric, *data.categorical, *data.dates, *data.text]
    wanted += [column for column in (split_column, data.weight) if column]
    missing = [column for column in dict.fromkeys(wanted) if column not in frame.columns]
    if missing:
        raise DataError(
            f"{origin}: no column {listed(missing)}, which {paths.PARAMS} names; the file has: "
            f"{listed(frame.columns, most=30)}"
        )


def _faulty_values(frame: pd.DataFrame, data: Data, split_column: str | None) -> dict[str, str]:
    """Return what pandera finds wrong in a cleaned table, by column, and what to do about it."""
    import pandera.pandas as pa

    schema = {}
    for column in frame.columns:
        rules = _rules(frame[column], data, split_column)
        checks = [pa.Check(rule.holds, error=rule.error, ignore_na=False) for rule in rules]
        schema[column] = pa.Column(nullable=True, checks=checks)
    try:
        pa.DataFrameSchema(schema).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        by_column = errors.failure_cases.groupby("column", sort=False)["check"]
        return by_column.agg(lambda faults: "; ".join(faults.unique())).to_dict()
    return {}


TARGET_REMEDY = "fill it in, or leave such rows out by data.missing_target: drop"


@dataclass(frozen=True)
class Rule:
    """What the values of a column must be, and the error where they are not."""

    holds: Callable[[pd.Series], bool]
    error: str


def _rules(values: pd.Series, data: Data, split_column: str | None) -> list[Rule]:
    if values.name == data.target:
        gaps = _gaps(values)
        same = "the same target in every row: nothing to learn, choose another target"
        rules = [
            Rule(_every, f"no target in {gaps}: {TARGET_REMEDY}"),
            Rule(_several, same),
        ]
        return rules + _rules_of_range(values, LARGEST_TARGET) + _rules_of_spread(values)
    if values.name == data.weight:
        return _rules_of_weights(values)
    if values.name == split_column:
        return [Rule(_every, f"no value in {_gaps(values)}, which prepare.split needs: fill it in")]
    rules = [Rule(_some, "no value at all: name it in data.drop")]
    return rules + _rules_of_range(values, LARGEST)


def _rules_of_weights(values: pd.Series) -> list[Rule]:
    """Return the rules that every row has a weight, none below 0, and some above it."""
    below = values[values < 0]
    negative = f"{below.iloc[0]:.6g} in {reading.rows_in_file(below.index)}" if len(below) else ""
    return [
        Rule(_every, f"no weight in {_gaps(values)}: fill it in, with 0 for a row not to count"),
        Rule(lambda checked: not (checked < 0).any(), f"{negative} is below 0: fix the weight"),
        Rule(lambda checked: checked.max() > 0, "no weight above 0: name another data.weight"),
        *_rules_of_range(values, LARGEST),
    ]


def _gaps(values: pd.Series) -> str:
    return reading.rows_in_file(values.index[values.isna()])


def _rules_of_range(values: pd.Series, largest: float) -> list[Rule]:
    """Return the rule that numbers are no larger than models and their metrics can take."""
    if kinds.kind_of(values) != NUMBER:
        return []
    beyond = values[values.abs() > largest]
    example = f"{beyond.iloc[0]:.6g} in {reading.rows_in_file(beyond.index)}" if len(beyond) else ""
    error = f"{example} is beyond {largest:.3g}, the largest number that is taken here: rescale it"
    return [Rule(lambda checked: not (checked.abs() > largest).any(), error)]


def _rules_of_spread(values: pd.Series) -> list[Rule]:
    """Return the rule that the target's numbers lie far enough apart to have squared errors."""
    if kinds.kind_of(values) != NUMBER:
        return []
    error = f"a target within {SMALLEST_SPREAD:.3g}, whose squared errors are 0: rescale it"

    def holds(checked: pd.Series) -> bool:
        return checked.nunique() < 2 or checked.max() - checked.min() >= SMALLEST_SPREAD

    return [Rule(holds, error)]


def _some(values: pd.Series) -> bool:
    return bool(values.notna().any())


def _every(values: pd.Series) -> bool:
    return bool(values.notna().all())


def _several(values: pd.Series) -> bool:
    return values.nunique() != 1


def _check_classes(target: pd.Series, data: Data, origin: str) -> None:
    labels = target.unique()
    if len(labels) > MOST_CLASSES and len(labels) > MOST_CLASSES_SHARE * len(target):
        raise DataError(
            f"{origin}: the target {data.target!r} has {len(labels)} different values in "
            f"{len(target)} rows; set task: regression or choose another target"
        )
    if data.positive is not None and data.positive not in labels:
        raise DataError(
            f"{origin}: no row of {data.target!r} is {data.positive!r}, which data.positive names; "
            f"found: {listed(sorted(labels))}"
        )


def feature_columns(frame: pd.DataFrame, data: Data, prepare: Prepare = RANDOM) -> list[str]:
    """Return the columns that a model may see."""
    others = [data.target, data.weight]
    if not seasonal_columns(frame, data, prepare):
        others.append(prepare.split_column)
    return [column for column in frame.columns if column not in others]


def seasonal_columns(frame: pd.DataFrame, data: Data, prepare: Prepare = RANDOM) -> list[str]:
    """Return the column of dates that orders the rows, of which a model may see the season.

    That is one column or none: `data.drop` keeps it from the models.
    """
    column = prepare.split_column
    if column is None or column not in frame or column in data.drop:
        return []
    return [column] if kinds.kind_of(frame[column]) == DATE else []
