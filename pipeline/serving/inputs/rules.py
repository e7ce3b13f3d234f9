"""The rule of each kind of input."""

from typing import Annotated, Any

import pandas as pd
from pydantic import AllowInfNan, Field

from pipeline.data.kinds import CATEGORY, DATE, LARGEST, NUMBER, TEXT
from pipeline.serving.inputs.column import Checked, Column, Rule
from pipeline.serving.inputs.dates import checked_dates, date_field
from pipeline.serving.inputs.labels import (
    category_field,
    checked_categories,
    checked_texts,
    text_field,
)


def _number_field(column: Column) -> Any:
    number = Annotated[float, Field(ge=-LARGEST, le=LARGEST), AllowInfNan(False)]
    return number | None if column.nullable else number


def _checked_numbers(values: pd.Series, column: Column) -> Checked:
    return Checked(values, values.abs() > LARGEST, f"a number beyond {LARGEST:.3g}")


RULES = {
    NUMBER: Rule(_number_field, _checked_numbers),
    DATE: Rule(date_field, checked_dates),
    TEXT: Rule(text_field, checked_texts),
    CATEGORY: Rule(category_field, checked_categories),
}
