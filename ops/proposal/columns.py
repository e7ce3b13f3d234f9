"""The columns of a new table: what each is taken for, and why."""

import re
from dataclasses import dataclass, field

import pandas as pd

from pipeline.data import doubts, kinds
from pipeline.data.kinds import CATEGORY, DATE, NUMBER, TEXT
from pipeline.data.spelling import dates

NUMBERS, CATEGORIES, CODES = "numbers", "categories", "codes with a zero in front"
DATES, TEXTS = "dates", "free text"
ROW_NUMBERS, IDENTIFIERS, EMPTY = "row numbers", "identifiers", "empty"
CONSTANT = "the same in every row"
# of which models see nothing
DROPPED = (ROW_NUMBERS, IDENTIFIERS, EMPTY, CONSTANT)
# rows below which all values may differ by chance
FEWEST_ROWS = 20
ROLES = {NUMBER: NUMBERS, DATE: DATES, TEXT: TEXTS}
YEAR_MONTH_DAY = "%Y%m%d"
# order_id, rownames, and what pandas calls a column without a name; customerID
ID_NAME = re.compile(
    r"(^|[\W_])(id|key|uuid|guid|hash)$|row_?(names?|id|number)|Unnamed: \d+", re.I
)
CAMEL_ID = re.compile(r"[a-z](Id|ID|Key|UUID)$")
UUID = re.compile(r"\{?[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?")
HASH = re.compile(r"(?=.*\d)(?=.*[a-fA-F])([0-9a-fA-F]{16}|[0-9a-fA-F]{24}|[0-9a-fA-F]{32,128})")


@dataclass(frozen=True)
class Taken:
    """What a column is taken for, one of the words above.

    `formats` are those of dates that are not in ISO 8601; `doubt` says what else they may be.
    """

    column: str
    role: str
    formats: list[str] = field(default_factory=list)
    doubt: str = ""


def taken(frame: pd.DataFrame, target: str, codes: list[str]) -> list[Taken]:
    """Return what each column beside the target is taken for, blanks missing."""
    return [_taken(frame[name], name in codes) for name in frame.columns.drop(target)]


def of_role(columns: list[Taken], *roles: str) -> list[str]:
    """Return the columns that are taken for one of some things."""
    return [taken.column for taken in columns if taken.role in roles]


def _taken(values: pd.Series, is_code: bool) -> Taken:
    name, present = str(values.name), values.dropna()
    if present.empty:
        return Taken(name, EMPTY)
    if len(present) == len(values) and present.nunique() == 1:
        return Taken(name, CONSTANT)
    if pd.api.types.is_datetime64_any_dtype(values):
        return Taken(name, DATES)
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return _taken_numbers(values)
    texts = kinds.as_text(present)
    if _differs_in_every_row(texts) and is_machine_made(texts):
        return Taken(name, IDENTIFIERS)
    if is_code:
        return Taken(name, CODES)
    kind = kinds.typed(values).kind
    if kind != CATEGORY:
        return Taken(name, ROLES[kind])
    dated = _in_other_formats(name, texts)
    if dated is not None:
        return dated
    if _differs_in_every_row(texts) and not doubts.is_meant_as_numbers(values):
        return Taken(name, IDENTIFIERS)
    return Taken(name, CATEGORIES)


def _taken_numbers(values: pd.Series) -> Taken:
    """Return what a column of numbers is taken for: whole ones that all differ may name rows."""
    name = str(values.name)
    if _is_year_month_day(values):
        return Taken(name, DATES, [YEAR_MONTH_DAY])
    whole = values.notna().all() and (values % 1 == 0).all()
    if not whole or not _differs_in_every_row(values):
        return Taken(name, NUMBERS)
    if values.max() - values.min() == len(values) - 1:
        return Taken(name, ROW_NUMBERS)
    return Taken(name, IDENTIFIERS if is_named_as_identifier(name) else NUMBERS)


def _is_year_month_day(values: pd.Series) -> bool:
    """Return whether numbers are dates as 20241231 writes them."""
    present = values.dropna()
    if not present.between(19000101, 21001231).all() or present.nunique() < doubts.FEWEST_NUMBERS:
        return False
    return bool(kinds.as_dates(present, [YEAR_MONTH_DAY]).notna().all())


def _in_other_formats(name: str, texts: pd.Series) -> Taken | None:
    """Return a column of dates in other formats than ISO 8601, None where it holds no dates.

    Where no format reads some of its values, or day and month are swapped in others, it is left as
    categories, and prepare says which formats it found.
    """
    some = kinds.drawn(texts)
    spelt = some.map(lambda text: doubts.SPELT_DATE.fullmatch(text) is not None)
    formats = dates.found_formats(texts) if spelt.mean() >= doubts.SHARE else []
    if not formats:
        return None
    if sum(one.count for one in formats) < len(texts) or _swap_day_and_month(formats):
        return Taken(name, CATEGORIES)
    names = [one.format for one in formats if one.format != dates.ISO]
    return Taken(name, DATES, names, _doubt(name, formats))


def _swap_day_and_month(formats: list[dates.FormatCount]) -> bool:
    """Return whether two formats have the same parts in another order."""
    parts = {"".join(sorted(one.format)) for one in formats}
    return len(parts) < len(formats)


def _doubt(name: str, formats: list[dates.FormatCount]) -> str:
    """Return what else dates may mean, and how many are in which format where these differ."""
    if len(formats) > 1:
        return f"{name} in {dates.in_words(formats)}"
    others = formats[0].others
    return f"{name} in {formats[0].format}; or is it {' or '.join(others)}?" if others else ""


def _differs_in_every_row(values: pd.Series) -> bool:
    return len(values) >= FEWEST_ROWS and bool(values.is_unique)


def is_named_as_identifier(name: str) -> bool:
    """Return whether a column's name says that it names something."""
    return bool(ID_NAME.search(name) or CAMEL_ID.search(name))


def is_machine_made(texts: pd.Series) -> bool:
    """Return whether texts are UUIDs or hashes, going by some of them."""
    some = texts.head(doubts.LOOKED_AT)
    made = some.map(lambda text: bool(UUID.fullmatch(text) or HASH.fullmatch(text)))
    return bool(made.all())


def described(columns: list[Taken]) -> list[str]:
    """Return a line for each thing that columns are taken for: which, and what follows."""
    lines = []
    for role in (NUMBERS, CATEGORIES, CODES, DATES, TEXTS):
        if names := of_role(columns, role):
            lines.append(f"{role}: {_listed(names)}")
    lines += [f"dates: {taken.doubt}" for taken in columns if taken.doubt]
    for role in DROPPED:
        if names := of_role(columns, role):
            lines.append(f"dropped, as {role}: {_listed(names)}")
    return lines


def _listed(names: list[str]) -> str:
    further = len(names) - doubts.MOST_TOLD
    more = f" and {further:,} more" if further > 0 else ""
    return ", ".join(names[: doubts.MOST_TOLD]) + more
