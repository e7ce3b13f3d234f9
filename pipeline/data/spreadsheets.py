"""Spreadsheets: text that they would run as a formula, and how it is kept from that."""

import pandas as pd

# with the full-width forms, which some programs take, too; a tab or line break before them counts
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def safe(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose text, and whose column names, no spreadsheet runs as a formula.

    An apostrophe is put before text that begins like one, as OWASP's page on CSV injection says
    (https://owasp.org/www-community/attacks/CSV_Injection); numbers stay as they are.
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
    if isinstance(value, str) and value.lstrip().startswith(FORMULA_STARTS):
        return f"'{value}"
    return value
