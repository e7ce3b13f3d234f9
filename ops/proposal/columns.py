"""The columns of a new table: what each is taken for, and why."""

import re
from dataclasses import dataclass

import pandas as pd

from pipeline.data import doubts, kinds
from pipeline.data.kinds import NUMBER

NUMBERS, CATEGORIES, CODES = "numbers", "categories", "codes with a zero in front"
DATES, TEXTS = "dates", "free text"
ROW_NUMBERS, IDENTIFIERS, EMPTY = "row numbers", "identifiers", "empty"
CONSTANT = "the same in every row"
# of which models see nothing
DROPPED = (ROW_NUMBERS, IDENTIFIERS, EMPTY, CONSTANT)
# rows below which all values may differ by chance
FEWEST_ROWS = 20
# words of a text that differs in every row and yet is no identifier
WORDS_OF_TEXT = 4
# order_id, rownames, and what pandas calls a column without a name; customerID
ID_NAME = re.compile(
    r"(^|[\W_])(id|key|uuid|guid|hash)$|row_?(names?|id|number)|Unnamed: \d+", re.I
)
CAMEL_ID = re.compile(r"[a-z](Id|ID|Key|UUID)$")
UUID = re.compile(r"\{?[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?")
HASH = re.compile(r"(?=.*\d)(?=.*[a-fA-F])([0-9a-fA-F]{16}|[0-9a-fA-F]{24}|[0-9a-fA-F]{32,128})")


@dataclass(frozen=True)
class Taken:
    """What a column is taken for, one of the words above."""

    column: str
    role: str


def taken(frame: pd.DataFrame, target: str, codes: list[str]) -> list[Taken]:
    """Return what each column beside the target is taken for, blanks missing."""
    found = []
    for name in frame.columns.drop(target):
        found.append(Taken(str(name), _role(frame[name], name in codes)))
    return found


def of_role(columns: list[Taken], *roles: str) -> list[str]:
    """Return the columns that are taken for one of some things."""
    return [taken.column for taken in columns if taken.role in roles]


def _role(values: pd.Series, is_code: bool) -> str:
    present = values.dropna()
    if present.empty:
        return EMPTY
    if len(present) == len(values) and present.nunique() == 1:
        return CONSTANT
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return _role_of_numbers(values)
    texts = present.astype(str)
    if _is_identifier(texts, len(values)):
        return IDENTIFIERS
    if is_code:
        return CODES
    found = kinds.typed(values)
    if found.kind == NUMBER:
        return NUMBERS
    if doubts.is_meant_as_numbers(values):
        return CATEGORIES
    if is_date(values):
        return DATES
    if _words(texts) >= doubts.MANY_WORDS and texts.nunique() > doubts.FEWEST_NUMBERS:
        return TEXTS
    if len(texts) >= FEWEST_ROWS and texts.nunique() == len(texts):
        return TEXTS if _words(texts) >= WORDS_OF_TEXT else IDENTIFIERS
    return CATEGORIES


def _role_of_numbers(values: pd.Series) -> str:
    """Return what a column of numbers is taken for: whole ones that all differ may name rows."""
    if is_date(values):
        return DATES
    whole = values.notna().all() and (values % 1 == 0).all()
    if not whole or len(values) < FEWEST_ROWS or not values.is_unique:
        return NUMBERS
    if values.max() - values.min() == len(values) - 1:
        return ROW_NUMBERS
    return IDENTIFIERS if is_named_as_identifier(str(values.name)) else NUMBERS


def is_named_as_identifier(name: str) -> bool:
    """Return whether a column's name says that it names something."""
    return bool(ID_NAME.search(name) or CAMEL_ID.search(name))


def _is_identifier(texts: pd.Series, n_rows: int) -> bool:
    """Return whether texts are UUIDs or hashes that differ in every row."""
    if len(texts) < FEWEST_ROWS or texts.nunique() < len(texts):
        return False
    return is_machine_made(texts)


def is_machine_made(texts: pd.Series) -> bool:
    """Return whether texts are UUIDs or hashes, going by some of them."""
    some = texts.head(doubts.LOOKED_AT)
    made = some.map(lambda text: bool(UUID.fullmatch(text) or HASH.fullmatch(text)))
    return bool(made.all())


def _words(texts: pd.Series) -> float:
    return float(texts.head(doubts.LOOKED_AT).str.split().str.len().median())


def is_date(values: pd.Series) -> bool:
    """Return whether a column holds dates, going by how some of its values are written."""
    doubt = doubts.of_column(values, kinds.typed(kinds.blank_to_missing(values)).values, DATE_CHECK)
    return doubt is not None


DATE_CHECK = (doubts.dates,)


def described(columns: list[Taken]) -> list[str]:
    """Return a line for each thing that columns are taken for: which, and what follows."""
    lines = []
    for role in (NUMBERS, CATEGORIES, CODES, DATES, TEXTS):
        if names := of_role(columns, role):
            lines.append(f"{role}: {_listed(names)}")
    for role in DROPPED:
        if names := of_role(columns, role):
            lines.append(f"dropped, as {role}: {_listed(names)}")
    return lines


def _listed(names: list[str]) -> str:
    further = len(names) - doubts.MOST_TOLD
    more = f" and {further:,} more" if further > 0 else ""
    return ", ".join(names[: doubts.MOST_TOLD]) + more
