"""Spreadsheets: text that they would run as a formula, and how it is kept from that."""

import re

import pandas as pd

# with the full-width forms, which some programs take, too; a tab or line break before them counts
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
# which a spreadsheet does not run, though it begins with a sign
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def safe(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose text, and whose column names, no spreadsheet runs as a formula.

    An apostrophe is put before text that begins like one, as OWASP's page on CSV injection says
    (https://owasp.org/www-community/attacks/CSV_Injection). Numbers stay as they are, as text, too.
    """
    columns = {}
    for position, column in enumerate(frame.columns):
        values = frame.iloc[:, position]
        if not pd.api.types.is_numeric_dtype(values):
            values = values.map(_safe_cell, na_action="ignore")
        columns[_safe_cell(column)] = values
    return pd.DataFrame(columns, index=frame.index)


def _safe_cell(value: object) -> object:
    """Return a value with an apostrophe before it where it is text that begins like a formula."""
    if not isinstance(value, str) or not value.lstrip().startswith(FORMULA_STARTS):
        return value
    return value if NUMBER.fullmatch(value) else f"'{value}"
