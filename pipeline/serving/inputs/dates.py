"""Dates of a request: texts in ISO 8601, or in a format that params.yaml names."""

import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Annotated, Any

import pandas as pd
from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from pipeline.data.kinds import as_dates
from pipeline.data.spelling import dates
from pipeline.serving.inputs.column import Checked, Column, check_may_be_missing
from pipeline.serving.inputs.labels import text_of

# what datetime reads as pandas does, and faster
PLAIN_DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{6})?)?(Z|[+-]\d{2}:\d{2})?)?"
)


def date_field(column: Column) -> Any:
    validator = PlainValidator(_date_reader(column))
    return Annotated[datetime | None, validator, WithJsonSchema(_date_schema(column))]


def _date_reader(column: Column) -> Callable[[Any], datetime | None]:
    """Return a function that gives the moment of a date in UTC, or None for a missing one."""
    reason = f"Input should be {_formats_in_words(column.formats)}"
    takes_numbers = bool(dates.PER_SECOND.keys() & set(column.formats))

    def read(value: Any) -> datetime | None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        moment = None
        if value is None or isinstance(value, str) or is_number and takes_numbers:
            text = text_of(value)
            if text is None:
                check_may_be_missing(column)
                return None
            moment = _moment(text, column.formats)
        if moment is None:
            raise PydanticCustomError("date_format", "{reason}", {"reason": reason})
        return moment

    return read


def _formats_in_words(formats: tuple[str, ...]) -> str:
    return f"a date in {' or '.join([*formats, dates.ISO])}, such as 2024-12-31T10:00:00Z"


def _quick_moment(text: str, formats: tuple[str, ...]) -> datetime | None:
    """Return the moment of most dates in a hundredth of the time; None where it takes pandas."""
    try:
        if not formats and PLAIN_DATE.fullmatch(text):
            moment = datetime.fromisoformat(text)
        elif formats and formats[0] not in dates.PER_SECOND:
            moment = datetime.strptime(text, formats[0])
        else:
            return None
        if moment.tzinfo is None:
            return moment.replace(tzinfo=timezone.utc)
        return moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def _moment(text: str, formats: tuple[str, ...]) -> datetime | None:
    """Return the moment that a date names, None where it is not a date in ISO 8601 or a format."""
    quickly = _quick_moment(text, formats)
    if quickly is not None:
        return quickly
    moments = as_dates(pd.Series([text], dtype="str"), formats)
    return None if moments.isna().any() else moments.iloc[0].to_pydatetime()


def _date_schema(column: Column) -> dict[str, Any]:
    """Return the JSON schema of a date."""
    schemas: list[dict[str, Any]] = []
    if column.formats:
        schemas.append({"type": "string"})
    if dates.PER_SECOND.keys() & set(column.formats):
        schemas.append({"type": "number"})
    if not column.formats:
        schemas += [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]
    if column.nullable:
        schemas.append({"type": "null"})
    return {"anyOf": schemas, "description": _formats_in_words(column.formats)}


def checked_dates(values: pd.Series, column: Column) -> Checked:
    # one that is not a date was refused when the table was typed
    return Checked(values, pd.Series(False, index=values.index), "")
