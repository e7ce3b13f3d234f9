"""Dates: the formats in which they are spelt, and how each is read as a moment in UTC.

ISO 8601 (2024-12-31, 2024-12-31T10:00:00+01:00) reads alike to everyone. Any other format has to be
named: 01/02/2024 is January to some and February to others.
"""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from pandas.tseries.api import guess_datetime_format

# formats beside those of strptime: seconds and milliseconds since 1970
UNIX, UNIX_MS = "unix", "unix_ms"
PER_SECOND = {UNIX: 1, UNIX_MS: 1000}
# as results and messages call it
ISO = "ISO 8601"
TYPE = "datetime64[us, UTC]"
# of moments since 1970 in seconds, the end of the year 9999: larger ones are milliseconds
LARGEST_SECONDS = 253_402_300_799
# year, month and day; a year alone is a number, and 2010-11 may be a season
WHOLE_ISO_DATE = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}([T ].*)?")
# different texts whose formats are guessed
GUESSED = 200
# formats that pandas does not guess
NOT_GUESSED = (
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%d-%b-%y", "%b-%Y", "%b %Y", "%B %Y"),
    *("%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %I:%M %p", "%d/%m/%Y %I:%M:%S %p"),
)
# formats that a message names
MOST_FORMATS = 5


@dataclass(frozen=True)
class FormatCount:
    """A format, and how many of a column's values are in it.

    `others` are formats that read these values as well, as dates that may be different ones.
    """

    format: str
    count: int
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        names = " or ".join((self.format, *self.others))
        return f"{names}: {self.count:,}"


def read(texts: pd.Series, formats: Sequence[str] = ()) -> pd.Series:
    """Return dates as moments in UTC, each by the first format that reads it, else by ISO 8601.

    A date without a time zone is taken for UTC; what no format reads is missing.
    """
    if not formats:
        return _read_iso(texts)
    moments = pd.Series(pd.NaT, index=texts.index, dtype=TYPE)
    for name in (*formats, ISO):
        unread = moments.isna() & texts.notna()
        if unread.any():
            moments[unread] = _read_in(texts[unread], name)
    return moments


def _read_in(texts: pd.Series, name: str) -> pd.Series:
    if name == ISO:
        return _read_iso(texts)
    if name in PER_SECOND:
        return _read_unix(texts, PER_SECOND[name])
    return pd.to_datetime(texts, errors="coerce", format=name, utc=True).astype(TYPE)


def _read_iso(texts: pd.Series) -> pd.Series:
    return pd.to_datetime(texts, errors="coerce", format="ISO8601", utc=True).astype(TYPE)


def _read_unix(texts: pd.Series, per_second: int) -> pd.Series:
    """Return moments of numbers since 1970; one beyond the year 9999 is missing."""
    seconds = pd.to_numeric(texts, errors="coerce").astype("float64") / per_second
    seconds = seconds.where(seconds.abs() <= LARGEST_SECONDS)
    return pd.to_datetime((seconds * 1e6).round().astype("Int64"), unit="us", utc=True).astype(TYPE)


def look_like_iso(texts: pd.Series) -> pd.Series:
    """Say of each text whether it has year, month and day as ISO 8601 has them."""
    return texts.map(lambda text: WHOLE_ISO_DATE.fullmatch(text) is not None).astype(bool)


def found_formats(texts: pd.Series) -> list[FormatCount]:
    """Return the formats that read the texts and how many each reads, the commonest first.

    Each text counts for one format. Where others read the same texts, nothing says which is meant.
    """
    counts = []
    unread = texts
    guesses = _guessed(texts)
    while len(unread) and guesses:
        readable = {name: _read_in(unread, name).notna() for name in guesses}
        sums = {name: int(reads.sum()) for name, reads in readable.items()}
        best = max(guesses, key=lambda name: sums[name])
        if not sums[best]:
            break
        same = [name for name in guesses if name != best and readable[name].equals(readable[best])]
        counts.append(FormatCount(best, sums[best], tuple(same)))
        unread = unread[~readable[best]]
        guesses = [name for name in guesses if name != best and name not in same]
    return sorted(counts, key=lambda one: -one.count)


def _guessed(texts: pd.Series) -> list[str]:
    """Return the formats that some of the texts may be in."""
    guesses = [ISO] if look_like_iso(texts).any() else []
    different = texts.drop_duplicates()
    # evenly spaced over the column: a format may begin late
    step = max(1, len(different) // GUESSED)
    for text in different.iloc[::step]:
        if not WHOLE_ISO_DATE.fullmatch(text):
            guesses += _guesses_for(text)
    return list(dict.fromkeys(guesses))


def _guesses_for(text: str) -> list[str]:
    """Return the formats that a text may be in."""
    with warnings.catch_warnings():
        # that the other order of day and month is meant: both are asked for
        warnings.simplefilter("ignore", UserWarning)
        guesses = [guess_datetime_format(text, dayfirst=first) for first in (False, True)]
    found = [guess for guess in guesses if guess is not None]
    if found:
        return found
    one = pd.Series([text], dtype="str")
    return [name for name in NOT_GUESSED if _read_in(one, name).notna().all()]


def in_words(formats: list[FormatCount]) -> str:
    """Return how many values are in which format."""
    told = ", ".join(map(str, formats[:MOST_FORMATS]))
    further = len(formats) - MOST_FORMATS
    return told + (f" and {further} more formats" if further > 0 else "")
